/** Python's methods of str: a method is one row. */
import { bind } from './arguments.js';
import type { Method, Parameter } from './arguments.js';
import { TemplateError, Unsupported } from './errors.js';
import * as meter from './meter.js';
import * as text from './strings.js';
import { Tuple, TypeFailure, intOf, requireInt, requireText, valuesOf } from './values.js';
import type { Value } from './values.js';

/** A method with parameters that have no names for the caller. */
const method =
  (
    parameters: readonly Parameter[],
    run: (self: string, args: readonly Value[]) => Value,
    keywordsToo = false,
  ): Method =>
  (self, args, keywords) =>
    run(self as string, bind('str method', parameters, args, keywords, !keywordsToo));

const simple = (run: (self: string) => Value): Method => method([], run);

/** str.strip and the like. */
const strip = (side: text.Side): Method =>
  method([['chars', null]], (self, [chars = null]) =>
    text.strip(self, side, chars === null ? undefined : requireText(chars, 'chars')),
  );

/** str.split and rsplit. */
const split = (
  at: (self: string, separator: string, max: number) => string[],
  atSpace: (self: string, max: number) => string[],
): Method =>
  method(
    [
      ['sep', null],
      ['maxsplit', -1n],
    ],
    (self, [sep = null, max = -1n]) => {
      const n = requireInt(max);
      if (sep === null) return atSpace(self, n);
      const separator = requireText(sep, 'sep');
      if (separator === '') throw new TemplateError('empty separator');
      return at(self, separator, n);
    },
    true,
  );

const RANGE: readonly Parameter[] = [['sub'], ['start', null], ['end', null]];

/** The part of a text that start and end name, and where it begins, in code points. */
function part(self: string, start: Value, end: Value): { slice: string; from: number } | undefined {
  if (start === null && end === null) return { slice: self, from: 0 };
  const n = text.lengthOf(self);
  const clamp = (value: Value, fallback: number) => {
    if (value === null) return fallback;
    const i = requireInt(value);
    return i < 0 ? Math.max(0, i + n) : i;
  };
  const from = clamp(start, 0);
  const to = Math.min(n, clamp(end, n));
  if (from > n || from > to) return undefined;
  return { slice: text.substring(self, from, to), from };
}

/** str.find and the like. */
const find = (search: (self: string, pattern: string) => number, failure?: string): Method =>
  method(RANGE, (self, [sub = '', start = null, end = null]) => {
    const pattern = requireText(sub, 'sub');
    const range = part(self, start, end);
    const found = range ? search(range.slice, pattern) : -1;
    if (found < 0 && failure) throw new TemplateError(failure);
    if (found < 0 || !range) return -1n;
    return BigInt(range.from + text.lengthOf(range.slice.slice(0, found)));
  });

/** str.startswith and endswith: one text or a tuple of texts. */
const affix = (test: (slice: string, affix: string) => boolean): Method =>
  method(RANGE, (self, [sub = '', start = null, end = null]) => {
    const all = sub instanceof Tuple ? sub.items : [sub];
    const range = part(self, start, end);
    return all.some((one) => {
      const pattern = requireText(one, 'the first argument');
      meter.characters(pattern.length);
      return range !== undefined && test(range.slice, pattern);
    });
  });

/** str.center, ljust, rjust. */
const justify = (side: text.Side | 'center'): Method =>
  method([['width'], ['fillchar', ' ']], (self, [width = 0n, fill = ' ']) => {
    const character = requireText(fill, 'the fill character');
    if (text.lengthOf(character) !== 1)
      throw new TypeFailure('The fill character must be exactly one character long');
    return text.pad(self, requireInt(width), side, character);
  });

const everyOf = (kind: RegExp): Method => simple((self) => text.everyCharacter(self, kind));

/** Digits that are no decimal digits. */
const DIGIT =
  /[\p{Nd}²³¹⁰⁴-⁹₀-₉①-⑨⑴-⑼⒈-⒐⓪⓵-⓽⓿❶-❾➀-➈➊-➒፩-፱᧚\u{10a40}-\u{10a43}\u{11052}-\u{1105a}\u{1f100}-\u{1f10a}]/u;

/** Han letters may be numbers; which of them are, JavaScript cannot say. */
function refuseHan(self: string, name: string): string {
  meter.characters(self.length);
  if (/\p{Script=Han}/u.test(self))
    throw new Unsupported(`${name} of Chinese characters is not supported`);
  return self;
}

function expandTabs(self: string, size: number): string {
  meter.characters(self.length * 2);
  let column = 0;
  const parts = text.charactersOf(self).map((character) => {
    if (character !== '\t') {
      column = character === '\n' || character === '\r' ? 0 : column + 1;
      return character;
    }
    const n = size > 0 ? size - (column % size) : 0;
    column += n;
    return text.repeat(' ', n);
  });
  return text.join('', parts);
}

