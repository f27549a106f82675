/** Numbers as text, and text as numbers, as Python writes and reads them. */
import { TemplateError, Unsupported } from './errors.js';
import * as meter from './meter.js';
import { strip } from './strings.js';

const MAX_BITS = 16_384; // of an int
const MAX_PRECISION = 2_000; // digits after a decimal point

/** Bounds the size of an int, and so the time of one operation. */
export function checkInt(value: bigint): bigint {
  if (value > MAX_INT || value < -MAX_INT)
    throw new Unsupported(`an int of more than ${MAX_BITS} bits is not supported`);
  return value;
}
const MAX_INT = 1n << BigInt(MAX_BITS);

/** str(int). */
export function intText(value: bigint): string {
  meter.step();
  const text = value.toString();
  if (text.length > 4301) throw new TemplateError('Exceeds the limit (4300 digits) for integers');
  meter.characters(text.length * 16);
  return text;
}

/** d.ddd times 10^exponent without an exponent; digits: 'dddd'. */
function decimalText(digits: string, exponent: number): string {
  if (exponent < 0) return `0.${'0'.repeat(-exponent - 1)}${digits}`;
  const fraction = digits.slice(exponent + 1);
  return digits.slice(0, exponent + 1).padEnd(exponent + 1, '0') + (fraction && `.${fraction}`);
}

/** repr(float). */
export function floatText(value: number): string {
  meter.step();
  if (Number.isNaN(value)) return 'nan';
  if (!Number.isFinite(value)) return value > 0 ? 'inf' : '-inf';
  if (value === 0) return Object.is(value, -0) ? '-0.0' : '0.0';
  const [mantissa = '', power = ''] = value.toExponential().split('e');
  const exponent = Number(power);
  if (exponent < -4 || exponent >= 16) return `${mantissa}${exponentText(exponent, 'e')}`;
  const sign = mantissa.startsWith('-') ? '-' : '';
  const text = decimalText(mantissa.replace('-', '').replace('.', ''), exponent);
  return sign + text + (text.includes('.') ? '' : '.0');
}

/** e+05 */
function exponentText(exponent: number, e: string): string {
  const sign = exponent < 0 ? '-' : '+';
  return `${e}${sign}${String(Math.abs(exponent)).padStart(2, '0')}`;
}

/** A finite number >= 0 as an exact fraction. */
function fractionOf(value: number): [bigint, bigint] {
  const view = new DataView(new ArrayBuffer(8));
  view.setFloat64(0, value);
  const bits = view.getBigUint64(0);
  const exponent = Number((bits >> 52n) & 0x7ffn);
  const fraction = bits & 0xfffffffffffffn;
  const mantissa = exponent === 0 ? fraction : fraction | (1n << 52n);
  const power = (exponent === 0 ? 1 : exponent) - 1075;
  return power >= 0 ? [mantissa << BigInt(power), 1n] : [mantissa, 1n << BigInt(-power)];
}

/** numerator / denominator as an int; halves go to the even neighbour. */
function divideRounded(numerator: bigint, denominator: bigint): bigint {
  const quotient = numerator / denominator;
  const twice = (numerator - quotient * denominator) * 2n;
  const up = twice > denominator || (twice === denominator && quotient % 2n === 1n);
  return up ? quotient + 1n : quotient;
}

function checkPrecision(precision: number): void {
  if (!(precision <= MAX_PRECISION))
    throw new Unsupported(`a precision of more than ${MAX_PRECISION} is not supported`);
  meter.items(precision + 16);
}

/** |value| with `precision` digits after the point, exactly rounded. */
export function fixedText(value: number, precision: number): string {
  checkPrecision(Math.abs(precision));
  const [numerator, denominator] = fractionOf(Math.abs(value));
  const digits = divideRounded(numerator * 10n ** BigInt(precision), denominator)
    .toString()
    .padStart(precision + 1, '0');
  if (precision === 0) return digits;
  return `${digits.slice(0, -precision)}.${digits.slice(-precision)}`;
}

/** |value| as digits and a power of ten: d.ddd times 10^exponent, `n` digits in all. */
function significant(value: number, n: number): { digits: string; exponent: number } {
  checkPrecision(n);
  if (value === 0) return { digits: '0'.repeat(n), exponent: 0 };
  const [numerator, denominator] = fractionOf(Math.abs(value));
  let exponent = Number(Math.abs(value).toExponential().split('e')[1]);
  const scaled = (power: number): [bigint, bigint] =>
    power >= 0
      ? [numerator, denominator * 10n ** BigInt(power)]
      : [numerator * 10n ** BigInt(-power), denominator];
  const [top, bottom] = scaled(exponent);
  if (top < bottom) exponent--; // the shortest text of the number is above its exact value
  const [a, b] = scaled(exponent - n + 1);
  let digits = divideRounded(a, b).toString();
  if (digits.length > n) {
    digits = digits.slice(0, n);
    exponent++;
  }
  return { digits, exponent };
}

