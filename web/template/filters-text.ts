/** Filters that make texts: one row each. */
import { filter } from './arguments.js';
import type { Method } from './arguments.js';
import { TemplateError, Unsupported } from './errors.js';
import { percentFormat } from './format.js';
import { toJson } from './json.js';
import * as meter from './meter.js';
import { pretty } from './pprint.js';
import * as text from './strings.js';
import { escapeHtml, str } from './text.js';
import {
  Dict,
  Markup,
  Tuple,
  TypeFailure,
  Undefined,
  isTrue,
  iteratorOf,
  len,
  listOf,
  requireInt,
  requireText,
  textOf,
  typeName,
} from './values.js';
import type { Value } from './values.js';
import { wrapLine } from './wordwrap.js';

/** Jinja2's own title: words begin after spaces, hyphens and opening brackets. */
function title(source: string): string {
  let inWord = false;
  const parts = text.withLower(source).map(([character, low]) => {
    const isBreak = '-({[<'.includes(character) || text.isSpace(character.charCodeAt(0));
    const part = isBreak || !inWord ? character.toUpperCase() : low;
    inWord = !isBreak;
    return part;
  });
  return text.join('', parts);
}

/** Texts with the method or operator they would have in Python: a Markup stays one. */
const like = (model: Value, result: string): Value =>
  model instanceof Markup ? new Markup(result) : result;

function indent(value: Value, width: Value, first: Value, blank: Value): Value {
  if (value instanceof Undefined) return value.fail();
  const source = requireText(value, 'the value of indent');
  const unit = textOf(width) ?? text.repeat(' ', requireInt(width));
  const lines = text.splitLines(`${source}\n`, false);
  meter.text(source.length + lines.length * (unit.length + 1));
  const all = lines.map((line, i) => {
    if (i === 0) return isTrue(first) ? unit + line : line;
    return line !== '' || isTrue(blank) ? unit + line : line;
  });
  return like(value, text.join('\n', all));
}

function truncate(value: Value, args: readonly Value[]): Value {
  const [length = 255n, killWords = false, end = '...', leeway = null] = args;
  const n = requireInt(length);
  const tail = requireText(end, 'end');
  const slack = leeway === null ? 5 : requireInt(leeway);
  const n_tail = text.lengthOf(tail);
  if (n < n_tail) throw new TemplateError(`expected length >= ${n_tail}, got ${n}`);
  if (slack < 0) throw new TemplateError(`expected leeway >= 0, got ${slack}`);
  if (len(value) <= n + slack) return value;
  const source = textOf(value);
  if (source === undefined) throw new Unsupported('truncate of a value that is no text');
  const cut = text.substring(source, 0, n - n_tail);
  const kept = isTrue(killWords) ? cut : (text.rsplit(cut, ' ', 1)[0] as string);
  return like(value, kept + (value instanceof Markup ? escapeHtml(end) : tail));
}

const SAFE = /[A-Za-z0-9_.~-]/;

/** urllib.parse.quote; inQuery: '/' is quoted, too, and a space becomes '+'. */
function quoteUrl(value: Value, inQuery: boolean): string {
  const source = str(value);
  meter.text(source.length * 9);
  const bytes = new TextEncoder().encode(source);
  const parts = Array.from(bytes, (byte) => {
    const character = String.fromCharCode(byte);
    if (SAFE.test(character) || (character === '/' && !inQuery)) return character;
    if (character === ' ' && inQuery) return '+';
    return `%${byte.toString(16).toUpperCase().padStart(2, '0')}`;
  });
  return text.join('', parts);
}

function urlEncode(value: Value): string {
  if (textOf(value) !== undefined || !iteratorOf(value)) return quoteUrl(value, false);
  const pairs = value instanceof Dict ? [...value.entries()] : listOf(value).map(listOf);
  const parts = pairs.map((pair) => {
    const [name, item] = pair;
    if (name === undefined || item === undefined || pair.length > 2)
      throw new TypeFailure('urlencode takes pairs');
    return `${quoteUrl(name, true)}=${quoteUrl(item, true)}`;
  });
  return text.join('&', parts);
}

function xmlAttributes(value: Value, autospace: Value): string {
  if (value instanceof Undefined) return value.fail();
  if (!(value instanceof Dict)) throw new TypeFailure(`'${typeName(value)}' has no items`);
  const parts: string[] = [];
  for (const [key, item] of value.entries()) {
    if (item === null || item instanceof Undefined) continue;
    const name = requireText(key, 'an attribute name');
    if (/[ \t\n\r\f\v/>=]/.test(name))
      throw new TemplateError(`Invalid character in attribute name: '${name}'`);
    parts.push(`${escapeHtml(name)}="${escapeHtml(item)}"`);
  }
  const all = text.join(' ', parts);
  return isTrue(autospace) && all !== '' ? ` ${all}` : all;
}

