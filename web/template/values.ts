/**
 * The values of a template. Python's None, bool, int, float and str are null, boolean, bigint,
 * number and string; a list is an array; everything else is a class of this file.
 */
import { TemplateError, Unsupported } from './errors.js';
import * as meter from './meter.js';
import { charactersOf, lengthOf } from './strings.js';

export type Value = null | boolean | bigint | number | string | Value[] | PyObject;

/** Everything that is no plain JavaScript value. */
export abstract class PyObject {
  /** Python's name of the type, for messages. */
  abstract readonly typeName: string;
}

/** A text that counts as escaped already. */
export class Markup extends PyObject {
  readonly typeName = 'Markup';
  constructor(readonly text: string) {
    super();
  }
}

export class Tuple extends PyObject {
  readonly typeName: string = 'tuple';
  constructor(readonly items: readonly Value[]) {
    super();
  }
}

/** What groupby gives: a tuple with names. */
export class Group extends Tuple {
  override readonly typeName = '_GroupTuple';
}

/** Python's range(). */
export class Range extends PyObject {
  readonly typeName = 'range';
  readonly length: number;
  constructor(
    readonly start: number,
    readonly stop: number,
    readonly step: number,
  ) {
    super();
    this.length = Math.max(0, Math.ceil((stop - start) / step));
  }
  at(i: number): bigint {
    return BigInt(this.start + i * this.step);
  }
}

const GENERATOR_LEVELS = 10; // of the host's stack that one generator takes

/** A generator: values that come one after the other, once. */
export class Iter extends PyObject {
  readonly typeName: string;
  /** A generator may read a generator that reads a generator: their depth is bounded. */
  readonly iterator: Iterator<Value, unknown>;
  constructor(source: Iterator<Value, unknown>, typeName = 'generator') {
    super();
    this.typeName = typeName;
    this.iterator = { next: () => meter.nested(GENERATOR_LEVELS, () => source.next()) };
  }
}

/** dict.keys(), values(), items(). */
export class View extends PyObject {
  readonly typeName: 'dict_keys' | 'dict_values' | 'dict_items';
  constructor(
    readonly dict: Dict,
    readonly kind: 'keys' | 'values' | 'items',
  ) {
    super();
    this.typeName = `dict_${kind}`;
  }
  list(): Value[] {
    const entries = [...this.dict.entries()];
    meter.items(entries.length);
    if (this.kind === 'items') return entries.map((entry) => new Tuple(entry));
    return entries.map(([key, value]) => (this.kind === 'keys' ? key : value));
  }
}

/** What a name or an attribute that is not there gives. */
export class Undefined extends PyObject {
  readonly typeName = 'Undefined';
  constructor(readonly message: string) {
    super();
  }
  fail(): never {
    throw new TemplateError(this.message);
  }
}

export class Namespace extends PyObject {
  readonly typeName = 'Namespace';
  constructor(readonly attributes: Dict) {
    super();
  }
}

export type Keywords = Map<string, Value>;

/** Something that a template can call. */
export class Callable extends PyObject {
  readonly typeName: string = 'builtin_function_or_method';
  constructor(
    readonly name: string,
    readonly call: (args: Value[], keywords: Keywords) => Value,
  ) {
    super();
  }
}

/** An object with attributes of its own: loop, a macro, cycler(). */
export abstract class Attributed extends PyObject {
  /** An attribute; undefined when there is none. */
  abstract attribute(name: string): Value | undefined;
  /** How it is called, when it can be. */
  readonly call?: (args: Value[], keywords: Keywords) => Value;
}

// ---- dicts ----

const UNDEFINED_KEY = Symbol('undefined');

/** What equal keys have in common: 1, 1.0 and True are the same key. */
function keyOf(value: Value): unknown {
  meter.step();
  if (value instanceof Markup) value = value.text;
  if (typeof value === 'string') {
    meter.characters(value.length);
    return value.startsWith('\0') ? `\0s${value}` : value; // \0 begins the keys of tuples
  }
  if (typeof value === 'boolean') return Number(value);
  if (typeof value === 'bigint') {
    const number = Number(value);
    return Number.isSafeInteger(number) ? number : value;
  }
  if (typeof value === 'number')
    return Number.isInteger(value) && !Number.isSafeInteger(value) ? BigInt(value) : value;
  if (value === null) return value;
  if (value instanceof Tuple) {
    const parts = value.items.map((item) => {
      const key = keyOf(item);
      if (typeof key === 'object' && key !== null)
        throw new Unsupported('a tuple of objects as a key is not supported');
      return `${typeof key}${String(key)}`;
    });
    const text = parts.map((part) => `${part.length}:${part}`).join('');
    meter.text(text.length);
    return `\0t${text}`;
  }
  if (value instanceof Undefined) return UNDEFINED_KEY;
  if (value instanceof Range) throw new Unsupported('a range as a key is not supported');
  if (Array.isArray(value) || value instanceof Dict || value instanceof View)
    throw new TypeFailure(`unhashable type: '${typeName(value)}'`);
  return value;
}

/** Python's TypeError. Some operations catch it, as Python code does. */
export class TypeFailure extends TemplateError {}

/** A set of values that are equal as Python says. */
export class KeySet {
  readonly #keys = new Set<unknown>();
  /** Whether the value is new. */
  add(value: Value): boolean {
    const key = keyOf(value);
    if (this.#keys.has(key)) return false;
    meter.items(1);
    this.#keys.add(key);
    return true;
  }
}

export class Dict extends PyObject {
  readonly typeName = 'dict';
  readonly #entries = new Map<unknown, [Value, Value]>();

