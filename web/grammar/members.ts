/** The members that an object may have: by name, and by kinds of other names. */
import { ANY_TEXT, isEmpty, matches, product } from './automaton.js';
import type { Dfa } from './automaton.js';
import { TooLarge } from './refusal.js';
import type { Conjunction, ObjectSet, Shape, Shapes } from './shape.js';
import { automatonOfAll, stringAutomaton } from './strings.js';

export interface Members {
  /** Each name that the schema mentions, with its value; `never` for a name that is forbidden. */
  named: Map<string, Conjunction>;
  /** Other names, in groups whose members have the same value. */
  open: { names: Dfa; value: Conjunction }[];
}

/** What knows the shape of a conjunction: the compiler of a schema. */
export interface ShapeSource {
  shapes: Shapes;
  shapeOf(conjunction: Conjunction): Shape;
}

const MAX_GROUPS = 256;
const memo = new WeakMap<ObjectSet, Members>();

export function membersOf(compiler: ShapeSource, set: ObjectSet): Members {
  let members = memo.get(set);
  if (!members) {
    members = newMembers(compiler, set);
    memo.set(set, members);
  }
  return members;
}

function newMembers(compiler: ShapeSource, { rules, required, name }: ObjectSet): Members {
  const { shapes } = compiler;
  let allowed: Dfa | undefined = ANY_TEXT;
  if (name !== shapes.always) {
    const { strings } = compiler.shapeOf(name);
    allowed = strings.length > 0 ? automatonOfAll(strings) : undefined;
  }
  const named = new Map<string, Conjunction>();
  for (const key of new Set([...required, ...rules.flatMap(({ names }) => [...names.keys()])])) {
    const fits = allowed !== undefined && matches(allowed, key);
    named.set(key, fits ? shapes.memberOf(rules, key) : shapes.never);
  }
  let groups = allowed ? [{ names: allowed, value: shapes.always }] : [];
  for (const { patterns, rest } of rules) {
    let described: typeof groups = [];
    for (const { dfa, value } of patterns) {
      const split = (operation: 'and' | 'minus', from: typeof groups) =>
        from
          .map((group) => ({ ...group, names: product(group.names, dfa, operation) }))
          .filter(({ names }) => !isEmpty(names));
      const also = (group: (typeof groups)[number]) => ({
        ...group,
        value: shapes.and(group.value, value),
      });
      const inside = [...split('and', described).map(also), ...split('and', groups).map(also)];
      described = [...inside, ...split('minus', described)];
      groups = split('minus', groups);
      if (described.length > MAX_GROUPS) throw new TooLarge();
    }
    const others = groups.map((group) => ({ ...group, value: shapes.and(group.value, rest) }));
    groups = merged([...described, ...others].filter(({ value }) => value !== shapes.never));
  }
  if (groups.length > 0 && named.size > 0) {
    const words = stringAutomaton({ words: new Set(named.keys()) });
    groups = groups
      .map((group) => ({ ...group, names: product(group.names, words, 'minus') }))
      .filter(({ names }) => !isEmpty(names));
  }
  return { named, open: groups };
}

/** Groups with the same value become one. */
function merged<Group extends { names: Dfa; value: Conjunction }>(groups: Group[]): Group[] {
  const byValue = new Map<Conjunction, Group>();
  for (const group of groups) {
    const known = byValue.get(group.value);
    byValue.set(
      group.value,
      known ? { ...known, names: product(known.names, group.names, 'or') } : group,
    );
  }
  return [...byValue.values()];
}
