/** Which tokens or words of a text moved the probability of what follows. */
import { invalid, textOf } from '../types/arguments.js';
import { continuationsInCache } from '../types/capacity.js';
import { Sessions } from '../types/runs.js';
import { textOfBytes } from '../types/utf8.js';
import type { AttributedPart, Edit, Model, TokenOffset } from '../types/types.js';
import { withOptions } from './list.js';
import type { LensCall } from './list.js';
import { byteLength, continuationOf, idsIn, logprobFrom, mapAll, tokensOf } from './texts.js';
import { tokensIn } from './words.js';
import type { Span } from './words.js';

type Part = Pick<AttributedPart, 'text' | 'start' | 'end' | 'positions'>;

/** The text cut at spaces; a mark is part of its word. */
function wordSpans(text: string): Span[] {
  return [...text.matchAll(/\S+/gu)].map(({ 0: word, index }) => {
    const start = byteLength(text.slice(0, index));
    return { text: word, start, end: start + byteLength(word) };
  });
}

/** The parts of a text; a token that covers bytes of two words belongs to the later one. */
export function partsOf(
  text: string,
  tokens: readonly TokenOffset[],
  by: 'token' | 'word',
): Part[] {
  const bytes = new TextEncoder().encode(text);
  if (by === 'token')
    return tokens.flatMap(({ start, end }, position) =>
      end > start
        ? { text: textOfBytes(bytes.subarray(start, end)), start, end, positions: [position] }
        : [],
    );
  const spans = wordSpans(text);
  const lists = tokensIn(spans, tokens);
  return spans.map((span, i) => {
    const later = new Set(lists[i + 1]);
    return { ...span, positions: lists[i]!.filter((position) => !later.has(position)) };
  });
}

/** The log-probability of the tokens from an index on, under edits. */
async function logprobUnder(
  model: Model,
  sessions: Sessions,
  ids: readonly number[],
  from: number,
  edits: readonly Edit[],
  signal: AbortSignal,
): Promise<number> {
  const session = sessions.add(model.createSession({ seed: 0, edits }));
  const scores = await session.score(ids, { signal });
  await sessions.free(session);
  return logprobFrom(scores, from);
}

/** The tokens of text and target, and where the target begins. Without a target: a greedy token. */
async function joined(model: Model, text: string, target: unknown, signal: AbortSignal) {
  if (target !== undefined) return continuationOf(model, text, textOf(target, 'target'), signal);
  const ids = idsIn(await tokensOf(model, text, signal));
  const sessions = new Sessions();
  try {
    const session = sessions.add(model.createSession({ seed: 0 }));
    await session.sync(ids, { signal });
    const { candidates } = await session.candidates({ samplers: [], top_n: 1, signal });
    return { ids: [...ids, candidates[0]!.token], from: ids.length };
  } finally {
    await sessions.freeAll();
  }
}

export const attribute: LensCall<'attribute'> = (model, text, options) =>
  withOptions('attribute', options, async ({ target, by }, signal) => {
    const given = textOf(text, 'the text');
    const { ids, from } = await joined(model, given, target, signal);
    if (from >= ids.length) throw invalid('the target has no token');
    // the tokens of the whole, which the target may have changed at its beginning
    const whole = await tokensOf(model, given + (target === undefined ? '' : target), signal);
    const parts = partsOf(given, whole.slice(0, from), by);
    const limit = continuationsInCache(model.info, 0, ids.length);
    const sessions = new Sessions();
    const plain = { tokens: ids, start: from, edits: [] as Edit[] };
    const runs = parts.flatMap(({ positions }) => {
      const without = ids.filter((_, i) => !positions.includes(i));
      const hide: Edit[] = positions.length > 0 ? [{ type: 'hide', positions }] : [];
      return [
        { ...plain, edits: hide },
        { ...plain, tokens: without, start: from - positions.length },
      ];
    });
    try {
      const logprobs = await mapAll(
        [plain, ...runs],
        signal,
        ({ tokens, start, edits }, own) => logprobUnder(model, sessions, tokens, start, edits, own),
        Math.min(limit, 64),
      );
      const [target_logprob] = logprobs as [number];
      return {
        target: await model.detokenize(ids.slice(from)),
        target_tokens: ids.slice(from),
        target_logprob,
        parts: parts.map((part, i): AttributedPart => {
          const [hidden, removed] = logprobs.slice(2 * i + 1, 2 * i + 3) as [number, number];
          return {
            ...part,
            hidden_logprob: hidden,
            hidden_effect: target_logprob - hidden,
            removed_logprob: removed,
            removed_effect: target_logprob - removed,
          };
        }),
      };
    } finally {
      await sessions.freeAll();
    }
  });
