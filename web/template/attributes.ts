/** object.name, object[index] and slices, as Jinja2's immutable sandbox allows them. */
import { TemplateError, Unsupported } from './errors.js';
import { METHODS, MUTATORS, PROPERTIES, UNSUPPORTED_METHODS } from './methods.js';
import * as meter from './meter.js';
import { bind } from './arguments.js';
import type { Method } from './arguments.js';
import { formatText } from './string-format.js';
import { charactersOf, join, lengthOf, substring } from './strings.js';
import { str } from './text.js';
import {
  Attributed,
  Callable,
  Dict,
  Group,
  Markup,
  Namespace,
  Range,
  Tuple,
  TypeFailure,
  Undefined,
  intOf,
  itemsOf,
  textOf,
  typeName,
} from './values.js';
import type { Value } from './values.js';

/** Python's getattr; undefined when there is no such attribute. */
function pythonAttribute(object: Value, name: string): Value | undefined {
  if (object instanceof Undefined) {
    if (name.startsWith('__') && name.endsWith('__')) return undefined;
    return object.fail();
  }
  if (object instanceof Namespace) return object.attributes.get(name);
  const type = object instanceof Markup ? 'str' : typeName(object);
  if (name.startsWith('__') && name.endsWith('__'))
    throw new Unsupported(`the attribute '${name}' is not supported`);
  if (object instanceof Attributed) return object.attribute(name);
  if (object instanceof Group && (name === 'grouper' || name === 'list'))
    return object.items[name === 'grouper' ? 0 : 1];
  const kind = object instanceof Group ? 'tuple' : type;
  const property = PROPERTIES[kind];
  if (property && Object.hasOwn(property, name)) return property[name]?.(object);
  if (typeof object === 'string' && (name === 'format' || name === 'format_map'))
    return formatMethod(object, name);
  const methods = METHODS[kind];
  if (methods && Object.hasOwn(methods, name)) {
    const method = methods[name] as Method;
    return new Callable(name, (args, keywords) => {
      if (object instanceof Markup)
        throw new Unsupported('methods of a text that is marked as safe are not supported');
      return method(object, args, keywords);
    });
  }
  if (MUTATORS[kind]?.includes(name)) return unsafe(object, name);
  if (UNSUPPORTED_METHODS[kind]?.includes(name))
    throw new Unsupported(`the method '${name}' of ${type} is not supported`);
  return undefined;
}

/** Jinja2's sandbox has a format method of its own: fields read attributes as templates do. */
function formatMethod(text: string, name: string): Callable {
  const read = { attribute: attributeOf, item: itemOf };
  if (name === 'format')
    return new Callable(name, (args, keywords) => formatText(text, args, keywords, read));
  return new Callable(name, (args, keywords) => {
    const [mapping = null] = bind(name, [['mapping']], args, keywords, true);
    if (mapping instanceof Undefined) return mapping.fail();
    if (!(mapping instanceof Dict)) throw new TypeFailure(`format_map() of a ${typeName(mapping)}`);
    return formatText(text, [], mapping, read);
  });
}

/** What Jinja2's sandbox does not show. */
const unsafe = (object: Value, name: string) =>
  new Undefined(`access to attribute '${name}' of '${typeName(object)}' object is unsafe.`);

/** Why a value has nothing of a name. */
function missing(object: Value, name: Value): Undefined {
  const what = typeof name === 'string' ? `attribute '${name}'` : `element ${describe(name)}`;
  const type = typeName(object);
  return new Undefined(
    object === null ? `'None' has no ${what}` : `'${type} object' has no ${what}`,
  );
}

const describe = (value: Value): string =>
  typeof value === 'bigint' || typeof value === 'number'
    ? str(value)
    : `of type ${typeName(value)}`;

