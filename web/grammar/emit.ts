/** Writes the grammar of a schema: a rule for each conjunction of schemas that a text can reach. */
import { literal } from './characters.js';
import type { SchemaCompiler } from './compiler.js';
import { membersOf } from './members.js';
import { refusal } from './refusal.js';
import type { Refused } from './refusal.js';
import type { ArraySet, Conjunction, ObjectSet, Shape } from './shape.js';
import { TextRules, repeated } from './texts.js';

const MAX_UNIQUE = 64; // values of a list without repetition
const MAX_TEXT = 4 * 1024 * 1024; // characters of a grammar

const thrown = ({ keyword, pointer, reason }: Refused): never => {
  throw refusal(keyword, pointer, reason);
};

export class GrammarWriter {
  readonly #compiler: SchemaCompiler;
  readonly #rules = new TextRules();
  readonly #names = new Map<Conjunction, string>();
  readonly #queue: Conjunction[] = [];

  constructor(compiler: SchemaCompiler) {
    this.#compiler = compiler;
  }

  write(): string {
    const { root } = this.#compiler;
    const first = this.#nameOf(root);
    let length = 0;
    for (const conjunction of this.#queue) {
      const ways = this.#waysOf(this.#compiler.shapeOf(conjunction));
      if (ways.length === 0) throw refusal('', '', 'allows no value');
      const body = ways.join(' | ');
      length += body.length;
      if (length > MAX_TEXT) throw refusal('', '', 'is too large: its grammar exceeds the limit');
      this.#rules.define(this.#names.get(conjunction)!, body);
    }
    const text = this.#rules.text(first);
    if (text.length > MAX_TEXT)
      throw refusal('', '', 'is too large: its grammar exceeds the limit');
    return text;
  }

