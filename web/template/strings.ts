/**
 * Texts as Python sees them: sequences of code points, not of UTF-16 units. Every function reads
 * each character a constant number of times, and tells the meter.
 */
import * as meter from './meter.js';

/** Python's str.isspace of one UTF-16 unit. */
export function isSpace(code: number): boolean {
  if (code <= 0x20) return code === 0x20 || (code >= 9 && code <= 13) || code >= 0x1c;
  if (code < 0x1680) return code === 0x85 || code === 0xa0;
  return (
    code === 0x1680 ||
    (code >= 0x2000 && code <= 0x200a) ||
    code === 0x2028 ||
    code === 0x2029 ||
    code === 0x202f ||
    code === 0x205f ||
    code === 0x3000
  );
}

/** Where str.splitlines ends a line. */
const endsLine = (code: number): boolean =>
  (code >= 10 && code <= 13) ||
  (code >= 0x1c && code <= 0x1e) ||
  code === 0x85 ||
  code === 0x2028 ||
  code === 0x2029;

/** \r\n and \r become \n. */
export const normalizeLineEnds = (text: string): string =>
  text.includes('\r') ? text.replaceAll('\r\n', '\n').replaceAll('\r', '\n') : text;

const hasPairs = (text: string): boolean => {
  meter.characters(text.length);
  return /[\ud800-\udbff][\udc00-\udfff]/.test(text);
};

/** Number of code points. */
export function lengthOf(text: string): number {
  if (!hasPairs(text)) return text.length;
  let n = 0;
  for (let i = 0; i < text.length; i++, n++) if ((text.codePointAt(i) as number) > 0xffff) i++;
  return n;
}

/** The code points as texts. */
export function charactersOf(text: string): string[] {
  meter.items(text.length);
  return Array.from(text);
}

/** The index in UTF-16 units of code point `n`. */
function unitIndex(text: string, n: number): number {
  let i = 0;
  for (; n > 0 && i < text.length; n--) i += (text.codePointAt(i) as number) > 0xffff ? 2 : 1;
  return i;
}

/** The text between two code points, 0 <= start <= end <= length. */
export function substring(text: string, start: number, end: number): string {
  if (!hasPairs(text)) {
    meter.text(Math.max(0, end - start));
    return text.slice(start, Math.max(start, end));
  }
  return text.slice(unitIndex(text, start), unitIndex(text, Math.max(start, end)));
}

/** text * n. */
export function repeat(text: string, n: number): string {
  if (n <= 0 || text === '') return '';
  meter.text(text.length * n);
  return text.repeat(n);
}

/** left + right. Engines share the longer side, so the shorter one is what it costs. */
export function concat(left: string, right: string): string {
  const n = left.length + right.length;
  if (n > meter.MAX_TEXT) meter.text(n);
  meter.text(Math.min(left.length, right.length));
  return left + right;
}

/** Parts with a separator between them. */
export function join(separator: string, parts: readonly string[]): string {
  const n = parts.reduce((sum, part) => sum + part.length + separator.length, 0);
  meter.items(parts.length);
  meter.text(n);
  return parts.join(separator);
}

const SHORT = 16; // units of a pattern that the engine's own search finds in linear time

/** Where the pattern is, from `from` on: the Knuth-Morris-Pratt search. */
function searchLong(text: string, pattern: string, from: number): number {
  meter.items(pattern.length);
  const borders = new Int32Array(pattern.length + 1);
  borders[0] = -1;
  for (let i = 0, k = -1; i < pattern.length;) {
    while (k >= 0 && pattern[i] !== pattern[k]) k = borders[k] as number;
    borders[++i] = ++k;
  }
  let k = 0;
  for (let i = from; i < text.length; i++) {
    while (k >= 0 && text[i] !== pattern[k]) k = borders[k] as number;
    if (++k === pattern.length) return i + 1 - k;
  }
  return -1;
}

/** The first place of `pattern` at or after `from`, in UTF-16 units; -1 when there is none. */
export function indexOf(text: string, pattern: string, from = 0): number {
  if (pattern.length > text.length - from) return -1;
  const found =
    pattern.length <= SHORT ? text.indexOf(pattern, from) : searchLong(text, pattern, from);
  const read = (found < 0 ? text.length : found) - from;
  meter.characters((read + 8) * (pattern.length <= SHORT ? 1 + pattern.length / 4 : 4));
  return found;
}

/** The last place of `pattern` that ends at or before `end`; -1 when there is none. */
export function lastIndexOf(text: string, pattern: string, end = text.length): number {
  if (pattern.length > end) return -1;
  if (pattern.length <= SHORT) {
    const found = text.lastIndexOf(pattern, end - pattern.length);
    meter.characters((end - Math.max(0, found) + 8) * (1 + pattern.length / 4));
    return found;
  }
  let last = -1;
  for (let at = 0; (at = indexOf(text, pattern, at)) >= 0 && at + pattern.length <= end; at++)
    last = at;
  return last;
}

