/**
 * Written by wasm/toolchain/generate.mjs from web/lenses/list.ts. Change the rows, not this file.
 * The calls of model.lens and their options.
 */

import type { CallOptions, TextOrIds } from './common.js';
import type { CaptionWeightsResult } from './lenses/caption-weights.js';
import type { FunctionTokensResult } from './lenses/function-tokens.js';
import type { MultipleChoiceQuestion, MultipleChoiceResult } from './lenses/multiple-choice.js';
import type { PawnResult } from './lenses/pawn.js';
import type { PrefixDeltaResult } from './lenses/prefix-delta.js';
import type { ReplacedResult } from './lenses/replaced.js';
import type { SetOrderResult } from './lenses/set-order.js';
export type * from './lenses/caption-weights.js';
export type * from './lenses/function-tokens.js';
export type * from './lenses/multiple-choice.js';
export type * from './lenses/pawn.js';
export type * from './lenses/prefix-delta.js';
export type * from './lenses/replaced.js';
export type * from './lenses/set-order.js';

/** Options of lens.prefixDelta. */
export interface PrefixDeltaLensOptions extends CallOptions {
  /** The text before; this option is required. */
  prefix?: string;
}

/** Options of lens.setOrder. */
export interface SetOrderLensOptions extends CallOptions {
  /** The text before the items; default: ''. */
  before?: string;
  /** The text between two items; default: ', '. */
  separator?: string;
  /** The text after the items; default: ''. */
  after?: string;
  /** A text whose log-probability after each order is measured. */
  target?: string;
}

/** Options of lens.multipleChoice. */
export interface MultipleChoiceLensOptions extends CallOptions {
  /**
   * What an option's log-probability is divided by: nothing, its tokens or its bytes. Default:
   * 'none'.
   */
  normalize?: 'none' | 'tokens' | 'bytes';
  /** A text whose loss is measured, too. */
  text?: string;
}

/** Options of lens.captionWeights. */
export interface CaptionWeightsLensOptions extends CallOptions {
  /** How steeply the weight (1 - p)^exponent falls, 0 to 100. Default: 1. */
  exponent?: number;
  /** The text before the caption; default: ''. */
  before?: string;
}

/** Options of lens.replaced. */
export interface ReplacedLensOptions extends CallOptions {
  /** A flagged token has a probability below this, 0 to 1. Default: 0.001. */
  max_p?: number;
  /**
   * At least this many tokens are more probable than it, a whole number of 0 to 1048576. Default:
   * 50.
   */
  min_rank?: number;
  /** How many of the tokens the lens replaces before it looks, 0 to 1. Default: 0. */
  share?: number;
  /**
   * Where replacements come from: other places of the text, or the whole vocabulary. Default:
   * 'text'.
   */
  by?: 'text' | 'vocabulary';
  /** The seed of the replacements, a whole number of 0 to 2147483647. Default: 0. */
  seed?: number;
}

/** Options of lens.functionTokens. */
export interface FunctionTokensLensOptions extends CallOptions {
  /**
   * What makes a function token: a list of words and all marks, or frequency in the text. Default:
   * 'list'.
   */
  by?: 'list' | 'frequency';
  /** By frequency: the share of the text that they make up, 0 to 1. Default: 0.4. */
  coverage?: number;
  /** By list: the words; default: a list for English. */
  words?: readonly string[];
}

/** Options of lens.pawn. */
export interface PawnLensOptions extends CallOptions {}

