/** The filters of values and sequences: one row each. filters-text.ts has those that make texts. */
import { filter } from './arguments.js';
import type { Method, Parameter } from './arguments.js';
import { OPERATORS, signed, toFloat } from './arithmetic.js';
import { attributeOf, hasAttribute, itemOf } from './attributes.js';
import { equals, isLess, sorted } from './compare.js';
import { TemplateError, Unsupported } from './errors.js';
import { TEXT_FILTERS } from './filters-text.js';
import * as meter from './meter.js';
import { floatToInt, parseFloatText, parseInteger, roundFloat, roundInt } from './numbers.js';
import { charactersOf, join, lower } from './strings.js';
import { names, TESTS } from './tests.js';
import { str } from './text.js';
import {
  Dict,
  Group,
  Iter,
  KeySet,
  Range,
  Tuple,
  TypeFailure,
  Undefined,
  View,
  isTrue,
  iterate,
  len,
  listOf,
  numberOf,
  requireInt,
  textOf,
  typeName,
  valuesOf,
} from './values.js';
import type { Keywords, Value } from './values.js';

type Getter = (item: Value) => Value;

/** The parameters of filters that compare. */
const CASE: readonly Parameter[] = [
  ['case_sensitive', false],
  ['attribute', null],
];

const ignoreCase: Getter = (value) => (typeof value === 'string' ? lower(value) : value);

/** Jinja2's attribute paths: 'a.b.0', an index, or nothing. */
function pathOf(attribute: Value): Value[] {
  if (attribute === null) return [];
  const text = textOf(attribute);
  if (text === undefined) return [attribute];
  return text.split('.').map((part) => (/^[0-9]+$/.test(part) ? BigInt(part) : part));
}

/** Reads an attribute path of an item. */
function getter(attribute: Value, caseSensitive: boolean, fallback: Value = null): Getter {
  const path = pathOf(attribute);
  return (item) => {
    for (const part of path) {
      meter.step();
      item = itemOf(item, part);
      if (fallback !== null && item instanceof Undefined) item = fallback;
    }
    return caseSensitive ? item : ignoreCase(item);
  };
}

/** 'a,b': several paths, whose values are compared in turn. */
function sortKey(attribute: Value, caseSensitive: boolean): Getter {
  const text = textOf(attribute);
  const all = (text === undefined ? [attribute] : text.split(',')).map((path) =>
    getter(path, caseSensitive),
  );
  return (item) => all.map((get) => get(item));
}

/** The function that `map` applies. */
function mapFunction(args: Value[], keywords: Keywords): Getter {
  if (args.length === 0 && keywords.has('attribute')) {
    for (const name of keywords.keys())
      if (name !== 'attribute' && name !== 'default')
        throw new TypeFailure(`Unexpected keyword argument '${name}'`);
    return getter(keywords.get('attribute') ?? null, true, keywords.get('default') ?? null);
  }
  const [name, ...others] = args;
  if (name === undefined) throw new TypeFailure('map requires a filter argument');
  const run = named('filter', name);
  return (item) => run(item, others, keywords);
}

function named(kind: 'filter' | 'test', name: Value): Method {
  const text = textOf(name) ?? '';
  const run = methodOf(kind, text);
  if (!run) throw unknown(kind, text);
  return run;
}

/** select, reject and their forms with an attribute. */
const chooser =
  (wanted: boolean, withAttribute: boolean): Method =>
  (values, given, keywords) =>
    new Iter(
      (function* (): Generator<Value, undefined> {
        if (!isTrue(values)) return;
        const args = [...given];
        let read: Getter = (item) => item;
        if (withAttribute) {
          const attribute = args.shift();
          if (attribute === undefined)
            throw new TypeFailure('Missing parameter for attribute name');
          read = getter(attribute, true);
        }
        const [name, ...others] = args;
        const test = name === undefined ? undefined : named('test', name);
        for (const item of valuesOf(values)) {
          meter.step();
          const value = read(item);
          const passes = test ? isTrue(test(value, others, keywords)) : isTrue(value);
          if (passes === wanted) yield item;
        }
      })(),
    );

