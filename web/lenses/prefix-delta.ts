/** What a prefix, such as an address or a style, changes for each token of a text. */
import { textOf } from '../types/arguments.js';
import type { PrefixDeltaResult, PrefixDeltaToken, TokenScore } from '../types/types.js';
import { sum } from './figures.js';
import { withOptions } from './list.js';
import type { LensCall } from './list.js';
import { idsIn, scoreAll, tokensOf } from './texts.js';

/** The differences between the scores of the same tokens. */
export function deltasOf(
  alone: readonly TokenScore[],
  after: readonly TokenScore[],
): PrefixDeltaResult {
  const tokens = alone.map(({ token, text, logprob }, i): PrefixDeltaToken => {
    const logprob_after = after[i]!.logprob;
    return { token, text, logprob_alone: logprob, logprob_after, delta: logprob_after - logprob };
  });
  return {
    tokens,
    logprob_alone: sum(tokens.map(({ logprob_alone }) => logprob_alone)),
    logprob_after: sum(tokens.map(({ logprob_after }) => logprob_after)),
    delta: sum(tokens.map(({ delta }) => delta)),
  };
}

export const prefixDelta: LensCall<'prefixDelta'> = (model, text, options) =>
  withOptions('prefixDelta', options, async ({ prefix }, signal) => {
    const before = textOf(prefix, 'prefix');
    const [start, ...own] = idsIn(await tokensOf(model, textOf(text, 'the text'), signal));
    const head = idsIn(await tokensOf(model, before, signal));
    const texts = [
      [start!, ...own],
      [...head, ...own],
    ];
    const [alone, after] = await scoreAll(model, texts, signal);
    return deltasOf(alone!.slice(1), after!.slice(head.length));
  });
