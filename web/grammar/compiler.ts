/** The shape of each schema of a document, with the keywords that combine schemas. */
import { assertionsOf, names, namedSchemas, refuse, subschema, subschemas } from './assertions.js';
import type { Context } from './assertions.js';
import { SchemaDocument, isObject, isSchema, own } from './document.js';
import type { Json, Schema, SchemaObject } from './document.js';
import { Unfinished, inhabited } from './inhabited.js';
import { keywords } from './keyword-table.js';
import { TooLarge, refusal, tooLarge } from './refusal.js';
import { NoOpposite, Shapes } from './shape.js';
import type { Conjunction, ObjectSet, Shape } from './shape.js';

const MAX_APPLIED = 600; // schemas that apply to one value, each through the one before
const MAX_SHAPES = 50_000; // shapes of one document
const DIALECT =
  /^https?:\/\/json-schema\.org\/(?:draft\/(?:2020-12|2019-09)|draft-0[67])\/schema#?$/;

export class SchemaCompiler {
  readonly shapes = new Shapes();
  readonly #document: SchemaDocument;
  readonly #schemas: SchemaObject[] = [];
  readonly #numbers = new Map<SchemaObject, number>();
  readonly #shapesOf = new Map<SchemaObject, Shape>();
  readonly #conjunctions = new Map<Conjunction, Shape>();
  /** Schemas whose shapes are being made, each with the number of open questions then. */
  readonly #unfinished = new Map<SchemaObject, number>();
  /** Whether a conjunction has a value, as far as this is known. */
  readonly #inhabited = new Map<Conjunction, boolean>();
  #questions = 0;
  readonly root: Conjunction;

  constructor(root: Schema) {
    this.#document = new SchemaDocument(root);
    this.root = this.conjunction(root);
  }

  /** The values that a schema allows; their shape is made when it is needed. */
  conjunction(schema: Schema): Conjunction {
    if (schema === true) return this.shapes.always;
    if (schema === false) return this.shapes.never;
    if (Object.keys(schema).length === 0) return this.shapes.always;
    let number = this.#numbers.get(schema);
    if (number === undefined) {
      number = this.#schemas.push(schema); // from 1, since the opposite is the negative number
      this.#numbers.set(schema, number);
    }
    return this.shapes.literal(number);
  }

  /** The shape of a conjunction. */
  shapeOf(conjunction: Conjunction): Shape {
    let shape = this.#conjunctions.get(conjunction);
    if (shape) return shape;
    if (!conjunction.literals) return this.shapes.none;
    if (this.#conjunctions.size > MAX_SHAPES)
      throw refusal('', '', 'is too large: too many combinations of its schemas');
    shape = this.shapes.any;
    for (const literal of conjunction.literals) {
      const schema = this.#schemas[Math.abs(literal) - 1]!;
      shape = this.#guarded(schema, () => {
        const other = this.#shapeOfSchema(schema);
        return this.shapes.both(shape!, literal > 0 ? other : this.#opposite(schema, other));
      });
    }
    this.#conjunctions.set(conjunction, shape);
    return shape;
  }

  /** Whether some value is of the conjunction. */
  has(conjunction: Conjunction): boolean {
    return conjunction === this.shapes.always || this.hasValues(this.shapeOf(conjunction));
  }

  /** Whether some value is of the shape. */
  hasValues(shape: Shape): boolean {
    return this.#asking(() => inhabited(this, shape, this.#inhabited));
  }

