/** Sets of strings: explicit words, or an automaton together with bounds of the length. */
import {
  ANY_TEXT,
  alphabetOfCodes,
  explore,
  isEmpty,
  lengthBetween,
  longest,
  matches,
  product,
} from './automaton.js';
import type { Dfa } from './automaton.js';
import { TooLarge } from './refusal.js';

export type StringSet =
  | { words: ReadonlySet<string> }
  /** Texts of min to max code points that the automaton accepts; max may be Infinity. */
  | { dfa: Dfa; min: number; max: number };

export const ANY_STRING: StringSet = { dfa: ANY_TEXT, min: 0, max: Infinity };

/** Code points of a string; a lone surrogate counts as one. */
function lengthOf(text: string): number {
  let length = 0;
  for (const _ of text) length++;
  return length;
}

function hasString(set: StringSet, text: string): boolean {
  if ('words' in set) return set.words.has(text);
  const { dfa, min, max } = set;
  if (min > 0 || max !== Infinity) {
    const length = lengthOf(text);
    if (length < min || length > max) return false;
  }
  return matches(dfa, text);
}

/** The set of explicit words; undefined when there is none. */
export const someWords = (words: string[]): { words: ReadonlySet<string> } | undefined =>
  words.length > 0 ? { words: new Set(words) } : undefined;

/** The strings of both sets; undefined when there is none. */
export function bothStrings(a: StringSet, b: StringSet): StringSet | undefined {
  if ('words' in a) return someWords([...a.words].filter((word) => hasString(b, word)));
  if ('words' in b) return bothStrings(b, a);
  const min = Math.max(a.min, b.min);
  const max = Math.min(a.max, b.max);
  if (min > max) return undefined;
  const dfa =
    a.dfa === ANY_TEXT || a.dfa === b.dfa
      ? b.dfa
      : b.dfa === ANY_TEXT
        ? a.dfa
        : product(a.dfa, b.dfa, 'and');
  if (isEmpty(dfa)) return undefined;
  if (dfa === ANY_TEXT || (min === 0 && max === Infinity)) return { dfa, min, max };
  const length = longest(dfa);
  if (length < min) return undefined;
  const bounded = { dfa, min, max: length <= max ? Infinity : max };
  return isEmpty(stringAutomaton(bounded)) ? undefined : bounded;
}

const automata = new WeakMap<StringSet, Dfa>();

/** The automaton of a set. */
export function stringAutomaton(set: StringSet): Dfa {
  let dfa = automata.get(set);
  if (!dfa) {
    dfa = newAutomaton(set);
    automata.set(set, dfa);
  }
  return dfa;
}

function newAutomaton(set: StringSet): Dfa {
  if ('words' in set) return automatonOfWords(set.words);
  const { dfa, min, max } = set;
  if (min === 0 && max === Infinity) return dfa;
  const length = lengthBetween(min, max);
  return dfa === ANY_TEXT ? length : product(dfa, length, 'and');
}

function automatonOfWords(words: ReadonlySet<string>): Dfa {
  const codes = new Set<number>();
  const nodes: { next: Map<number, number>; ends: boolean }[] = [{ next: new Map(), ends: false }];
  for (const word of words) {
    let node = 0;
    for (const character of word) {
      const code = character.codePointAt(0)!;
      codes.add(code);
      let target = nodes[node]!.next.get(code);
      if (target === undefined) {
        target = nodes.push({ next: new Map(), ends: false }) - 1;
        if (target > 200_000) throw new TooLarge();
        nodes[node]!.next.set(code, target);
      }
      node = target;
    }
    nodes[node]!.ends = true;
  }
  const symbols = [...codes].sort((a, b) => a - b);
  const alphabet = alphabetOfCodes(symbols);
  if (nodes.length * alphabet.nClasses > 4_000_000) throw new TooLarge();
  return explore(alphabet, 0, {
    key: (node) => node,
    step: (node, symbol) =>
      symbol === symbols.length ? undefined : nodes[node]!.next.get(symbols[symbol]!),
    accepts: (node) => nodes[node]!.ends,
  });
}

/** The strings that are not in the set, as a union of sets. */
export function otherStrings(set: StringSet): StringSet[] {
  if ('words' in set) {
    return [{ dfa: product(ANY_TEXT, stringAutomaton(set), 'minus'), min: 0, max: Infinity }];
  }
  const result: StringSet[] = [];
  if (set.dfa !== ANY_TEXT) {
    const dfa = product(ANY_TEXT, set.dfa, 'minus');
    if (!isEmpty(dfa)) result.push({ dfa, min: 0, max: Infinity });
  }
  if (set.min > 0) result.push({ dfa: ANY_TEXT, min: 0, max: set.min - 1 });
  if (set.max !== Infinity) result.push({ dfa: ANY_TEXT, min: set.max + 1, max: Infinity });
  return result;
}

/** The automaton of all sets together. */
export const automatonOfAll = (sets: readonly StringSet[]): Dfa =>
  sets.map(stringAutomaton).reduce((a, b) => product(a, b, 'or'));
