/** The % operator of texts, and the format specifications that str.format shares with it. */
import { TemplateError, Unsupported } from './errors.js';
import * as meter from './meter.js';
import {
  fixedText,
  floatToInt,
  generalText,
  floatText,
  intText,
  scientificText,
} from './numbers.js';
import { join, lengthOf, pad, repeat, substring } from './strings.js';
import { ascii, repr, str } from './text.js';
import {
  Dict,
  Tuple,
  TypeFailure,
  Undefined,
  intOf,
  numberOf,
  textOf,
  typeName,
} from './values.js';
import type { Value } from './values.js';

/** A format specification, of either kind. */
interface Spec {
  fill: string;
  /** '' when the specification does not say; '0' when it only has a 0 before the width. */
  align: '' | '<' | '>' | '^' | '=' | '0';
  /** What positive numbers begin with. */
  sign: '' | '+' | ' ';
  alternate: boolean;
  width: number;
  grouping: '' | ',' | '_';
  precision: number | undefined;
  type: string;
}

/** A number's text with sign and prefix, padded between them and the digits for '='. */
function padNumber(sign: string, digits: string, spec: Spec): string {
  const { fill, align, width } = spec;
  const missing = width - lengthOf(sign) - lengthOf(digits);
  if (missing <= 0) return sign + digits;
  if (align === '=') return sign + repeat(fill, missing) + digits;
  return padText(sign + digits, spec);
}

function padText(text: string, { fill, align, width }: Spec): string {
  const missing = width - lengthOf(text);
  if (missing <= 0) return text;
  meter.text(width);
  if (align === '<') return pad(text, width, 'right', fill);
  if (align !== '^') return pad(text, width, 'left', fill);
  const left = Math.floor(missing / 2);
  return repeat(fill, left) + text + repeat(fill, missing - left);
}

/** The first characters of a text, as many as the precision says. */
const cut = (text: string, precision: number | undefined): string =>
  precision === undefined ? text : substring(text, 0, Math.min(precision, lengthOf(text)));

const RADIX: Record<string, number> = { b: 2, o: 8, x: 16, X: 16 };

/** Separators between groups of digits. */
function grouped(digits: string, every: number, separator: string): string {
  const first = digits.length % every || every;
  const groups = [digits.slice(0, first)];
  for (let i = first; i < digits.length; i += every) groups.push(digits.slice(i, i + every));
  return groups.join(separator);
}

/** Digits with separators; a fill of zeros has separators, too. */
function withGroups(whole: string, rest: string, sign: string, spec: Spec, every: number): string {
  if (!spec.grouping) return whole + rest;
  if (spec.fill === '0' && spec.align === '=') {
    meter.text(spec.width);
    const space = spec.width - sign.length - rest.length;
    while (whole.length + Math.floor((whole.length - 1) / every) < space) whole = `0${whole}`;
  }
  return grouped(whole, every, spec.grouping) + rest;
}

function formatInt(value: bigint, spec: Spec): string {
  const { type, sign, alternate } = spec;
  const radix = RADIX[type];
  const size = value < 0n ? -value : value;
  meter.step();
  let digits = radix ? size.toString(radix) : intText(size);
  if (type === 'X') digits = digits.toUpperCase();
  // % takes a precision: the least number of digits
  if (spec.precision !== undefined) {
    meter.text(spec.precision);
    digits = digits.padStart(spec.precision, '0');
  }
  const prefix = alternate && radix ? `0${type}` : '';
  const start = (value < 0n ? '-' : sign) + prefix;
  return padNumber(start, withGroups(digits, '', start, spec, radix ? 4 : 3), spec);
}

