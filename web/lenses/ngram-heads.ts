/** An exact in-context n-gram predictor, and how far the model's distribution is from it. */
import { textOf } from '../types/arguments.js';
import { Sessions } from '../types/runs.js';
import type { Model, NgramOrder, NgramToken } from '../types/types.js';
import { logSum, mean } from './figures.js';
import { withOptions } from './list.js';
import type { LensCall } from './list.js';
import { idsIn, tokensOf } from './texts.js';

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
    for (const [i, token] of ids.entries()) {
      if (i > 0) {
        const logits = await session.logits({ signal });
        const total = logSum(Array.from(logits));
        const prediction = predictions[i - 2] ?? { order: 0, counts: new Map() };
        const compared = compareNgram(prediction, (id) => logits[id]! - total, token);
        tokens.push({ token, text: await model.tokenText(token), ...compared });
      }
      await session.append(token);
    }
    return tokens;
  } finally {
    await sessions.freeAll();
  }
}

export const ngramHeads: LensCall<'ngramHeads'> = (model, text, options) =>
  withOptions('ngramHeads', options, async ({ max_order }, signal) => {
    const ids = idsIn(await tokensOf(model, textOf(text, 'the text'), signal));
    const tokens = await compare(model, ids, max_order, signal);
    return { tokens, orders: ngramOrders(tokens, max_order) };
  });
