/**
 * Deterministic automata over code points: the languages of strings, keys and numbers. Intervals
 * of code points that no automaton distinguishes share a class, so that tables stay small.
 */
import { MAX_CODE_POINT } from './charset.js';
import { TooLarge } from './refusal.js';

export interface Dfa {
  /** The first code point of each interval, ascending; the first is 0. */
  readonly starts: Int32Array;
  /** The class of each interval. */
  readonly classOf: Int32Array;
  readonly nClasses: number;
  /** [state * nClasses + class] is the next state, or -1. State 0 is the first. */
  readonly next: Int32Array;
  /** 1 for a state in which a text may end. */
  readonly accepts: Uint8Array;
}

export type Alphabet = Pick<Dfa, 'starts' | 'classOf' | 'nClasses'>;

/** States of one automaton. */
export const MAX_STATES = 12_000;

/** The number of a key: keys get the numbers 0, 1, 2, ... in the order of their first use. */
export function numberOf<Key>(numbers: Map<Key, number>, key: Key): number {
  let number = numbers.get(key);
  if (number === undefined) numbers.set(key, (number = numbers.size));
  return number;
}

/** The automaton of a machine that is given as functions; equal keys are equal states. */
export function explore<State>(
  alphabet: Alphabet,
  start: State,
  machine: {
    key(state: State): string | number;
    step(state: State, symbol: number): State | undefined;
    accepts(state: State): boolean;
  },
): Dfa {
  const { nClasses } = alphabet;
  const numbers = new Map<string | number, number>([[machine.key(start), 0]]);
  const states = [start];
  const next: number[] = [];
  for (let i = 0; i < states.length; i++) {
    for (let symbol = 0; symbol < nClasses; symbol++) {
      const target = machine.step(states[i]!, symbol);
      if (target === undefined) {
        next.push(-1);
        continue;
      }
      const number = numberOf(numbers, machine.key(target));
      if (number >= MAX_STATES) throw new TooLarge();
      if (number === states.length) states.push(target);
      next.push(number);
    }
  }
  const accepts = Uint8Array.from(states, (state) => (machine.accepts(state) ? 1 : 0));
  return minimized({ ...alphabet, next: Int32Array.from(next), accepts });
}

/** The class of a code point. */
function classAt({ starts, classOf }: Alphabet, code: number): number {
  let low = 0;
  let high = starts.length - 1;
  while (low < high) {
    const middle = (low + high + 1) >> 1;
    if (starts[middle]! <= code) low = middle;
    else high = middle - 1;
  }
  return classOf[low]!;
}

/** Whether the automaton accepts the text. */
export function matches(dfa: Dfa, text: string): boolean {
  let state = 0;
  for (const character of text) {
    state = dfa.next[state * dfa.nClasses + classAt(dfa, character.codePointAt(0)!)]!;
    if (state < 0) return false;
  }
  return dfa.accepts[state] === 1;
}

export const isEmpty = (dfa: Dfa): boolean => !dfa.accepts.includes(1);

/** The code points of each class as ranges. */
export function rangesOfClasses({ starts, classOf, nClasses }: Alphabet): [number, number][][] {
  const ranges: [number, number][][] = Array.from({ length: nClasses }, () => []);
  for (let i = 0; i < starts.length; i++)
    ranges[classOf[i]!]!.push([starts[i]!, (starts[i + 1] ?? MAX_CODE_POINT + 1) - 1]);
  return ranges;
}

/** An alphabet with one class for each code point, in the given order, and one for all others. */
export function alphabetOfCodes(codes: readonly number[]): Alphabet {
  const starts = [0];
  const classOf = [codes.length];
  const ascending = codes.map((code, symbol) => ({ code, symbol })).sort((a, b) => a.code - b.code);
  for (const { code, symbol } of ascending) {
    if (starts[starts.length - 1] === code) classOf[classOf.length - 1] = symbol;
    else {
      starts.push(code);
      classOf.push(symbol);
    }
    if (code === MAX_CODE_POINT) break;
    starts.push(code + 1);
    classOf.push(codes.length);
  }
  return {
    starts: Int32Array.from(starts),
    classOf: Int32Array.from(classOf),
    nClasses: codes.length + 1,
  };
}

/** The coarsest alphabet that distinguishes what both distinguish, and both classes of each. */
export function joined(
  a: Alphabet,
  b: Alphabet,
): { alphabet: Alphabet; pairs: [number, number][] } {
  const starts: number[] = [];
  const classOf: number[] = [];
  const pairs: [number, number][] = [];
  const numbers = new Map<number, number>();
  for (let i = 0, j = 0, start = 0; ;) {
    const [classA, classB] = [a.classOf[i]!, b.classOf[j]!];
    const number = numberOf(numbers, classA * b.nClasses + classB);
    if (number === pairs.length) pairs.push([classA, classB]);
    starts.push(start);
    classOf.push(number);
    const nextA = a.starts[i + 1] ?? Infinity;
    const nextB = b.starts[j + 1] ?? Infinity;
    start = Math.min(nextA, nextB);
    if (start === Infinity) break;
    if (nextA === start) i++;
    if (nextB === start) j++;
  }
  const alphabet = {
    starts: Int32Array.from(starts),
    classOf: Int32Array.from(classOf),
    nClasses: pairs.length,
  };
  return { alphabet, pairs };
}

