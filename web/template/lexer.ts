/**
 * Cuts a template into tokens, as Jinja2's lexer does with trim_blocks and lstrip_blocks. Reads
 * every character a constant number of times.
 */
import { TemplateError, Unsupported } from './errors.js';
import { characters, items, position } from './meter.js';
import { isSpace, normalizeLineEnds } from './strings.js';
import { hexEscape } from './text.js';

export type TokenType =
  | 'data'
  | 'variable_begin'
  | 'variable_end'
  | 'block_begin'
  | 'block_end'
  | 'name'
  | 'string'
  | 'integer'
  | 'float'
  | 'operator'
  | 'eof';

export interface Token {
  type: TokenType;
  /** The text: a name, an operator, a decoded string, the digits of a number. */
  value: string;
  line: number;
}

/** The longest first. */
const OPERATORS = [
  ...['//', '**', '==', '!=', '>=', '<='],
  ...['+', '-', '/', '*', '%', '~', '[', ']', '(', ')', '{', '}'],
  ...['>', '<', '=', '.', ':', '|', ',', ';'],
];
const CLOSING: Record<string, string> = { '{': '}', '(': ')', '[': ']' };

const FLOAT =
  /(?:[0-9]+_)*[0-9]+(?:(?:\.(?:[0-9]+_)*[0-9]+)?[eE][+-]?(?:[0-9]+_)*[0-9]+|\.(?:[0-9]+_)*[0-9]+)/y;
const INTEGER =
  /0[bB](?:_?[01])+|0[oO](?:_?[0-7])+|0[xX](?:_?[0-9a-fA-F])+|[1-9](?:_?[0-9])*|0(?:_?0)*/y;
const NAME = /[\p{L}\p{N}\p{M}_]+/uy;
const MAX_DIGITS = 400; // of a number in a template; no number has more in practice

/** What the matched text of a sticky pattern at `at` is; '' when there is no match. */
function match(pattern: RegExp, source: string, at: number): string {
  pattern.lastIndex = at;
  return pattern.exec(source)?.[0] ?? '';
}

class Lexer {
  readonly tokens: Token[] = [];
  #pos = 0;
  #line = 1;
  #counted = 0; // up to where line ends are counted
  /** The last token ended a line, or nothing was read yet. */
  #lineStarting = true;

  constructor(private readonly source: string) {}

  run(): Token[] {
    while (this.#pos < this.source.length) this.#root();
    this.#push('eof', '', this.source.length);
    return this.tokens;
  }

  #push(type: TokenType, value: string, at: number): void {
    items(1);
    this.#lineAt(at);
    this.tokens.push({ type, value, line: this.#line });
  }

  /** Counts lines up to `at`, for what is read there. */
  #lineAt(at: number): void {
    for (; this.#counted < at; this.#counted++)
      if (this.source.charCodeAt(this.#counted) === 10) this.#line++;
    position.line = this.#line;
  }

  #fail(message: string, at: number): never {
    this.#lineAt(at);
    throw new TemplateError(message);
  }

  #skipSpace(at: number): number {
    while (at < this.source.length && isSpace(this.source.charCodeAt(at))) at++;
    return at;
  }

  /** Moves on to `at` and notes whether the token before ends a line. */
  #moveTo(at: number): void {
    if (at > this.#pos) this.#lineStarting = this.source.charCodeAt(at - 1) === 10;
    this.#pos = at;
  }

  /** Text up to the next tag, then the tag. */
  #root(): void {
    const { source } = this;
    const start = this.#pos;
    let at = source.indexOf('{', start);
    while (at >= 0 && !'{%#'.includes(source[at + 1] ?? ' ')) at = source.indexOf('{', at + 1);
    if (at < 0) {
      this.#push('data', source.slice(start), start);
      this.#moveTo(source.length);
      return;
    }
    const kind = source[at + 1];
    const sign = this.#sign(at + 2);
    this.#data(start, at, sign, kind !== '{');
    const inside = at + 2 + sign.length;
    if (kind === '#') return this.#comment(inside);
    if (kind === '{') return this.#tag('variable_begin', at, inside);
    const rawEnd = this.#rawBegin(inside);
    if (rawEnd >= 0) return this.#raw(rawEnd);
    this.#tag('block_begin', at, inside);
  }

  #sign(at: number): string {
    const sign = this.source[at];
    return sign === '-' || sign === '+' ? sign : '';
  }

