/** Embeddings by Token Prepending, and the tokens that a vector is closest to. */
import type { CallOptions, TextOrIds } from './common.js';
import type { ModelInfo } from './model.js';
import type { Pooling } from './score.js';

/** Between which layer boundaries Token Prepending copies, and where it reads the embedding. */
export interface PrependSettings {
  /** The first boundary at which the placeholder gets the last token's residual, 0 to n_layer. */
  start: number;
  /** The boundary at which that ends, start to n_layer; the same as start: no copies. */
  exit: number;
  /**
   * The boundary at which the last token's residual is the embedding, 0 to n_layer - 1, counted
   * from the end if negative: -2 is the input of the last layer, as in the paper.
   */
  output: number;
}

/** The settings of a model. */
export interface ModelPrependSettings extends PrependSettings {
  /** Whether they are the paper's. */
  published: boolean;
}

/** What prependSettings looks at. */
export type PrependModel = Pick<ModelInfo, 'architecture' | 'n_layer' | 'n_vocab'>;

/** Options of embedPrepended. */
export interface PrependOptions extends Partial<PrependSettings>, CallOptions {
  /**
   * The prompt around the text: it names `{placeholder}` and, after that, `{text}` once. Default:
   * `This sentence : {placeholder} "{text}" means in one word:"`.
   */
  template?: string;
  /** Which random vector the placeholder has, 1 to 4294967295. Default: 1. */
  seed?: number;
  /** Whether the vector is scaled to length 1. Default: true. */
  normalize?: boolean;
}

/** An embedding by Token Prepending. */
export interface PrependedEmbedding {
  /** n_embd floats. */
  vector: Float32Array;
  /** The prompt's tokens; that of the placeholder stands for its vector. */
  tokens: number[];
  /** The position of the placeholder. */
  placeholder: number;
  /** The settings that were used. */
  settings: PrependSettings;
}

/** Options of tokensOfVector. */
export interface VectorTokensOptions extends CallOptions {
  /** How many tokens to list, 1 to 1048576. Default: 10. */
  top_n?: number;
  /** How the hidden states of a text become one vector. Default: 'last'. */
  pooling?: Pooling;
}

/** A token and how well it fits a vector. */
export interface VectorToken {
  /** The token. */
  token: number;
  /** What the token adds to a text. */
  text: string;
  /** The product of the token's row of the output matrix and the vector: a logit without cap. */
  score: number;
}

/** A vector of n_embd floats, or a text whose hidden states are pooled. */
export type VectorSource = Float32Array | TextOrIds;
