/** The methods and attributes of Python's types, by type and name: one row each. */
import { bind } from './arguments.js';
import type { Method, Parameter } from './arguments.js';
import { equals } from './compare.js';
import { TemplateError } from './errors.js';
import * as meter from './meter.js';
import { STRING_METHODS } from './string-methods.js';
import { Dict, Range, View, itemsOf, listOf, numberOf, requireInt } from './values.js';
import type { Value } from './values.js';

const method =
  (parameters: readonly Parameter[], run: (self: Value, args: readonly Value[]) => Value): Method =>
  (self, args, keywords) =>
    run(self, bind('method', parameters, args, keywords, true));

const dictMethod = (
  parameters: readonly Parameter[],
  run: (self: Dict, args: readonly Value[]) => Value,
) => method(parameters, (self, args) => run(self as Dict, args));

/** The items of a list, a tuple or a range. */
const listed = (self: Value): readonly Value[] => itemsOf(self) ?? listOf(self);

/** list.index and tuple.index. */
const index = method(
  [['value'], ['start', 0n], ['stop', null]],
  (self, [value = null, start = 0n, stop = null]) => {
    const list = listed(self);
    const clamp = (n: number) => (n < 0 ? Math.max(0, n + list.length) : n);
    const end = stop === null ? list.length : Math.min(list.length, clamp(requireInt(stop)));
    for (let i = clamp(requireInt(start)); i < end; i++)
      if (equals(list[i] as Value, value)) return BigInt(i);
    throw new TemplateError('the value is not in the list');
  },
);
const count = method([['value']], (self, [value = null]) =>
  BigInt(listed(self).filter((item) => equals(item, value)).length),
);

/** Methods by type. */
export const METHODS: Record<string, Record<string, Method>> = {
  str: STRING_METHODS,
  list: { count, index, copy: method([], (self) => listOf(self)) },
  tuple: { count, index },
  range: { count, index },
  dict: {
    copy: dictMethod([], (self) => Dict.of(self.entries())),
    get: dictMethod([['key'], ['default', null]], (self, [key = null, fallback = null]) => {
      const value = self.get(key);
      return value === undefined ? fallback : value;
    }),
    items: dictMethod([], (self) => new View(self, 'items')),
    keys: dictMethod([], (self) => new View(self, 'keys')),
    values: dictMethod([], (self) => new View(self, 'values')),
  },
  float: { is_integer: method([], (self) => Number.isInteger(self)) },
  int: {
    bit_length: method([], (self) => {
      const size = intValue(self);
      meter.step();
      return size === 0n ? 0n : BigInt((size < 0n ? -size : size).toString(2).length);
    }),
  },
};
const intValue = (self: Value) => numberOf(self) as bigint;

const INT_PROPERTIES: Record<string, (self: Value) => Value> = {
  denominator: () => 1n,
  imag: () => 0n,
  numerator: intValue,
  real: intValue,
};

/** Attributes that are no methods, by type. */
export const PROPERTIES: Record<string, Record<string, (self: Value) => Value>> = {
  int: INT_PROPERTIES,
  bool: INT_PROPERTIES,
  float: { imag: () => 0, real: (self) => self },
  range: {
    start: (self) => BigInt((self as Range).start),
    stop: (self) => BigInt((self as Range).stop),
    step: (self) => BigInt((self as Range).step),
  },
};

/** Methods that change a list or a dict: the sandbox makes them undefined. */
export const MUTATORS: Record<string, readonly string[]> = {
  list: ['append', 'clear', 'extend', 'insert', 'pop', 'remove', 'reverse', 'sort'],
  dict: ['clear', 'pop', 'popitem', 'setdefault', 'update'],
};

/** What Python has and this package does not. */
export const UNSUPPORTED_METHODS: Record<string, readonly string[]> = {
  str: ['casefold', 'encode', 'maketrans', 'translate'],
  dict: ['fromkeys'],
  int: ['as_integer_ratio', 'bit_count', 'conjugate', 'from_bytes', 'to_bytes'],
  bool: ['as_integer_ratio', 'bit_count', 'bit_length', 'conjugate', 'from_bytes', 'to_bytes'],
  float: ['as_integer_ratio', 'conjugate', 'fromhex', 'hex'],
  dict_keys: ['isdisjoint', 'mapping'],
  dict_values: ['mapping'],
  dict_items: ['isdisjoint', 'mapping'],
  generator: ['close', 'gi_code', 'gi_frame', 'gi_running', 'gi_yieldfrom', 'send', 'throw'],
};