  /** The text before a tag, without the white space that its sign or lstrip_blocks removes. */
  #data(start: number, end: number, sign: string, isBlock: boolean): void {
    const { source } = this;
    let stop = end;
    if (sign === '-') {
      while (stop > start && isSpace(source.charCodeAt(stop - 1))) stop--;
    } else if (sign !== '+' && isBlock) {
      let line = end;
      while (line > start && source.charCodeAt(line - 1) !== 10) {
        if (!isSpace(source.charCodeAt(line - 1))) break;
        line--;
      }
      const lineBegins = line > start ? source.charCodeAt(line - 1) === 10 : this.#lineStarting;
      if (lineBegins) stop = line;
    }
    if (stop > start) this.#push('data', source.slice(start, stop), start);
  }

  /** Where the text after a tag begins: `at` is behind the tag's closing bracket. */
  #after(sign: string, at: number): number {
    if (sign === '-') return this.#skipSpace(at);
    return sign === '' && this.source[at] === '\n' ? at + 1 : at;
  }

  #comment(inside: number): void {
    const end = this.source.indexOf('#}', inside);
    if (end < 0) this.#fail('Missing end of comment tag', inside);
    const sign = end > inside ? this.#sign(end - 1) : '';
    this.#moveTo(this.#after(sign, end + 2));
  }

  /** Where the raw text begins when the block is {% raw %}; -1 otherwise. */
  #rawBegin(inside: number): number {
    let at = this.#skipSpace(inside);
    if (!this.source.startsWith('raw', at)) return -1;
    at = this.#skipSpace(at + 3);
    if (this.source.startsWith('-%}', at)) return this.#skipSpace(at + 3);
    return this.source.startsWith('%}', at) ? at + 2 : -1;
  }

  #raw(start: number): void {
    const { source } = this;
    this.#moveTo(start);
    for (let at = source.indexOf('{%', start); at >= 0; at = source.indexOf('{%', at + 2)) {
      const sign = this.#sign(at + 2);
      let end = this.#skipSpace(at + 2 + sign.length);
      if (!source.startsWith('endraw', end)) continue;
      end = this.#skipSpace(end + 'endraw'.length);
      const endSign = this.#sign(end);
      if (!source.startsWith('%}', end + endSign.length)) continue;
      this.#data(start, at, sign, true);
      this.#moveTo(this.#after(endSign, end + endSign.length + 2));
      return;
    }
    this.#fail('Missing end of raw directive', start);
  }

  /** The tokens of a block or a variable. */
  #tag(begin: 'variable_begin' | 'block_begin', at: number, inside: number): void {
    const { source } = this;
    this.#push(begin, '', at);
    const isBlock = begin === 'block_begin';
    const close = isBlock ? '%}' : '}}';
    const open: string[] = []; // brackets that must be closed
    let pos = inside;
    for (;;) {
      if (open.length === 0) {
        const sign = this.#sign(pos);
        const end = pos + sign.length;
        if (source.startsWith(close, end) && (isBlock || sign !== '+')) {
          this.#push(isBlock ? 'block_end' : 'variable_end', '', pos);
          const after = end + 2;
          const next = isBlock || sign === '-' ? this.#after(sign, after) : after;
          this.#pos = pos;
          this.#moveTo(next);
          return;
        }
      }
      if (pos >= source.length) {
        this.#pos = pos;
        return;
      }
      pos = isSpace(source.charCodeAt(pos)) ? this.#skipSpace(pos) : this.#token(pos, open);
    }
  }

  /** Reads one token at `at` and returns where it ends. */
  #token(at: number, open: string[]): number {
    const { source } = this;
    const first = source[at] ?? '';
    if (first >= '0' && first <= '9') {
      // a number after a dot is no fraction: a.1.2
      const float = source[at - 1] === '.' ? '' : match(FLOAT, source, at);
      const digits = float || match(INTEGER, source, at);
      if (digits.length > MAX_DIGITS) this.#fail('a number has too many digits', at);
      this.#push(float ? 'float' : 'integer', digits.replaceAll('_', ''), at);
      return at + digits.length;
    }
    const name = match(NAME, source, at);
    if (name) {
      if (!/^[\p{L}_]/u.test(name)) this.#fail('Invalid character in identifier', at);
      this.#push('name', name, at);
      return at + name.length;
    }
    if (first === "'" || first === '"') return this.#string(at, first);
    const operator = OPERATORS.find((text) => source.startsWith(text, at));
    if (operator === undefined) this.#fail(`unexpected char ${JSON.stringify(first)}`, at);
    const closing = CLOSING[operator];
    if (closing) open.push(closing);
    else if (')]}'.includes(operator)) {
      const expected = open.pop();
      if (expected === undefined) this.#fail(`unexpected '${operator}'`, at);
      if (expected !== operator) this.#fail(`unexpected '${operator}', expected '${expected}'`, at);
    }
    this.#push('operator', operator, at);
    return at + operator.length;
  }

  #string(at: number, quote: string): number {
    const { source } = this;
    let end = at + 1;
    while (end < source.length && source[end] !== quote) end += source[end] === '\\' ? 2 : 1;
    if (end >= source.length) this.#fail(`unexpected char ${JSON.stringify(quote)}`, at);
    this.#lineAt(at);
    this.#push('string', unescape(source.slice(at + 1, end)), at);
    return end + 1;
  }
}