function* batch(values: Value, size: Value, fill: Value): Generator<Value, undefined> {
  let row: Value[] = [];
  for (const value of valuesOf(values)) {
    if (equals(BigInt(row.length), size)) {
      yield row;
      row = [];
    }
    row.push(value);
  }
  if (row.length === 0) return;
  if (fill !== null) {
    const missing = requireInt(size) - row.length;
    if (missing > 0) {
      meter.items(missing);
      row = [...row, ...Array.from({ length: missing }, () => fill)];
    }
  }
  yield row;
}

function* slices(values: Value, n: Value, fill: Value): Generator<Value, undefined> {
  const list = listOf(values);
  const count = requireInt(n);
  if (count === 0) throw new TemplateError('integer division or modulo by zero');
  const each = Math.floor(list.length / count);
  const longer = ((list.length % count) + count) % count;
  let offset = 0;
  for (let i = 0; i < count; i++) {
    const start = offset + i * each;
    if (i < longer) offset++;
    const part = list.slice(start, offset + (i + 1) * each);
    if (fill !== null && i >= longer) part.push(fill);
    meter.items(part.length + 1);
    yield part;
  }
}

function* unique(values: Value, key: Getter): Generator<Value, undefined> {
  const seen = new KeySet();
  for (const value of valuesOf(values)) if (seen.add(key(value))) yield value;
}

/** min and max: the first of equal values. */
const extreme = (isBetter: (value: Value, best: Value) => boolean): Method =>
  filter(CASE, (values, [caseSensitive = false, attribute = null]) => {
    const key = getter(attribute, isTrue(caseSensitive));
    let best: { value: Value; key: Value } | undefined;
    for (const value of valuesOf(values)) {
      meter.step();
      const own = key(value);
      if (!best || isBetter(own, best.key)) best = { value, key: own };
    }
    return best ? best.value : new Undefined('No aggregated item, sequence was empty.');
  });

function groups(values: Value, attribute: Value, fallback: Value, caseSensitive: boolean): Value[] {
  const key = getter(attribute, caseSensitive, fallback);
  const exact = getter(attribute, true, fallback);
  const result: { key: Value; values: Value[] }[] = [];
  for (const value of sorted(listOf(values), key, false)) {
    const own = key(value);
    const last = result.at(-1);
    if (last && equals(last.key, own)) last.values.push(value);
    else result.push({ key: own, values: [value] });
  }
  return result.map((group) => new Group([exact(group.values[0] as Value), group.values]));
}

function sum(values: Value, attribute: Value, start: Value): Value {
  if (textOf(start) !== undefined) throw new TypeFailure("sum() can't sum strings");
  const read = getter(attribute, true);
  let total = start;
  for (const value of valuesOf(values)) {
    meter.step();
    total = OPERATORS['+'](total, read(value));
  }
  return total;
}

function reversed(value: Value): Value {
  const text = textOf(value);
  if (text !== undefined) return join('', charactersOf(text).reverse());
  if (value instanceof Undefined) return [];
  const list = listOf(value).reverse();
  // what Python can reverse in place becomes an iterator, everything else a list
  const isReversible =
    Array.isArray(value) ||
    value instanceof Tuple ||
    value instanceof Dict ||
    value instanceof View ||
    value instanceof Range;
  return isReversible ? new Iter(list.values(), 'reversed') : list;
}

function last(value: Value): Value {
  const text = textOf(value);
  if (text !== undefined) return charactersOf(text).at(-1) ?? noLast();
  if (value instanceof Iter || value === null) throw new TypeFailure(notReversible(value));
  if (value instanceof Undefined) throw new Unsupported('last of an undefined value');
  if (typeof value === 'object') {
    const final = listOf(value).at(-1);
    return final === undefined ? noLast() : final;
  }
  throw new TypeFailure(notReversible(value));
}
const noLast = () => new Undefined('No last item, sequence was empty.');
const notReversible = (value: Value) => `'${typeName(value)}' object is not reversible`;

