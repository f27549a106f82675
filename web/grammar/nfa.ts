/** Turns a regular expression into an automaton of the texts in which the expression is found. */
import { ANY_TEXT, MAX_STATES, explore, numberOf } from './automaton.js';
import type { Alphabet, Dfa } from './automaton.js';
import { ALL, MAX_CODE_POINT, rangesOf } from './charset.js';
import type { CharSet } from './charset.js';
import { TooLarge } from './refusal.js';
import { PatternError, parsePattern } from './regexp.js';
import type { Expression } from './regexp.js';

const MAX_NFA_STATES = 40_000;
const MAX_WORK = 4_000_000; // NFA states visited while the DFA is made

interface NfaState {
  /** Where to go with a code point of the set. */
  set?: CharSet;
  target?: number;
  /** Where to go without a code point: always, or only at the text's start or end. */
  free: number[];
  when?: 'start' | 'end';
}

class Builder {
  readonly states: NfaState[] = [];

  add(state: NfaState): number {
    if (this.states.length >= MAX_NFA_STATES) throw new TooLarge();
    return this.states.push(state) - 1;
  }

  /** The first state of a part after which the automaton goes on with `next`. */
  build(part: Expression, next: number): number {
    switch (part.type) {
      case 'set':
        return this.add({ set: part.set, target: next, free: [] });
      case 'start':
      case 'end':
        return this.add({ free: [next], when: part.type });
      case 'sequence':
        return part.parts.reduceRight((after, inner) => this.build(inner, after), next);
      case 'choice':
        return this.add({ free: part.parts.map((inner) => this.build(inner, next)) });
      case 'repeat':
        return this.#repeat(part.part, part.min, part.max, next);
    }
  }

  #repeat(part: Expression, min: number, max: number, next: number): number {
    let first = next;
    if (max === Infinity) {
      first = this.add({ free: [next] });
      this.states[first]!.free.push(this.build(part, first));
    } else {
      // x{0,2} is (x(x)?)?: every exit leads straight to the end
      for (let i = min; i < max; i++) {
        const before: number = this.build(part, first);
        first = this.add({ free: [before, next] });
      }
    }
    for (let i = 0; i < min; i++) {
      const before = this.build(part, first);
      if (before === first) break; // the part is empty: further copies change nothing
      first = before;
    }
    return first;
  }
}

/** The classes of code points that the sets distinguish, and the classes of each set. */
function alphabetOf(sets: CharSet[]): { alphabet: Alphabet; classes: Map<CharSet, number[]> } {
  const positions = new Map<string, number>();
  const distinct: CharSet[] = [];
  const positionOf = sets.map((set) => {
    const position = numberOf(positions, set.join());
    if (position === distinct.length) distinct.push(set);
    return position;
  });
  const edges = new Map<number, number[]>([[0, []]]); // start of an interval -> sets that change
  distinct.forEach((set, i) => {
    for (const [first, last] of rangesOf(set)) {
      for (const edge of [first, last + 1]) {
        if (!edges.has(edge)) edges.set(edge, []);
        edges.get(edge)!.push(i);
      }
    }
  });
  edges.delete(MAX_CODE_POINT + 1);
  const starts = [...edges.keys()].sort((a, b) => a - b);
  const inside = new Set<number>();
  const numbers = new Map<string, number>();
  const members: number[][] = [];
  const classOf = starts.map((start) => {
    for (const i of edges.get(start)!) if (!inside.delete(i)) inside.add(i);
    const number = numberOf(numbers, [...inside].sort((a, b) => a - b).join());
    if (number === members.length) members.push([...inside]);
    return number;
  });
  const ofSet: number[][] = distinct.map(() => []);
  members.forEach((list, c) => list.forEach((i) => ofSet[i]!.push(c)));
  return {
    alphabet: {
      starts: Int32Array.from(starts),
      classOf: Int32Array.from(classOf),
      nClasses: members.length,
    },
    classes: new Map(sets.map((set, i) => [set, ofSet[positionOf[i]!]!])),
  };
}

interface StateSet {
  key: string;
  states: number[];
  atStart: boolean;
}

/** The automaton of the texts in which the expression is found, as JSON Schema's pattern wants. */
function automatonOf(expression: Expression): Dfa {
  const builder = new Builder();
  const accept = builder.add({ free: [] });
  const rest = builder.add({ set: ALL, target: 0, free: [accept] });
  builder.states[rest]!.target = rest;
  const start = builder.add({ set: ALL, target: 0, free: [] });
  builder.states[start]!.target = start;
  builder.states[start]!.free.push(builder.build(expression, rest));
  const { states } = builder;
  const { alphabet, classes } = alphabetOf(states.flatMap(({ set }) => (set ? [set] : [])));
  let work = 0;

  const closure = (from: number[], atStart: boolean, atEnd: boolean): number[] => {
    const seen = new Set(from);
    for (const state of seen) {
      if (++work > MAX_WORK) throw new TooLarge();
      const { free, when } = states[state]!;
      if (when === 'start' && !atStart) continue;
      if (when === 'end' && !atEnd) continue;
      for (const target of free) seen.add(target);
    }
    return [...seen];
  };
  const setOf = (from: number[], atStart: boolean): StateSet => {
    // once the expression is found, nothing can undo this
    const all = closure(from, atStart, false);
    const kept = all.includes(accept)
      ? [accept, rest]
      : all.filter((state) => states[state]!.set || states[state]!.when === 'end');
    kept.sort((a, b) => a - b);
    return { key: `${atStart ? '^' : ''}${kept.join()}`, states: kept, atStart };
  };
  const targets = new WeakMap<StateSet, number[][]>();
  const bySymbol = (set: StateSet): number[][] => {
    let result = targets.get(set);
    if (!result) {
      result = Array.from({ length: alphabet.nClasses }, () => []);
      for (const state of set.states) {
        const { set: chars, target } = states[state]!;
        if (!chars) continue;
        for (const symbol of classes.get(chars)!) {
          if (++work > MAX_WORK) throw new TooLarge();
          result[symbol]!.push(target!);
        }
      }
      targets.set(set, result);
    }
    return result;
  };
  return explore(alphabet, setOf([start], true), {
    key: ({ key }) => key,
    step(set, symbol) {
      const next = bySymbol(set)[symbol]!;
      return next.length > 0 ? setOf(next, false) : undefined;
    },
    accepts: ({ states: set, atStart }) => closure(set, atStart, true).includes(accept),
  });
}

const automata = new Map<string, Dfa>();
const MAX_KEPT = 64; // automata of patterns that stay in memory

/**
 * The texts in which the regular expression is found. Throws PatternError: the text is not a
 * regular expression that can be used, or its automaton is too large.
 */
export function searching(source: string): Dfa {
  let dfa = automata.get(source);
  if (dfa) return dfa;
  try {
    const expression = parsePattern(source);
    dfa = isTrivial(expression) ? ANY_TEXT : automatonOf(expression);
  } catch (error) {
    if (error instanceof TooLarge)
      throw new PatternError(`its automaton has more than ${MAX_STATES} states or takes too long`);
    throw error;
  }
  if (automata.size >= MAX_KEPT) automata.clear();
  automata.set(source, dfa);
  return dfa;
}

const isTrivial = (expression: Expression): boolean =>
  expression.type === 'sequence' && expression.parts.length === 0;

/** The texts that the regular expression matches from start to end. */
export const matching = (source: string): Dfa => searching(`^(?:${source})$`);
