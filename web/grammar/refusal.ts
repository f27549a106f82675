/** Why a schema is refused: the keyword, its place in the schema, and the reason. */
import { TokenglassError } from '../types/errors.js';

/**
 * GRAMMAR_INVALID that names a keyword of a schema and the schema's place as a JSON pointer.
 * Without a keyword, the error is about the schema as a whole.
 */
export function refusal(keyword: string, pointer: string, reason: string): TokenglassError {
  const place = `"#${shortened(pointer)}"`;
  const what = keyword === '' ? `the schema at ${place}` : `"${keyword}" of the schema at ${place}`;
  return new TokenglassError('GRAMMAR_INVALID', `${what} ${reason}`);
}

/** A part of a schema that becomes an error only when a text could depend on the part. */
export interface Refused {
  keyword: string;
  pointer: string;
  reason: string;
}

/** Pointers and quoted values are shortened, so that a message stays readable. */
export const shortened = (text: string): string =>
  text.length > 200 ? `${text.slice(0, 120)}...${text.slice(-60)}` : text;

/** An automaton grew beyond its limit. The caller turns this into a refusal with a place. */
export class TooLarge extends Error {}

export const tooLarge = (pointer: string): TokenglassError =>
  refusal('', pointer, 'is too large: its automata or combinations exceed the limits');