const SIMPLE_ESCAPES: Record<string, string> = {
  '\n': '',
  '\\': '\\',
  "'": "'",
  '"': '"',
  a: '\x07',
  b: '\b',
  f: '\f',
  n: '\n',
  r: '\r',
  t: '\t',
  v: '\v',
};
const HEX_ESCAPES: Record<string, number> = { x: 2, u: 4, U: 8 };

function fromHex(digits: string, length: number): string {
  if (digits.length !== length || !/^[0-9a-fA-F]+$/.test(digits))
    throw new TemplateError('truncated \\x, \\u or \\U escape in a string');
  const code = Number.parseInt(digits, 16);
  if (code > 0x10ffff) throw new TemplateError('illegal Unicode character in a string');
  if (code >= 0xd800 && code <= 0xdfff)
    throw new Unsupported('an escape of half a character (a surrogate) is not supported');
  return String.fromCodePoint(code);
}

/** Python's unicode-escape, as Jinja2 applies it to the text between quotes. */
function unescape(text: string): string {
  characters(text.length);
  if (!text.includes('\\')) return text;
  const parts: string[] = [];
  let at = 0;
  while (at < text.length) {
    const next = text.indexOf('\\', at);
    if (next < 0) break;
    parts.push(text.slice(at, next));
    const kind = text[next + 1] ?? '';
    const simple = SIMPLE_ESCAPES[kind];
    const n_hex = HEX_ESCAPES[kind];
    if (simple !== undefined) {
      parts.push(simple);
      at = next + 2;
    } else if (n_hex !== undefined) {
      parts.push(fromHex(text.slice(next + 2, next + 2 + n_hex), n_hex));
      at = next + 2 + n_hex;
    } else if (kind >= '0' && kind <= '7') {
      const octal = match(/[0-7]{1,3}/y, text, next + 1);
      parts.push(String.fromCodePoint(Number.parseInt(octal, 8)));
      at = next + 1 + octal.length;
    } else if (kind === 'N') {
      throw new Unsupported('\\N{name} in a string is not supported');
    } else if (kind > '\x7f') {
      // Jinja2 escapes the character first, and the backslash then escapes that backslash.
      const code = text.codePointAt(next + 1) as number;
      parts.push(hexEscape(code));
      at = next + 1 + String.fromCodePoint(code).length;
    } else {
      parts.push(`\\${kind}`);
      at = next + 2;
    }
  }
  parts.push(text.slice(at));
  return parts.join('');
}

/** The tokens of a template. The last one is 'eof'. */
export function tokenize(template: string): Token[] {
  characters(template.length * 2);
  const source = normalizeLineEnds(template);
  return new Lexer(source.endsWith('\n') ? source.slice(0, -1) : source).run();
}
