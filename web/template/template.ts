/**
 * Renders Jinja2 templates as Hugging Face's apply_chat_template does: Jinja2's immutable sandbox
 * with trim_blocks, lstrip_blocks, loop controls, generation blocks, Python's json.dumps as tojson.
 * What is not supported is refused by name; a template that works without end is ended.
 */
import { TemplateError } from './errors.js';
import { compileTemplate } from './compile.js';
import { globals } from './globals.js';
import * as meter from './meter.js';
import { Parser } from './parser.js';
import { Dict } from './values.js';
import type { Value } from './values.js';

/** Why a template failed, and where. */
export class TemplateFailure extends Error {
  constructor(
    message: string,
    /** The line of the template, from 1. */
    readonly line: number,
    /** What ended the rendering. */
    readonly reason: TemplateError['reason'],
    options?: ErrorOptions,
  ) {
    super(message, options);
  }
}

/** JSON as values of a template. Whole numbers are ints, as Python reads them. */
function fromJson(value: unknown, level: number): Value {
  meter.checkNesting(level);
  if (value === null || value === undefined) return null;
  switch (typeof value) {
    case 'string':
      meter.characters(1);
      return value;
    case 'boolean':
    case 'bigint':
      return value;
    case 'number':
      return Number.isInteger(value) && !Object.is(value, -0) ? BigInt(value) : value;
    case 'object':
      break;
    default:
      throw new TemplateError(`its input has a ${typeof value}`);
  }
  if (Array.isArray(value)) {
    meter.items(value.length);
    return value.map((item) => fromJson(item, level + 1));
  }
  const dict = new Dict();
  // a Map keeps the order of keys that are numbers
  const entries: Iterable<[string, unknown]> =
    value instanceof Map ? (value as Map<string, unknown>) : Object.entries(value);
  for (const [key, item] of entries)
    if (item !== undefined) dict.set(key, fromJson(item, level + 1));
  return dict;
}

/**
 * The text that a template makes of its variables, which are JSON. Throws TemplateFailure.
 * now: what strftime_now() shows.
 */
export function renderTemplate(
  template: string,
  variables: Readonly<Record<string, unknown>>,
  now = new Date(),
): string {
  meter.startMeter();
  try {
    const inputs = globals(now);
    for (const [name, value] of Object.entries(variables))
      if (value !== undefined) inputs.set(name, fromJson(value, 0));
    const body = new Parser(template).parse();
    return compileTemplate(body, inputs)();
  } catch (error) {
    const { line } = meter.position;
    if (!(error instanceof TemplateError)) {
      // The host's own limits, should they be lower than the meter's. Anything else is a fault.
      const { name } = error as Error; // Firefox calls a full stack an InternalError
      if (name !== 'RangeError' && name !== 'InternalError') throw error;
      throw new TemplateFailure('it needs more stack or memory', line, 'limit', { cause: error });
    }
    throw new TemplateFailure(error.message, line, error.reason, { cause: error });
  }
}
