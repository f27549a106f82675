/**
 * JSON Schema (draft 2020-12) to grammar text. A schema that is accepted is enforced: the grammar
 * writes every valid value as JSON.stringify writes it, members in any order, and no invalid one.
 * What cannot be enforced is refused with the keyword and its place.
 */
import { SchemaCompiler } from './compiler.js';
import { checkDepth, isSchema } from './document.js';
import type { Json } from './document.js';
import { GrammarWriter } from './emit.js';
import { TooLarge, refusal, tooLarge } from './refusal.js';
import { TokenglassError } from '../types/errors.js';

/** The schema as plain JSON: getters, cycles and classes are gone, or refused. */
function plainJson(schema: unknown): Json {
  let text: string | undefined;
  try {
    text = JSON.stringify(schema);
  } catch (cause) {
    const reason = cause instanceof Error ? cause.message.split('\n')[0] : String(cause);
    throw new TokenglassError('GRAMMAR_INVALID', `the schema is no JSON value: ${reason}`, {
      cause,
    });
  }
  if (text === undefined)
    throw new TokenglassError('GRAMMAR_INVALID', 'the schema is no JSON value');
  return JSON.parse(text) as Json;
}

/**
 * The grammar of a JSON Schema. Throws GRAMMAR_INVALID, which names the keyword and its place, for
 * a schema that is invalid, allows no value, is too large, or cannot be enforced.
 */
export function grammarOfSchema(schema: unknown): string {
  const document = plainJson(schema);
  if (!isSchema(document))
    throw new TokenglassError('GRAMMAR_INVALID', 'a schema is an object, true or false');
  checkDepth(document);
  try {
    const compiler = new SchemaCompiler(document);
    if (!compiler.has(compiler.root)) throw refusal('', '', 'allows no value');
    return new GrammarWriter(compiler).write();
  } catch (error) {
    throw error instanceof TooLarge ? tooLarge('') : error;
  }
}