/** int(): a text in a base, a number without its fraction. */
function toInt(value: Value, fallback: Value, base: Value): Value {
  if (value instanceof Undefined) return value.fail();
  const text = textOf(value);
  if (text !== undefined) {
    const radix = requireInt(base);
    if (radix === 0 || (radix >= 2 && radix <= 36)) {
      const int = parseInteger(text, radix);
      if (int !== undefined) return int;
    }
    const float = parseFloatText(text);
    return (float === undefined ? undefined : floatToInt(float)) ?? fallback;
  }
  if (typeof value === 'bigint' || typeof value === 'boolean') return BigInt(value);
  if (typeof value !== 'number') return fallback;
  const int = floatToInt(value);
  if (int !== undefined) return int;
  // Python does not catch the OverflowError of an infinity
  if (!Number.isNaN(value)) throw new TemplateError('cannot convert float infinity to integer');
  return fallback;
}

function round(value: Value, precision: Value, method: Value): Value {
  const how = textOf(method);
  if (how !== 'common' && how !== 'ceil' && how !== 'floor')
    throw new TemplateError('method must be common, ceil or floor');
  if (value instanceof Undefined && how !== 'common') return value.fail();
  const number = numberOf(value);
  if (number === undefined)
    throw new TypeFailure(`type ${typeName(value)} doesn't define __round__ method`);
  if (how !== 'common') {
    const unit = OPERATORS['**'](10n, precision);
    const scaled = OPERATORS['*'](number, unit);
    const whole =
      typeof scaled === 'number'
        ? floatToInt(how === 'ceil' ? Math.ceil(scaled) : Math.floor(scaled))
        : (scaled as bigint);
    if (whole === undefined) throw new TemplateError('cannot convert float to integer');
    return OPERATORS['/'](whole, unit);
  }
  if (precision === null) {
    if (typeof number === 'bigint') return number;
    const int = floatToInt(roundFloat(number, 0));
    if (int === undefined) throw new TemplateError('cannot convert float to integer');
    return int;
  }
  const digits = requireInt(precision);
  if (typeof number === 'bigint') return digits >= 0 ? number : roundInt(number, digits);
  const result = roundFloat(number, digits);
  if (!Number.isFinite(result) && Number.isFinite(number))
    throw new TemplateError('rounded value too large to represent');
  return result;
}

function dictSort(value: Value, args: readonly Value[]): Value {
  const [caseSensitive = false, by = 'key', reverse = false] = args;
  const side = by === 'key' ? 0 : by === 'value' ? 1 : undefined;
  if (side === undefined) throw new TemplateError('You can only sort by either "key" or "value"');
  if (value instanceof Undefined) return value.fail();
  if (!(value instanceof Dict)) throw new TypeFailure(`'${typeName(value)}' has no items`);
  const key: Getter = (entry) => {
    const part = (entry as Tuple).items[side] as Value;
    return isTrue(caseSensitive) ? part : ignoreCase(part);
  };
  return sorted(new View(value, 'items').list(), key, isTrue(reverse));
}

function* itemsOf(value: Value): Generator<Value, undefined> {
  if (value instanceof Undefined) return;
  if (!(value instanceof Dict)) throw new TypeFailure('Can only get item pairs from a mapping.');
  yield* new View(value, 'items').list();
}

const length = filter([], (value) => BigInt(len(value)));
const orElse = filter(
  [
    ['default_value', ''],
    ['boolean', false],
  ],
  (value, [fallback = '', boolean = false]) =>
    value instanceof Undefined || (isTrue(boolean) && !isTrue(value)) ? fallback : value,
);

