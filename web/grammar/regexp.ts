/**
 * Parses a regular expression of ECMA-262 with the u flag, as JSON Schema uses them. What is not
 * regular (lookaround, backreferences) or not a set of texts is refused by name.
 */
import { MAX_CODE_POINT, charSet, charactersOf, inverse, propertySet, union } from './charset.js';
import type { CharSet } from './charset.js';

export type Expression =
  | { type: 'set'; set: CharSet }
  | { type: 'sequence' | 'choice'; parts: Expression[] }
  | { type: 'repeat'; part: Expression; min: number; max: number }
  | { type: 'start' | 'end' };

/** Why a regular expression cannot be used. */
export class PatternError extends Error {}

const MAX_GROUPS = 200; // groups inside groups
export const DIGIT = charSet([[0x30, 0x39]]);
const WORD = union(DIGIT, charSet([[0x41, 0x5a]]), charSet([[0x61, 0x7a]]), charactersOf('_'));
const SPACE = union(
  charactersOf('\t\n\v\f\r \u00a0\u1680\u2028\u2029\u202f\u205f\u3000\ufeff'),
  charSet([[0x2000, 0x200a]]),
);
const DOT = inverse(charactersOf('\n\r\u2028\u2029'));
const CLASSES: Record<string, CharSet> = {
  d: DIGIT,
  D: inverse(DIGIT),
  w: WORD,
  W: inverse(WORD),
  s: SPACE,
  S: inverse(SPACE),
};
const CONTROLS: Record<string, number> = { t: 9, n: 10, v: 11, f: 12, r: 13, 0: 0 };
const single = (code: number): CharSet => [code, code];

class Parser {
  readonly #characters: string[];
  #index = 0;
  #depth = 0;

  constructor(source: string) {
    this.#characters = [...source];
  }

