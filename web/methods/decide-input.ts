/** Reads what a caller gives to Model.decide: the state and the questions, as plain data. */
import {
  invalid,
  isGiven,
  listOf,
  readOptions,
  reading,
  textOf,
  unsupported,
} from '../types/arguments.js';
import { typed } from '../types/errors.js';
import { jsonOf } from '../types/json.js';
import { suggestion } from '../types/names.js';
import type { DecisionOptions, DecisionQuestion, SystemOneQuestion } from '../types/types.js';

const MAX_QUESTIONS = 400;
const MAX_OPTIONS = 255;
const MAX_LEVELS = 10;
const MAX_ID = 40; // characters of a name in a message

/** One option of a question. */
export interface Option {
  /** Its name in a template. */
  key: string;
  /** What it means, as JSON; null for nothing. */
  description: unknown;
  /** What the answer gives: the value of a choice, the name of a level. */
  value: string | boolean;
}

/** A question as all rules read it. A yes-or-no question has the options yes and no. */
export interface Question {
  /** The name of the question; its index where it has none. */
  id: string;
  name: string | null;
  /** The type that the caller gave, which is the type of the answer. */
  given: 'predicate' | 'noul' | 'boolean' | 'choice' | 'score';
  type: 'noul' | 'choice' | 'score';
  /** A text or JSON. */
  instructions: unknown;
  options: Option[];
}

/** JSON in a prompt: a text as it is, the rest as JSON text. */
export const jsonText = (value: unknown, name: string): string =>
  typeof value === 'string' ? value : reading(name, () => JSON.stringify(value));

// ---- the state ----

/** The text of a part of a message or of instructions. */
function partText(part: unknown, place: string): string {
  const { type, text, refusal, data, prompt_cache_breakpoint } = Object(part) as Record<
    string,
    unknown
  >;
  if (isGiven(prompt_cache_breakpoint))
    throw unsupported(`${place} has a prompt_cache_breakpoint, which is not supported`);
  if (type === 'input_text' || type === 'output_text') return textOf(text, `${place}.text`);
  if (type === 'refusal') return textOf(refusal, `${place}.refusal`);
  if (type === 'input_json') {
    if (typeof data !== 'object' || data === null)
      throw invalid(`${place}.data is ${typed(data)}; it must be an object or a list`);
    return jsonText(jsonOf(data, `${place}.data`), `${place}.data`);
  }
  throw unsupported(`${place} has the type ${typed(type, 'string')}; only text and JSON are read`);
}

/** A text, or the texts of a list of parts. */
const contentText = (content: unknown, place: string): string =>
  typeof content === 'string'
    ? content
    : listOf(content, place, (part) => part)
        .map((part, i) => partText(part, `${place}[${i}]`))
        .join('\n');

const ROLES = ['user', 'developer', 'system', 'assistant'];
const CALLS = { function_call: 'arguments', custom_tool_call: 'input' };
const OUTPUTS = ['function_call_output', 'custom_tool_call_output'];

/** An item of OpenAI's input, with what a model can read of it. calls: the ids so far. */
function inputItem(item: unknown, place: string, calls: Set<string>): object {
  const given = Object(item) as Record<string, unknown>;
  const type = given.type ?? 'message';
  if (type === 'message') {
    const { role } = given;
    if (!ROLES.includes(role as string))
      throw invalid(`${place}.role is ${typed(role, 'string')}${suggestion(role, ROLES)}`);
    return { role, content: contentText(given.content, `${place}.content`) };
  }
  if (type === 'function_call' || type === 'custom_tool_call') {
    const call_id = textOf(given.call_id, `${place}.call_id`);
    calls.add(call_id);
    const key = CALLS[type];
    const name = textOf(given.name, `${place}.name`);
    return { type, call_id, name, [key]: textOf(given[key], `${place}.${key}`) };
  }
  if (OUTPUTS.includes(type as string)) {
    const call_id = textOf(given.call_id, `${place}.call_id`);
    if (!calls.has(call_id)) throw invalid(`${place}.call_id names no call before it`);
    return { type, call_id, output: contentText(given.output, `${place}.output`) };
  }
  throw unsupported(`${place} has the type ${typed(type, 'string')}, which is not supported`);
}

/** What the questions are about: a text or JSON. */
export function stateOf({ state, input }: DecisionOptions): unknown {
  if (isGiven(state) === isGiven(input)) throw invalid('decide needs either state or input');
  if (isGiven(state)) {
    if (typeof state !== 'string' && typeof state !== 'object')
      throw invalid(`state is ${typed(state)}; it must be a text, an object or a list`);
    return reading('state', () => jsonOf(state, 'state'));
  }
  if (typeof input === 'string') return input;
  const calls = new Set<string>();
  const items = listOf(input, 'input', (item) => item);
  if (items.length === 0) throw invalid('input is a text or a list of at least one message');
  return items.map((item, i) => reading('input', () => inputItem(item, `input[${i}]`, calls)));
}

// ---- the questions ----

/** A text or JSON that says something. */
function contentOf(value: unknown, place: string): unknown {
  const json = reading(place, () => jsonOf(value, place));
  const isContent =
    typeof json === 'string'
      ? json !== ''
      : typeof json === 'object' && json !== null && Object.keys(json).length > 0;
  if (!isContent) throw invalid(`${place} is ${typed(value)}; it must be a text or JSON`);
  return json;
}

const checkCount = (n: number, max: number, place: string, what: string) => {
  if (n < 2 || n > max) throw invalid(`${place} has ${n} ${what}; it must have 2 to ${max}`);
};

const optionalText = (value: unknown, place: string): string | null =>
  isGiven(value) ? textOf(value, place) : null;