/** |value| as d.ddde+dd. */
export function scientificText(value: number, precision: number, e: string): string {
  const { digits, exponent } = significant(value, precision + 1);
  return decimalText(digits, 0) + exponentText(exponent, e);
}

/** |value| in the shorter form, as %g; keepZeros: the '#' flag. */
export function generalText(
  value: number,
  precision: number,
  e: string,
  keepZeros: boolean,
): string {
  const n = Math.max(1, precision);
  const { digits, exponent } = significant(value, n);
  const useExponent = exponent < -4 || exponent >= n;
  let text = decimalText(digits, useExponent ? 0 : exponent);
  if (!keepZeros && text.includes('.')) text = text.replace(/\.?0+$/, '');
  if (keepZeros && !text.includes('.')) text += '.';
  return useExponent ? text + exponentText(exponent, e) : text;
}

/** round(float, digits). */
export function roundFloat(value: number, digits: number): number {
  if (!Number.isFinite(value) || value === 0 || digits > 330) return value;
  if (digits < -330) return value < 0 ? -0 : 0;
  const sign = value < 0 ? -1 : 1;
  if (digits >= 0) return sign * Number(fixedText(value, digits));
  const [numerator, denominator] = fractionOf(Math.abs(value));
  const unit = 10n ** BigInt(-digits);
  return sign * Number(divideRounded(numerator, denominator * unit) * unit);
}

/** round(int, digits) for digits < 0. */
export function roundInt(value: bigint, digits: number): bigint {
  if (digits < -5000) return 0n;
  const unit = 10n ** BigInt(-digits);
  const size = value < 0n ? -value : value;
  const rounded = divideRounded(size, unit) * unit;
  return value < 0n ? -rounded : rounded;
}

/** int(float), or Python's error. */
export function floatToInt(value: number): bigint | undefined {
  return Number.isFinite(value) ? BigInt(Math.trunc(value)) : undefined;
}

const MAX_NUMBER = 5_000; // characters of a number in a text

const PREFIXES: Record<string, number> = { '0b': 2, '0o': 8, '0x': 16 };

/** Refuses what this package would read in another way than Python; false for what is no number. */
function mayBeNumber(text: string): boolean {
  if (text.length > MAX_NUMBER) {
    if (!/^[+-]?[.\p{Nd}]/u.test(text)) return false;
    throw new Unsupported(`a number of more than ${MAX_NUMBER} characters is not supported`);
  }
  meter.characters(text.length * 8);
  if (/\p{Nd}/u.test(text.replace(/[0-9]/g, '')))
    throw new Unsupported('digits other than 0 to 9 in a number are not supported');
  return true;
}

/** int(text, base); undefined for what is no number. */
export function parseInteger(source: string, base: number): bigint | undefined {
  const stripped = strip(source, 'both');
  if (!mayBeNumber(stripped)) return undefined;
  const text = stripped.toLowerCase();
  const [, sign = '', body = ''] = /^([+-]?)(.*)$/s.exec(text) ?? [];
  const prefix = PREFIXES[body.slice(0, 2)];
  const hasPrefix = prefix !== undefined && (base === 0 || base === prefix);
  const radix = base === 0 ? (hasPrefix ? prefix : 10) : base;
  const digits = hasPrefix ? body.slice(2).replace(/^_/, '') : body;
  if (!/^[0-9a-z]+(?:_[0-9a-z]+)*$/.test(digits)) return undefined;
  if (base === 0 && !hasPrefix && /^0[0-9_]*[1-9]/.test(digits)) return undefined;
  const plain = digits.replaceAll('_', '');
  if (plain.length > 4300) return undefined; // Python's limit, a ValueError
  meter.items(plain.length);
  let value = 0n;
  for (const digit of plain) {
    const n = Number.parseInt(digit, 36);
    if (n >= radix) return undefined;
    value = value * BigInt(radix) + BigInt(n);
  }
  return sign === '-' ? -value : value;
}

/** float(text); undefined for what is no number. */
export function parseFloatText(source: string): number | undefined {
  const stripped = strip(source, 'both');
  if (!mayBeNumber(stripped)) return undefined;
  const text = stripped.toLowerCase();
  const named = /^([+-]?)(inf|infinity|nan)$/.exec(text);
  if (named) return named[2] === 'nan' ? NaN : named[1] === '-' ? -Infinity : Infinity;
  const digits = '[0-9]+(?:_[0-9]+)*';
  const pattern = new RegExp(
    `^[+-]?(?:${digits}(?:\\.(?:${digits})?)?|\\.${digits})(?:e[+-]?${digits})?$`,
  );
  return pattern.test(text) ? Number(text.replaceAll('_', '')) : undefined;
}