/** Texts that both accept, that at least one accepts, or that only the first accepts. */
export function product(a: Dfa, b: Dfa, operation: 'and' | 'or' | 'minus'): Dfa {
  const { alphabet, pairs } = joined(a, b);
  const width = b.accepts.length + 1; // a state of b, or none
  const both = (x: number, y: number) => (x + 1) * width + y + 1;
  return explore(alphabet, both(0, 0), {
    key: (state) => state,
    step(state, symbol) {
      const x = Math.floor(state / width) - 1;
      const y = (state % width) - 1;
      const [classA, classB] = pairs[symbol]!;
      const nextX = x < 0 ? -1 : a.next[x * a.nClasses + classA]!;
      const nextY = y < 0 ? -1 : b.next[y * b.nClasses + classB]!;
      const dead =
        operation === 'or'
          ? nextX < 0 && nextY < 0
          : nextX < 0 || (operation === 'and' && nextY < 0);
      return dead ? undefined : both(nextX, nextY);
    },
    accepts(state) {
      const x = Math.floor(state / width) - 1;
      const y = (state % width) - 1;
      const inA = x >= 0 && a.accepts[x] === 1;
      const inB = y >= 0 && b.accepts[y] === 1;
      if (operation === 'or') return inA || inB;
      return operation === 'and' ? inA && inB : inA && !inB;
    },
  });
}

const ONE_CLASS: Alphabet = {
  starts: Int32Array.of(0),
  classOf: Int32Array.of(0),
  nClasses: 1,
};

/** Every text. */
export const ANY_TEXT: Dfa = {
  ...ONE_CLASS,
  next: Int32Array.of(0),
  accepts: Uint8Array.of(1),
};

/** Texts of min to max code points; max may be Infinity. */
export function lengthBetween(min: number, max: number): Dfa {
  const last = max === Infinity ? min : max;
  if (last + 1 > MAX_STATES) throw new TooLarge();
  const next = Int32Array.from({ length: last + 1 }, (_, i) =>
    i < last ? i + 1 : max === Infinity ? last : -1,
  );
  const accepts = Uint8Array.from({ length: last + 1 }, (_, i) => (i >= min ? 1 : 0));
  return { ...ONE_CLASS, next, accepts };
}

/** The smallest automaton of the same texts, its states in the order of a breadth-first search. */
function minimized(dfa: Dfa): Dfa {
  const alive = withoutDeadEnds(dfa);
  return renumbered(alive, equivalent(alive));
}

/** Transitions to states from which no text ends become -1. */
function withoutDeadEnds(dfa: Dfa): Dfa {
  const { next, accepts, nClasses } = dfa;
  const n = accepts.length;
  const count = new Int32Array(n + 1);
  for (const target of next) if (target >= 0) count[target + 1]!++;
  for (let i = 0; i < n; i++) count[i + 1]! += count[i]!;
  const sources = new Int32Array(count[n]!);
  const fill = count.slice();
  for (let i = 0; i < next.length; i++)
    if (next[i]! >= 0) sources[fill[next[i]!]!++] = Math.floor(i / nClasses);
  const live = Uint8Array.from(accepts);
  const queue = [...live.keys()].filter((state) => live[state]);
  for (const state of queue) {
    for (let i = count[state]!; i < count[state + 1]!; i++) {
      if (live[sources[i]!]) continue;
      live[sources[i]!] = 1;
      queue.push(sources[i]!);
    }
  }
  return { ...dfa, next: next.map((target) => (target >= 0 && live[target] ? target : -1)) };
}

/**
 * The block of each state: states in one block accept the same texts. Hopcroft's algorithm; the
 * missing state (-1) is one more state, n.
 */
