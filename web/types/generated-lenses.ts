/**
 * Written by wasm/toolchain/generate.mjs from web/lenses/list.ts. Change the rows, not this file.
 * The calls of model.lens and their options.
 */

import type { CallOptions, TextOrIds } from './common.js';
import type { PawnResult } from './lenses/pawn.js';
export type * from './lenses/pawn.js';

/** Options of lens.pawn. */
export interface PawnLensOptions extends CallOptions {}

/** Measurements of a model and of texts. Each lens loads when it is called. */
export interface Lenses {
  /**
   * Five features of each token, as detectors of generated text use them, and figures of the whole
   * text that need no trained weights. Source: Pablo Miralles-González et al., Not all tokens are
   * created equal: Perplexity Attention Weighted Networks for AI generated text detection (2025).
   * The text runs once. Rejects with INVALID_ARGUMENT for a wrong option, and with the codes of
   * Session.score.
   * @example
   * const { tokens, summary } = await model.lens.pawn('The cat sat on the mat.');
   * console.log(summary.mean_logprob, summary.ratio);
   * for (const { text, logprob, top_p } of tokens) console.log(text, logprob, top_p);
   */
  pawn(text: TextOrIds, options?: PawnLensOptions): Promise<PawnResult>;
}
