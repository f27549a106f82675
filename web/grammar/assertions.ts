/** Keywords that assert something of one type: what one schema says, as a shape. */
import { ANY_TEXT } from './automaton.js';
import type { Dfa } from './automaton.js';
import { isObject, isSchema, own } from './document.js';
import type { Schema, SchemaObject } from './document.js';
import { evaluatedItems, evaluatedMembers } from './evaluated.js';
import { formatAutomaton, formatNames } from './formats.js';
import { searching } from './nfa.js';
import { ANY_NUMBER, bothNumbers, neighbour, whyNotDivisor } from './numbers.js';
import type { NumberSet } from './numbers.js';
import { TooLarge, refusal } from './refusal.js';
import type { Refused } from './refusal.js';
import { PatternError } from './regexp.js';
import type { Conjunction, MemberRule, ObjectSet, ArraySet, Shape, Shapes } from './shape.js';
import { ANY_STRING, bothStrings } from './strings.js';
import type { StringSet } from './strings.js';

const TYPES = ['null', 'boolean', 'integer', 'number', 'string', 'array', 'object'];
const MAX_LENGTH = 2 ** 31 - 1; // of a string or a list, where the schema bounds it
const MAX_MIN_LENGTH = 2000;
const MAX_COUNT = 100_000; // of items or members that must be there

/** One schema object, and how it reaches the rest of its document. */
export interface Context {
  schema: SchemaObject;
  pointer: string;
  shapes: Shapes;
  /** The values that a schema inside this one allows. */
  conjunction(schema: Schema): Conjunction;
  /** The schema that a keyword, $ref, refers to. */
  resolve(schema: SchemaObject, keyword: string): Schema;
}

export const refuse = ({ pointer }: Pick<Context, 'pointer'>, keyword: string, reason: string) =>
  refusal(keyword, pointer, reason);

const refused = ({ pointer }: Context, keyword: string, reason: string): Refused => ({
  keyword,
  pointer,
  reason,
});

/** The schema of a keyword; undefined without the keyword. */
export function subschema(context: Context, keyword: string): Schema | undefined {
  const value = own(context.schema, keyword);
  if (value !== undefined && !isSchema(value)) throw refuse(context, keyword, 'is no schema');
  return value;
}

/** The schemas of a keyword that is a list; undefined without the keyword. */
export function subschemas(context: Context, keyword: string): Schema[] | undefined {
  const list = own(context.schema, keyword);
  if (list === undefined) return undefined;
  if (!Array.isArray(list) || list.length === 0 || !list.every(isSchema))
    throw refuse(context, keyword, 'is no list of schemas');
  return list;
}

/** The schemas of a keyword that names them. */
export function namedSchemas(context: Context, keyword: string): [string, Schema][] {
  const map = own(context.schema, keyword);
  if (map === undefined) return [];
  if (!isObject(map) || !Object.values(map).every(isSchema))
    throw refuse(context, keyword, 'is no object of schemas');
  return Object.entries(map) as [string, Schema][];
}

/** The names of a keyword that is a list of texts. */
export function names(
  context: Context,
  keyword: string,
  list = own(context.schema, keyword),
): string[] {
  if (list === undefined) return [];
  if (!Array.isArray(list) || !list.every((name) => typeof name === 'string'))
    throw refuse(context, keyword, 'is no list of names');
  return [...new Set(list as string[])].sort();
}

function count(context: Context, keyword: string, otherwise: number, limit = Infinity): number {
  const value = own(context.schema, keyword);
  if (value === undefined) return otherwise;
  if (typeof value !== 'number' || !Number.isInteger(value) || value < 0)
    throw refuse(context, keyword, 'is no whole number of 0 or more');
  if (value > limit)
    throw refuse(context, keyword, `(${value}) is not supported: the limit is ${limit}`);
  return value;
}

function number(context: Context, keyword: string): number | undefined {
  const value = own(context.schema, keyword);
  if (value !== undefined && typeof value !== 'number')
    throw refuse(context, keyword, 'is no number');
  return value;
}

