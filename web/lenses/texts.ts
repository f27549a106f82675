/** Texts as tokens, and their scores: many texts at the same time, a common beginning once. */
import { invalid } from '../types/arguments.js';
import { continuationsInCache } from '../types/capacity.js';
import { commonLength } from '../types/prompts.js';
import { Sessions, runAll } from '../types/runs.js';
import { untilAborted } from '../types/signals.js';
import type { Edit, Model, TokenOffset, TokenScore } from '../types/types.js';

const encoder = new TextEncoder();

/** How many bytes a text has in UTF-8. */
export const byteLength = (text: string): number => encoder.encode(text).length;

/**
 * The tokens of a text, each with the bytes that it covers. The first token covers none: BOS, or
 * the end token where a vocabulary has no BOS, so that every token of the text has something before
 * it. No token is added at the end. Throws INVALID_ARGUMENT for a vocabulary that has neither.
 */
export async function tokensOf(
  model: Model,
  text: string,
  signal: AbortSignal,
): Promise<TokenOffset[]> {
  const { bos, eos } = model.info;
  const tokens = await untilAborted(model.tokenOffsets(text), [signal]);
  const last = tokens.at(-1);
  if (last && tokens.length > 1 && last.start === last.end && last.token === eos) tokens.pop();
  const start = bos ?? eos;
  if (tokens[0] && tokens[0].token === start && tokens[0].end === 0) return tokens;
  if (start === undefined) throw invalid('the vocabulary has no token that begins a text');
  return [{ token: start, start: 0, end: 0 }, ...tokens];
}

export const idsIn = (tokens: readonly TokenOffset[]): number[] => tokens.map(({ token }) => token);

/** A text with a beginning that is not measured. */
export interface Continuation {
  ids: number[];
  /** The index of the first token that covers a byte behind the beginning. */
  from: number;
}

/**
 * The tokens of two texts together. A token that covers bytes of both belongs to the second one.
 */
export async function continuationOf(
  model: Model,
  beginning: string,
  text: string,
  signal: AbortSignal,
): Promise<Continuation> {
  const tokens = await tokensOf(model, beginning + text, signal);
  const n_bytes = byteLength(beginning);
  const from = tokens.findIndex(({ end }) => end > n_bytes);
  return { ids: idsIn(tokens), from: from < 0 ? tokens.length : from };
}

/** Calls `of` for all items at the same time, but not for more than `limit` of them. */
export async function mapAll<T, R>(
  items: readonly T[],
  signal: AbortSignal,
  of: (item: T, signal: AbortSignal) => Promise<R>,
  limit = 64,
): Promise<R[]> {
  const results: R[] = [];
  await runAll(items.length, limit, signal, async (i, own) => {
    results[i] = await of(items[i]!, own);
  });
  return results;
}

/**
 * The scores of texts that are given as tokens: one list for each text, a score for each token. The
 * first score of a text has a log-probability of NaN. Tokens that all texts begin with run once.
 * edits: what the runs change.
 */
export async function scoreAll(
  model: Model,
  texts: readonly (readonly number[])[],
  signal: AbortSignal,
  top_n = 0,
  edits: readonly Edit[] = [],
): Promise<TokenScore[][]> {
  const [first] = texts;
  if (!first) return [];
  const sessions = new Sessions();
  try {
    const base = sessions.add(model.createSession({ seed: 0, edits }));
    if (texts.length === 1) return [await base.score(first, { top_n, signal })];
    const n = Math.min(...texts.map((ids) => commonLength(first, ids)));
    const head = await base.score(first.slice(0, n), { top_n, signal });
    const longest = Math.max(...texts.map((ids) => ids.length));
    const limit = continuationsInCache(model.info, n, longest - n);
    return await mapAll(
      texts,
      signal,
      async (ids, own) => {
        const fork = await sessions.fork(base);
        const rest = await fork.score(ids.slice(n), { top_n, signal: own });
        await sessions.free(fork);
        return [...head, ...rest];
      },
      limit,
    );
  } finally {
    await sessions.freeAll();
  }
}

/** The log-probability in nats of the tokens from an index on. */
export const logprobFrom = (scores: readonly TokenScore[], from: number): number =>
  scores.slice(from).reduce((total, { logprob }) => total + logprob, 0);
