/** What a caller probably meant by a name that is not known: an option, a stage, a kernel. */

const MAX_NAME = 40; // characters that are compared
const MAX_NEAR = 3; // names to suggest

/** Case, `_` and `-` make no difference: maxTokens is max_tokens. */
const plain = (name: string) =>
  name
    .slice(0, MAX_NAME)
    .toLowerCase()
    .replace(/[^a-z0-9]/g, '');

/** How many characters must be added, removed, replaced or swapped with the next one. */
function distance(a: string, b: string): number {
  let before: number[] = []; // the row of the character before
  let row = [...b, ''].map((_, j) => j); // distances from the start of a to each start of b
  for (let i = 1; i <= a.length; i++) {
    const next = [i];
    for (let j = 1; j <= b.length; j++) {
      const differs = a[i - 1] === b[j - 1] ? 0 : 1;
      const swapped = a[i - 1] === b[j - 2] && a[i - 2] === b[j - 1] ? before[j - 2]! : Infinity;
      next[j] = Math.min(row[j]! + 1, next[j - 1]! + 1, row[j - 1]! + differs, swapped + 1);
    }
    before = row;
    row = next;
  }
  return row[b.length]!;
}

/**
 * The end of a message about an unknown name: the nearest names, or else all that are known.
 * prefix: what a user writes before each of them.
 */
export function suggestion(name: unknown, known: readonly string[], prefix = ''): string {
  const given = typeof name === 'string' ? plain(name) : '';
  let smallest = Math.floor(given.length / 3); // of each three characters one may be wrong
  let near: string[] = [];
  for (const candidate of given ? known : []) {
    const d = distance(given, plain(candidate));
    if (d < smallest) near = [];
    if (d <= smallest) near.push(candidate);
    smallest = Math.min(smallest, d);
  }
  const list = (names: readonly string[], between: string) =>
    names.map((one) => prefix + one).join(between);
  return near.length > 0 && near.length <= MAX_NEAR
    ? `; did you mean ${list(near, ' or ')}?`
    : `; known: ${list(known, ', ')}`;
}
