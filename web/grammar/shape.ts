/**
 * Shapes: what a schema allows, as a union of sets for each type of JSON value. Members of objects
 * and items of arrays are conjunctions of schemas, which become shapes of their own only when they
 * are needed. So recursion ends.
 */
import { matches } from './automaton.js';
import type { Dfa } from './automaton.js';
import { ANY_NUMBER, bothNumbers, otherNumbers } from './numbers.js';
import type { NumberSet } from './numbers.js';
import { TooLarge } from './refusal.js';
import type { Refused } from './refusal.js';
import { ANY_STRING, bothStrings, otherStrings } from './strings.js';
import type { StringSet } from './strings.js';

/**
 * Values that all schemas of a list allow: a positive number is a schema, a negative one the
 * schema's opposite. undefined: no value.
 */
export interface Conjunction {
  readonly index: number;
  readonly literals: readonly number[] | undefined;
}

export interface ArraySet {
  /** What the first items are; `items` describes all after them. */
  prefix: readonly Conjunction[];
  items: Conjunction;
  min: number;
  max: number;
  /** No two items are equal. */
  unique: Refused | undefined;
  /** At least `min` items are of this kind, too. */
  contains: { item: Conjunction; min: number; from: Refused } | undefined;
  refused: readonly Refused[];
}

/** What one schema says of an object's members. */
export interface MemberRule {
  readonly id: number;
  readonly names: ReadonlyMap<string, Conjunction>;
  readonly patterns: readonly { dfa: Dfa; value: Conjunction }[];
  /** Members that no name and no pattern describes. */
  readonly rest: Conjunction;
}

export interface ObjectSet {
  rules: readonly MemberRule[];
  required: readonly string[];
  min: number;
  max: number;
  /** Where min comes from. */
  minFrom: Refused | undefined;
  /** What each name must be. */
  name: Conjunction;
  refused: readonly Refused[];
}

export interface Shape {
  constants: ReadonlySet<'null' | 'true' | 'false'>;
  numbers: readonly NumberSet[];
  strings: readonly StringSet[];
  arrays: readonly ArraySet[];
  objects: readonly ObjectSet[];
}

const MAX_SETS = 8192; // sets of one type in one shape
const MAX_PAIRS = 300_000; // pairs of sets that one compilation intersects

const ids = new WeakMap<object, number>();
let lastId = 0;
/** A number for an object, so that keys can name the object. */
function idOf(object: object): number {
  let id = ids.get(object);
  if (id === undefined) ids.set(object, (id = ++lastId));
  return id;
}

/** Calculates with shapes. One instance for each compilation: it counts the work. */
export class Shapes {
  readonly #conjunctions = new Map<string, Conjunction>();
  #pairs = 0;
  #rules = 0;

  readonly always: Conjunction = this.#intern('', []);
  readonly never: Conjunction = this.#intern('never', undefined);

  readonly anyArray: ArraySet = {
    prefix: [],
    items: this.always,
    min: 0,
    max: Infinity,
    unique: undefined,
    contains: undefined,
    refused: [],
  };
  readonly anyObject: ObjectSet = {
    rules: [],
    required: [],
    min: 0,
    max: Infinity,
    minFrom: undefined,
    name: this.always,
    refused: [],
  };
  readonly any: Shape = {
    constants: new Set(['null', 'true', 'false']),
    numbers: [ANY_NUMBER],
    strings: [ANY_STRING],
    arrays: [this.anyArray],
    objects: [this.anyObject],
  };
  readonly none: Shape = {
    constants: new Set(),
    numbers: [],
    strings: [],
    arrays: [],
    objects: [],
  };

  #intern(key: string, literals: readonly number[] | undefined): Conjunction {
    let result = this.#conjunctions.get(key);
    if (!result) {
      result = { index: this.#conjunctions.size, literals };
      this.#conjunctions.set(key, result);
    }
    return result;
  }

  literal(id: number): Conjunction {
    return this.#intern(String(id), [id]);
  }

  and(a: Conjunction, b: Conjunction): Conjunction {
    if (a === b || b === this.always || a === this.never) return a;
    if (a === this.always || b === this.never) return b;
    const literals = [...new Set([...a.literals!, ...b.literals!])].sort((x, y) => x - y);
    if (literals.some((literal) => literal > 0 && literals.includes(-literal))) return this.never;
    return this.#intern(literals.join(), literals);
  }

