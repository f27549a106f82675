/** Sentences that contain tokens. A view draws the tokens in a frame; a test reads them as text. */
import { name } from '../format.js';

export interface NamedToken {
  readonly text: string;
  readonly bytes: Uint8Array;
}

export type Part = string | NamedToken;

/** A sentence in parts. */
export type Sentence = readonly Part[];

/** A template tag: numbers and texts become text, tokens stay tokens. */
export function say(
  strings: TemplateStringsArray,
  ...values: readonly (Part | number | Sentence)[]
): Sentence {
  const parts: Part[] = [];
  const add = (part: Part) => {
    const last = parts.at(-1);
    if (part === '') return;
    if (typeof part === 'string' && typeof last === 'string') parts[parts.length - 1] = last + part;
    else parts.push(part);
  };
  for (const [i, text] of strings.entries()) {
    add(text);
    const value = values[i];
    if (Array.isArray(value)) (value as Sentence).forEach(add);
    else if (value !== undefined) add(typeof value === 'number' ? String(value) : (value as Part));
  }
  return parts;
}

/** A sentence as plain text. */
export const plain = (sentence: Sentence): string =>
  sentence.map((part) => (typeof part === 'string' ? part : name(part))).join('');
