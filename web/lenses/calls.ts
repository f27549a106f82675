/** The calls of model.lens: each lens loads when it is called. */
import { invalid } from '../types/arguments.js';
import { shown } from '../types/errors.js';
import { suggestion } from '../types/names.js';
import type { Lenses, Model } from '../types/types.js';
import type { LensCall } from './list.js';

const lenses: { [N in keyof Lenses]: () => Promise<LensCall<N>> } = {
  logitLens: async () => (await import('./logit-lens.js')).logitLens,
  adjacentCosine: async () => (await import('./adjacent-cosine.js')).adjacentCosine,
  attribute: async () => (await import('./attribute.js')).attribute,
  camaAbp: async () => (await import('./cama-abp.js')).camaAbp,
  verbatim: async () => (await import('./verbatim.js')).verbatim,
  theoryOfMind: async () => (await import('./theory-of-mind.js')).theoryOfMind,
  charBench: async () => (await import('./char-bench.js')).charBench,
  embers: async () => (await import('./embers.js')).embers,
  ngramHeads: async () => (await import('./ngram-heads.js')).ngramHeads,
  prefixDelta: async () => (await import('./prefix-delta.js')).prefixDelta,
  setOrder: async () => (await import('./set-order.js')).setOrder,
  multipleChoice: async () => (await import('./multiple-choice.js')).multipleChoice,
  captionWeights: async () => (await import('./caption-weights.js')).captionWeights,
  replaced: async () => (await import('./replaced.js')).replaced,
  functionTokens: async () => (await import('./function-tokens.js')).functionTokens,
  pawn: async () => (await import('./pawn.js')).pawn,
  clusters: async () => (await import('./clusters.js')).clusters,
  bigramMask: async () => (await import('./bigram-mask.js')).bigramMask,
};

/** Calls a lens by its name. Rejects with INVALID_ARGUMENT for a name that is not in the list. */
export async function callLens(model: Model, name: string, args: unknown[]): Promise<unknown> {
  if (!Object.hasOwn(lenses, name))
    throw invalid(`there is no lens ${shown(name)}${suggestion(name, Object.keys(lenses))}`);
  const lens = (await lenses[name as keyof Lenses]()) as (...all: unknown[]) => unknown;
  return lens(model, ...args);
}