  #fail(reason: string): never {
    throw new PatternError(`${reason} (character ${this.#index})`);
  }

  get #next(): string | undefined {
    return this.#characters[this.#index];
  }

  #take(text: string): boolean {
    for (let i = 0; i < text.length; i++)
      if (this.#characters[this.#index + i] !== text[i]) return false;
    this.#index += text.length;
    return true;
  }

  parse(): Expression {
    const result = this.#choice();
    if (this.#next !== undefined) this.#fail(`"${this.#next}" without its opening bracket`);
    return result;
  }

  #choice(): Expression {
    if (++this.#depth > MAX_GROUPS) this.#fail(`groups nested more than ${MAX_GROUPS} deep`);
    const parts = [this.#sequence()];
    while (this.#take('|')) parts.push(this.#sequence());
    this.#depth--;
    return parts.length === 1 ? parts[0]! : { type: 'choice', parts };
  }

  #sequence(): Expression {
    const parts: Expression[] = [];
    while (this.#next !== undefined && this.#next !== '|' && this.#next !== ')')
      parts.push(this.#term());
    return parts.length === 1 ? parts[0]! : { type: 'sequence', parts };
  }

  #term(): Expression {
    const isAssertion = this.#next === '^' || this.#next === '$';
    const atom = this.#atom();
    const bounds = this.#quantifier();
    if (!bounds) return atom;
    if (isAssertion) this.#fail('nothing to repeat');
    this.#take('?'); // lazy: the same texts
    return { type: 'repeat', part: atom, min: bounds[0], max: bounds[1] };
  }

  #quantifier(): [number, number] | undefined {
    if (this.#take('*')) return [0, Infinity];
    if (this.#take('+')) return [1, Infinity];
    if (this.#take('?')) return [0, 1];
    if (!this.#take('{')) return undefined;
    const min = this.#number();
    let max = min;
    if (this.#take(',')) max = this.#next === '}' ? Infinity : this.#number();
    if (!this.#take('}') || max < min) this.#fail('incomplete quantifier');
    return [min, max];
  }

  #number(): number {
    let digits = '';
    while (this.#next !== undefined && /[0-9]/.test(this.#next))
      digits += this.#characters[this.#index++];
    if (digits === '') this.#fail('incomplete quantifier');
    return Number(digits);
  }

  #atom(): Expression {
    if (this.#take('(')) return this.#group();
    if (this.#take('[')) return { type: 'set', set: this.#class() };
    if (this.#take('^')) return { type: 'start' };
    if (this.#take('$')) return { type: 'end' };
    if (this.#take('.')) return { type: 'set', set: DOT };
    if (this.#take('\\')) return { type: 'set', set: this.#escape(false) };
    const character = this.#next!;
    if ('*+?{}]'.includes(character)) this.#fail(`"${character}" has nothing before it`);
    this.#index++;
    return { type: 'set', set: single(character.codePointAt(0)!) };
  }

  #group(): Expression {
    if (this.#take('?')) {
      if (this.#take('=') || this.#take('!')) this.#fail('lookahead is not supported');
      if (this.#take('<=') || this.#take('<!')) this.#fail('lookbehind is not supported');
      if (this.#take('<')) {
        const start = this.#index;
        while (this.#next !== undefined && this.#next !== '>') this.#index++;
        const name = this.#characters.slice(start, this.#index).join('');
        if (!/^[\p{ID_Start}$_][\p{ID_Continue}$]*$/u.test(name) || !this.#take('>'))
          this.#fail('invalid name of a group');
      } else if (!this.#take(':')) this.#fail('unknown kind of group');
    }
    const inner = this.#choice();
    if (!this.#take(')')) this.#fail('a group without its end');
    return inner;
  }

  /** What follows a backslash; inClass: between square brackets. */
  #escape(inClass: boolean): CharSet {
    const character = this.#next;
    if (character === undefined) this.#fail('a backslash at the end');
    this.#index++;
    const known = CLASSES[character];
    if (known) return known;
    if (character === 'p' || character === 'P') return this.#property(character === 'P');
    if (character === 'b' && inClass) return single(8);
    if (character === 'b' || character === 'B')
      this.#fail(`the word boundary \\${character} is not supported`);
    if (/[1-9k]/.test(character)) this.#fail('backreferences are not supported');
    if (character === '0' && /[0-9]/.test(this.#next ?? '')) this.#fail('octal escape');
    if (CONTROLS[character] !== undefined) return single(CONTROLS[character]);
    if (character === 'c') {
      const letter = this.#next ?? '';
      if (!/^[A-Za-z]$/.test(letter)) this.#fail('\\c without a letter');
      this.#index++;
      return single(letter.charCodeAt(0) & 31);
    }
    if (character === 'x') return single(this.#hex(2));
    if (character === 'u') return single(this.#unicode());
    // every other ASCII sign is itself; a letter may get a meaning in a later standard
    if (!/^[!-/:-@[-`{-~ ]$/.test(character)) this.#fail(`unknown escape \\${character}`);
    return single(character.charCodeAt(0));
  }

  #hex(digits: number): number {
    const text = this.#characters.slice(this.#index, this.#index + digits).join('');
    if (text.length !== digits || !/^[0-9a-fA-F]+$/.test(text)) this.#fail('incomplete escape');
    this.#index += digits;
    return parseInt(text, 16);
  }

  #unicode(): number {
    if (this.#take('{')) {
      const start = this.#index;
      while (this.#next !== undefined && this.#next !== '}') this.#index++;
      const digits = this.#characters.slice(start, this.#index).join('');
      const code = /^[0-9a-fA-F]+$/.test(digits) ? parseInt(digits, 16) : Infinity;
      if (!this.#take('}') || code > MAX_CODE_POINT) this.#fail('invalid \\u{...}');
      return code;
    }
    const code = this.#hex(4);
    const start = this.#index;
    if (code >= 0xd800 && code < 0xdc00 && this.#take('\\u') && this.#next !== '{') {
      const low = this.#hex(4);
      if (low >= 0xdc00 && low < 0xe000) return 0x10000 + ((code - 0xd800) << 10) + (low - 0xdc00);
    }
    this.#index = start;
    return code;
  }

  #property(negative: boolean): CharSet {
    const start = this.#index;
    while (this.#next !== undefined && this.#next !== '}') this.#index++;
    const name = this.#characters.slice(start + 1, this.#index).join('');
    const known =
      this.#characters[start] === '{' && this.#take('}') && /^[A-Za-z_0-9=]+$/.test(name);
    const set = known ? propertySet(name) : undefined;
    if (!set) this.#fail(`unknown property \\p{${name.slice(0, 40)}}`);
    return negative ? inverse(set) : set;
  }

  #class(): CharSet {
    const negative = this.#take('^');
    const sets: CharSet[] = [];
    while (!this.#take(']')) {
      const first = this.#member();
      if (this.#next === '-' && this.#characters[this.#index + 1] !== ']') {
        this.#index++;
        const last = this.#member();
        const isSingle = ([a, b, more]: CharSet) => a === b && more === undefined;
        if (!isSingle(first) || !isSingle(last) || first[0]! > last[0]!)
          this.#fail('invalid range in a class');
        sets.push([first[0]!, last[0]!]);
      } else sets.push(first);
    }
    const set = union(...sets);
    return negative ? inverse(set) : set;
  }

  #member(): CharSet {
    if (this.#next === undefined) this.#fail('a class without its end');
    if (this.#take('\\')) return this.#escape(true);
    return single(this.#characters[this.#index++]!.codePointAt(0)!);
  }
}

/** Throws PatternError when the text is not a regular expression that can be used. */
export const parsePattern = (source: string): Expression => new Parser(source).parse();