  static of(entries: Iterable<readonly [Value, Value]>): Dict {
    const dict = new Dict();
    for (const [key, value] of entries) dict.set(key, value);
    return dict;
  }
  get size(): number {
    return this.#entries.size;
  }
  get(key: Value): Value | undefined {
    return this.#entries.get(keyOf(key))?.[1];
  }
  has(key: Value): boolean {
    return this.#entries.has(keyOf(key));
  }
  set(key: Value, value: Value): void {
    meter.items(2);
    const id = keyOf(key);
    const entry = this.#entries.get(id);
    if (entry) entry[1] = value;
    else this.#entries.set(id, [key, value]);
  }
  entries(): Iterable<[Value, Value]> {
    return this.#entries.values();
  }
  keys(): Value[] {
    return new View(this, 'keys').list();
  }
}

// ---- what all values have ----

/** The text of a str or a Markup; undefined for other values. */
export const textOf = (value: Value): string | undefined =>
  typeof value === 'string' ? value : value instanceof Markup ? value.text : undefined;

/** The value as a number; undefined when it is none. */
export const numberOf = (value: Value): bigint | number | undefined =>
  typeof value === 'boolean'
    ? BigInt(value)
    : typeof value === 'bigint' || typeof value === 'number'
      ? value
      : undefined;

/** The items of a list or a tuple; undefined for other values. */
export const itemsOf = (value: Value): readonly Value[] | undefined =>
  Array.isArray(value) ? value : value instanceof Tuple ? value.items : undefined;

/** Python's name of the type. */
export function typeName(value: Value): string {
  if (value === null) return 'NoneType';
  if (Array.isArray(value)) return 'list';
  if (value instanceof PyObject) return value.typeName;
  switch (typeof value) {
    case 'boolean':
      return 'bool';
    case 'bigint':
      return 'int';
    case 'number':
      return 'float';
    default:
      return 'str';
  }
}

/** bool(value). */
export function isTrue(value: Value): boolean {
  if (value === null || value === false || value === '') return false;
  if (value === true || typeof value === 'string') return true;
  if (typeof value === 'bigint') return value !== 0n;
  if (typeof value === 'number') return value !== 0;
  if (value instanceof Undefined) return false;
  const n = sizeOf(value);
  return n === undefined || n > 0;
}

/** A range or a loop, which knows its length. */
interface Sized {
  readonly length: number;
}
const isSized = (value: unknown): value is Sized =>
  value instanceof Range || (value instanceof Attributed && 'length' in value);

/** len(value); undefined when it has none. */
export function sizeOf(value: Value): number | undefined {
  const text = textOf(value);
  if (text !== undefined) return lengthOf(text);
  if (Array.isArray(value)) return value.length;
  if (value instanceof Tuple) return value.items.length;
  if (value instanceof Dict) return value.size;
  if (value instanceof View) return value.dict.size;
  if (value instanceof Undefined) return 0;
  return isSized(value) ? value.length : undefined;
}

/** len(value), or Python's error. */
export function len(value: Value): number {
  const n = sizeOf(value);
  if (n === undefined) throw new TypeFailure(`object of type '${typeName(value)}' has no len()`);
  return n;
}

function* each(list: Iterable<Value>): Generator<Value, undefined> {
  for (const value of list) {
    meter.items(1);
    yield value;
  }
}

function* eachOfRange(range: Range): Generator<Value, undefined> {
  for (let i = 0; i < range.length; i++) {
    meter.items(1);
    yield range.at(i);
  }
}

/** iter(value); undefined when it cannot be iterated. */
export function iteratorOf(value: Value): Iterator<Value, unknown> | undefined {
  if (Array.isArray(value)) return each(value);
  const text = textOf(value);
  if (text !== undefined) return each(charactersOf(text));
  if (value instanceof Tuple) return each(value.items);
  if (value instanceof Dict) return each(value.keys());
  if (value instanceof View) return each(value.list());
  if (value instanceof Range) return eachOfRange(value);
  if (value instanceof Iter) return value.iterator;
  if (value instanceof Undefined) return each([]);
  if (value instanceof Attributed && 'length' in value)
    throw new Unsupported('iterating over the loop variable is not supported');
  return undefined;
}

/** iter(value), or Python's error. */
export function iterate(value: Value): Iterator<Value, unknown> {
  const iterator = iteratorOf(value);
  if (!iterator) throw new TypeFailure(`'${typeName(value)}' object is not iterable`);
  return iterator;
}

/** The same, for a `for` statement. */
export function* valuesOf(value: Value): Generator<Value, undefined> {
  const iterator = iterate(value);
  for (let next = iterator.next(); !next.done; next = iterator.next()) yield next.value as Value;
}

/** list(value). */
export function listOf(value: Value): Value[] {
  if (Array.isArray(value)) {
    meter.items(value.length);
    return [...value];
  }
  return [...valuesOf(value)];
}

/** The value as an index or a count; undefined when it is no int. */
export function intOf(value: Value): number | undefined {
  if (typeof value === 'boolean') return Number(value);
  if (typeof value !== 'bigint') return undefined;
  return Number(value); // an index beyond 2^53 is out of every range, exact or not
}

/** The value as an index or a count, or Python's error. */
export function requireInt(value: Value): number {
  const n = intOf(value);
  if (value instanceof Undefined) return value.fail();
  if (n === undefined)
    throw new TypeFailure(`'${typeName(value)}' object cannot be interpreted as an integer`);
  return n;
}

/** The text of a str, or Python's error. */
export function requireText(value: Value, what: string): string {
  const text = textOf(value);
  if (text === undefined) throw new TypeFailure(`${what} must be str, not ${typeName(value)}`);
  return text;
}
