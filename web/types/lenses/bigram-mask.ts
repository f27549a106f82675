/** Bigram subnetworks: a model with and without most of its weights. */
import type { Session, SessionOptions } from '../session.js';

/** What the lens bigramMask needs of a masked model: every Model has it. */
export interface Subnetwork {
  /**
   * A new session without tokens, as Model.createSession.
   * @example
   * const session = model.createSession();
   */
  createSession(options?: SessionOptions): Session;
  /**
   * Rows of the output matrix, as Model.outputRows.
   * @example
   * const rows = await model.outputRows([300, 301]);
   */
  outputRows(tokens: readonly number[]): Promise<Float32Array>;
}

/** Which weights of a matrix stay. */
export interface WeightMask {
  /** Number of rows and columns. */
  shape: readonly [number, number];
  /** A number for each weight, row after row: 0: the weight becomes 0; 1: the weight stays. */
  kept: Uint8Array;
}

/**
 * Masks by the name of the matrix. 'transformer.h.0.attn.c_attn.weight' and the like are the names
 * of the published masks, whose matrices have a row for each input; 'blk.0.attn_qkv.weight' and the
 * like are those of the file, whose matrices have a row for each output. Matrices without a mask
 * stay whole. 'empty': no weight of attention and feed-forward stays.
 */
export type WeightMasks = Readonly<Record<string, WeightMask>> | 'empty';

/** A token that can come next. */
export interface BigramCandidate {
  /** The token's id. */
  token: number;
  /** The token for display. */
  text: string;
  /** Probability before any stage; of a corpus, the share of its bigrams with this first token. */
  p: number;
}

/** How alike the residuals of a layer boundary are to what goes in and to what comes out. */
export interface BigramLayer {
  /** The boundary: 0 after the embeddings, n_layer before the last norm. */
  layer: number;
  /** Mean cosine with the same position's residual after the embeddings. */
  input: number;
  /** Mean cosine with the row of the output matrix for the next token of the text. */
  output: number;
}

/** What a model says about the next token. */
export interface BigramView {
  /** The most probable tokens, most probable first. */
  top: BigramCandidate[];
  /**
   * The mean Kullback-Leibler divergence in nats between the distribution after the text and those
   * after the text with its earlier tokens shuffled. 0: the earlier tokens do not matter.
   */
  context_effect: number;
  /** In how many of the shuffled texts the most probable token is the same, 0 to 1. */
  same_top: number;
  /** With `layers`: all boundaries, means over all positions of the text except the last. */
  layers?: BigramLayer[];
}

/** What the lens bigramMask gives. */
export interface BigramMaskResult {
  /** The last token of the text. */
  last: number;
  /** The whole model. */
  full: BigramView;
  /** The masked model; undefined without one. */
  subnetwork: BigramView | undefined;
  /** What followed the last token in the corpus, most frequent first; undefined without one. */
  corpus: BigramCandidate[] | undefined;
  /** How often the last token occurs before another one in the corpus; 0 without a corpus. */
  n_bigrams: number;
  /** Kullback-Leibler divergence in nats between the whole model and the masked one. */
  divergence: number | undefined;
}
