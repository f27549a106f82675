/** The cosine between the vectors of neighbouring positions, by layer. */
import { idsOf } from '../types/arguments.js';
import type { AdjacentCosineLayer, NumberList, ObservedResiduals } from '../types/types.js';
import { mean } from './figures.js';
import { withOptions } from './list.js';
import type { LensCall } from './list.js';
import { idsIn, tokensOf } from './texts.js';

export function cosine(a: ArrayLike<number>, b: ArrayLike<number>): number {
  let [ab, aa, bb] = [0, 0, 0];
  for (let i = 0; i < a.length; i++) {
    ab += a[i]! * b[i]!;
    aa += a[i]! * a[i]!;
    bb += b[i]! * b[i]!;
  }
  return ab / Math.sqrt(aa * bb);
}

/**
 * The cosines of neighbouring positions from observed residuals at all positions.
 * @example
 * const { residuals } = await model.observe('The cat sat', { residuals: { layers: [6] } });
 * if (residuals) console.log(adjacentLayers(residuals)[0]?.cosines);
 */
export function adjacentLayers(residuals: ObservedResiduals): AdjacentCosineLayer[] {
  const { values, shape, layers, positions } = residuals;
  const width = shape[2]!;
  const vector = (layer: number, position: number) => {
    const start = (layer * positions.length + position) * width;
    return values.subarray(start, start + width);
  };
  return layers.map((layer, l) => {
    const cosines = positions.slice(1).map((_, i) => cosine(vector(l, i), vector(l, i + 1)));
    const later = cosines.slice(1);
    const steps = later.slice(1).map((value, i) => Math.abs(value - later[i]!));
    return { layer, cosines, mean: mean(later), roughness: mean(steps) };
  });
}

export const adjacentCosine: LensCall<'adjacentCosine'> = (model, text, options) =>
  withOptions('adjacentCosine', options, async ({ layers }, signal) => {
    const ids =
      typeof text === 'string'
        ? idsIn(await tokensOf(model, text, signal))
        : [...idsOf(text, 'the text')];
    const boundaries = (layers ?? 'all') as NumberList;
    const seen = await model.observe(ids, { residuals: { layers: boundaries }, signal });
    const texts = await model.tokenTexts();
    return {
      tokens: ids.map((id) => texts[id]!),
      layers: adjacentLayers(seen.residuals!),
    };
  });