/** Every place of `pattern` that does not overlap the one before, at most `max` of them. */
function placesOf(text: string, pattern: string, max: number): number[] {
  const places: number[] = [];
  let at = 0;
  while (places.length < max && (at = indexOf(text, pattern, at)) >= 0) {
    meter.items(1);
    places.push(at);
    at += pattern.length;
  }
  return places;
}

/** str.replace; max < 0: all. */
export function replace(text: string, from: string, to: string, max: number): string {
  const limit = max < 0 ? Infinity : max;
  if (limit === 0) return text;
  if (from === '') {
    const parts = charactersOf(text);
    const n = Math.min(limit, parts.length + 1);
    meter.text(text.length + n * to.length);
    return (
      parts.map((part, i) => (i < n ? to + part : part)).join('') + (n > parts.length ? to : '')
    );
  }
  const parts = splitAt(text, placesOf(text, from, limit), from.length);
  return parts.length === 1 ? text : join(to, parts);
}

function splitAt(text: string, places: readonly number[], length: number): string[] {
  const parts: string[] = [];
  let start = 0;
  for (const place of places) {
    parts.push(text.slice(start, place));
    start = place + length;
  }
  parts.push(text.slice(start));
  meter.items(parts.length);
  meter.text(text.length);
  return parts;
}

/** str.split with a separator; max < 0: all. */
export const split = (text: string, separator: string, max: number): string[] =>
  splitAt(text, placesOf(text, separator, max < 0 ? Infinity : max), separator.length);

/** str.rsplit with a separator; max < 0: all. */
export function rsplit(text: string, separator: string, max: number): string[] {
  const limit = max < 0 ? Infinity : max;
  const places: number[] = [];
  let end = text.length;
  while (places.length < limit) {
    const at = lastIndexOf(text, separator, end);
    if (at < 0) break;
    meter.items(1);
    places.push(at);
    end = at;
  }
  return splitAt(text, places.reverse(), separator.length);
}

/** str.split without a separator: at runs of white space; max < 0: all. */
export function splitSpace(text: string, max: number): string[] {
  meter.characters(text.length * 2);
  const parts: string[] = [];
  let at = 0;
  for (;;) {
    while (at < text.length && isSpace(text.charCodeAt(at))) at++;
    if (at >= text.length) return parts;
    meter.items(1);
    if (max >= 0 && parts.length >= max) {
      parts.push(text.slice(at)); // Python keeps the white space at the end
      return parts;
    }
    const start = at;
    while (at < text.length && !isSpace(text.charCodeAt(at))) at++;
    parts.push(text.slice(start, at));
  }
}

/** str.rsplit without a separator. */
export function rsplitSpace(text: string, max: number): string[] {
  meter.characters(text.length * 2);
  const parts: string[] = [];
  let end = text.length;
  for (;;) {
    while (end > 0 && isSpace(text.charCodeAt(end - 1))) end--;
    if (end === 0) break;
    meter.items(1);
    if (max >= 0 && parts.length >= max) {
      parts.push(text.slice(0, end)); // Python keeps the white space at the beginning
      break;
    }
    const stop = end;
    while (end > 0 && !isSpace(text.charCodeAt(end - 1))) end--;
    parts.push(text.slice(end, stop));
  }
  return parts.reverse();
}

export type Side = 'left' | 'right' | 'both';

/** str.strip, lstrip, rstrip; chars: which characters to remove, white space by default. */
export function strip(text: string, side: Side, chars?: string): string {
  const set = chars === undefined ? undefined : new Set(charactersOf(chars));
  let start = 0;
  let end = text.length;
  if (side !== 'right') {
    while (start < end) {
      const code = text.codePointAt(start) as number;
      if (set ? !set.has(String.fromCodePoint(code)) : !isSpace(code)) break;
      start += code > 0xffff ? 2 : 1;
    }
  }
  if (side !== 'left') {
    while (end > start) {
      const pair = end - start > 1 ? (text.codePointAt(end - 2) as number) : 0;
      const code = pair > 0xffff ? pair : text.charCodeAt(end - 1);
      if (set ? !set.has(String.fromCodePoint(code)) : !isSpace(code)) break;
      end -= code > 0xffff ? 2 : 1;
    }
  }
  meter.characters((text.length - (end - start)) * 4);
  meter.text(end - start);
  return text.slice(start, end);
}

/** str.splitlines. */
export function splitLines(text: string, keepEnds: boolean): string[] {
  meter.characters(text.length * 2);
  const lines: string[] = [];
  let start = 0;
  for (let at = 0; at < text.length; at++) {
    if (!endsLine(text.charCodeAt(at))) continue;
    const end = at;
    if (text[at] === '\r' && text[at + 1] === '\n') at++;
    meter.items(1);
    lines.push(text.slice(start, keepEnds ? at + 1 : end));
    start = at + 1;
  }
  if (start < text.length) lines.push(text.slice(start));
  return lines;
}

