/**
 * Sets of code points, 0 to 0x10FFFF, with lone surrogates as code points of their own. A set is a
 * list of ranges: first, last, first, last, ..., ascending and not adjacent.
 */
export type CharSet = readonly number[];

export const MAX_CODE_POINT = 0x10ffff;
export const ALL: CharSet = [0, MAX_CODE_POINT];

/** The set of any ranges, which may overlap and may be in any order. */
export function charSet(ranges: readonly (readonly [number, number])[]): CharSet {
  const sorted = [...ranges].sort((a, b) => a[0] - b[0]);
  const result: number[] = [];
  for (const [first, last] of sorted) {
    const end = result[result.length - 1];
    if (end !== undefined && first <= end + 1) result[result.length - 1] = Math.max(end, last);
    else result.push(first, last);
  }
  return result;
}

/** The ranges of a set as pairs. */
export function rangesOf(set: CharSet): [number, number][] {
  const pairs: [number, number][] = [];
  for (let i = 0; i < set.length; i += 2) pairs.push([set[i]!, set[i + 1]!]);
  return pairs;
}

export const union = (...sets: CharSet[]): CharSet => charSet(sets.flatMap(rangesOf));

/** All code points that are not in the set. */
export function inverse(set: CharSet): CharSet {
  const result: number[] = [];
  let next = 0;
  for (const [first, last] of rangesOf(set)) {
    if (first > next) result.push(next, first - 1);
    next = last + 1;
  }
  if (next <= MAX_CODE_POINT) result.push(next, MAX_CODE_POINT);
  return result;
}

export const intersection = (a: CharSet, b: CharSet): CharSet =>
  inverse(union(inverse(a), inverse(b)));

/** The set of the characters of a text, each as itself. */
export const charactersOf = (text: string): CharSet =>
  charSet([...text].map((c) => [c.codePointAt(0)!, c.codePointAt(0)!]));

const properties = new Map<string, CharSet>();
const PART = 0x2000; // code points that one match reads

/**
 * The set of a property as \p{...} names it, taken from this JavaScript engine's own tables.
 * undefined when the engine does not know the property.
 */
export function propertySet(name: string): CharSet | undefined {
  const known = properties.get(name);
  if (known) return known;
  let pattern: RegExp;
  try {
    pattern = new RegExp(`\\p{${name}}`, 'u');
  } catch {
    return undefined;
  }
  const runs = new RegExp(`\\p{${name}}+`, 'gu');
  const ranges: [number, number][] = [];
  for (let start = 0; start <= MAX_CODE_POINT; start += PART) {
    const codes = Array.from({ length: PART }, (_, i) => start + i);
    if (start >= 0xc000 && start < 0xe000) {
      // two surrogates side by side would be one character, so each is tested alone
      for (const code of codes)
        if (pattern.test(String.fromCodePoint(code))) ranges.push([code, code]);
      continue;
    }
    const text = String.fromCodePoint(...codes);
    const width = start > 0xffff ? 2 : 1; // UTF-16 units of a code point
    for (const { index, 0: run } of text.matchAll(runs)) {
      const first = start + index / width;
      ranges.push([first, first + run.length / width - 1]);
    }
  }
  const set = charSet(ranges);
  properties.set(name, set);
  return set;
}
