/** Speculation: tokens that are proposed ahead and run in one batch. It changes no result. */
import type { RecyclingTreeName } from './generated.js';

/** What speculation needs to know of a second model. */
export interface DraftModelInfo {
  /** Tokens that one session can hold. */
  readonly n_ctx: number;
  /** Tokens of the vocabulary. */
  readonly n_vocab: number;
}

/** A Model that proposes tokens. Another object is refused (INVALID_ARGUMENT). */
export interface DraftModel {
  /** Facts about the model. */
  readonly info: DraftModelInfo;
}

/** Token Recycling with one of its trees (Luo et al. 2024). */
export interface RecyclingSpeculation {
  /** 'cpu': 11 tokens; 'paper': 80 tokens in the paper's shape, for processors with many units. */
  recycling: RecyclingTreeName;
}

/** A second model proposes tokens (Leviathan, Kalman and Matias 2023). */
export interface DraftModelSpeculation {
  /** A smaller model with the same vocabulary. */
  draft: DraftModel;
  /** Most tokens that the second model proposes at a time, 1 to 16. Default: 8. */
  max_tokens?: number;
}

/**
 * How generate() proposes tokens ahead. Tokens and traces are the same with every setting; only the
 * time differs.
 *
 * - 'ngram': what followed the last tokens earlier in the session.
 * - 'recycling': what the model thought likely after the same tokens, with the tree 'cpu'.
 * - { recycling: tree }, { draft: model }: see there.
 * - 'auto': 'ngram', which stops where it does not pay.
 * - false: nothing, also with a grammar.
 */
export type Speculate =
  'ngram' | 'recycling' | 'auto' | RecyclingSpeculation | DraftModelSpeculation | false;

/** Who proposed a token. */
export type DraftSource = 'grammar' | 'ngram' | 'recycling' | 'draft';

/** What speculation did for one step. The sums over a generation tell what it gained. */
export interface StepDraft {
  /**
   * 'grammar': the grammar allows only one text here. 'ngram', 'recycling' and 'draft' as in
   * Speculate.
   */
  source: DraftSource;
  /** Tokens that ran in the batch of this step beside the session's last token. */
  proposed: number;
  /** 1: this step needed no batch, because the token before it was among the proposed ones. */
  accepted: 0 | 1;
}