  rule(
    names: ReadonlyMap<string, Conjunction>,
    patterns: MemberRule['patterns'],
    rest: Conjunction,
  ): MemberRule {
    return { id: this.#rules++, names, patterns, rest };
  }

  /** What a value is at an index of an array. */
  itemAt(set: ArraySet, index: number): Conjunction {
    return set.prefix[index] ?? set.items;
  }

  /** What the value of a name is, by all rules. */
  memberOf(rules: readonly MemberRule[], name: string): Conjunction {
    let result = this.always;
    for (const { names, patterns, rest } of rules) {
      let described = names.has(name);
      if (described) result = this.and(result, names.get(name)!);
      for (const { dfa, value } of patterns) {
        if (!matches(dfa, name)) continue;
        described = true;
        result = this.and(result, value);
      }
      if (!described) result = this.and(result, rest);
    }
    return result;
  }

  #bothArrays(a: ArraySet, b: ArraySet): ArraySet | undefined {
    const min = Math.max(a.min, b.min);
    const max = Math.min(a.max, b.max);
    if (min > max) return undefined;
    const length = Math.max(a.prefix.length, b.prefix.length);
    const refused = [...a.refused, ...b.refused];
    if (a.contains && b.contains)
      refused.push({ ...b.contains.from, reason: 'meets a second "contains"' });
    return {
      prefix: Array.from({ length }, (_, i) => this.and(this.itemAt(a, i), this.itemAt(b, i))),
      items: this.and(a.items, b.items),
      min,
      max,
      unique: a.unique ?? b.unique,
      contains: a.contains ?? b.contains,
      refused,
    };
  }

  #bothObjects(a: ObjectSet, b: ObjectSet): ObjectSet | undefined {
    const min = Math.max(a.min, b.min);
    const max = Math.min(a.max, b.max);
    const required = [...new Set([...a.required, ...b.required])].sort();
    if (min > max || required.length > max) return undefined;
    const rules = [...new Set([...a.rules, ...b.rules])].sort((x, y) => x.id - y.id);
    if (required.some((name) => this.memberOf(rules, name) === this.never)) return undefined;
    return {
      rules,
      required,
      min,
      max,
      minFrom: a.min >= b.min ? a.minFrom : b.minFrom,
      name: this.and(a.name, b.name),
      refused: [...a.refused, ...b.refused],
    };
  }

  #pairsOf<T>(
    a: readonly T[],
    b: readonly T[],
    any: T,
    both: (x: T, y: T) => T | undefined,
  ): readonly T[] {
    if (a.length === 1 && a[0] === any) return b;
    if (b.length === 1 && b[0] === any) return a;
    this.#pairs += a.length * b.length;
    if (this.#pairs > MAX_PAIRS) throw new TooLarge();
    const result: T[] = [];
    for (const x of a) {
      for (const y of b) {
        const set = both(x, y);
        if (set !== undefined) result.push(set);
      }
    }
    return result;
  }

  /** The values of both shapes. */
  both(a: Shape, b: Shape): Shape {
    if (a === this.any) return b;
    if (b === this.any) return a;
    return this.union([
      {
        constants: new Set([...a.constants].filter((name) => b.constants.has(name))),
        numbers: this.#pairsOf(a.numbers, b.numbers, ANY_NUMBER, bothNumbers),
        strings: this.#pairsOf(a.strings, b.strings, ANY_STRING, bothStrings),
        arrays: this.#pairsOf(a.arrays, b.arrays, this.anyArray, (x, y) => this.#bothArrays(x, y)),
        objects: this.#pairsOf(a.objects, b.objects, this.anyObject, (x, y) =>
          this.#bothObjects(x, y),
        ),
      },
    ]);
  }

  /** The values of any of the shapes. */
  union(shapes: readonly Shape[]): Shape {
    if (shapes.includes(this.any)) return this.any;
    return {
      constants: new Set(shapes.flatMap(({ constants }) => [...constants])),
      numbers: distinct(
        shapes.flatMap(({ numbers }) => numbers),
        ANY_NUMBER,
        (set) =>
          'words' in set
            ? undefined
            : JSON.stringify([set.min, set.max, set.integer, set.divisors]),
      ),
      strings: distinct(
        shapes.flatMap(({ strings }) => strings),
        ANY_STRING,
        (set) => ('words' in set ? undefined : `${idOf(set.dfa)} ${set.min} ${set.max}`),
      ),
      arrays: distinct(
        shapes.flatMap(({ arrays }) => arrays),
        this.anyArray,
        keyOfArray,
      ),
      objects: distinct(
        shapes.flatMap(({ objects }) => objects),
        this.anyObject,
        keyOfObject,
      ),
    };
  }

  /** What no set of the list has; `others` gives what one set does not have. */
  #without<T>(
    sets: readonly T[],
    any: T,
    others: (set: T) => readonly T[],
    both: (x: T, y: T) => T | undefined,
  ): readonly T[] {
    return sets.reduce<readonly T[]>(
      (left, set) => this.#pairsOf(left, set === any ? [] : others(set), any, both),
      [any],
    );
  }

  /** The values that the shape does not allow. Throws NoOpposite where no shape is the opposite. */
  opposite({ constants, numbers, strings, arrays, objects }: Shape): Shape {
    return this.union([
      {
        constants: new Set([...this.any.constants].filter((name) => !constants.has(name))),
        objects: this.#without(
          objects,
          this.anyObject,
          (set) => this.#otherObjects(set),
          (x, y) => this.#bothObjects(x, y),
        ),
        arrays: this.#without(
          arrays,
          this.anyArray,
          (set) => this.#otherArrays(set),
          (x, y) => this.#bothArrays(x, y),
        ),
        numbers: this.#without(numbers, ANY_NUMBER, otherNumbersOf, bothNumbers),
        strings: this.#without(strings, ANY_STRING, otherStrings, bothStrings),
      },
    ]);
  }

  #otherArrays(set: ArraySet): ArraySet[] {
    const { prefix, items, min, max, unique, contains, refused } = set;
    if (prefix.length > 0 || items !== this.always || unique || contains || refused.length > 0)
      throw new NoOpposite('the items of arrays');
    const result: ArraySet[] = [];
    if (min > 0) result.push({ ...this.anyArray, max: min - 1 });
    if (max !== Infinity) result.push({ ...this.anyArray, min: max + 1 });
    return result;
  }

  #otherObjects(set: ObjectSet): ObjectSet[] {
    const { rules, required, min, max, name, refused, minFrom } = set;
    if (name !== this.always || refused.length > 0) throw new NoOpposite('the names of members');
    const result: ObjectSet[] = required.map((key) => this.objectWith(key, this.never, false));
    if (min > required.length) result.push({ ...this.anyObject, max: min - 1 });
    if (max !== Infinity) result.push({ ...this.anyObject, min: max + 1, minFrom });
    for (const { names, patterns, rest } of rules) {
      if (patterns.length > 0 || rest !== this.always)
        throw new NoOpposite('members that have no name in the schema');
      for (const [key, value] of names) {
        if (value === this.never) result.push(this.objectWith(key, this.always, true));
        for (const literal of value.literals ?? [])
          result.push(this.objectWith(key, this.literal(-literal), true));
      }
    }
    return result;
  }

  /** Objects whose member, which may be required, has this value. */
  objectWith(name: string, value: Conjunction, required: boolean): ObjectSet {
    return {
      ...this.anyObject,
      rules: value === this.always ? [] : [this.rule(new Map([[name, value]]), [], this.always)],
      required: required ? [name] : [],
    };
  }
}