/** Markup.striptags: comments and tags out, white space to single spaces, entities resolved. */
function stripTags(value: Value): string {
  const source = str(value);
  const withoutComments = removeBetween(source, '<!--', '-->');
  const plain = text.join(' ', text.splitSpace(removeBetween(withoutComments, '<', '>'), -1));
  if (plain.includes('&') && /&(?:#|[A-Za-z])/.test(plain)) {
    const named: Record<string, string> = {
      amp: '&',
      lt: '<',
      gt: '>',
      quot: '"',
      '#39': "'",
      '#34': '"',
    };
    meter.text(plain.length);
    return plain.replace(/&(#?[A-Za-z0-9]{1,32});?/g, (whole, name: string) => {
      const character = whole.endsWith(';') ? named[name] : undefined;
      if (character === undefined)
        throw new Unsupported(`striptags with the entity ${whole} is not supported`);
      return character;
    });
  }
  return plain;
}

function removeBetween(source: string, open: string, close: string): string {
  const parts: string[] = [];
  let at = 0;
  for (;;) {
    const start = text.indexOf(source, open, at);
    const end = start < 0 ? -1 : text.indexOf(source, close, start);
    if (end < 0) break;
    parts.push(source.slice(at, start));
    at = end + close.length;
  }
  parts.push(source.slice(at));
  return text.join('', parts);
}

function fileSize(value: Value, binary: boolean): string {
  const bytes = Number(value);
  const base = binary ? 1024 : 1000;
  if (bytes === 1) return '1 Byte';
  if (bytes < base) return `${Math.trunc(bytes)} Bytes`;
  const prefixes = ['k', 'M', 'G', 'T', 'P', 'E', 'Z', 'Y'];
  let i = 0;
  while (i < prefixes.length - 1 && bytes >= base ** (i + 2)) i++;
  const prefix = prefixes[i] as string;
  const name = binary ? `${prefix.toUpperCase()}iB` : `${prefix}B`;
  return percentFormat(`%.1f ${name}`, new Tuple([(base * bytes) / base ** (i + 2)]));
}

/** Filters that make texts. */
export const TEXT_FILTERS: Record<string, Method> = {
  capitalize: filter([], (value) => like(value, text.capitalize(str(value)))),
  center: filter([['width', 80n]], (value, [width = 80n]) =>
    like(value, text.pad(str(value), requireInt(width), 'center')),
  ),
  escape: filter([], (value) => new Markup(escapeHtml(value))),
  e: filter([], (value) => new Markup(escapeHtml(value))),
  forceescape: filter([], (value) => new Markup(escapeHtml(str(value)))),
  filesizeformat: filter([['binary', false]], (value, [binary = false]) => {
    if (typeof value !== 'bigint' && typeof value !== 'number')
      throw new Unsupported('filesizeformat of a value that is no number');
    return fileSize(value, isTrue(binary));
  }),
  format: (value, args, keywords) => {
    if (args.length > 0 && keywords.size > 0)
      throw new TemplateError("can't handle positional and keyword arguments at the same time");
    return percentFormat(str(value), keywords.size > 0 ? Dict.of(keywords) : new Tuple(args));
  },
  indent: filter(
    [
      ['width', 4n],
      ['first', false],
      ['blank', false],
    ],
    (value, [width = 4n, first = false, blank = false]) => indent(value, width, first, blank),
  ),
  lower: filter([], (value) => like(value, text.lower(str(value)))),
  pprint: filter([], (value) => pretty(value)),
  replace: filter(
    [['old'], ['new'], ['count', null]],
    (value, [from = '', to = '', count = null]) =>
      text.replace(str(value), str(from), str(to), count === null ? -1 : requireInt(count)),
  ),
  safe: filter([], (value) => new Markup(str(value))),
  string: filter([], (value) => (value instanceof Markup ? value : str(value))),
  striptags: filter([], (value) => stripTags(value)),
  title: filter([], (value) => title(str(value))),
  tojson: filter(
    [
      ['ensure_ascii', false],
      ['indent', null],
      ['separators', null],
      ['sort_keys', false],
    ],
    (value, [ensureAscii = false, indentBy = null, separators = null, sortKeys = false]) =>
      toJson(value, ensureAscii, indentBy, separators, sortKeys),
  ),
  trim: filter([['chars', null]], (value, [chars = null]) =>
    like(
      value,
      text.strip(str(value), 'both', chars === null ? undefined : requireText(chars, 'chars')),
    ),
  ),
  truncate: filter(
    [
      ['length', 255n],
      ['killwords', false],
      ['end', '...'],
      ['leeway', null],
    ],
    truncate,
  ),
  upper: filter([], (value) => like(value, text.upper(str(value)))),
  urlencode: filter([], urlEncode),
  wordcount: filter([], (value) => {
    const source = str(value);
    meter.characters(source.length * 4);
    return BigInt(source.match(/[\p{L}\p{N}_]+/gu)?.length ?? 0);
  }),
  wordwrap: filter(
    [
      ['width', 79n],
      ['break_long_words', true],
      ['wrapstring', null],
      ['break_on_hyphens', true],
    ],
    (value, [width = 79n, breakWords = true, separator = null, onHyphens = true]) => {
      const source = requireText(value, 'the value of wordwrap');
      const join = separator === null ? '\n' : requireText(separator, 'wrapstring');
      const lines = text
        .splitLines(source, false)
        .map((line) =>
          text.join(join, wrapLine(line, requireInt(width), isTrue(breakWords), isTrue(onHyphens))),
        );
      return text.join(join, lines);
    },
  ),
  xmlattr: filter([['autospace', true]], (value, [autospace = true]) =>
    xmlAttributes(value, autospace),
  ),
};
