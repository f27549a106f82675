/** Rules of a grammar for strings and numbers: automata and lists of words. */
import { ANY_TEXT, product, rangesOfClasses } from './automaton.js';
import type { Dfa } from './automaton.js';
import { classOf, literal, writtenInJson } from './characters.js';
import { ALL, charSet, inverse, union } from './charset.js';
import type { CharSet } from './charset.js';
import { numberAutomaton } from './numbers.js';
import type { NumberSet } from './numbers.js';
import { refusal } from './refusal.js';
import { stringAutomaton } from './strings.js';
import type { StringSet } from './strings.js';

const MAX_RULES = 60_000;
const HIGH = charSet([[0xd800, 0xdbff]]);
const LOW = charSet([[0xdc00, 0xdfff]]);

/**
 * No high surrogate comes right before a low one: the two would be one character, which JSON writes
 * as itself.
 */
const UNPAIRED: Dfa = {
  starts: Int32Array.of(0, 0xd800, 0xdc00, 0xe000),
  classOf: Int32Array.of(0, 1, 2, 0),
  nClasses: 3,
  next: Int32Array.of(0, 1, 0, 0, 1, -1),
  accepts: Uint8Array.of(1, 1),
};

/** A part of a grammar, repeated min to max times; '' where there is nothing. */
export function repeated(part: string, min: number, max: number): string {
  if (max === 0) return '';
  if (min === 1 && max === 1) return part;
  if (min === 0 && max === 1) return `${part}?`;
  if (max === Infinity) return part + (min === 0 ? '*' : min === 1 ? '+' : `{${min},}`);
  return min === max ? `${part}{${min}}` : `${part}{${min},${max}}`;
}

export class TextRules {
  readonly #rules: string[] = [];
  readonly #names = new Map<string, string>();
  #count = 0;

  /** Adds a rule; returns its name. */
  add(prefix: string, body: string): string {
    const name = this.reserve(prefix);
    this.define(name, body);
    return name;
  }

  reserve(prefix: string): string {
    if (this.#count >= MAX_RULES)
      throw refusal('', '', `is too large: its grammar has more than ${MAX_RULES} rules`);
    return `${prefix}${this.#count++}`;
  }

  define(name: string, body: string): void {
    this.#rules.push(`${name} ::= ${body}`);
  }

  /** All rules, the root first. */
  text(root: string): string {
    return [`root ::= ${root}`, ...this.#rules, ''].join('\n');
  }

  #once(key: string, make: () => string): string {
    let name = this.#names.get(key);
    if (name === undefined) {
      name = make();
      this.#names.set(key, name);
    }
    return name;
  }

  /** A rule for the numbers of a set. */
  numbers(set: NumberSet): string {
    if ('words' in set) return this.#words([...set.words]);
    const { min, max, integer, divisors } = set;
    const isFree = min === -Infinity && max === Infinity && divisors.length === 0;
    return this.#once(`number ${JSON.stringify(set)} ${min} ${max}`, () => {
      if (isFree) return integer ? this.add('integer', INTEGER) : this.add('number', NUMBER);
      return this.#automaton(numberAutomaton(set), 'plain');
    });
  }

  /** A rule for the strings of a set, with their quotes. */
  strings(set: StringSet): string {
    if ('words' in set) return this.#words([...set.words].map((word) => JSON.stringify(word)));
    if (set.dfa === ANY_TEXT && set.max !== Infinity)
      return this.#once(`length ${set.min} ${set.max}`, () => this.#bounded(set.min, set.max));
    return this.keys(stringAutomaton(set));
  }

  /** A rule for the strings that the automaton accepts, with their quotes. */
  keys(dfa: Dfa): string {
    return this.#once(`string ${contentOf(dfa)}`, () =>
      this.add('string', `"\\"" ${this.#automaton(product(dfa, UNPAIRED, 'and'), 'json')}`),
    );
  }

  /** A rule for one code point of a set as JSON writes it. */
  #character(set: CharSet, mode: 'json' | 'plain'): string {
    if (mode === 'plain') return classOf(set);
    return this.#once(`character ${set.join()}`, () => {
      const ways = writtenInJson(set);
      const isOne = ways.length === 1 && (ways[0]!.length < 40 || !ways[0]!.startsWith('['));
      return isOne ? ways[0]! : this.add('char', ways.join(' | '));
    });
  }

  /**
   * Strings of min to max code points. The first min are counted by an automaton, which knows
   * that a pair of surrogates is one code point. After them a pair may count as two: then the
   * string is only shorter.
   */
  #bounded(min: number, max: number): string {
    const any = this.#character(ALL, 'json');
    const tail = (n: number) => `${repeated(any, 0, n)} "\\""`.trim();
    if (min === 0) return this.add('string', `"\\"" ${tail(max)}`);
    if (min === 1) return this.add('string', `"\\"" ${any} ${tail(max - 1)}`);
    const afterAny = this.add('s', tail(max - min));
    const notLow = this.#character(inverse(LOW), 'json');
    const afterHigh = this.add(
      's',
      max === min ? tail(0) : `${notLow} ${tail(max - min - 1)} | "\\""`,
    );
    // two rules for each character: after a high surrogate, and after all else
    const high = this.#character(HIGH, 'json');
    const others = this.#character(inverse(HIGH), 'json');
    const neither = this.#character(inverse(union(HIGH, LOW)), 'json');
    let free = afterAny;
    let bound = afterHigh;
    for (let i = 0; i < min; i++) {
      [free, bound] = [
        this.add('s', `${others} ${free} | ${high} ${bound}`),
        this.add('s', `${neither} ${free} | ${high} ${bound}`),
      ];
    }
    return this.add('string', `"\\"" ${free}`);
  }

  /** Rules for the texts of an automaton; the name of the first. */
  #automaton(dfa: Dfa, mode: 'json' | 'plain'): string {
    const { next, nClasses, accepts } = dfa;
    const ranges = rangesOfClasses(dfa);
    const end = mode === 'json' ? '"\\""' : '';
    /** For each state: how to go on, as [character, next state]. */
    const steps = Array.from(accepts, (_, state) => {
      const classes = new Map<number, number[]>();
      for (let symbol = 0; symbol < nClasses; symbol++) {
        const target = next[state * nClasses + symbol]!;
        if (target < 0) continue;
        if (!classes.has(target)) classes.set(target, []);
        classes.get(target)!.push(symbol);
      }
      return [...classes].map(([target, symbols]): [string, number] => [
        this.#character(charSet(symbols.flatMap((symbol) => ranges[symbol]!)), mode),
        target,
      ]);
    });
    const isChain = (state: number) => steps[state]!.length + (accepts[state] ? 1 : 0) === 1;
    const names = new Map<number, string>();
    const queue: number[] = [];
    const nameOf = (state: number): string => {
      let name = names.get(state);
      if (name === undefined) {
        name = this.reserve('s');
        names.set(state, name);
        queue.push(state);
      }
      return name;
    };
    /** A character and all that must follow up to a state with a choice. */
    const path = (character: string, target: number): string => {
      const parts = [character];
      let state = target;
      while (isChain(state)) {
        if (accepts[state]) {
          parts.push(end);
          return parts.join(' ').trim();
        }
        const [step] = steps[state]!;
        parts.push(step![0]);
        state = step![1];
      }
      parts.push(nameOf(state));
      return parts.join(' ');
    };
    const first = nameOf(0);
    for (const state of queue) {
      const ways = steps[state]!.map(([character, target]) => path(character, target));
      if (accepts[state] && end !== '') ways.push(end);
      const body = ways.join(' | ');
      this.define(names.get(state)!, accepts[state] && end === '' ? `(${body})?` : body);
    }
    return first;
  }

  /** Rules for a list of texts that share their beginnings; the name of the first. */
  #words(texts: string[]): string {
    const words = texts.map((text) => [...text]).sort(compare);
    if (words.length === 1) return literal(texts[0]!);
    const first = this.reserve('w');
    // [rule, first word, word after the last, characters that are written]
    const queue: [string, number, number, number][] = [[first, 0, words.length, 0]];
    for (const [name, start, end, depth] of queue) {
      const ways: string[] = [];
      let isOptional = false;
      for (let i = start; i < end;) {
        const character = words[i]![depth];
        let j = i + 1;
        while (j < end && words[j]![depth] === character) j++;
        if (character === undefined) isOptional = true;
        else if (j === i + 1) ways.push(literal(words[i]!.slice(depth).join('')));
        else {
          // sorted: what the first and the last share, all share
          let shared = depth + 1;
          const [a, b] = [words[i]!, words[j - 1]!];
          while (shared < a.length && a[shared] === b[shared]) shared++;
          const rest = this.reserve('w');
          queue.push([rest, i, j, shared]);
          ways.push(`${literal(a.slice(depth, shared).join(''))} ${rest}`);
        }
        i = j;
      }
      this.define(name, isOptional ? `(${ways.join(' | ')})?` : ways.join(' | '));
    }
    return first;
  }
}

