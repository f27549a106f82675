/** Python's operators on numbers, texts, lists and tuples. */
import { TemplateError, Unsupported } from './errors.js';
import { percentFormat } from './format.js';
import * as meter from './meter.js';
import { checkInt } from './numbers.js';
import { concat, repeat } from './strings.js';
import { escapeHtml } from './text.js';
import {
  Markup,
  Tuple,
  TypeFailure,
  Undefined,
  intOf,
  itemsOf,
  numberOf,
  textOf,
  typeName,
} from './values.js';
import type { Value } from './values.js';

type Numeric = bigint | number;

/** float(int), or Python's error. */
export function toFloat(value: Numeric): number {
  const float = Number(value);
  if (typeof value === 'bigint' && !Number.isFinite(float))
    throw new TemplateError('int too large to convert to float');
  return float;
}

function mismatch(op: string, left: Value, right: Value): never {
  for (const value of [left, right]) if (value instanceof Undefined) value.fail();
  throw new TypeFailure(
    `unsupported operand type(s) for ${op}: '${typeName(left)}' and '${typeName(right)}'`,
  );
}

/** Applies one of two functions: ints stay ints, anything else becomes a float. */
function numeric(
  op: string,
  left: Value,
  right: Value,
  ints: (a: bigint, b: bigint) => Value,
  floats: (a: number, b: number) => Value,
): Value {
  const [a, b] = [numberOf(left), numberOf(right)];
  if (a === undefined || b === undefined) return mismatch(op, left, right);
  if (typeof a === 'bigint' && typeof b === 'bigint') return ints(a, b);
  return floats(toFloat(a), toFloat(b));
}

const divisor = <T extends Numeric>(value: T): T => {
  if (value == 0) throw new TemplateError('division by zero');
  return value;
};

function joinLists(left: readonly Value[], right: readonly Value[]): Value[] {
  meter.items(left.length + right.length);
  return [...left, ...right];
}

function add(left: Value, right: Value): Value {
  if (typeof left === 'string' && typeof right === 'string') return concat(left, right);
  if (Array.isArray(left) && Array.isArray(right)) return joinLists(left, right);
  if (left instanceof Tuple && right instanceof Tuple)
    return new Tuple(joinLists(left.items, right.items));
  if (left instanceof Markup || right instanceof Markup) {
    if (textOf(left) === undefined || textOf(right) === undefined)
      return mismatch('+', left, right);
    return new Markup(concat(escapeHtml(left), escapeHtml(right)));
  }
  return numeric(
    '+',
    left,
    right,
    (a, b) => checkInt(a + b),
    (a, b) => a + b,
  );
}

/** sequence * n; undefined when the value is no sequence. */
function repeated(value: Value, n: number): Value | undefined {
  if (typeof value === 'string') return repeat(value, n);
  if (value instanceof Markup) return new Markup(repeat(value.text, n));
  const list = itemsOf(value);
  if (!list) return undefined;
  const length = list.length && Math.max(0, n) * list.length;
  meter.items(length);
  const all = Array.from({ length }, (_, i) => list[i % list.length] as Value);
  return Array.isArray(value) ? all : new Tuple(all);
}

function multiply(left: Value, right: Value): Value {
  for (const [sequence, count] of [
    [left, right],
    [right, left],
  ] as const) {
    const n = intOf(count);
    const result = n === undefined ? undefined : repeated(sequence, n);
    if (result !== undefined) return result;
  }
  return numeric(
    '*',
    left,
    right,
    (a, b) => checkInt(a * b),
    (a, b) => a * b,
  );
}

/** int / int, rounded once. */
function divideInts(a: bigint, b: bigint): number {
  divisor(b);
  const [x, y] = [Number(a), Number(b)];
  if (!Number.isSafeInteger(x) || !Number.isSafeInteger(y))
    throw new Unsupported('the division of ints beyond 2^53 is not supported');
  return x / y;
}

function floorInts(a: bigint, b: bigint): bigint {
  const quotient = a / divisor(b);
  return a % b !== 0n && a < 0n !== b < 0n ? quotient - 1n : quotient;
}

/** The quotient and the remainder of floats, as CPython computes them. */
function divmod(a: number, b: number): [number, number] {
  divisor(b);
  let rest = a % b;
  let quotient = (a - rest) / b;
  if (rest !== 0) {
    if (b < 0 !== rest < 0) {
      rest += b;
      quotient -= 1;
    }
  } else rest = b < 0 ? -0 : 0;
  if (quotient === 0) return [a / b < 0 || Object.is(a / b, -0) ? -0 : 0, rest];
  const floor = Math.floor(quotient);
  return [quotient - floor > 0.5 ? floor + 1 : floor, rest];
}

function powerOfInts(a: bigint, b: bigint): Value {
  if (b < 0n) return powerOfFloats(toFloat(a), toFloat(b));
  const bits = a.toString(2).length;
  if (bits > 2 && BigInt(bits) * b > 40_000n)
    throw new Unsupported('an int of this size is not supported');
  if (bits <= 2 && (a === 0n || a === 1n || a === -1n))
    return b === 0n ? 1n : a === -1n && b % 2n === 0n ? 1n : a;
  if (b > 40_000n) throw new Unsupported('an int of this size is not supported');
  meter.characters(bits * Number(b));
  return checkInt(a ** b);
}

function powerOfFloats(a: number, b: number): number {
  if (a === 0 && b < 0) throw new TemplateError('0.0 cannot be raised to a negative power');
  if (a < 0 && Number.isFinite(a) && Number.isFinite(b) && !Number.isInteger(b))
    throw new Unsupported('a complex number is not supported');
  if (a === 1 || (a === -1 && !Number.isFinite(b) && !Number.isNaN(b))) return 1;
  const result = a ** b;
  if (!Number.isFinite(result) && Number.isFinite(a) && Number.isFinite(b))
    throw new TemplateError('Numerical result out of range');
  return result;
}

function modulo(left: Value, right: Value): Value {
  if (typeof left === 'string') return percentFormat(left, right);
  if (left instanceof Markup)
    throw new Unsupported('% with a text that is marked as safe is not supported');
  return numeric(
    '%',
    left,
    right,
    (a, b) => a - floorInts(a, b) * b,
    (a, b) => divmod(a, b)[1],
  );
}

/** The binary operators. */
export const OPERATORS = {
  '+': add,
  '-': (left, right) =>
    numeric(
      '-',
      left,
      right,
      (a, b) => checkInt(a - b),
      (a, b) => a - b,
    ),
  '*': multiply,
  '/': (left, right) => numeric('/', left, right, divideInts, (a, b) => a / divisor(b)),
  '//': (left, right) => numeric('//', left, right, floorInts, (a, b) => divmod(a, b)[0]),
  '%': modulo,
  '**': (left, right) => numeric('**', left, right, powerOfInts, powerOfFloats),
} satisfies Record<string, (left: Value, right: Value) => Value>;

/** -value or +value. */
export function signed(value: Value, negative: boolean): Value {
  if (value instanceof Undefined) return value.fail();
  const number = numberOf(value);
  if (number === undefined)
    throw new TypeFailure(
      `bad operand type for unary ${negative ? '-' : '+'}: '${typeName(value)}'`,
    );
  return negative ? -number : number;
}