/** object[index] without attributes; undefined where Python raises TypeError or LookupError. */
function pythonItem(object: Value, index: Value): Value | undefined {
  if (object instanceof Undefined) return object.fail();
  if (object instanceof Dict) {
    try {
      return object.get(index);
    } catch (error) {
      if (error instanceof TypeFailure) return undefined;
      throw error;
    }
  }
  let i = intOf(index);
  if (i === undefined) return undefined;
  const text = textOf(object);
  if (text !== undefined) {
    const n = lengthOf(text);
    if (i < 0) i += n;
    if (i < 0 || i >= n) return undefined;
    const character = substring(text, i, i + 1);
    return object instanceof Markup ? new Markup(character) : character;
  }
  const list = itemsOf(object);
  const n = list?.length ?? (object instanceof Range ? object.length : 0);
  if (i < 0) i += n;
  if (i < 0 || i >= n) return undefined;
  return list ? list[i] : (object as Range).at(i);
}

/** object.name: an attribute, or else an item. */
export function attributeOf(object: Value, name: string): Value {
  const value = pythonAttribute(object, name);
  if (value !== undefined) return name.startsWith('_') ? unsafe(object, name) : value;
  const item = pythonItem(object, name);
  return item === undefined ? missing(object, name) : item;
}

/** object[index]: an item, or else an attribute. */
export function itemOf(object: Value, index: Value): Value {
  const item = pythonItem(object, index);
  if (item !== undefined) return item;
  const name = textOf(index);
  const value = name === undefined ? undefined : pythonAttribute(object, name);
  if (name === undefined || value === undefined) return missing(object, index);
  return name.startsWith('_') ? unsafe(object, name) : value;
}

/** Whether getattr would find something, for the filter `attr`. */
export function hasAttribute(object: Value, name: string): boolean {
  return pythonAttribute(object, name) !== undefined;
}

function sliceBound(value: Value): number | undefined {
  if (value === null) return undefined;
  const n = intOf(value);
  if (n === undefined)
    throw new TypeFailure('slice indices must be integers or None or have an __index__ method');
  return n;
}

/** slice.indices(n) */
function sliceIndices(n: number, start: Value, stop: Value, by: Value): [number, number, number] {
  const step = sliceBound(by) ?? 1;
  if (step === 0) throw new TemplateError('slice step cannot be zero');
  const [low, high] = step > 0 ? [0, n] : [-1, n - 1];
  const clamp = (value: number | undefined, fallback: number) => {
    if (value === undefined) return fallback;
    return Math.min(high, Math.max(low, value < 0 ? value + n : value));
  };
  return [
    clamp(sliceBound(start), step > 0 ? low : high),
    clamp(sliceBound(stop), step > 0 ? high : low),
    step,
  ];
}

function pick<T>(list: readonly T[], [start, stop, step]: [number, number, number]): T[] {
  const n = Math.max(0, Math.ceil((stop - start) / step));
  meter.items(n);
  return Array.from({ length: n }, (_, i) => list[start + i * step] as T);
}

/** object[start:stop:step] */
export function sliceOf(object: Value, start: Value, stop: Value, step: Value): Value {
  if (object instanceof Undefined) return object.fail();
  const text = textOf(object);
  if (text !== undefined) {
    const indices = sliceIndices(lengthOf(text), start, stop, step);
    const [from, to, by] = indices;
    const part =
      by === 1
        ? substring(text, from, Math.max(from, to))
        : join('', pick(charactersOf(text), indices));
    return object instanceof Markup ? new Markup(part) : part;
  }
  if (Array.isArray(object)) return pick(object, sliceIndices(object.length, start, stop, step));
  if (object instanceof Tuple)
    return new Tuple(pick(object.items, sliceIndices(object.items.length, start, stop, step)));
  if (object instanceof Range) {
    const [from, to, by] = sliceIndices(object.length, start, stop, step);
    const at = (i: number) => object.start + i * object.step;
    return new Range(at(from), at(to), object.step * by);
  }
  if (object instanceof Dict) throw new TypeFailure("unhashable type: 'slice'");
  throw new TypeFailure(`'${typeName(object)}' object is not subscriptable`);
}