function typesOf(context: Context): ReadonlySet<string> {
  const value = own(context.schema, 'type') ?? TYPES;
  const list = Array.isArray(value) ? value : [value];
  const unknown = list.find((type) => typeof type !== 'string' || !TYPES.includes(type));
  if (unknown !== undefined || list.length === 0)
    throw refuse(context, 'type', `(${JSON.stringify(value).slice(0, 100)}) is no type of JSON`);
  return new Set(list as string[]);
}

function numbersOf(context: Context, integer: boolean): NumberSet[] {
  let { min, max } = ANY_NUMBER;
  min = Math.max(min, number(context, 'minimum') ?? min);
  max = Math.min(max, number(context, 'maximum') ?? max);
  const above = number(context, 'exclusiveMinimum');
  const below = number(context, 'exclusiveMaximum');
  if (above !== undefined) min = Math.max(min, neighbour(above, 1));
  if (below !== undefined) max = Math.min(max, neighbour(below, -1));
  const divisor = number(context, 'multipleOf');
  if (divisor !== undefined) {
    const reason = divisor > 0 ? whyNotDivisor(divisor) : 'is no number above 0';
    if (reason) throw refuse(context, 'multipleOf', `(${divisor}) ${reason}`);
  }
  if (min === -Infinity && max === Infinity && !integer && divisor === undefined)
    return [ANY_NUMBER];
  const set = { min, max, integer, divisors: divisor === undefined ? [] : [divisor] };
  // an intersection with itself leaves out sets without numbers
  const checked = bothNumbers(set, set);
  return checked ? [checked] : [];
}

function patternOf(context: Context, keyword: string, source: string): Dfa {
  try {
    return searching(source);
  } catch (error) {
    if (!(error instanceof PatternError)) throw error;
    const text = JSON.stringify(source.slice(0, 100));
    throw refuse(context, keyword, `has the pattern ${text}: ${error.message}`);
  }
}

function stringsOf(context: Context): StringSet[] {
  try {
    return stringsOfKeywords(context);
  } catch (error) {
    if (!(error instanceof TooLarge)) throw error;
    const keyword = own(context.schema, 'pattern') === undefined ? 'format' : 'pattern';
    throw refuse(context, keyword, 'and the other keywords together need too large an automaton');
  }
}

function stringsOfKeywords(context: Context): StringSet[] {
  const min = count(context, 'minLength', 0, MAX_MIN_LENGTH);
  const max = count(context, 'maxLength', Infinity, MAX_LENGTH);
  let set: StringSet | undefined = bothStrings({ dfa: ANY_TEXT, min, max }, ANY_STRING);
  const source = own(context.schema, 'pattern');
  if (source !== undefined) {
    if (typeof source !== 'string') throw refuse(context, 'pattern', 'is no text');
    const dfa = patternOf(context, 'pattern', source);
    set = set && bothStrings(set, { dfa, min: 0, max: Infinity });
  }
  const format = own(context.schema, 'format');
  if (format !== undefined) {
    const dfa = typeof format === 'string' ? formatAutomaton(format) : undefined;
    if (!dfa) {
      const known = formatNames.join(', ');
      const name = JSON.stringify(format).slice(0, 100);
      throw refuse(context, 'format', `(${name}) is not supported; supported: ${known}`);
    }
    set = set && bothStrings(set, { dfa, min: 0, max: Infinity });
  }
  return set ? [set] : [];
}

