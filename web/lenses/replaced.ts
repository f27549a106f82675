/** Tokens that look replaced: improbable ones with a high rank, and how well that finds them. */
import { invalid, textOf } from '../types/arguments.js';
import { randomNumbers } from '../types/random.js';
import type { Model, ReplacedResult, TokenScore } from '../types/types.js';
import { mean, rocArea } from './figures.js';
import { withOptions } from './list.js';
import type { LensCall, LensValues } from './list.js';
import { idsIn, tokensOf } from './texts.js';

/** Replaces a share of the tokens behind the first two: the index of each -> its old id. */
async function replaceTokens(
  model: Model,
  ids: number[],
  { share, by, seed }: LensValues<'replaced'>,
): Promise<Map<number, number>> {
  const originals = new Map<number, number>();
  const places = ids.map((_, i) => i).slice(2); // the first word has nothing before it
  const n = Math.min(places.length, Math.max(1, Math.round(share * places.length)));
  if (new Set(ids.slice(1)).size < 2) throw invalid('the text needs two different tokens');
  const random = randomNumbers(seed);
  const old = [...ids];
  while (originals.size < n) {
    const [place] = places.splice(random(places.length), 1);
    let token: number;
    do {
      token = by === 'text' ? old[1 + random(old.length - 1)]! : random(model.info.n_vocab);
    } while (token === old[place!] || (await model.tokenBytes(token)).length === 0);
    ids[place!] = token;
    originals.set(place!, old[place!]!);
  }
  return originals;
}

/** What the scores say about replacements. originals: the index in the scores -> the old token. */
export function replacedOf(
  scores: readonly TokenScore[],
  max_p: number,
  min_rank: number,
  originals?: ReadonlyMap<number, number>,
): ReplacedResult {
  const tokens = scores.map(({ token, text, logprob, rank }, i) => ({
    token,
    text,
    logprob,
    rank,
    flagged: Math.exp(logprob) < max_p && rank >= min_rank,
    ...(originals?.has(i) && { original: originals.get(i)! }),
  }));
  const n_flagged = tokens.filter(({ flagged }) => flagged).length;
  if (!originals) return { tokens, n_flagged };
  const area = (figure: (score: TokenScore) => number) =>
    rocArea(
      scores.map(figure),
      scores.map((_, i) => originals.has(i)),
    );
  const flagged = tokens.filter((token) => token.flagged);
  return {
    tokens,
    n_flagged,
    auc: {
      logprob: area(({ logprob }) => -logprob),
      rank: area(({ rank }) => rank),
      surprise: area(({ logprob, entropy }) => -logprob - entropy),
    },
    precision: mean(flagged.map(({ original }) => Number(original !== undefined))),
    recall: mean([...originals.keys()].map((i) => Number(tokens[i]!.flagged))),
  };
}

export const replaced: LensCall<'replaced'> = (model, text, options) =>
  withOptions('replaced', options, async (read, signal) => {
    const ids = idsIn(await tokensOf(model, textOf(text, 'the text'), signal));
    const originals = read.share > 0 ? await replaceTokens(model, ids, read) : undefined;
    const scores = await model.score(ids, { signal });
    const behind = originals && new Map([...originals].map(([i, token]) => [i - 1, token]));
    return replacedOf(scores.slice(1), read.max_p, read.min_rank, behind);
  });