/** Measurements of a model and of texts. Each lens loads when it is called. */
export interface Lenses {
  /**
   * The log-probability of each token of a text alone and after a prefix, such as an address, a
   * date or a style. Source: Rei Higuchi et al., When Does Metadata Conditioning (NOT) Work for
   * Language Model Pre-Training? A Study with Context-Free Grammars (2025); reconstructed in part.
   * The text runs twice, the prefix once. Rejects with INVALID_ARGUMENT for a wrong option, and
   * with the codes of Session.score.
   * @example
   * const prefix = 'A story about a bear. ';
   * const { delta, tokens } = await model.lens.prefixDelta('The bear slept.', { prefix });
   * console.log(delta, tokens.map(({ text, delta }) => [text, delta]));
   */
  prefixDelta(text: string, options?: PrefixDeltaLensOptions): Promise<PrefixDeltaResult>;
  /**
   * The log-probability of a set of items in each order, and of a target after each. Source: Oriol
   * Vinyals et al., Order Matters: Sequence to sequence for sets (2015); reconstructed in part. One
   * run for each order: 2 for two items, 720 for six, at the same time. Rejects with
   * INVALID_ARGUMENT for a wrong option, and with the codes of Session.score.
   * @example
   * const before = 'In the box there were ';
   * const sets = await model.lens.setOrder(['a cat', 'a dog', 'a bear'], { before, after: '.' });
   * console.log(sets.spread, sets.orders[0]?.text);
   */
  setOrder(items: readonly string[], options?: SetOrderLensOptions): Promise<SetOrderResult>;
  /**
   * Which option of each question the model finds most probable, and, with a text, the loss on this
   * text beside the error. Source: Samir Yitzhak Gadre et al., Language models scale reliably with
   * over-training and on downstream tasks (2024); reconstructed in part. Each prompt runs once,
   * each of its options after it. Rejects with INVALID_ARGUMENT for a wrong option, and with the
   * codes of Session.score.
   * @example
   * const prompt = 'The bird flew up into the';
   * const questions = [{ prompt, options: [' sky', ' spoon'], answer: 0 }];
   * const { accuracy, pair } = await model.lens.multipleChoice(questions, { text: 'A bird sang.' });
   * console.log(accuracy, pair?.bits_per_byte);
   */
  multipleChoice(
    questions: readonly MultipleChoiceQuestion[],
    options?: MultipleChoiceLensOptions,
  ): Promise<MultipleChoiceResult>;
  /**
   * The probability of each token of a caption for a model that does not see the image, and a
   * weight that falls with this probability. Source: Yangyi Chen et al., Prioritizing Image-Related
   * Tokens Enhances Vision-Language Pre-Training (2025); reconstructed in part. The caption runs
   * once. Rejects with INVALID_ARGUMENT for a wrong option, and with the codes of Session.score.
   * @example
   * const { tokens } = await model.lens.captionWeights('A red bird sits on a tree.');
   * for (const { text, p, weight } of tokens) console.log(text, p, weight);
   */
  captionWeights(
    caption: string,
    options?: CaptionWeightsLensOptions,
  ): Promise<CaptionWeightsResult>;
  /**
   * Which tokens look replaced: improbable ones with a high rank; with share, how well this finds
   * tokens that the lens replaced itself. Source: Kevin Clark et al., ELECTRA: Pre-training Text
   * Encoders as Discriminators Rather Than Generators (2020); reconstructed in part. The text runs
   * once. Rejects with INVALID_ARGUMENT for a wrong option, and with the codes of Session.score.
   * @example
   * const text = 'The old man opened the door and went into the garden.';
   * const { tokens, auc } = await model.lens.replaced(text, { share: 0.2, seed: 1 });
   * for (const { text, flagged } of tokens) if (flagged) console.log(text);
   * console.log(auc?.surprise);
   */
  replaced(text: string, options?: ReplacedLensOptions): Promise<ReplacedResult>;
  /**
   * The loss on function tokens (articles, prepositions, marks) and content tokens, by the kind of
   * the token before. Source: Shaohua Zhang et al., Memory Retrieval and Consolidation in Large
   * Language Models through Function Tokens (2025); reconstructed in part. The text runs once.
   * Rejects with INVALID_ARGUMENT for a wrong option, and with the codes of Session.score.
   * @example
   * const { classes } = await model.lens.functionTokens('The cat sat on the mat.');
   * for (const { previous, current, mean_loss, loss_share } of classes)
   *   console.log(previous, current, mean_loss, loss_share);
   */
  functionTokens(text: string, options?: FunctionTokensLensOptions): Promise<FunctionTokensResult>;
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