const yesAndNo = (yes: unknown = null, no: unknown = null): Option[] => [
  { key: 'true', description: yes, value: true },
  { key: 'false', description: no, value: false },
];

/** Checks that all options differ. */
function unique(options: Option[], place: string): Option[] {
  const seen = new Set(options.map(({ value }) => value));
  if (seen.size < options.length) throw invalid(`${place} has the same option twice`);
  return options;
}

function choices(given: unknown, place: string): Option[] {
  const list = listOf(given, place, (choice) =>
    readOptions(choice as object, ['value', 'description'], place),
  ) as { value?: unknown; description?: unknown }[];
  checkCount(list.length, MAX_OPTIONS, place, 'options');
  const options = list.map(({ value, description }, i) => {
    if (typeof value !== 'string' && typeof value !== 'boolean')
      throw invalid(`${place}[${i}].value is ${typed(value)}; it must be a text or a boolean`);
    return {
      key: String(value),
      description: optionalText(description, `${place}[${i}].description`),
      value,
    };
  });
  return unique(options, place);
}

function levels(given: unknown, place: string): Option[] {
  const list = listOf(given, place, (level) =>
    readOptions(level as object, ['label', 'description'], place),
  ) as { label?: unknown; description?: unknown }[];
  checkCount(list.length, MAX_LEVELS, place, 'levels');
  return list.map((level, i) => {
    const value = textOf(level.label, `${place}[${i}].label`);
    const description = optionalText(level.description, `${place}[${i}].description`);
    return {
      key: String(i),
      description: description === null ? value : `${value}: ${description}`,
      value,
    };
  });
}

const COMMON = ['type', 'instructions'];
const unknownType = (type: unknown, place: string, known: readonly string[]) =>
  invalid(`${place}.type is ${typed(type, 'string')}${suggestion(type, known)}`);

/** A question of a list. */
function listed(given: DecisionQuestion, index: number): Question {
  const place = `questions[${index}]`;
  const read = readOptions<Partial<Record<string, unknown>>>(
    given as object,
    [...COMMON, 'name', 'choices', 'levels'],
    place,
  );
  const known = { predicate: undefined, choice: 'choices', score: 'levels' };
  const type = read.type as keyof typeof known;
  if (!Object.hasOwn(known, String(read.type))) throw unknownType(type, place, Object.keys(known));
  for (const key of ['choices', 'levels'])
    if (isGiven(read[key]) && key !== known[type])
      throw invalid(`${place} is a ${type}, which has no ${key}`);
  const name = optionalText(read.name, `${place}.name`);
  const instructions = reading(place, () =>
    contentText(read.instructions, `${place}.instructions`),
  );
  return {
    id: name ?? String(index),
    name,
    given: type,
    type: type === 'predicate' ? 'noul' : type,
    instructions: contentOf(instructions, `${place}.instructions`),
    options:
      type === 'predicate'
        ? yesAndNo()
        : type === 'choice'
          ? choices(read.choices, `${place}.choices`)
          : levels(read.levels, `${place}.levels`),
  };
}

/** The options of a question of a record. */
function criteriaOptions(type: Question['type'], criteria: unknown, place: string): Option[] {
  const json = reading(place, () => jsonOf(criteria ?? null, place));
  if (type === 'score') {
    if (!Array.isArray(json)) throw invalid(`${place} is ${typed(criteria)}; it must be a list`);
    checkCount(json.length, MAX_LEVELS, place, 'levels');
    return json.map((description: unknown, i) => ({
      key: String(i),
      description,
      value: String(i),
    }));
  }
  const isObject = typeof json === 'object' && json !== null && !Array.isArray(json);
  if (!isObject && !(type === 'noul' && json === null))
    throw invalid(`${place} is ${typed(criteria)}; it must be an object`);
  if (type === 'noul') {
    const read = readOptions((json ?? {}) as object, ['true', 'false'], place) as {
      true?: unknown;
      false?: unknown;
    };
    return yesAndNo(read.true, read.false);
  }
  const entries = Object.entries(json as object);
  checkCount(entries.length, MAX_OPTIONS, place, 'options');
  return entries.map(([key, description]) => ({ key, description, value: key }));
}

/** A question of a record. */
function named(given: SystemOneQuestion, id: string): Question {
  const place = `questions.${id.slice(0, MAX_ID)}`;
  const read = readOptions<Partial<Record<string, unknown>>>(
    given as object,
    [...COMMON, 'criteria'],
    place,
  );
  const known = ['noul', 'boolean', 'choice', 'score'] as const;
  const type = read.type as (typeof known)[number];
  if (!known.includes(type)) throw unknownType(type, place, known);
  const common = type === 'boolean' ? 'noul' : type;
  return {
    id,
    name: id,
    given: type,
    type: common,
    instructions: contentOf(read.instructions, `${place}.instructions`),
    options: criteriaOptions(common, read.criteria, `${place}.criteria`),
  };
}

/** The questions; whether they are a list. */
export function questionsOf(given: unknown): { questions: Question[]; isList: boolean } {
  return reading('questions', () => {
    const isList = Array.isArray(given);
    if (!isList && (typeof given !== 'object' || given === null))
      throw invalid(`questions is ${typed(given)}; it must be a list or an object`);
    const items = isList
      ? listOf(given, 'questions', (item) => item).map((item) => ['', item] as const)
      : Object.entries(given);
    if (items.length < 1 || items.length > MAX_QUESTIONS)
      throw invalid(`there are ${items.length} questions; there must be 1 to ${MAX_QUESTIONS}`);
    const questions = items.map(([id, item], i) =>
      isList ? listed(item as DecisionQuestion, i) : named(item as SystemOneQuestion, id),
    );
    return { questions, isList };
  });
}