/** A text that is the same for automata with the same tables. */
const contentOf = ({ starts, classOf, next, accepts }: Dfa): string =>
  `${starts.join()} ${classOf.join()} ${next.join()} ${accepts.join('')}`;

function compare(a: readonly string[], b: readonly string[]): number {
  for (let i = 0; ; i++) {
    const [x, y] = [a[i], b[i]];
    if (x === undefined || y === undefined)
      return (x === undefined ? 0 : 1) - (y === undefined ? 0 : 1);
    if (x !== y) return x < y ? -1 : 1;
  }
}

/** Numbers with an exponent of 308, as far as they are finite. */
const LARGEST = (() => {
  const digits = '7976931348623157';
  let body = `[0-${digits[15]}]`;
  for (let i = 14; i >= 0; i--) {
    const digit = Number(digits[i]);
    const more = 15 - i; // digits that may follow
    const lower = digit > 0 ? `[0-${digit - 1}] [0-9]{0,${more}} | ` : '';
    body = `${lower}"${digit}" (${body})?`;
  }
  return `"1" ("." (${body}))? "e+308"`;
})();
const EXPONENT = '("2" [1-9] | [3-9] [0-9] | [12] [0-9] [0-9] | "30" [0-7])';
const NEGATIVE = '([7-9] | [1-9] [0-9] | [12] [0-9] [0-9] | "3" [01] [0-9] | "32" [0-4])';
const MANTISSA = '[1-9] ("." [0-9]{1,16})?';
/** The texts of numbers.ts, written shorter than their automata; decimals end after 25 digits. */
const NUMBER =
  `"-"? (("0" | [1-9] [0-9]{0,20}) ("." [0-9]{1,25})? | ` +
  `${MANTISSA} "e" ("+" ${EXPONENT} | "-" ${NEGATIVE}) | ${LARGEST})`;
const INTEGER = `"-"? ("0" | [1-9] [0-9]{0,20} | ${MANTISSA} "e+" ${EXPONENT} | ${LARGEST})`;
