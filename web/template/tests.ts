/** Jinja2's tests, `value is name`: one row each. */
import { COMPARISONS, contains, equals, isSame } from './compare.js';
import { OPERATORS } from './arithmetic.js';
import { filter as test } from './arguments.js';
import type { Method } from './arguments.js';
import { isLower, isUpper } from './strings.js';
import { str } from './text.js';
import {
  Attributed,
  Callable,
  Dict,
  Markup,
  Range,
  Tuple,
  Undefined,
  iteratorOf,
  numberOf,
  textOf,
} from './values.js';
import type { Value } from './values.js';

const plain = (run: (value: Value) => boolean): Method => test([], (value) => run(value));

const comparison = (op: keyof typeof COMPARISONS): Method =>
  test([['other']], (value, [other = null]) => COMPARISONS[op](value, other));

const rest = OPERATORS['%'];

/** The names of the filters and tests, for the tests `filter` and `test`. Filled by filters.ts. */
export const names = { filters: new Set<string>() };

export const TESTS: Record<string, Method> = {
  '!=': comparison('!='),
  '<': comparison('<'),
  '<=': comparison('<='),
  '==': comparison('=='),
  '>': comparison('>'),
  '>=': comparison('>='),
  boolean: plain((value) => typeof value === 'boolean'),
  callable: plain(
    (value) =>
      value instanceof Callable ||
      value instanceof Undefined ||
      (value instanceof Attributed && value.call !== undefined),
  ),
  defined: plain((value) => !(value instanceof Undefined)),
  divisibleby: test([['num']], (value, [divisor = 1n]) => equals(rest(value, divisor), 0n)),
  eq: comparison('=='),
  equalto: comparison('=='),
  escaped: plain((value) => value instanceof Markup),
  even: plain((value) => equals(rest(value, 2n), 0n)),
  false: plain((value) => value === false),
  filter: plain((value) => names.filters.has(textOf(value) ?? '')),
  float: plain((value) => typeof value === 'number'),
  ge: comparison('>='),
  greaterthan: comparison('>'),
  gt: comparison('>'),
  in: test([['seq']], (value, [container = null]) => contains(container, value)),
  integer: plain((value) => typeof value === 'bigint'),
  iterable: plain((value) => iteratorOf(value) !== undefined),
  le: comparison('<='),
  lessthan: comparison('<'),
  lower: plain((value) => isLower(str(value))),
  lt: comparison('<'),
  mapping: plain((value) => value instanceof Dict),
  ne: comparison('!='),
  none: plain((value) => value === null),
  number: plain((value) => numberOf(value) !== undefined),
  odd: plain((value) => equals(rest(value, 2n), 1n)),
  sameas: test([['other']], (value, [other = null]) => isSame(value, other)),
  sequence: plain(
    (value) =>
      textOf(value) !== undefined ||
      Array.isArray(value) ||
      value instanceof Tuple ||
      value instanceof Dict ||
      value instanceof Range ||
      value instanceof Undefined,
  ),
  string: plain((value) => textOf(value) !== undefined),
  test: plain((value) => Object.hasOwn(TESTS, textOf(value) ?? '')),
  true: plain((value) => value === true),
  undefined: plain((value) => value instanceof Undefined),
  upper: plain((value) => isUpper(str(value))),
};