function formatFloat(value: number, spec: Spec): string {
  const { alternate, precision } = spec;
  const type = spec.type || 'r';
  const negative = value < 0 || Object.is(value, -0);
  const start = negative ? '-' : spec.sign;
  const upper = 'EFG'.includes(type);
  if (!Number.isFinite(value)) {
    const name = Number.isNaN(value) ? 'nan' : 'inf';
    const text = upper ? name.toUpperCase() : name;
    return padNumber(start, type === '%' ? `${text}%` : text, spec);
  }
  const e = upper ? 'E' : 'e';
  let digits: string;
  switch (type.toLowerCase()) {
    case 'f':
      digits = fixedText(value, precision ?? 6);
      if (alternate && (precision ?? 6) === 0) digits += '.';
      break;
    case '%':
      digits = `${fixedText(value * 100, precision ?? 6)}%`;
      break;
    case 'e':
      digits = scientificText(value, precision ?? 6, e);
      break;
    case 'g':
      digits = generalText(value, precision ?? 6, e, alternate);
      break;
    default: // no type: as repr, or general with a digit after the point
      digits = floatText(Math.abs(value));
      if (precision !== undefined) digits = generalWithPoint(value, precision);
  }
  const [, whole = '', rest = ''] = /^([0-9]*)(.*)$/s.exec(digits) ?? [];
  return padNumber(start, withGroups(whole, rest, start, spec, 3), spec);
}

/** str.format without a type but with a precision: like 'g', but never looks like an int. */
function generalWithPoint(value: number, precision: number): string {
  const n = Math.max(1, precision);
  const general = generalText(value, n, 'e', false);
  if (general.includes('e') || general.includes('.')) return general;
  // 1e+01 for format(12.0, '.2'): the exponent is used when the digits fill the precision
  return general.length >= n ? scientificShort(value, n) : `${general}.0`;
}

function scientificShort(value: number, n: number): string {
  return scientificText(value, n - 1, 'e').replace(/\.?0*e/, 'e');
}

// ---- format(value, spec) ----

function parseSpec(text: string): Spec {
  meter.characters(text.length);
  const parts = /^(?:(.)?([<>=^]))?([-+ ])?(z)?(#)?(0)?([0-9]+)?([,_])?(?:\.([0-9]+))?(.)?$/su.exec(
    text,
  );
  if (!parts) throw new TemplateError('Invalid format specifier');
  const [, fill, align, sign, z, alternate, zero, width, grouping, precision, type = ''] = parts;
  if (z) throw new Unsupported("the format option 'z' is not supported");
  return {
    fill: fill ?? (zero ? '0' : ' '),
    align: (align ?? (zero ? '0' : '')) as Spec['align'],
    sign: sign === '+' || sign === ' ' ? sign : '',
    alternate: alternate !== undefined,
    width: Number(width ?? 0),
    grouping: (grouping ?? '') as Spec['grouping'],
    precision: precision === undefined ? undefined : Number(precision),
    type,
  };
}

/** A text in a format that texts may have. */
function formatText(text: string, source: string, spec: Spec): string {
  const { align, precision, type } = spec;
  if (type && type !== 's')
    throw new TemplateError(`Unknown format code '${type}' for object of type 'str'`);
  if (align === '=' || spec.alternate || spec.grouping || /^(?:.?[<>^])?[-+ ]/su.test(source))
    throw new TemplateError('Invalid format specifier for a text');
  return padText(cut(text, precision), {
    ...spec,
    align: align === '>' || align === '^' ? align : '<',
  });
}

/** format(value, spec). */
function formatValue(value: Value, text: string): string {
  if (text === '') return str(value);
  const plain = textOf(value);
  if (plain === undefined && numberOf(value) === undefined)
    throw new TypeFailure(`unsupported format string passed to ${typeName(value)}.__format__`);
  const spec = parseSpec(text);
  const { type, precision } = spec;
  if (type === 'n') throw new Unsupported("the format type 'n' is not supported");
  if (plain !== undefined) return formatText(plain, text, spec);
  const align = spec.align === '0' ? '=' : spec.align || '>';
  if (typeof value !== 'number') {
    const int = BigInt(value as bigint | boolean);
    if (type === 'c')
      return padText(characterOf(int), { ...spec, align: align === '=' ? '>' : align });
    if (type === '' || 'dboxX'.includes(type)) {
      if (precision !== undefined)
        throw new TemplateError('Precision not allowed in integer format specifier');
      if (type && type !== 'd' && spec.grouping === ',')
        throw new TemplateError(`Cannot specify ',' with '${type}'.`);
      return formatInt(int, { ...spec, align });
    }
  }
  if (type && !'eEfFgG%'.includes(type))
    throw new TemplateError(
      `Unknown format code '${type}' for object of type '${typeName(value)}'`,
    );
  return formatFloat(Number(value), { ...spec, align });
}