  /** Runs a question: in it, a schema whose own shape is being made throws Unfinished. */
  #asking<T>(answer: () => T): T {
    this.#questions++;
    try {
      return answer();
    } finally {
      this.#questions--;
    }
  }

  /** Turns a limit into a refusal with its place. */
  #guarded<T>(schema: SchemaObject, work: () => T): T {
    try {
      return work();
    } catch (error) {
      throw error instanceof TooLarge ? tooLarge(this.#document.pointerOf(schema)) : error;
    }
  }

  #opposite(schema: SchemaObject, shape: Shape, keyword = 'not'): Shape {
    try {
      return this.shapes.opposite(shape);
    } catch (error) {
      if (!(error instanceof NoOpposite)) throw error;
      const pointer = this.#document.pointerOf(schema);
      const reason = `cannot be enforced: it needs the opposite of what is said of ${error.message}`;
      throw refusal(keyword, pointer, reason);
    }
  }

  #shapeOfSchema(schema: Schema): Shape {
    if (schema === true) return this.shapes.any;
    if (schema === false) return this.shapes.none;
    let shape = this.#shapesOf.get(schema);
    if (shape) return shape;
    const pointer = this.#document.pointerOf(schema);
    const started = this.#unfinished.get(schema);
    if (started !== undefined) {
      if (started < this.#questions) throw new Unfinished();
      throw refusal('$ref', pointer, 'leads back to itself for the same value');
    }
    if (this.#unfinished.size >= MAX_APPLIED)
      throw refusal('', pointer, `applies after more than ${MAX_APPLIED} others to one value`);
    this.#unfinished.set(schema, this.#questions);
    try {
      shape = this.#guarded(schema, () =>
        this.#combined({
          schema,
          pointer,
          shapes: this.shapes,
          conjunction: (inner) => this.conjunction(inner),
          resolve: (from, keyword) => this.#document.resolve(from, keyword),
        }),
      );
    } finally {
      this.#unfinished.delete(schema);
    }
    this.#shapesOf.set(schema, shape);
    return shape;
  }

  #combined(context: Context): Shape {
    const { schema, shapes } = context;
    this.#checkKeywords(context);
    let shape = assertionsOf(context);
    const add = (other: Shape) => {
      shape = shapes.both(shape, other);
    };
    if (own(schema, 'const') !== undefined) add(this.#valuesOf(context, 'const', [schema.const!]));
    const values = own(schema, 'enum');
    if (values !== undefined) {
      if (!Array.isArray(values)) throw refuse(context, 'enum', 'is no list');
      add(this.#valuesOf(context, 'enum', values));
    }
    if (own(schema, '$ref') !== undefined)
      add(this.#shapeOfSchema(this.#document.resolve(schema, '$ref')));
    for (const inner of subschemas(context, 'allOf') ?? []) add(this.#shapeOfSchema(inner));
    const anyOf = subschemas(context, 'anyOf');
    if (anyOf) add(shapes.union(anyOf.map((inner) => this.#shapeOfSchema(inner))));
    const oneOf = subschemas(context, 'oneOf');
    if (oneOf) add(this.#exactlyOne(oneOf, shape));
    const not = subschema(context, 'not');
    if (not !== undefined) add(this.#opposite(schema, this.#shapeOfSchema(not)));
    this.#conditions(context, add);
    this.#dependencies(context, add);
    return shape;
  }

  #checkKeywords(context: Context): void {
    const { schema } = context;
    for (const keyword of Object.keys(schema)) {
      const row = Object.hasOwn(keywords, keyword) ? keywords[keyword] : undefined;
      if (row?.status !== 'refused' || keyword === 'maxContains') continue;
      if (keyword === '$recursiveAnchor' && schema[keyword] === false) continue;
      throw refuse(context, keyword, 'is not supported');
    }
    const dialect = own(schema, '$schema');
    if (dialect === undefined) return;
    if (typeof dialect !== 'string' || !DIALECT.test(dialect)) {
      const name = JSON.stringify(dialect).slice(0, 100);
      throw refuse(context, '$schema', `(${name}) is not supported; draft 2020-12 is`);
    }
  }

  /** The shape of explicit values. */
  #valuesOf(context: Context, keyword: string, values: readonly Json[]): Shape {
    const constants = new Set<'null' | 'true' | 'false'>();
    const numbers = new Set<string>();
    const strings = new Set<string>();
    const others: Shape[] = [];
    for (const value of values) {
      if (value === null) constants.add('null');
      else if (typeof value === 'boolean') constants.add(value ? 'true' : 'false');
      else if (typeof value === 'number') numbers.add(JSON.stringify(value));
      else if (typeof value === 'string') strings.add(value);
      else {
        // a list or an object is the same as a schema of its items or members
        const derived = Array.isArray(value) ? schemaOfList(value) : schemaOfObject(value);
        this.#document.derive(derived, context.schema, keyword);
        for (const inner of Object.values(derived.properties ?? derived.prefixItems ?? {}))
          this.#document.derive(inner as SchemaObject, context.schema, keyword);
        others.push(this.#shapeOfSchema(derived));
      }
    }
    return this.shapes.union([
      {
        ...this.shapes.none,
        constants,
        numbers: numbers.size > 0 ? [{ words: numbers }] : [],
        strings: strings.size > 0 ? [{ words: strings }] : [],
      },
      ...others,
    ]);
  }

  /** Exactly one of the cases: each without the cases that share values with it. */
  #exactlyOne(cases: Schema[], base: Shape): Shape {
    const { shapes } = this;
    const list = cases.map((inner) => shapes.both(base, this.#shapeOfSchema(inner)));
    if (areDistinctValues(list) || this.#haveDiscriminator(list)) return shapes.union(list);
    const parts = list.map((shape, i) => {
      let part = shape;
      list.forEach((other, j) => {
        if (i === j || !this.hasValues(shapes.both(part, other))) return;
        const inner = cases[j]!;
        const opposite = isObject(inner)
          ? this.#opposite(inner, this.#shapeOfSchema(inner), 'oneOf')
          : shapes.none;
        part = shapes.both(part, opposite);
      });
      return part;
    });
    return shapes.union(parts);
  }

  /** Whether all shapes are objects that must have a member whose values tell them apart. */
  #haveDiscriminator(list: readonly Shape[]): boolean {
    const isObjects = (shape: Shape) =>
      shape.objects.length > 0 &&
      shape.constants.size + shape.numbers.length + shape.strings.length + shape.arrays.length ===
        0;
    if (!list.every(isObjects)) return false;
    return list[0]!.objects[0]!.required.some((name) => {
      if (!list.every(({ objects }) => objects.every((set) => set.required.includes(name))))
        return false;
      const valueOf = ({ rules }: ObjectSet) => this.shapeOf(this.shapes.memberOf(rules, name));
      try {
        const values = this.#asking(() =>
          list.map(({ objects }) => this.shapes.union(objects.map(valueOf))),
        );
        return areDistinctValues(values);
      } catch (error) {
        if (error instanceof Unfinished) return false;
        throw error;
      }
    });
  }

  #conditions(context: Context, add: (shape: Shape) => void): void {
    const condition = subschema(context, 'if');
    const then = subschema(context, 'then') ?? true;
    const otherwise = subschema(context, 'else') ?? true;
    if (condition === undefined || (then === true && otherwise === true)) return;
    const { shapes } = this;
    const shape = this.#shapeOfSchema(condition);
    const opposite = isObject(condition)
      ? this.#opposite(condition, shape, 'if')
      : this.shapes.opposite(shape);
    add(
      shapes.union([
        shapes.both(shape, this.#shapeOfSchema(then)),
        shapes.both(opposite, this.#shapeOfSchema(otherwise)),
      ]),
    );
  }

  #dependencies(context: Context, add: (shape: Shape) => void): void {
    const { shapes } = this;
    const depend = (name: string, then: Shape) =>
      add(
        shapes.union([
          { ...shapes.any, objects: [shapes.objectWith(name, shapes.never, false)] },
          shapes.both(then, {
            ...shapes.none,
            objects: [shapes.objectWith(name, shapes.always, true)],
          }),
        ]),
      );
    const needs = (keyword: string, list: Json): Shape => ({
      ...shapes.none,
      objects: [{ ...shapes.anyObject, required: names(context, keyword, list) }],
    });
    const required = own(context.schema, 'dependentRequired');
    if (required !== undefined) {
      if (!isObject(required)) throw refuse(context, 'dependentRequired', 'is no object');
      for (const [name, list] of Object.entries(required))
        depend(name, needs('dependentRequired', list));
    }
    for (const [name, schema] of namedSchemas(context, 'dependentSchemas'))
      depend(name, this.#shapeOfSchema(schema));
    const older = own(context.schema, 'dependencies');
    if (older === undefined) return;
    if (!isObject(older)) throw refuse(context, 'dependencies', 'is no object');
    for (const [name, value] of Object.entries(older)) {
      if (Array.isArray(value)) depend(name, needs('dependencies', value));
      else if (isSchema(value)) depend(name, this.#shapeOfSchema(value));
      else throw refuse(context, 'dependencies', 'has a value that is neither list nor schema');
    }
  }
}

const schemaOfList = (list: Json[]): SchemaObject => ({
  type: 'array',
  ...(list.length > 0 ? { prefixItems: list.map((value) => ({ const: value })) } : {}),
  items: false,
  minItems: list.length,
});

const schemaOfObject = (object: { [name: string]: Json }): SchemaObject => {
  const properties = Object.fromEntries(
    Object.entries(object).map(([name, value]) => [name, { const: value }]),
  );
  return {
    type: 'object',
    properties,
    required: Object.keys(object),
    additionalProperties: false,
  };
};

/** Whether all shapes are explicit texts and constants, and no two have one in common. */
function areDistinctValues(list: readonly Shape[]): boolean {
  const seen = new Set<string>();
  for (const { constants, numbers, strings, arrays, objects } of list) {
    if (arrays.length > 0 || objects.length > 0) return false;
    const words = [...constants].map((name) => ` ${name}`);
    for (const [kind, sets] of [['n', numbers] as const, ['s', strings] as const]) {
      for (const set of sets) {
        if (!('words' in set)) return false;
        for (const word of set.words) words.push(kind + word);
      }
    }
    for (const word of words) {
      if (seen.has(word)) return false;
      seen.add(word);
    }
  }
  return true;
}
