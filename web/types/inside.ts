/** Inside the model: what a run shows (observe), and what it changes (edits). */
import type { ActEdit, RecycledEdit, SpattenEdit } from './attention-edits.js';
import type { CallOptions, NumberList } from './common.js';

/** What a position sees of the positions before it; it always sees itself. */
export type Sees = 'causal' | 'self' | 'self_and_first' | 'last_sees_all';

/**
 * A change of how a session computes. Layer boundary 0 is the residual stream after the embeddings,
 * boundary l the input of layer l, boundary n_layer the output of the last layer before the last
 * norm. Positions are those of the session's tokens, from 0.
 */
export type Edit =
  | ResidualEdit
  | CopyResidualEdit
  | HeadEdit
  | FeedForwardEdit
  | VisibleEdit
  | HideEdit
  | KeepTopEdit
  | RecycledEdit
  | SpattenEdit
  | ActEdit;

/** Sets the residual of a position at a boundary, or adds to it. */
export interface ResidualEdit {
  /** Which edit. */
  type: 'residual';
  /** The boundary, 0 to n_layer. */
  layer: number;
  /** The position. */
  position: number;
  /** n_embd numbers. */
  values: Float32Array;
  /** Whether the values are added. Default: false, they take the residual's place. */
  add?: boolean;
}

/**
 * At each of these boundaries the residual of position `to` becomes that of position `from`. When
 * `from` comes after `to`, all tokens up to `from` must be there when `to` runs, and `from` may be
 * at most 127 positions after `to`.
 */
export interface CopyResidualEdit {
  /** Which edit. */
  type: 'copy_residual';
  /** Boundaries, 0 to n_layer. */
  layers: NumberList;
  /** The position whose residual is copied. */
  from: number;
  /** The position that gets it. */
  to: number;
}

/** Multiplies what heads give to attn_output; 0 turns them off. */
export interface HeadEdit {
  /** Which edit. */
  type: 'head';
  /** A layer with attention. */
  layer: number;
  /** Query heads. */
  heads: NumberList;
  /** The factor. */
  scale: number;
}

/** Multiplies what a layer's feed-forward network adds to the residual stream; 0 turns it off. */
export interface FeedForwardEdit {
  /** Which edit. */
  type: 'feed_forward';
  /** The layer. */
  layer: number;
  /** The factor. */
  scale: number;
}

/**
 * What each position sees in these layers:
 *
 * - 'causal': all positions before it, as without the edit
 * - 'self': only itself
 * - 'self_and_first': itself and position 0
 * - 'last_sees_all': the session's last token, at the time when it runs, sees all; the others see
 *   themselves and position 0
 * - a mask: n * n bytes, where byte i * n + j says whether position i sees position j; positions
 *   from n on see all
 *
 * Every position sees itself, and none sees later positions. A window of the layer counts besides.
 */
export interface VisibleEdit {
  /** Which edit. */
  type: 'visible';
  /** 'all' is refused (OPTION_UNSUPPORTED) where a layer has no attention. */
  layers: NumberList;
  /** The rule, or a mask. */
  sees: Sees | Uint8Array;
}

/** No later position sees these positions. */
export interface HideEdit {
  /** Which edit. */
  type: 'hide';
  /** Default: 'all', which is refused (OPTION_UNSUPPORTED) where a layer has no attention. */
  layers?: NumberList;
  /** The positions that are hidden. */
  positions: readonly number[];
}

/** Rows of attention keep their largest weights, divided by the sum of what is kept. */
export interface KeepTopEdit {
  /** Which edit. */
  type: 'keep_top';
  /** 'all': those with attention. */
  layers: NumberList;
  /** Default: 'all'. */
  heads?: NumberList;
  /** How many keys a row keeps by their weights; of equal weights, those of earlier positions. */
  keep: number;
  /** How many positions at the beginning it keeps besides. Default: 0. */
  first?: number;
  /** How many of the last positions, the row's own included, it keeps besides. Default: 0. */
  recent?: number;
}

/** Which residuals to report. */
export interface ResidualRequest {
  /** Boundaries, 0 to n_layer. Default: 'all'. */
  layers?: NumberList;
  /** Default: 'all'. */
  positions?: NumberList;
}

/** Which residuals to read as predictions: the logit lens. */
export interface LensRequest extends ResidualRequest {
  /** How many of the most probable tokens to list. Default: 5. */
  top_n?: number;
  /** Tokens whose log-probability and rank are wanted everywhere. Default: none. */
  targets?: readonly number[];
}