/** The opposite of a shape is no shape; says of what. */
export class NoOpposite extends Error {}

function otherNumbersOf(set: NumberSet): readonly NumberSet[] {
  const others = otherNumbers(set);
  if (!others) throw new NoOpposite('whole numbers, multiples or listed numbers');
  return others;
}

const keyOfArray = ({ prefix, items, min, max, unique, contains, refused }: ArraySet): string =>
  JSON.stringify([
    prefix.map(({ index }) => index),
    items.index,
    min,
    max,
    unique !== undefined,
    contains && [contains.item.index, contains.min],
    refused.length,
  ]);

const keyOfObject = ({ rules, required, min, max, name, refused }: ObjectSet): string =>
  JSON.stringify([rules.map(({ id }) => id), required, min, max, name.index, refused.length]);

/** Each set once; all words in one set; only `any` where this is among the sets. */
function distinct<T extends object>(
  sets: readonly T[],
  any: T,
  keyOf: (set: T) => string | undefined,
): readonly T[] {
  if (sets.length <= 1) return sets;
  const anyKey = keyOf(any);
  const byKey = new Map<string, T>();
  const words = new Set<string>();
  for (const set of sets) {
    const key = keyOf(set);
    if (key === anyKey) return [any];
    if (key !== undefined) byKey.set(key, set);
    else for (const word of (set as { words?: Iterable<string> }).words ?? []) words.add(word);
  }
  const result = [...byKey.values()];
  if (words.size > 0) result.push({ words } as unknown as T);
  if (result.length > MAX_SETS) throw new TooLarge();
  return result;
}
