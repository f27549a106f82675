/**
 * The tokens that a vector is closest to in the model's own vocabulary: what an embedding is about,
 * as Text2Token reads it.
 */
import { arrayType, invalid, readOptions, wholeNumber } from '../types/arguments.js';
import { throwIfAborted } from '../types/errors.js';
import { untilAborted, withSignal } from '../types/signals.js';
import type {
  Model,
  TextOrIds,
  VectorSource,
  VectorToken,
  VectorTokensOptions,
} from '../types/types.js';

const PORTION = 4096; // rows of the output matrix at a time

/** A score and the token that has it. */
interface Scored {
  token: number;
  score: number;
}

/** The n best of all scores, best first; of equal ones the lower token. */
export function bestScores(best: readonly Scored[], more: readonly Scored[], n: number): Scored[] {
  const least = best.length < n ? -Infinity : best[best.length - 1]!.score;
  return [...best, ...more.filter(({ score }) => score > least)]
    .sort((a, b) => b.score - a.score || a.token - b.token)
    .slice(0, n);
}

/** The products of rows of n_embd floats and a vector. first: the token of the first row. */
export function scoresOf(rows: Float32Array, vector: Float32Array, first: number): Scored[] {
  const n = vector.length;
  return Array.from({ length: rows.length / n }, (_, i) => {
    let score = 0;
    for (let d = 0; d < n; d++) score += rows[i * n + d]! * vector[d]!;
    return { token: first + i, score };
  });
}

/**
 * The tokens whose rows of the output matrix have the largest products with a vector: an embedding
 * of n_embd floats, or a text's pooled hidden states after the last norm. Costs, besides the text's
 * run, one pass over the output matrix in JavaScript. Rejects with INVALID_ARGUMENT.
 * @example
 * const tokens = await tokensOfVector(model, 'The dog barks.', { top_n: 1 });
 */
export async function tokensOfVector(
  model: Model,
  source: VectorSource,
  options?: VectorTokensOptions,
): Promise<VectorToken[]> {
  const read = readOptions(options, ['top_n', 'pooling', 'signal'], 'tokensOfVector');
  return withSignal(read.signal, async (signal) => {
    const { n_embd, n_vocab } = model.info;
    const top_n = wholeNumber(read.top_n ?? 10, 'top_n', 1, 2 ** 20);
    const pooling = read.pooling ?? 'last';
    const vector =
      arrayType(source) === 'Float32Array'
        ? new Float32Array(source as Float32Array)
        : await model.embed(source as TextOrIds, { pooling, normalize: false, signal });
    if (vector.length !== n_embd)
      throw invalid(`the vector has ${vector.length} numbers; the model's have ${n_embd}`);
    let best: Scored[] = [];
    for (let first = 0; first < n_vocab; first += PORTION) {
      const length = Math.min(PORTION, n_vocab - first);
      const tokens = Array.from({ length }, (_, i) => first + i);
      const rows = await untilAborted(model.outputRows(tokens), [signal]);
      best = bestScores(best, scoresOf(rows, vector, first), top_n);
      throwIfAborted(signal);
    }
    return Promise.all(
      best.map(async ({ token, score }) => ({ token, text: await model.tokenText(token), score })),
    );
  });
}