/** Which rows of attention to report. */
export interface AttentionRequest {
  /** Default: 'all' that have attention. */
  layers?: NumberList;
  /** Query heads. Default: 'all'. */
  heads?: NumberList;
  /** Positions of the queries. Default: 'all'. */
  queries?: NumberList;
}

/** Which outputs of heads to report. */
export interface HeadOutputRequest {
  /** Default: 'all' that have attention. */
  layers?: NumberList;
  /** Query heads. Default: 'all'. */
  heads?: NumberList;
  /** Default: 'all'. */
  positions?: NumberList;
}

/** Options of Session.observe. Every part is optional; 'all' positions are those of the text. */
export interface ObserveOptions extends CallOptions {
  /** The logits at these positions. */
  logits?: NumberList;
  /** The predictions that residuals would give if their layer were the last one. */
  lens?: LensRequest;
  /** The residual stream. */
  residuals?: ResidualRequest;
  /** Rows of attention after the softmax and after the session's edits. */
  attention?: AttentionRequest;
  /** The outputs of heads before attn_output, after the session's edits. */
  head_outputs?: HeadOutputRequest;
  /**
   * Bytes that the results may take; a request for more is refused (OUT_OF_MEMORY) before anything
   * runs. Default: 256 MiB.
   */
  max_bytes?: number;
}

/** Options of Model.observe. */
export interface ModelObserveOptions extends ObserveOptions {
  /** What the run changes. Default: nothing. */
  edits?: readonly Edit[];
}

/** Numbers in rows: the last dimension of the shape is the one whose numbers are neighbours. */
export interface Tensor {
  /** The numbers. */
  values: Float32Array;
  /** How many there are in each dimension. */
  shape: number[];
}

/** Logits: [position][token]. */
export interface ObservedLogits extends Tensor {
  /** The positions. */
  positions: number[];
}

/** Residuals: [layer][position][n_embd]. */
export interface ObservedResiduals extends Tensor {
  /** Boundaries. */
  layers: number[];
  /** The positions. */
  positions: number[];
}

/**
 * What the last norm and the output matrix make of the residual at each boundary and position, with
 * the architecture's scale and cap of logits (nostalgebraist 2020, the logit lens).
 */
export interface ObservedLens {
  /** Boundaries; n_layer gives the model's own distribution. */
  layers: number[];
  /** The positions. */
  positions: number[];
  /** The tokens asked for. */
  targets: number[];
  /** Entropies in nats: [layer][position]. */
  entropy: Tensor;
  /** The most probable tokens, most probable first: [layer][position][top_n]. */
  top: LensTop;
  /** What became of the targets: [layer][position][target]. */
  target: LensTargets;
}

/** The most probable tokens at each boundary and position. */
export interface LensTop {
  /** Token ids. */
  tokens: Int32Array;
  /** Log-probabilities in nats. */
  logprobs: Float32Array;
  /** How many there are in each dimension. */
  shape: number[];
}

/** The targets at each boundary and position. */
export interface LensTargets {
  /** Log-probabilities in nats. */
  logprobs: Float32Array;
  /** How many tokens are more probable. */
  ranks: Int32Array;
  /** How many there are in each dimension. */
  shape: number[];
}

/** Weights of attention: [layer][head][query][key]. A row's weights sum to 1. */
export interface ObservedAttention extends Tensor {
  /** The layers. */
  layers: number[];
  /** The query heads. */
  heads: number[];
  /** Positions. */
  queries: number[];
}

/** Outputs of heads: [layer][head][position][head_dim]. */
export interface ObservedHeadOutputs extends Tensor {
  /** The layers. */
  layers: number[];
  /** The query heads. */
  heads: number[];
  /** The positions. */
  positions: number[];
}

/** What observe() found: the parts that were asked for. All lists are in ascending order. */
export interface Observation {
  /** The tokens of the text. */
  tokens: number[];
  /** The position of the first of them in the session. */
  first: number;
  /** Logits. */
  logits?: ObservedLogits;
  /** The logit lens. */
  lens?: ObservedLens;
  /** The residual stream. */
  residuals?: ObservedResiduals;
  /** Rows of attention. */
  attention?: ObservedAttention;
  /** Outputs of heads. */
  head_outputs?: ObservedHeadOutputs;
}