function zeroFill(self: string, width: number): string {
  const sign = /^[+-]/.test(self) ? self.slice(0, 1) : '';
  const digits = self.slice(sign.length);
  return sign + text.pad(digits, width - sign.length, 'left', '0');
}

function countOf(self: string, pattern: string): number {
  if (pattern === '') return text.lengthOf(self) + 1;
  let n = 0;
  for (let at = 0; (at = text.indexOf(self, pattern, at)) >= 0; at += pattern.length) n++;
  return n;
}

/** The methods of str. attributes.ts has format and format_map, which read attributes. */
export const STRING_METHODS: Record<string, Method> = {
  capitalize: simple(text.capitalize),
  center: justify('center'),
  count: method(RANGE, (self, [sub = '', start = null, end = null]) => {
    const range = part(self, start, end);
    const pattern = requireText(sub, 'sub');
    return range ? BigInt(countOf(range.slice, pattern)) : 0n;
  }),
  endswith: affix((slice, suffix) => slice.endsWith(suffix)),
  expandtabs: method(
    [['tabsize', 8n]],
    (self, [size = 8n]) => expandTabs(self, requireInt(size)),
    true,
  ),
  find: find((self, pattern) => text.indexOf(self, pattern)),
  index: find((self, pattern) => text.indexOf(self, pattern), 'substring not found'),
  isalnum: simple((self) => text.everyCharacter(self, /[\p{L}\p{N}]/u)),
  isalpha: everyOf(/\p{L}/u),
  isascii: simple((self) => {
    meter.characters(self.length);
    return !/[^\0-\x7f]/.test(self);
  }),
  isdecimal: everyOf(/\p{Nd}/u),
  isdigit: everyOf(DIGIT),
  isidentifier: simple((self) => {
    meter.characters(self.length);
    return /^[\p{XID_Start}_]\p{XID_Continue}*$/u.test(self);
  }),
  islower: simple(text.isLower),
  isnumeric: simple((self) => text.everyCharacter(refuseHan(self, 'isnumeric'), /\p{N}/u)),
  isprintable: simple((self) => self === '' || text.everyCharacter(self, /[^\p{C}\p{Z}]|^ $/u)),
  isspace: simple((self) => self !== '' && text.strip(self, 'both') === ''),
  istitle: simple(text.isTitle),
  isupper: simple(text.isUpper),
  join: method([['iterable']], (self, [iterable = null]) => {
    const parts: string[] = [];
    for (const item of valuesOf(iterable)) parts.push(requireText(item, 'an item of join'));
    return text.join(self, parts);
  }),
  ljust: justify('right'),
  lower: simple(text.lower),
  lstrip: strip('left'),
  partition: method([['sep']], (self, [sep = '']) => {
    const pattern = nonEmpty(sep);
    const at = text.indexOf(self, pattern);
    if (at < 0) return new Tuple([self, '', '']);
    return new Tuple([self.slice(0, at), pattern, self.slice(at + pattern.length)]);
  }),
  removeprefix: method([['prefix']], (self, [prefix = '']) => {
    const start = requireText(prefix, 'prefix');
    meter.characters(start.length);
    return self.startsWith(start) ? self.slice(start.length) : self;
  }),
  removesuffix: method([['suffix']], (self, [suffix = '']) => {
    const end = requireText(suffix, 'suffix');
    meter.characters(end.length);
    return end !== '' && self.endsWith(end) ? self.slice(0, -end.length) : self;
  }),
  replace: method([['old'], ['new'], ['count', -1n]], (self, [from = '', to = '', count = -1n]) =>
    text.replace(self, requireText(from, 'old'), requireText(to, 'new'), requireInt(count)),
  ),
  rfind: find((self, pattern) => text.lastIndexOf(self, pattern)),
  rindex: find((self, pattern) => text.lastIndexOf(self, pattern), 'substring not found'),
  rjust: justify('left'),
  rpartition: method([['sep']], (self, [sep = '']) => {
    const pattern = nonEmpty(sep);
    const at = text.lastIndexOf(self, pattern);
    if (at < 0) return new Tuple(['', '', self]);
    return new Tuple([self.slice(0, at), pattern, self.slice(at + pattern.length)]);
  }),
  rsplit: split(text.rsplit, text.rsplitSpace),
  rstrip: strip('right'),
  split: split(text.split, text.splitSpace),
  splitlines: method(
    [['keepends', false]],
    (self, [keep = false]) => text.splitLines(self, intOf(keep) !== 0),
    true,
  ),
  startswith: affix((slice, prefix) => slice.startsWith(prefix)),
  strip: strip('both'),
  swapcase: simple(text.swapCase),
  title: simple(text.title),
  upper: simple(text.upper),
  zfill: method([['width']], (self, [width = 0n]) => zeroFill(self, requireInt(width))),
};

function nonEmpty(separator: Value): string {
  const pattern = requireText(separator, 'sep');
  if (pattern === '') throw new TemplateError('empty separator');
  return pattern;
}