  #nameOf(conjunction: Conjunction): string {
    let name = this.#names.get(conjunction);
    if (name === undefined) {
      name = this.#rules.reserve('value');
      this.#names.set(conjunction, name);
      this.#queue.push(conjunction);
    }
    return name;
  }

  #waysOf({ constants, numbers, strings, arrays, objects }: Shape): string[] {
    return [
      ...[...constants].map(literal),
      ...numbers.map((set) => this.#rules.numbers(set)),
      ...strings.map((set) => this.#rules.strings(set)),
      ...arrays.flatMap((set) => this.#array(set)),
      ...objects.flatMap((set) => this.#object(set)),
    ];
  }

  /** The array as one way to write a value; no way where no array fits. */
  #array(set: ArraySet): string[] {
    set.refused.forEach(thrown);
    const compiler = this.#compiler;
    const { min, unique, contains, items } = set;
    let prefix = set.prefix.slice(0, set.max === Infinity ? undefined : set.max);
    let { max } = set;
    const end = prefix.findIndex((item) => !compiler.has(item));
    if (end >= 0) max = Math.min(max, end);
    else if (!compiler.has(items)) max = Math.min(max, prefix.length);
    if (max < min) return [];
    if (unique && max > 1) return this.#unique(set, max, unique);
    if (contains) return this.#containing(set, max, contains);
    prefix = prefix.slice(0, max);
    if (max === 0) return ['"[]"'];
    const rest = max > prefix.length ? this.#nameOf(items) : '';
    const n = prefix.length;
    if (n === 0) return [listOf('[', rest, min, max, ']')];
    // written from the end: each part is an item and what may follow it
    let body = max > n ? repeated(`("," ${rest})`, Math.max(0, min - n), max - n) : '';
    for (let i = n - 1; i >= 0; i--) {
      const item = `${i > 0 ? '"," ' : ''}${this.#nameOf(prefix[i]!)}`;
      const part = `${item} ${body}`.trim();
      body = i >= min ? `(${this.#rules.add('items', part)})?` : part;
    }
    return [`"[" ${body} "]"`];
  }

  #containing(set: ArraySet, max: number, contains: NonNullable<ArraySet['contains']>): string[] {
    const { shapes } = this.#compiler;
    const { min, items, prefix } = set;
    const hit = shapes.and(items, contains.item);
    if (prefix.length === 0 && !this.#compiler.has(hit)) return [];
    if (prefix.length > 0 || max !== Infinity || min > contains.min) return thrown(contains.from);
    const item = this.#nameOf(items);
    const one = `(${item} ",")* ${this.#nameOf(hit)}`;
    return [
      `"[" ${one} ${repeated(`("," ${one})`, contains.min - 1, contains.min - 1)} ("," ${item})* "]"`,
    ];
  }

  /** Arrays of different values: the values in any order, each at most once. */
  #unique(set: ArraySet, max: number, from: Refused): string[] {
    const { prefix, items, min, contains } = set;
    const shape = this.#compiler.shapeOf(items);
    const values = finiteValues(shape);
    // arrays and objects would have to be compared
    const { arrays, objects } = shape;
    const others = this.#compiler.hasValues({ ...this.#compiler.shapes.none, arrays, objects });
    if (prefix.length > 0 || contains || others || !values || values.length > MAX_UNIQUE)
      return thrown(from);
    if (min > values.length) return [];
    const list = values.map(literal).join(', ');
    return [
      `"[" %unordered("," : ${list})${bounds(min, Math.min(max, values.length), values.length)} "]"`,
    ];
  }

  #object(set: ObjectSet): string[] {
    set.refused.forEach(thrown);
    const compiler = this.#compiler;
    const { named, open } = membersOf(compiler, set);
    const required = new Set(set.required);
    const items: string[] = [];
    for (const [name, value] of named) {
      if (!compiler.has(value)) {
        if (required.has(name)) return [];
        continue;
      }
      const key = literal(`${JSON.stringify(name)}:`);
      items.push(`(${key} ${this.#nameOf(value)})${required.has(name) ? '!' : ''}`);
    }
    const others = open.filter(({ value }) => compiler.has(value));
    const { max } = set;
    const min = set.min <= required.size ? 0 : set.min;
    if (others.length > 0 && min > required.size + 1 && set.minFrom) return thrown(set.minFrom);
    if (others.length === 0 && min > items.length) return [];
    if (max === 0) return ['"{}"'];
    const members = others.map(
      ({ names, value }) => `(${this.#rules.keys(names)} ":" ${this.#nameOf(value)})`,
    );
    if (items.length === 0) {
      if (members.length === 0) return ['"{}"'];
      const member = members.length === 1 ? members[0]! : `(${members.join(' | ')})`;
      return [listOf('{', member, min, max, '}')];
    }
    const all = [...items, ...members.map((member) => `${member}*`)].join(', ');
    const limit = members.length > 0 ? Infinity : items.length;
    return [`"{" %unordered("," : ${all})${bounds(min, max, limit)} "}"`];
  }
}

/** A list of min to max items (max > 0) in brackets, with commas between them. */
function listOf(open: string, item: string, min: number, max: number, close: string): string {
  const list = `${item} ${repeated(`("," ${item})`, Math.max(0, min - 1), max - 1)}`.trim();
  return `"${open}" ${min === 0 ? `(${list})?` : list} "${close}"`;
}

/** Bounds of an unordered list; '' where they change nothing. */
function bounds(min: number, max: number, limit: number): string {
  if (max >= limit) return min > 0 ? `{${min},}` : '';
  return `{${min},${max}}`;
}

/** The texts of the simple values of a shape; undefined when they are not few. */
function finiteValues({ constants, numbers, strings }: Shape): string[] | undefined {
  const values: string[] = [...constants];
  for (const set of numbers) {
    if ('words' in set) values.push(...set.words);
    else {
      const [first, last] = [Math.ceil(set.min), Math.floor(set.max)];
      if (!set.integer || set.divisors.length > 0 || !(last - first < MAX_UNIQUE)) return undefined;
      for (let i = first; i <= last; i++) values.push(JSON.stringify(i));
    }
  }
  for (const set of strings) {
    if (!('words' in set)) return undefined;
    for (const word of set.words) values.push(JSON.stringify(word));
  }
  return [...new Set(values)];
}
