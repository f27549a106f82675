/** Python's comparisons: ==, <, in, is, and sorting. */
import { Unsupported } from './errors.js';
import * as meter from './meter.js';
import { compare as compareTexts, indexOf } from './strings.js';
import {
  Dict,
  Iter,
  Range,
  Tuple,
  TypeFailure,
  Undefined,
  View,
  intOf,
  itemsOf,
  numberOf,
  textOf,
  typeName,
  valuesOf,
} from './values.js';
import type { Value } from './values.js';

/** Lists compare with lists, tuples with tuples. */
const sameKind = (left: Value, right: Value) => Array.isArray(left) === Array.isArray(right);

/** left == right */
export function equals(left: Value, right: Value, level = 0): boolean {
  meter.checkNesting(level);
  const [a, b] = [numberOf(left), numberOf(right)];
  if (a !== undefined || b !== undefined)
    return a !== undefined && b !== undefined && numbersEqual(a, b);
  const text = textOf(left);
  if (text !== undefined) {
    const other = textOf(right);
    if (text.length === other?.length) meter.characters(text.length);
    return text === other;
  }
  if (left === null || right === null) return left === right;
  if (left instanceof Undefined) return right instanceof Undefined;
  const [list, others] = [itemsOf(left), itemsOf(right)];
  if (list || others) {
    if (!list || !others || !sameKind(left, right) || list.length !== others.length) return false;
    return list.every((item, i) => isOrEquals(item, others[i] as Value, level + 1));
  }
  if (left instanceof Dict && right instanceof Dict) {
    if (left.size !== right.size) return false;
    for (const [key, value] of left.entries()) {
      const other = right.get(key);
      if (other === undefined || !isOrEquals(value, other, level + 1)) return false;
    }
    return true;
  }
  if (left instanceof Range && right instanceof Range) {
    if (left.length !== right.length) return false;
    if (left.length === 0) return true;
    return left.start === right.start && (left.length === 1 || left.step === right.step);
  }
  if (left instanceof View && right instanceof View && left !== right)
    throw new Unsupported('comparing views of dicts is not supported; make them lists');
  return left === right;
}

// JavaScript compares an int and a float by their exact values, as Python does.
const numbersEqual = (a: bigint | number, b: bigint | number) => a == b;

/** Containers compare their elements by identity first: NaN is in [NaN]. */
const isOrEquals = (left: Value, right: Value, level: number): boolean =>
  (typeof left === 'object' && left === right) || equals(left, right, level);

/** left < right, and what follows from it. op is for the message. */
function order(left: Value, right: Value, op: string, level = 0): number {
  meter.checkNesting(level);
  if (left instanceof Undefined) return left.fail();
  if (right instanceof Undefined) return right.fail();
  const [a, b] = [numberOf(left), numberOf(right)];
  if (a !== undefined && b !== undefined) return a < b ? -1 : a > b ? 1 : a == b ? 0 : NaN;
  const [text, other] = [textOf(left), textOf(right)];
  if (text !== undefined && other !== undefined) return compareTexts(text, other);
  const [list, others] = [itemsOf(left), itemsOf(right)];
  if (list && others && sameKind(left, right)) {
    const n = Math.min(list.length, others.length);
    for (let i = 0; i < n; i++) {
      const [x, y] = [list[i] as Value, others[i] as Value];
      if (!isOrEquals(x, y, level + 1)) return order(x, y, op, level + 1);
    }
    return list.length - others.length;
  }
  if (left instanceof View && right instanceof View)
    throw new Unsupported('comparing views of dicts is not supported; make them lists');
  throw new TypeFailure(
    `'${op}' not supported between instances of '${typeName(left)}' and '${typeName(right)}'`,
  );
}

export const isLess = (left: Value, right: Value): boolean => order(left, right, '<') < 0;

/** needle in haystack */
export function contains(haystack: Value, needle: Value): boolean {
  meter.step();
  const text = textOf(haystack);
  if (text !== undefined) {
    const part = textOf(needle);
    if (part === undefined)
      throw new TypeFailure(
        `'in <string>' requires string as left operand, not ${typeName(needle)}`,
      );
    return indexOf(text, part) >= 0;
  }
  if (haystack instanceof Dict) return haystack.has(needle);
  if (haystack instanceof View && haystack.kind === 'keys') return haystack.dict.has(needle);
  const list = itemsOf(haystack);
  if (list) return list.some((item) => isOrEquals(item, needle, 1));
  if (haystack instanceof Range) {
    const n = typeof needle === 'number' && Number.isInteger(needle) ? needle : intOf(needle);
    if (n === undefined) return false;
    const i = (n - haystack.start) / haystack.step;
    return Number.isInteger(i) && i >= 0 && i < haystack.length;
  }
  if (haystack instanceof View || haystack instanceof Iter || haystack instanceof Undefined) {
    for (const value of valuesOf(haystack)) if (isOrEquals(value, needle, 1)) return true;
    return false;
  }
  throw new TypeFailure(`argument of type '${typeName(haystack)}' is not iterable`);
}

type Comparison = (left: Value, right: Value) => boolean;

/** The operators of a comparison. */
export const COMPARISONS = {
  '==': (left, right) => equals(left, right),
  '!=': (left, right) => !equals(left, right),
  '<': isLess,
  '<=': (left, right) => order(left, right, '<=') <= 0,
  '>': (left, right) => order(left, right, '>') > 0,
  '>=': (left, right) => order(left, right, '>=') >= 0,
  in: (left, right) => contains(right, left),
  'not in': (left, right) => !contains(right, left),
} satisfies Record<string, Comparison>;

/** left is right: the same object. */
export function isSame(left: Value, right: Value): boolean {
  const [a, b] = [typeof left, typeof right];
  if (a === 'object' || b === 'object' || a === 'boolean' || b === 'boolean') {
    if (left instanceof Tuple && right instanceof Tuple && left !== right && equals(left, right))
      throw new Unsupported('whether equal tuples are the same object is not supported');
    return left === right;
  }
  if (a !== b || !equals(left, right)) return false;
  // Python keeps one object for each small int, the empty text and texts of one character
  if (typeof left === 'bigint' && left >= -5n && left <= 256n) return true;
  if (typeof left === 'string' && (left === '' || /^[\0-\xff]$/.test(left))) return true;
  throw new Unsupported(`whether equal values of type ${typeName(left)} are the same object`);
}

/** sorted(): stable; `key` is called once for each value. */
export function sorted<T>(values: readonly T[], key: (value: T) => Value, reverse: boolean): T[] {
  let from = values.map((value) => ({ key: key(value), value }));
  if (reverse) from.reverse(); // Python's way to keep equal values in their order
  meter.items(values.length * 3);
  // merge sort: runs of 1, 2, 4, ... elements
  for (let width = 1; width < from.length; width *= 2) {
    const to: typeof from = [];
    for (let start = 0; start < from.length; start += 2 * width) {
      let [left, right] = [start, start + width];
      const [middle, end] = [Math.min(right, from.length), Math.min(right + width, from.length)];
      while (left < middle || right < end) {
        const [a, b] = [from[left], from[right]];
        const takeRight = left >= middle || (right < end && a && b && isLess(b.key, a.key));
        to.push((takeRight ? from[right++] : from[left++]) as (typeof from)[number]);
        meter.step();
      }
    }
    from = to;
  }
  if (reverse) from.reverse();
  return from.map(({ value }) => value);
}