function characterOf(code: bigint): string {
  if (code < 0n || code > 0x10ffffn || (code >= 0xd800n && code <= 0xdfffn))
    throw new TemplateError('%c arg not in range(0x110000)');
  return String.fromCodePoint(Number(code));
}

// ---- the % operator ----

/** The arguments of a % operator. */
class Arguments {
  #next = 0;
  readonly #list: readonly Value[] | undefined;

  constructor(private readonly given: Value) {
    this.#list = given instanceof Tuple ? given.items : undefined;
  }
  take(): Value {
    if (!this.#list && this.#next++ === 0) return this.given;
    const value = this.#list?.[this.#next++];
    if (value === undefined) throw new TypeFailure('not enough arguments for format string');
    return value;
  }
  named(name: string): Value {
    if (this.given instanceof Undefined) return this.given.fail();
    if (!(this.given instanceof Dict)) throw new TypeFailure('format requires a mapping');
    const value = this.given.get(name);
    if (value === undefined) throw new TemplateError(`KeyError: '${name}'`);
    return value;
  }
  /** Python counts the arguments that a tuple or a plain value gives. */
  checkUsed(usesNames: boolean): void {
    const mapping =
      this.given instanceof Dict || this.given instanceof Undefined || Array.isArray(this.given);
    const n = this.#list ? this.#list.length : 1;
    if (!usesNames && !mapping && this.#next < n)
      throw new TypeFailure('not all arguments converted during string formatting');
  }
}

function percentInt(value: Value, type: string): bigint {
  if (typeof value === 'bigint' || typeof value === 'boolean') return BigInt(value);
  if (typeof value === 'number' && 'diu'.includes(type)) {
    const int = floatToInt(value);
    if (int === undefined) throw new TemplateError('cannot convert float to integer');
    return int;
  }
  if (value instanceof Undefined) return value.fail();
  throw new TypeFailure(`%${type} format: an integer is required, not ${typeName(value)}`);
}

function percentFloat(value: Value): number {
  if (value instanceof Undefined) return value.fail();
  const number = numberOf(value);
  if (number === undefined) throw new TypeFailure(`must be real number, not ${typeName(value)}`);
  return Number(number);
}

/** One conversion of the % operator. */
function percentOne(value: Value, spec: Spec): string {
  const { type, precision } = spec;
  const padded = (text: string) => padText(text, { ...spec, fill: ' ' });
  const align = spec.align === '<' ? '<' : spec.fill === '0' ? '=' : '>';
  switch (type) {
    case 's':
      return padded(cut(str(value), precision));
    case 'r':
      return padded(cut(repr(value), precision));
    case 'a':
      return padded(cut(ascii(value), precision));
    case 'c': {
      const text = textOf(value);
      if (text !== undefined && lengthOf(text) !== 1)
        throw new TypeFailure('%c requires int or char');
      return padded(text ?? characterOf(percentInt(value, type)));
    }
    case 'd':
    case 'i':
    case 'u':
      return formatInt(percentInt(value, type), { ...spec, align, type: 'd' });
    case 'o':
    case 'x':
    case 'X':
      return formatInt(percentInt(value, type), { ...spec, align });
    default:
      return formatFloat(percentFloat(value), { ...spec, align });
  }
}

const PERCENT = /%(?:\(([^()]*)\))?([-+ #0]*)(\*|[0-9]*)(?:\.(\*|[0-9]*))?[hlL]?([\s\S])?/y;

/** text % values */
export function percentFormat(text: string, values: Value): string {
  meter.characters(text.length * 2);
  const given = new Arguments(values);
  const parts: string[] = [];
  let usesNames = false;
  let at = 0;
  for (;;) {
    const next = text.indexOf('%', at);
    if (next < 0) break;
    parts.push(text.slice(at, next));
    PERCENT.lastIndex = next;
    const match = PERCENT.exec(text);
    const [all = '%', name, flags = '', width = '', precision, type = ''] = match ?? [];
    if (text[next + 1] === '(' && name === undefined)
      throw new Unsupported('a name with brackets in a % format is not supported');
    at = next + all.length;
    if (type === '%') {
      if (all.length > 2) throw new Unsupported(`the % format ${all} is not supported`);
      parts.push('%');
      continue;
    }
    if (!'srcadiuoxXeEfFgG'.includes(type) || type === '')
      throw new TemplateError(`unsupported format character '${type}'`);
    if (name !== undefined) usesNames = true;
    const numberOf = (digits: string) =>
      digits === '*' ? requireStar(given.take()) : Number(digits || 0);
    let n = numberOf(width);
    const left = flags.includes('-') || n < 0;
    n = Math.abs(n);
    const spec: Spec = {
      fill: flags.includes('0') && !left ? '0' : ' ',
      align: left ? '<' : '>',
      sign: flags.includes('+') ? '+' : flags.includes(' ') ? ' ' : '',
      alternate: flags.includes('#'),
      width: n,
      grouping: '',
      precision: precision === undefined ? undefined : Math.max(0, numberOf(precision)),
      type,
    };
    meter.step();
    parts.push(percentOne(name === undefined ? given.take() : given.named(name), spec));
  }
  given.checkUsed(usesNames);
  parts.push(text.slice(at));
  return join('', parts);
}

function requireStar(value: Value): number {
  const n = intOf(value);
  if (n === undefined) throw new TypeFailure('* wants int');
  return n;
}

// ---- str.format ----

/** A field of str.format: what gives its value. */
export type FieldLookup = (name: string) => Value;

/** str.format: `lookup` gives the value of a field's name with its attributes and indices. */
export function braceFormat(text: string, lookup: FieldLookup, level = 2): string {
  if (level < 0) throw new TemplateError('Max string recursion exceeded');
  meter.characters(text.length);
  const parts: string[] = [];
  let at = 0;
  while (at < text.length) {
    let next = at;
    while (next < text.length && text[next] !== '{' && text[next] !== '}') next++;
    parts.push(text.slice(at, next));
    if (next >= text.length) break;
    if (text[next + 1] === text[next]) {
      parts.push(text[next] as string);
      at = next + 2;
      continue;
    }
    if (text[next] === '}') throw new TemplateError("Single '}' encountered in format string");
    const end = fieldEnd(text, next + 1);
    parts.push(formatField(text.slice(next + 1, end), lookup, level));
    at = end + 1;
  }
  return join('', parts);
}

/** The first character from `at` on that is outside of [indices] and ends something. */
function findOutside(text: string, at: number, ends: (character: string) => boolean): number {
  for (let inIndex = false; at < text.length; at++) {
    const character = text[at] as string;
    if (character === '[') inIndex = true;
    else if (character === ']') inIndex = false;
    else if (!inIndex && ends(character)) break;
  }
  return at;
}

/** The closing bracket of the field that begins at `at`. */
function fieldEnd(text: string, at: number): number {
  let open = 1;
  const end = findOutside(text, at, (character) => {
    if (character === '{') open++;
    return character === '}' && --open === 0;
  });
  if (end >= text.length) throw new TemplateError("expected '}' before end of string");
  return end;
}

function formatField(field: string, lookup: FieldLookup, level: number): string {
  meter.step();
  const end = findOutside(field, 0, (character) => character === ':' || character === '!');
  const name = field.slice(0, end);
  if (name.includes('{') || name.includes('}'))
    throw new TemplateError("unexpected '{' in field name");
  let conversion = '';
  let spec = '';
  if (field[end] === '!') {
    conversion = field[end + 1] ?? '';
    if (field[end + 2] !== undefined && field[end + 2] !== ':')
      throw new TemplateError("expected ':' after conversion specifier");
    spec = field.slice(end + 3);
    if (!'rsa'.includes(conversion) || conversion === '')
      throw new TemplateError(`Unknown conversion specifier '${conversion}'`);
  } else spec = field.slice(end + 1);
  const value = lookup(name);
  const converted =
    conversion === 'r'
      ? repr(value)
      : conversion === 's'
        ? str(value)
        : conversion === 'a'
          ? ascii(value)
          : value;
  return formatValue(
    converted,
    spec.includes('{') || spec.includes('}') ? braceFormat(spec, lookup, level - 1) : spec,
  );
}
