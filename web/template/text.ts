/** Python's str() and repr() of every value. */
import { Unsupported } from './errors.js';
import * as meter from './meter.js';
import { floatText, intText } from './numbers.js';
import { charactersOf, join } from './strings.js';
import {
  Attributed,
  Dict,
  Markup,
  Namespace,
  Range,
  Tuple,
  Undefined,
  View,
  textOf,
  typeName,
} from './values.js';
import type { Value } from './values.js';

/** Objects that have a text of their own. */
export interface Described {
  describe(): string;
}
const isDescribed = (value: object): value is Described => 'describe' in value;

/** str(value). */
export function str(value: Value): string {
  if (typeof value === 'string') return value;
  if (value instanceof Markup) return value.text;
  if (value instanceof Undefined) return '';
  return repr(value);
}

/** repr(value). level: how many values are around this one. */
export function repr(value: Value, level = 0): string {
  meter.checkNesting(level);
  if (value === null) return 'None';
  if (typeof value === 'boolean') return value ? 'True' : 'False';
  if (typeof value === 'bigint') return intText(value);
  if (typeof value === 'number') return floatText(value);
  if (typeof value === 'string') return quoted(value);
  const list = (all: readonly Value[]) =>
    join(
      ', ',
      all.map((item) => repr(item, level + 1)),
    );
  if (Array.isArray(value)) return `[${list(value)}]`;
  if (value instanceof Tuple) return `(${list(value.items)}${value.items.length === 1 ? ',' : ''})`;
  if (value instanceof Dict) return dictText(value, level);
  if (value instanceof View) return `${value.typeName}([${list(value.list())}])`;
  if (value instanceof Namespace) return `<Namespace ${dictText(value.attributes, level)}>`;
  if (value instanceof Markup) return `Markup(${quoted(value.text)})`;
  if (value instanceof Undefined) return 'Undefined';
  if (value instanceof Range) {
    const { start, stop, step } = value;
    return step === 1 ? `range(${start}, ${stop})` : `range(${start}, ${stop}, ${step})`;
  }
  if (value instanceof Attributed && isDescribed(value)) return value.describe();
  // Python writes the object's address in memory here, which is another one each time.
  throw new Unsupported(`the text of a ${typeName(value)} is not supported; make it a list`);
}

function dictText(dict: Dict, level: number): string {
  const entries = [...dict.entries()].map(
    ([key, value]) => `${repr(key, level + 1)}: ${repr(value, level + 1)}`,
  );
  return `{${join(', ', entries)}}`;
}

const NAMED_ESCAPES: Record<string, string> = {
  '\\': '\\\\',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
};

/** \x0a, \u2028, \U000e0001 */
export function hexEscape(code: number): string {
  const hex = code.toString(16);
  if (code <= 0xff) return `\\x${hex.padStart(2, '0')}`;
  return code <= 0xffff ? `\\u${hex.padStart(4, '0')}` : `\\U${hex.padStart(8, '0')}`;
}

/** repr(str). */
function quoted(text: string): string {
  meter.characters(text.length * 2);
  const quote = text.includes("'") && !text.includes('"') ? '"' : "'";
  // most texts need no escape
  if (/^[ !#-&(-[\]-~]*$/.test(text)) return quote + text + quote;
  const parts = charactersOf(text).map((character) => {
    const named = NAMED_ESCAPES[character];
    if (named) return named;
    if (character === quote) return `\\${quote}`;
    if (character === ' ' || !/[\p{C}\p{Z}]/u.test(character)) return character;
    return hexEscape(character.codePointAt(0) as number);
  });
  return quote + join('', parts) + quote;
}

/** Python's ascii(): repr() with every other character escaped. */
export function ascii(value: Value): string {
  const parts = charactersOf(repr(value)).map((character) =>
    character > '\x7f' ? hexEscape(character.codePointAt(0) as number) : character,
  );
  return join('', parts);
}

const HTML: Record<string, string> = {
  '&': '&amp;',
  '<': '&lt;',
  '>': '&gt;',
  "'": '&#39;',
  '"': '&#34;',
};

/** The text with HTML's characters escaped; a Markup is escaped already. */
export function escapeHtml(value: Value): string {
  if (value instanceof Markup) return value.text;
  const text = textOf(value) ?? str(value);
  meter.text(text.length * 5);
  return text.replace(/[&<>'"]/g, (character) => HTML[character] ?? '');
}