function equivalent({ next, accepts, nClasses }: Dfa): Int32Array {
  const n = accepts.length + 1;
  const to = (state: number, symbol: number) => {
    const target = state === n - 1 ? -1 : next[state * nClasses + symbol]!;
    return target < 0 ? n - 1 : target;
  };
  // sources of each (symbol, state): a list in one array
  const first = new Int32Array(n * nClasses + 1);
  for (let state = 0; state < n; state++)
    for (let symbol = 0; symbol < nClasses; symbol++) first[symbol * n + to(state, symbol) + 1]!++;
  for (let i = 0; i < n * nClasses; i++) first[i + 1]! += first[i]!;
  const sources = new Int32Array(n * nClasses);
  const fill = first.slice();
  for (let state = 0; state < n; state++)
    for (let symbol = 0; symbol < nClasses; symbol++)
      sources[fill[symbol * n + to(state, symbol)]!++] = state;

  // order[begin[b] .. end[b]) are the states of block b
  const order = Int32Array.from({ length: n }, (_, i) => i).sort(
    (a, b) => (accepts[a] ?? 0) - (accepts[b] ?? 0) || a - b,
  );
  const index = new Int32Array(n);
  order.forEach((state, i) => (index[state] = i));
  const split = n - accepts.reduce((sum, bit) => sum + bit, 0);
  const begin = [0];
  const end = [n];
  const block = new Int32Array(n);
  if (split < n) {
    begin.push(split);
    end[0] = split;
    end.push(n);
    for (let i = split; i < n; i++) block[order[i]!] = 1;
  }
  const work: number[] = []; // block * nClasses + symbol
  const waiting = new Set<number>();
  const add = (item: number) => {
    if (!waiting.has(item)) {
      waiting.add(item);
      work.push(item);
    }
  };
  for (let b = 0; b < begin.length; b++)
    for (let symbol = 0; symbol < nClasses; symbol++) add(b * nClasses + symbol);
  const marked = new Map<number, number>(); // block -> states that lead to the splitter
  while (work.length > 0) {
    const item = work.pop()!;
    waiting.delete(item);
    const symbol = item % nClasses;
    const splitter = (item - symbol) / nClasses;
    const states = order.slice(begin[splitter]!, end[splitter]!);
    marked.clear();
    for (const state of states) {
      for (let i = first[symbol * n + state]!; i < first[symbol * n + state + 1]!; i++) {
        const source = sources[i]!;
        const b = block[source]!;
        const seen = marked.get(b) ?? 0;
        const position = begin[b]! + seen; // marked states move to the front of their block
        const other = order[position]!;
        const from = index[source]!;
        order[position] = source;
        order[from] = other;
        index[source] = position;
        index[other] = from;
        marked.set(b, seen + 1);
      }
    }
    for (const [b, size] of marked) {
      if (size === end[b]! - begin[b]!) continue;
      const added = begin.length;
      begin.push(begin[b]!);
      end.push(begin[b]! + size);
      begin[b]! += size;
      for (let i = begin[added]!; i < end[added]!; i++) block[order[i]!] = added;
      const smaller = size <= end[b]! - begin[b]! ? added : b;
      for (let c = 0; c < nClasses; c++)
        add((waiting.has(b * nClasses + c) ? added : smaller) * nClasses + c);
    }
  }
  return block;
}

/** The automaton of the blocks: only what state 0 reaches, and classes that differ. */
function renumbered({ starts, classOf, nClasses, next, accepts }: Dfa, block: Int32Array): Dfa {
  const dead = block[accepts.length]!;
  const numbers = new Map<number, number>();
  const representatives: number[] = [];
  const visit = (state: number): number => {
    const number = numberOf(numbers, block[state]!);
    if (number === representatives.length) representatives.push(state);
    return number;
  };
  visit(0);
  const rows: number[][] = [];
  for (let i = 0; i < representatives.length; i++) {
    const row: number[] = [];
    for (let symbol = 0; symbol < nClasses; symbol++) {
      const target = next[representatives[i]! * nClasses + symbol]!;
      row.push(target < 0 || block[target] === dead ? -1 : visit(target));
    }
    rows.push(row);
  }
  // classes with equal columns become one
  const columns = new Map<string, number>();
  const kept: number[] = [];
  const newClass = Array.from({ length: nClasses }, (_, symbol) => {
    const number = numberOf(columns, rows.map((row) => row[symbol]).join());
    if (number === kept.length) kept.push(symbol);
    return number;
  });
  const newStarts: number[] = [];
  const newClassOf: number[] = [];
  for (let i = 0; i < starts.length; i++) {
    const c = newClass[classOf[i]!]!;
    if (newClassOf[newClassOf.length - 1] === c) continue;
    newStarts.push(starts[i]!);
    newClassOf.push(c);
  }
  return {
    starts: Int32Array.from(newStarts),
    classOf: Int32Array.from(newClassOf),
    nClasses: kept.length,
    next: Int32Array.from(rows.flatMap((row) => kept.map((symbol) => row[symbol]!))),
    accepts: Uint8Array.from(representatives, (state) => accepts[state]!),
  };
}

/** The length of the longest text; Infinity where there is a circle, -1 where there is none. */
export function longest(dfa: Dfa): number {
  if (isEmpty(dfa)) return -1;
  const { next, nClasses, accepts } = dfa;
  const n = accepts.length;
  const incoming = new Int32Array(n);
  for (const target of next) if (target >= 0) incoming[target]!++;
  const length = new Int32Array(n);
  const queue = incoming[0] === 0 ? [0] : [];
  let max = 0;
  for (const state of queue) {
    if (accepts[state]) max = Math.max(max, length[state]!);
    for (let symbol = 0; symbol < nClasses; symbol++) {
      const target = next[state * nClasses + symbol]!;
      if (target < 0) continue;
      length[target] = Math.max(length[target]!, length[state]! + 1);
      if (--incoming[target]! === 0) queue.push(target);
    }
  }
  return queue.length === n ? max : Infinity;
}
