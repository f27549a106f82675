/** Whether a shape has a value at all. A schema that needs itself without end has none. */
import { membersOf } from './members.js';
import type { ShapeSource } from './members.js';
import type { ArraySet, Conjunction, ObjectSet, Shape, Shapes } from './shape.js';

/** A schema is asked for while its own shape is being made; thrown while a question is open. */
export class Unfinished extends Error {}

/** What a set needs: the conjunctions that decide, and whether they suffice. */
interface Need {
  of: readonly Conjunction[];
  holds(has: (conjunction: Conjunction) => boolean): boolean;
}

/** What a shape without simple values needs; true where the shape surely has a value. */
function needsOf(compiler: ShapeSource, shape: Shape): Need[] | true {
  const { constants, numbers, strings, arrays, objects } = shape;
  if (constants.size > 0 || numbers.length > 0 || strings.length > 0) return true;
  if (arrays.some(({ min, contains }) => min === 0 && !contains)) return true;
  if (objects.some(({ required, min }) => required.length === 0 && min === 0)) return true;
  return [
    ...arrays.map((set) => needOfArray(compiler.shapes, set)),
    ...objects.map((set) => needOfObject(compiler, set)),
  ];
}

function needOfArray(shapes: Shapes, { prefix, items, min, contains }: ArraySet): Need {
  const of = new Set(prefix.slice(0, min));
  if (min > prefix.length) of.add(items);
  // with a prefix, some item of the prefix may be the one that is contained
  if (contains && prefix.length === 0) of.add(shapes.and(items, contains.item));
  return { of: [...of], holds: (has) => [...of].every(has) };
}

function needOfObject(compiler: ShapeSource, set: ObjectSet): Need {
  const { named, open } = membersOf(compiler, set);
  const required = set.required.map((name) => named.get(name)!);
  if (set.min <= required.length) return { of: required, holds: (has) => required.every(has) };
  return {
    of: [...named.values(), ...open.map(({ value }) => value)],
    holds: (has) =>
      required.every(has) &&
      (open.some(({ value }) => has(value)) || [...named.values()].filter(has).length >= set.min),
  };
}

/** Whether some value is of the shape. known: the answers so far; new answers are added. */
export function inhabited(
  compiler: ShapeSource,
  shape: Shape,
  known: Map<Conjunction, boolean>,
): boolean {
  const first = needsOf(compiler, shape);
  if (first === true) return true;
  const status = new Map<Conjunction, boolean>();
  const needs = new Map<Conjunction, Need[]>();
  let isSure = true; // no shape was unfinished
  const queue: Conjunction[] = [];
  const visit = (conjunction: Conjunction) => {
    if (status.has(conjunction)) return;
    const answer = known.get(conjunction);
    status.set(conjunction, answer ?? false);
    if (answer === undefined) queue.push(conjunction);
  };
  first.forEach(({ of }) => of.forEach(visit));
  for (const conjunction of queue) {
    let list: Need[] | true;
    try {
      list = needsOf(compiler, compiler.shapeOf(conjunction));
    } catch (error) {
      if (!(error instanceof Unfinished)) throw error;
      isSure = false;
      list = true; // nothing is proved of a shape that is being made
    }
    if (list === true) status.set(conjunction, true);
    else {
      needs.set(conjunction, list);
      list.forEach(({ of }) => of.forEach(visit));
    }
  }
  const has = (conjunction: Conjunction) => status.get(conjunction)!;
  const open = [...needs].reverse();
  for (let changed = true; changed;) {
    changed = false;
    for (const [conjunction, list] of open) {
      if (has(conjunction) || !list.some(({ holds }) => holds(has))) continue;
      status.set(conjunction, true);
      changed = true;
    }
  }
  if (isSure) for (const [conjunction, answer] of status) known.set(conjunction, answer);
  return first.some(({ holds }) => holds(has));
}