function arraysOf(context: Context): ArraySet[] {
  const { shapes } = context;
  const items = own(context.schema, 'items');
  if (Array.isArray(items))
    throw refuse(context, 'items', 'is a list; draft 2020-12 calls the list prefixItems');
  const rest = subschema(context, 'items');
  const prefix = subschemas(context, 'prefixItems') ?? [];
  const lists: Refused[] = [];
  let min = count(context, 'minItems', 0, MAX_COUNT);
  let max = count(context, 'maxItems', Infinity, MAX_LENGTH);
  const unique = own(context.schema, 'uniqueItems');
  if (unique !== undefined && typeof unique !== 'boolean')
    throw refuse(context, 'uniqueItems', 'is neither true nor false');

  const wanted = subschema(context, 'contains');
  const least = count(context, 'minContains', 1, MAX_COUNT);
  const most = count(context, 'maxContains', Infinity);
  let contains: ArraySet['contains'];
  if (wanted !== undefined && (least > 0 || most !== Infinity)) {
    const item = context.conjunction(wanted);
    if (item === shapes.always) {
      min = Math.max(min, least);
      max = Math.min(max, most);
    } else {
      const from = refused(context, 'contains', 'is not supported beside these keywords');
      if (most !== Infinity) lists.push(refused(context, 'maxContains', 'cannot be enforced'));
      if (least > 0) contains = { item, min: least, from };
    }
  }
  let after = rest === undefined ? shapes.always : context.conjunction(rest);
  const first = prefix.map((schema) => context.conjunction(schema));
  const unevaluated = subschema(context, 'unevaluatedItems');
  if (unevaluated !== undefined && rest === undefined) {
    const other = context.conjunction(unevaluated);
    const evaluated = other === shapes.always ? undefined : evaluatedItems(context);
    if (typeof evaluated === 'string') lists.push(refused(context, 'unevaluatedItems', evaluated));
    else if (evaluated !== undefined && evaluated !== Infinity) {
      while (first.length < evaluated) first.push(shapes.always);
      after = other;
    }
  }
  if (min > max) return [];
  return [
    {
      prefix: first,
      items: after,
      min,
      max,
      unique: unique === true ? refused(context, 'uniqueItems', 'cannot be enforced') : undefined,
      contains,
      refused: lists,
    },
  ];
}

function memberRules(context: Context): { rules: MemberRule[]; refused: Refused[] } {
  const { shapes } = context;
  const properties = new Map(
    namedSchemas(context, 'properties').map(([name, schema]) => [
      name,
      context.conjunction(schema),
    ]),
  );
  const patterns = namedSchemas(context, 'patternProperties').map(([source, schema]) => ({
    dfa: patternOf(context, 'patternProperties', source),
    value: context.conjunction(schema),
  }));
  const additional = subschema(context, 'additionalProperties');
  const rest = additional === undefined ? shapes.always : context.conjunction(additional);
  const rules: MemberRule[] = [];
  if (properties.size > 0 || patterns.length > 0 || rest !== shapes.always)
    rules.push(shapes.rule(properties, patterns, rest));
  const unevaluated = subschema(context, 'unevaluatedProperties');
  if (unevaluated === undefined || additional !== undefined) return { rules, refused: [] };
  const other = context.conjunction(unevaluated);
  if (other === shapes.always) return { rules, refused: [] };
  const evaluated = evaluatedMembers(context);
  if (typeof evaluated === 'string')
    return { rules, refused: [refused(context, 'unevaluatedProperties', evaluated)] };
  if (!evaluated.all) {
    const known = new Map([...evaluated.names].map((name) => [name, shapes.always]));
    const matched = [...evaluated.patterns].map((source) => ({
      dfa: patternOf(context, 'patternProperties', source),
      value: shapes.always,
    }));
    rules.push(shapes.rule(known, matched, other));
  }
  return { rules, refused: [] };
}

function objectsOf(context: Context): ObjectSet[] {
  const { shapes } = context;
  const required = names(context, 'required');
  const min = count(context, 'minProperties', 0, MAX_COUNT);
  const max = count(context, 'maxProperties', Infinity, MAX_LENGTH);
  const { rules, refused: list } = memberRules(context);
  const name = subschema(context, 'propertyNames');
  if (min > max || required.length > max) return [];
  if (required.some((key) => shapes.memberOf(rules, key) === shapes.never)) return [];
  return [
    {
      rules,
      required,
      min,
      max,
      minFrom: refused(
        context,
        'minProperties',
        `(${min}) cannot be enforced: a text could repeat a name`,
      ),
      name: name === undefined ? shapes.always : context.conjunction(name),
      refused: list,
    },
  ];
}

/** The values that the keywords of single types allow, `type` among them. */
export function assertionsOf(context: Context): Shape {
  const types = typesOf(context);
  const constants = new Set<'null' | 'true' | 'false'>();
  if (types.has('null')) constants.add('null');
  if (types.has('boolean')) constants.add('true').add('false');
  return context.shapes.union([
    {
      constants,
      numbers:
        types.has('number') || types.has('integer') ? numbersOf(context, !types.has('number')) : [],
      strings: types.has('string') ? stringsOf(context) : [],
      arrays: types.has('array') ? arraysOf(context) : [],
      objects: types.has('object') ? objectsOf(context) : [],
    },
  ]);
}