/** Spaces (or `fill`) on both sides up to `width` code points, as Python divides them. */
export function pad(text: string, width: number, side: Side | 'center', fill = ' '): string {
  const missing = width - lengthOf(text);
  if (missing <= 0) return text;
  meter.text(width * fill.length);
  let left = side === 'left' ? missing : 0;
  // Python gives the odd space to the left when the width is odd, else to the right
  if (side === 'center') left = Math.floor(missing / 2) + (missing & width & 1);
  return repeat(fill, left) + text + repeat(fill, missing - left);
}

/** Order of code points: negative, 0 or positive. */
export function compare(left: string, right: string): number {
  if (left === right) {
    meter.characters(left.length);
    return 0;
  }
  const n = Math.min(left.length, right.length);
  let i = 0;
  while (i < n && left.charCodeAt(i) === right.charCodeAt(i)) i++;
  meter.characters(4 * (i + 1));
  if (i === n) return left.length - right.length;
  const [a, b] = [left.charCodeAt(i), right.charCodeAt(i)];
  const isSurrogate = (code: number) => code >= 0xd800 && code <= 0xdfff;
  // a surrogate is part of a character beyond the other units
  if (isSurrogate(a) !== isSurrogate(b)) return isSurrogate(a) ? 1 : -1;
  return a - b;
}

// ---- case ----

/** Characters whose title case is neither themselves nor their upper case. */
const TITLE: Record<string, string> = {
  Ǆ: 'ǅ',
  ǅ: 'ǅ',
  ǆ: 'ǅ',
  Ǉ: 'ǈ',
  ǈ: 'ǈ',
  ǉ: 'ǈ',
  Ǌ: 'ǋ',
  ǋ: 'ǋ',
  ǌ: 'ǋ',
  Ǳ: 'ǲ',
  ǲ: 'ǲ',
  ǳ: 'ǲ',
};

/** The title case of one character. */
function titleOf(character: string): string {
  const special = TITLE[character];
  if (special) return special;
  if (character >= 'ა' && character <= 'ჿ') return character; // Georgian has no title case
  if (character >= 'ᾀ' && character <= 'ῼ') {
    // Greek letters with iota subscript have a single title letter
    const title = character.normalize('NFD').replace('\u0345', '');
    if (title !== character.normalize('NFD'))
      return (title.toUpperCase() + '\u0345').normalize('NFC');
  }
  const upper = character.toUpperCase();
  return upper.length > character.length && character !== 'ŉ'
    ? (upper[0] ?? '') + upper.slice(1).toLowerCase()
    : upper;
}

export function upper(text: string): string {
  meter.text(text.length * 3);
  return text.toUpperCase();
}

export function lower(text: string): string {
  meter.text(text.length * 3);
  return text.toLowerCase();
}

export function capitalize(text: string): string {
  const [first = ''] = text;
  return titleOf(first) + lower(text).slice(first.toLowerCase().length);
}

const isCased = (character: string) => /\p{Lowercase}|\p{Uppercase}|\p{Lt}/u.test(character);

/** Each character with its lower case. */
export function withLower(text: string): [character: string, low: string][] {
  const lowered = lower(text);
  const sameLength = lowered.length === text.length;
  let at = 0;
  return charactersOf(text).map((character) => {
    // the whole text's lower case knows where a Greek word ends
    const low = sameLength ? lowered.slice(at, at + character.length) : character.toLowerCase();
    at += character.length;
    return [character, low];
  });
}

/** str.title. */
export function title(text: string): string {
  let inWord = false;
  const parts = withLower(text).map(([character, low]) => {
    meter.step();
    const part = inWord ? low : titleOf(character);
    inWord = isCased(character);
    return part;
  });
  return join('', parts);
}

export function swapCase(text: string): string {
  const swapped = charactersOf(text).map((character) =>
    /\p{Uppercase}/u.test(character) ? character.toLowerCase() : character.toUpperCase(),
  );
  return join('', swapped);
}

/** Every character is of the kind, and there is one. */
export function everyCharacter(text: string, kind: RegExp): boolean {
  return text !== '' && charactersOf(text).every((character) => kind.test(character));
}

/** At least one cased character, and no character of the other case. */
function isCase(text: string, wanted: RegExp, other: RegExp): boolean {
  const all = charactersOf(text);
  return all.some((one) => wanted.test(one)) && !all.some((one) => other.test(one));
}

/** str.islower. */
export const isLower = (text: string): boolean =>
  isCase(text, /\p{Lowercase}/u, /\p{Uppercase}|\p{Lt}/u);

/** str.isupper. */
export const isUpper = (text: string): boolean =>
  isCase(text, /\p{Uppercase}/u, /\p{Lowercase}|\p{Lt}/u);

/** str.istitle. */
export function isTitle(text: string): boolean {
  let inWord = false;
  let found = false;
  for (const character of charactersOf(text)) {
    if (/\p{Uppercase}|\p{Lt}/u.test(character)) {
      if (inWord) return false;
      inWord = found = true;
    } else if (/\p{Lowercase}/u.test(character)) {
      if (!inWord) return false;
      found = true;
    } else inWord = false;
  }
  return found;
}
