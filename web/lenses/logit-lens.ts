/** What each layer would predict if it were the last one. */
import { idsOf } from '../types/arguments.js';
import type {
  LogitLensCell,
  LogitLensLayer,
  LogitLensPosition,
  LogitLensResult,
  NumberList,
  ObservedLens,
} from '../types/types.js';
import { mean } from './figures.js';
import { withOptions } from './list.js';
import type { LensCall } from './list.js';
import { idsIn, tokensOf } from './texts.js';

/** The cell of a boundary and a position of an observed lens. next: the token that follows. */
function cellOf(
  lens: ObservedLens,
  layer: number,
  position: number,
  next: number | undefined,
  textOf: (token: number) => string,
): LogitLensCell {
  const { top, target, entropy, positions, targets } = lens;
  const cell = layer * positions.length + position;
  const n_top = top.shape[2]!;
  const tokens = [...top.tokens.subarray(cell * n_top, (cell + 1) * n_top)];
  const at = next === undefined ? -1 : cell * targets.length + targets.indexOf(next);
  return {
    entropy: entropy.values[cell]!,
    top: tokens.map((token, i) => ({
      token,
      text: textOf(token),
      logprob: top.logprobs[cell * n_top + i]!,
    })),
    next_logprob: at < 0 ? NaN : target.logprobs[at]!,
    next_rank: at < 0 ? NaN : target.ranks[at]!,
  };
}

/** The first layer from which on all say the same as the last one. */
export function settledAt(layers: readonly number[], predicted: readonly number[]): number {
  let first = predicted.length - 1;
  while (first > 0 && predicted[first - 1] === predicted.at(-1)) first--;
  return layers[first]!;
}

/**
 * The figures of the logit lens from an observation at all positions whose targets have all tokens
 * of the text. textOf: a token for display.
 * @example
 * const ids = await model.tokenize('The cat sat');
 * const seen = await model.observe(ids, { lens: { targets: [...new Set(ids)] } });
 * const names = await model.tokenTexts();
 * if (seen.lens) console.log(logitLensOf(ids, seen.lens, (token) => names[token] ?? '').layers);
 */
export function logitLensOf(
  ids: readonly number[],
  lens: ObservedLens,
  textOf: (token: number) => string,
): LogitLensResult {
  const positions = ids.map((token, i): LogitLensPosition => {
    const cells = lens.layers.map((_, l) => cellOf(lens, l, i, ids[i + 1], textOf));
    const predicted = cells.map(({ top }) => top[0]!.token);
    return { token, text: textOf(token), cells, settled: settledAt(lens.layers, predicted) };
  });
  const scored = positions.slice(0, -1);
  const layers = lens.layers.map((layer, l): LogitLensLayer => {
    const cells = scored.map((position) => position.cells[l]!);
    const last = scored.map((position) => position.cells.at(-1)!);
    return {
      layer,
      loss: -mean(cells.map(({ next_logprob }) => next_logprob)),
      agreement: mean(cells.map(({ top }, i) => Number(top[0]!.token === last[i]!.top[0]!.token))),
      mean_entropy: mean(cells.map(({ entropy }) => entropy)),
    };
  });
  return { positions, layers };
}

export const logitLens: LensCall<'logitLens'> = (model, text, options) =>
  withOptions('logitLens', options, async ({ top_n, layers }, signal) => {
    const ids =
      typeof text === 'string'
        ? idsIn(await tokensOf(model, text, signal))
        : [...idsOf(text, 'the text')];
    const boundaries = (layers ?? 'all') as NumberList;
    const targets = [...new Set(ids)];
    const lens = { layers: boundaries, top_n: Math.min(top_n, model.info.n_vocab), targets };
    const seen = await model.observe(ids, { lens, signal });
    const texts = await model.tokenTexts();
    return logitLensOf(ids, seen.lens!, (token) => texts[token]!);
  });
