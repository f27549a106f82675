/** Weights that fall with the probability that a caption's token has without the image. */
import { textOf } from '../types/arguments.js';
import type { CaptionToken, TokenScore } from '../types/types.js';
import { mean } from './figures.js';
import { withOptions } from './list.js';
import type { LensCall } from './list.js';
import { continuationOf } from './texts.js';

/** The weights of tokens with these scores. */
export function captionTokens(scores: readonly TokenScore[], exponent: number): CaptionToken[] {
  const raw = scores.map(({ logprob }) => Math.pow(1 - Math.exp(logprob), exponent));
  const scale = mean(raw);
  return scores.map(({ token, text, logprob }, i) => ({
    token,
    text,
    p: Math.exp(logprob),
    weight: raw[i]! / scale,
  }));
}

export const captionWeights: LensCall<'captionWeights'> = (model, caption, options) =>
  withOptions('captionWeights', options, async ({ exponent, before }, signal) => {
    const prompt = textOf(before ?? '', 'before');
    const text = textOf(caption, 'the caption');
    const { ids, from } = await continuationOf(model, prompt, text, signal);
    const scores = await model.score(ids, { signal });
    return { tokens: captionTokens(scores.slice(from), exponent) };
  });