/** Every filter by its name. */
const FILTERS: Record<string, Method> = {
  ...TEXT_FILTERS,
  abs: filter([], (value) => {
    if (value instanceof Undefined)
      throw new TypeFailure("bad operand type for abs(): 'Undefined'");
    const number = signed(value, false);
    return typeof number === 'number' ? Math.abs(number) : signed(number, (number as bigint) < 0n);
  }),
  attr: filter([['name']], (value, [name = '']) => {
    const text = textOf(name);
    if (text === undefined) throw new TypeFailure('attribute name must be string');
    if (hasAttribute(value, text)) return attributeOf(value, text);
    return new Undefined(`'${typeName(value)} object' has no attribute '${text}'`);
  }),
  batch: filter(
    [['linecount'], ['fill_with', null]],
    (value, [size = 0n, fill = null]) => new Iter(batch(value, size, fill)),
  ),
  count: length,
  d: orElse,
  default: orElse,
  dictsort: filter(
    [
      ['case_sensitive', false],
      ['by', 'key'],
      ['reverse', false],
    ],
    dictSort,
  ),
  first: filter([], (value) => {
    const next = iterate(value).next();
    return next.done ? new Undefined('No first item, sequence was empty.') : next.value;
  }),
  float: filter([['default', 0]], (value, [fallback = 0]) => {
    if (value instanceof Undefined) return value.fail();
    const text = textOf(value);
    if (text !== undefined) return parseFloatText(text) ?? fallback;
    if (typeof value === 'boolean') return Number(value);
    if (typeof value === 'bigint') return toFloat(value);
    return typeof value === 'number' ? value : fallback;
  }),
  groupby: filter(
    [['attribute'], ['default', null], ['case_sensitive', false]],
    (value, [attribute = null, fallback = null, caseSensitive = false]) =>
      groups(value, attribute, fallback, isTrue(caseSensitive)),
  ),
  int: filter(
    [
      ['default', 0n],
      ['base', 10n],
    ],
    (value, [fallback = 0n, base = 10n]) => toInt(value, fallback, base),
  ),
  items: filter([], (value) => new Iter(itemsOf(value))),
  join: filter(
    [
      ['d', ''],
      ['attribute', null],
    ],
    (value, [separator = '', attribute = null]) => {
      const read = getter(attribute, true);
      const parts: string[] = [];
      for (const item of valuesOf(value)) parts.push(str(read(item)));
      return join(str(separator), parts);
    },
  ),
  last: filter([], last),
  length,
  list: filter([], listOf),
  map: (values, args, keywords) =>
    new Iter(
      (function* (): Generator<Value, undefined> {
        if (!isTrue(values)) return;
        const run = mapFunction(args, keywords);
        for (const value of valuesOf(values)) yield run(value);
      })(),
    ),
  max: extreme((value, best) => isLess(best, value)),
  min: extreme(isLess),
  reject: chooser(false, false),
  rejectattr: chooser(false, true),
  reverse: filter([], reversed),
  round: filter(
    [
      ['precision', 0n],
      ['method', 'common'],
    ],
    (value, [precision = 0n, method = 'common']) => round(value, precision, method),
  ),
  select: chooser(true, false),
  selectattr: chooser(true, true),
  slice: filter(
    [['slices'], ['fill_with', null]],
    (value, [n = 1n, fill = null]) => new Iter(slices(value, n, fill)),
  ),
  sort: filter(
    [['reverse', false], ...CASE],
    (value, [reverse = false, caseSensitive = false, attribute = null]) =>
      sorted(listOf(value), sortKey(attribute, isTrue(caseSensitive)), isTrue(reverse)),
  ),
  sum: filter(
    [
      ['attribute', null],
      ['start', 0n],
    ],
    (value, [attribute = null, start = 0n]) => sum(value, attribute, start),
  ),
  unique: filter(
    CASE,
    (value, [caseSensitive = false, attribute = null]) =>
      new Iter(unique(value, getter(attribute, isTrue(caseSensitive)))),
  ),
};

/** Filters of Jinja2 that this package does not have. */
const UNSUPPORTED_FILTERS: readonly string[] = ['random', 'urlize'];

/** The filter or test of a name. */
export function methodOf(kind: 'filter' | 'test', name: string): Method | undefined {
  const table = kind === 'filter' ? FILTERS : TESTS;
  return Object.hasOwn(table, name) ? table[name] : undefined;
}

/** The error of a name that methodOf does not find. */
export const unknown = (kind: 'filter' | 'test', name: string): TemplateError =>
  kind === 'filter' && UNSUPPORTED_FILTERS.includes(name)
    ? new Unsupported(`the filter '${name}' is not supported`)
    : new TemplateError(`No ${kind} named '${name}'.`);

names.filters = new Set([...Object.keys(FILTERS), ...UNSUPPORTED_FILTERS]);
