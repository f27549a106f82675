/** Answers in texts: how they are found, and the form in which they are compared. */
import { invalid, reading, tagOf } from '../types/arguments.js';
import { ask } from '../types/ask.js';
import { typed } from '../types/errors.js';
import { suggestion } from '../types/names.js';
import type { AnswerExtractor, AnswerForm, AnswerKind } from '../types/types.js';

const NUMBER = /[-−]?(?:\d{1,3}(?:,\d{3})+|\d+)(?:\.\d+)?|[-−]?\.\d+/g;
const LETTER = /(?<![\p{L}\p{N}])[A-E](?![\p{L}\p{N}])/gu;

const lastOf = (text: string, pattern: RegExp) => [...text.matchAll(pattern)].at(-1);

const EXTRACTORS: Record<AnswerKind, (text: string) => string | undefined> = {
  number: (text) => lastOf(text, NUMBER)?.[0],
  letter: (text) => lastOf(text, LETTER)?.[0],
  line: (text) => text.trimEnd().split('\n').at(-1),
  text: (text) => text,
};

const spaced = (answer: string) => answer.trim().replace(/\s+/g, ' ');

/** The last number of a text, or else the last letter A to E. */
export const numberOrLetter = (text: string): string | undefined =>
  EXTRACTORS.number(text) ?? EXTRACTORS.letter(text);

/** A number as a text, without what makes no difference. Not by parsing, which would round. */
function plainNumber(answer: string): string {
  const [whole = '', fraction = ''] = spaced(answer)
    .replace('−', '-')
    .replaceAll(',', '')
    .split('.');
  const digits = whole.replace(/^(-?)0*(?=\d)/, '$1').replace(/^(-?)$/, '$10');
  const rest = fraction.replace(/0+$/, '');
  const plain = rest ? `${digits}.${rest}` : digits;
  return plain === '-0' ? '0' : plain;
}

/** A copy of a regular expression that finds all its matches. */
const globalOf = (pattern: RegExp) =>
  new RegExp(pattern.source, pattern.flags.replace(/[gy]/g, '') + 'g');

/** The options extract and canonical as one function, which gives undefined for no answer. */
export function answerFinder(
  extract: unknown,
  canonical: unknown,
): (text: string) => Promise<string | undefined> {
  let find: AnswerExtractor;
  const pattern = reading('extract', () =>
    tagOf(extract) === 'RegExp' ? globalOf(extract as RegExp) : undefined,
  );
  if (typeof extract === 'function') {
    find = extract as AnswerExtractor;
  } else if (pattern) {
    find = (text) => {
      const match = lastOf(text, pattern);
      return match?.[1] ?? match?.[0];
    };
  } else {
    const kind = extract as AnswerKind;
    if (typeof kind !== 'string' || !Object.hasOwn(EXTRACTORS, kind))
      throw invalid(
        `extract is ${typed(extract, 'string')}${suggestion(extract, Object.keys(EXTRACTORS))}; ` +
          'or a regular expression, or a function',
      );
    find = EXTRACTORS[kind];
  }
  if (canonical !== undefined && typeof canonical !== 'function')
    throw invalid(`canonical is ${typed(canonical)}; it must be a function`);
  const form =
    (canonical as AnswerForm | undefined) ??
    (extract === 'number' || extract === numberOrLetter ? plainNumber : spaced);
  return async (text) => {
    const found = await ask('extract', () => find(text));
    if (found === undefined || found === null) return undefined;
    if (typeof found !== 'string')
      throw invalid(`extract gives ${typed(found)}; it must give a text or undefined`);
    const answer = await ask('canonical', () => form(found));
    if (typeof answer !== 'string')
      throw invalid(`canonical gives ${typed(answer)}; it must give a text`);
    return answer === '' ? undefined : answer;
  };
}
