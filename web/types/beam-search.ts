/** Beam search: the most probable texts, with or without a condition. */
import type { CallOptions, TextOrIds } from './common.js';
import type { ChatMessage } from './completions.js';
import type { Constraint, GrammarSpec } from './grammar.js';
import type { SamplerOptions } from './sampling.js';

/** A text, the ids of its tokens, or a conversation for a model with a chat template. */
export type MethodPrompt = TextOrIds | readonly ChatMessage[];

/**
 * What a text must be. Lists of tokens contain no end token; texts end with the last whole
 * character. A method may return a promise. What a method throws becomes the cause of an
 * INVALID_ARGUMENT.
 */
export interface BeamCondition {
  /**
   * An estimate of the natural logarithm of the probability that a text with this beginning will
   * have the attribute: a number of at most 0. -Infinity: the text cannot have it any more.
   * @example
   * const calm = { prefix: (_: readonly number[], text: string) => (text.includes('!') ? -5 : 0) };
   * const condition = { ...calm, complete: () => true };
   * const { hypotheses } = await model.beamSearch('The cat', { condition, max_tokens: 6 });
   */
  prefix(tokens: readonly number[], text: string): number | Promise<number>;
  /**
   * Whether the finished text has the attribute.
   * @example
   * const short = { prefix: () => 0, complete: (tokens: readonly number[]) => tokens.length < 5 };
   * const { hypotheses } = await model.beamSearch('The cat', { condition: short, max_tokens: 6 });
   */
  complete(tokens: readonly number[], text: string): boolean | Promise<boolean>;
  /**
   * The tokens that may come next, as the bits of ConstraintState.allowed, so that the search
   * proposes no others; undefined: all tokens. No bit at all: the text is complete here. Optional.
   * @example
   * const bits = new Int32Array((model.info.n_vocab + 31) >> 5).fill(-1);
   * const any = { prefix: () => 0, complete: () => true, allowed: () => bits };
   * const { hypotheses } = await model.beamSearch('The cat', { condition: any, max_tokens: 6 });
   */
  allowed?(
    tokens: readonly number[],
    text: string,
  ): Int32Array | undefined | Promise<Int32Array | undefined>;
}

/** A text of exactly n tokens. */
export interface LengthCondition {
  /** A text of exactly n tokens. */
  type: 'length';
  /** Number of tokens without the end token. */
  n: number;
  /**
   * Whether the end token must follow, so that its probability counts. false: the text ends after
   * n tokens, whatever could follow. Default: true.
   */
  end?: boolean;
}

/** A text of at least one token. */
export interface NonEmptyCondition {
  /** A text of at least one token. */
  type: 'non_empty';
}

/** A text in which no n tokens in a row occur twice. */
export interface NoRepeatCondition {
  /** A text in which no n tokens in a row occur twice. */
  type: 'no_repeat';
  /** How many tokens in a row. Default: 3. */
  n?: number;
}

/** A text that has no m tokens in a row from the prompt. */
export interface NoCopyCondition {
  /** A text that has no m tokens in a row from the prompt. */
  type: 'no_copy';
  /** How many tokens in a row. Default: 4. */
  m?: number;
}

/** A text that contains a string. */
export interface ContainsCondition {
  /** A text that contains a string. */
  type: 'contains';
  /** The string. */
  text: string;
  /**
   * The estimate for a text without any part of the string so far: its probability to contain the
   * string in the end. A beginning of the string at the end of the text raises the estimate.
   * Default: 0.01.
   */
  probability?: number;
}

/** A text that follows a grammar. */
export interface GrammarCondition {
  /** A text that follows a grammar. */
  type: 'grammar';
  /** The grammar, or what Model.createGrammar compiles. */
  grammar: Constraint | GrammarSpec;
}

/** The conditions that this package has. */
export type BeamConditionSpec =
  | LengthCondition
  | NonEmptyCondition
  | NoRepeatCondition
  | NoCopyCondition
  | ContainsCondition
  | GrammarCondition;

/** A condition of this package or of your own. */
export type AnyBeamCondition = BeamConditionSpec | BeamCondition;

/** Options of Model.beamSearch. */
export interface BeamSearchOptions extends CallOptions {
  /** How many texts the search keeps at each length, 1 to 4096. Default: 5. */
  beams?: number;
  /**
   * Maximum number of tokens of a text, with its end token; at least 1. Default: what the condition
   * 'length' needs, else 32.
   */
  max_tokens?: number;
  /** How many next tokens each text proposes, 1 to 1048576. Default: 100. */
  top_k?: number;
  /** What the text must be; of a list, all conditions. Default: none. */
  condition?: AnyBeamCondition | readonly AnyBeamCondition[];
  /**
   * How much the logarithm of the condition's probability counts beside that of the text, 0 to
   * 1000000. 0: plain beam search, which only reports the condition. Default: 1.
   */
  weight?: number;
  /** Search without the condition, too, and report both. Default: false. */
  contrast?: boolean;
  /**
   * Find the most probable finished texts for certain, for tiny cases: a depth-first search. Of the
   * condition's estimates only -Infinity counts, because the condition is then an exact filter.
   * Default: false.
   */
  exact?: boolean;
  /**
   * How many distributions the exact search may ask the model for, 1 to 1000000000. More
   * are refused (INVALID_ARGUMENT). Default: 10000.
   */
  max_nodes?: number;
  /**
   * The sampler whose distribution is searched: log-probabilities are then those after the last
   * stage. Options `grammar` and `mirostat` are refused (OPTION_UNSUPPORTED). Default: none, which
   * is the model's distribution before any stage.
   */
  sampler?: SamplerOptions;
}

/** A text that a beam search found. */
export interface BeamHypothesis {
  /** Its tokens; the last one is an end token where the text ended with one. */
  tokens: number[];
  /** The text. */
  text: string;
  /** Log-probability of the tokens in nats. */
  logprob: number;
  /**
   * Log-probability of the condition in nats: of a finished text 0 (it has the attribute) or
   * -Infinity, else the estimate. 0 without a condition.
   */
  condition_logprob: number;
  /** What the search compares: logprob + weight * condition_logprob. */
  score: number;
  /** Whether the text ended by itself, and not because of max_tokens. */
  finished: boolean;
}

/** What a beam search found. */
export interface BeamSearchResult {
  /** The texts, best first; none when no text fits the condition. */
  hypotheses: BeamHypothesis[];
  /** With `contrast`, the texts of the same search without the condition; else undefined. */
  unconditional: BeamHypothesis[] | undefined;
  /** For how many beginnings the model's distribution was used. */
  n_distributions: number;
}
