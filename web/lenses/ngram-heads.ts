/** An exact in-context n-gram predictor, and how far the model's distribution is from it. */
import { textOf } from '../types/arguments.js';
import { randomNumbers } from '../types/random.js';
import { Sessions } from '../types/runs.js';
import type {
  Model,
  NgramHead,
  NgramOrder,
  NgramToken,
  ObservedAttention,
} from '../types/types.js';
import { logSum, mean, sum } from './figures.js';
import { withOptions } from './list.js';
import type { LensCall } from './list.js';
import { idsIn, tokensOf } from './texts.js';

const PART_LOGITS = 2 ** 22; // logits that are copied at a time

/** What followed the last tokens of a list. */
export interface NgramPrediction {
  /** How many of the last tokens matched; 0: none. */
  order: number;
  /** Each token that followed -> how often, in the order in which they first did. */
  counts: ReadonlyMap<number, number>;
}

/**
 * The predictions after ids[0 .. i] for each i, with back-off: the longest of the last 1 to
 * max_order tokens that occurred before, with a token behind them.
 * @example
 * const { order, counts } = ngramPredictions([5, 6, 7, 5, 6], 3).at(-1)!;
 * console.log(order, counts); // 2, 7 once
 */
export function ngramPredictions(ids: readonly number[], max_order: number): NgramPrediction[] {
  const followers = new Map<string, Map<number, number>>();
  const keyOf = (end: number, order: number) => ids.slice(end - order, end).join();
  return ids.map((token, i) => {
    for (let order = 1; order <= Math.min(max_order, i); order++) {
      const key = keyOf(i, order);
      const counts = followers.get(key) ?? new Map<number, number>();
      followers.set(key, counts.set(token, (counts.get(token) ?? 0) + 1));
    }
    for (let order = Math.min(max_order, i + 1); order > 0; order--) {
      const counts = followers.get(keyOf(i + 1, order));
      if (counts) return { order, counts: new Map(counts) };
    }
    return { order: 0, counts: new Map<number, number>() };
  });
}

/** What the prediction says of a token, beside the model's log-probabilities. */
export function compareNgram(
  { order, counts }: NgramPrediction,
  logprobOf: (token: number) => number,
  token: number,
): Omit<NgramToken, 'token' | 'text'> {
  const n_matches = [...counts.values()].reduce((total, count) => total + count, 0);
  const logprob = logprobOf(token);
  if (n_matches === 0) return { order, n_matches, ngram_p: 0, logprob, divergence: NaN };
  let [predicted, most, divergence] = [-1, 0, 0];
  for (const [follower, count] of counts) {
    const p = count / n_matches;
    divergence += p * (Math.log(p) - logprobOf(follower));
    if (count > most) [predicted, most] = [follower, count];
  }
  const ngram_p = (counts.get(token) ?? 0) / n_matches;
  return { order, n_matches, predicted, ngram_p, logprob, divergence };
}

/** The tokens by order. */
export function ngramOrders(tokens: readonly NgramToken[], max_order: number): NgramOrder[] {
  return Array.from({ length: max_order + 1 }, (_, order) => {
    const own = tokens.filter((token) => token.order === order);
    return {
      order,
      n: own.length,
      accuracy: mean(own.map(({ token, predicted }) => Number(token === predicted))),
      mean_logprob: mean(own.map(({ logprob }) => logprob)),
      mean_divergence: mean(own.map(({ divergence }) => divergence)),
    };
  });
}

/**
 * For each position the positions behind earlier places where the last `order` tokens are the same.
 */
export function matchSets(ids: readonly number[], order: number): number[][] {
  const behind = new Map<string, number[]>();
  return ids.map((_, i) => {
    if (i + 1 < order) return [];
    const key = ids.slice(i + 1 - order, i + 1).join();
    const set = behind.get(key) ?? [];
    behind.set(key, [...set, i + 1]);
    return set;
  });
}

/** The heads of an observation of all queries, by the weights that they give to matches. */
export function ngramHeadScores(
  ids: readonly number[],
  { values, shape, layers, heads }: ObservedAttention,
  max_order: number,
): NgramHead[] {
  const n = shape[3]!;
  const sets = Array.from({ length: max_order }, (_, i) => matchSets(ids, i + 1));
  const scores = layers.flatMap((layer, l) =>
    heads.map((head, h): NgramHead => {
      const start = (l * heads.length + h) * shape[2]! * n;
      const massOf = (set: readonly number[], query: number) =>
        sum(set.map((key) => values[start + query * n + key]!));
      const mass = sets.map((positions) =>
        mean(positions.flatMap((set, i) => (set.length > 0 ? massOf(set, i) : []))),
      );
      return { layer, head, mass };
    }),
  );
  return scores.sort((a, b) => b.mass[0]! - a.mass[0]!);
}

/** `start`, random tokens, and the same tokens again. Each random token adds bytes to a text. */
async function repeatedTokens(model: Model, start: number, n: number, seed: number) {
  const random = randomNumbers(seed);
  const tokens: number[] = [];
  while (tokens.length < n) {
    const token = random(model.info.n_vocab);
    if ((await model.tokenBytes(token)).length > 0) tokens.push(token);
  }
  return [start, ...tokens, ...tokens];
}

async function compare(
  model: Model,
  ids: readonly number[],
  max_order: number,
  signal: AbortSignal,
): Promise<NgramToken[]> {
  // the token that begins the text is no word of it
  const predictions = ngramPredictions(ids.slice(1), max_order);
  const sessions = new Sessions();
  const tokens: NgramToken[] = [];
  try {
    const session = sessions.add(model.createSession({ seed: 0 }));
    const n_part = Math.max(1, Math.floor(PART_LOGITS / model.info.n_vocab));
    for (let start = 0; start < ids.length - 1; start += n_part) {
      const part = ids.slice(start, Math.min(start + n_part, ids.length - 1));
      const { logits: seen } = await session.observe(part, { logits: 'all', signal });
      const { values, shape } = seen!;
      for (let i = 0; i < part.length; i++) {
        const logits = values.subarray(i * shape[1]!, (i + 1) * shape[1]!);
        const total = logSum(logits);
        const token = ids[start + i + 1]!;
        const prediction = predictions[start + i - 1] ?? { order: 0, counts: new Map() };
        const compared = compareNgram(prediction, (id) => logits[id]! - total, token);
        tokens.push({ token, text: await model.tokenText(token), ...compared });
      }
    }
    return tokens;
  } finally {
    await sessions.freeAll();
  }
}

export const ngramHeads: LensCall<'ngramHeads'> = (model, text, options) =>
  withOptions('ngramHeads', options, async ({ max_order, repeated, seed }, signal) => {
    const ids = idsIn(await tokensOf(model, textOf(text, 'the text'), signal));
    const tokens = await compare(model, ids, max_order, signal);
    const result = { tokens, orders: ngramOrders(tokens, max_order) };
    if (repeated === 0) return result;
    const random = await repeatedTokens(model, ids[0]!, repeated, seed);
    const { attention } = await model.observe(random, { attention: {}, signal });
    return { ...result, heads: ngramHeadScores(random, attention!, max_order) };
  });
