/**
 * Decoding methods of papers: what the list of methods says about each method, and the options and
 * traces of generate()'s methods.
 */

/** The paper that describes a method. */
export interface MethodSource {
  /** The title of the paper. */
  title: string;
  /** The authors, separated by commas. */
  authors: string;
  /** The year of publication. */
  year: number;
  /** The number of the paper on this project's list of papers; undefined for a paper outside it. */
  paper?: number;
}

/** An option of a method that is a number. */
export interface NumberOptionInfo {
  /** The kind of the value. */
  type: 'number';
  /** The name. */
  name: string;
  /** The value when the option is not given. */
  default: number;
  /** The smallest value. */
  min: number;
  /** The largest value. */
  max: number;
  /** Whether the value must be a whole number. */
  whole: boolean;
  /** What the option does, with its unit. */
  meaning: string;
}

/** An option of a method that is one of a few names. */
export interface ChoiceOptionInfo {
  /** The kind of the value. */
  type: 'choice';
  /** The name. */
  name: string;
  /** The value when the option is not given. */
  default: string;
  /** All values. */
  values: readonly string[];
  /** What the option does. */
  meaning: string;
}

/** An option of a method that is true or false. */
export interface FlagOptionInfo {
  /** The kind of the value. */
  type: 'flag';
  /** The name. */
  name: string;
  /** The value when the option is not given. */
  default: boolean;
  /** What the option does. */
  meaning: string;
}

/** An option of a method that is a list, an object or a function: the method itself checks it. */
export interface OtherOptionInfo {
  /** The kind of the value. */
  type: 'other';
  /** The name. */
  name: string;
  /** What the option does and what it is when it is not given. */
  meaning: string;
}

/** An option of a method. */
export type MethodOptionInfo =
  NumberOptionInfo | ChoiceOptionInfo | FlagOptionInfo | OtherOptionInfo;

/**
 * How a method is called: as `method` or as `speculate` of Session.generate, by a call of Model, as
 * one of a session's edits, or by a function of `tokenglass/methods`.
 */
export type MethodKind = 'generate' | 'speculate' | 'model' | 'edit' | 'function';

/** A decoding method. */
export interface MethodInfo {
  /** The name. */
  name: string;
  /** The name for people. */
  title: string;
  /** How the method is called. */
  kind: MethodKind;
  /** The call in JavaScript. */
  call: string;
  /** Its own options. Options of every generation, such as max_tokens, are not listed. */
  options: readonly MethodOptionInfo[];
  /** The paper. */
  source: MethodSource;
  /** Whether details that the paper's abstract leaves open are this project's own choice. */
  reconstructed: boolean;
  /** The file of the method, relative to web/methods/. */
  file: string;
}

/**
 * Cautious Next Token Prediction (Wang et al. 2025): where the model is not certain, several trials
 * run up to the next punctuation mark, and the trial with the lowest perplexity goes on. Trials
 * always draw, also in a greedy generation: with temperature 0 they use temperature 1.
 */
export interface CntpOptions {
  /** The method. */
  name: 'cntp';
  /**
   * How entropy gives the number of trials. With share = (entropy - h_min) / (h_max - h_min),
   * 'code' is floor(n_min + (n_max - n_min) * share), with a share of 0 to 1; 'paper' is
   * floor(share * n_max), limited to n_min to n_max. Default: 'code'.
   */
  formula?: 'code' | 'paper';
  /** The entropy in nats up to which there are n_min trials, 0 to 1000000. Default: 0.01. */
  h_min?: number;
  /**
   * The entropy in nats from which there are n_max trials, 0 to 1000000; above h_min. Default: 1.5.
   */
  h_max?: number;
  /** Maximum number of trials, 1 to 64. Default: 10. */
  n_max?: number;
  /** Minimum number of trials, 1 to 64; at most n_max. Default: 1. */
  n_min?: number;
  /**
   * What ends a trial: 'text' is a token whose text, without spaces, is one of . , ? ! : ; ) ] } or
   * a line end; 'id' is the first token of such a mark, as in the paper's code. Default: 'text'.
   */
  match?: 'text' | 'id';
  /**
   * The probabilities for the perplexity: 'processed' after the last stage, 'raw' before any stage.
   * Default: 'processed'.
   */
  score?: 'processed' | 'raw';
  /** Maximum number of tokens of a trial, 1 to 4096. Default: 64. */
  trial_tokens?: number;
}

/**
 * Why a trial ended: at a punctuation mark, at a token that ends the generation, at trial_tokens,
 * or where max_tokens or the context allows no further token.
 */
export type TrialEnd = 'punctuation' | 'eog' | 'trial_tokens' | 'max_tokens' | 'context';

/** A trial of 'cntp'. */
export interface CntpTrial {
  /**
   * Whose random numbers the trial used: trial i has sample_index + i * 2654435761 modulo 2^32, so
   * that trial 0 is the plain generation.
   */
  sample_index: number;
  /** The ids of its tokens. */
  tokens: number[];
  /** Its text: the bytes of its tokens as UTF-8. */
  text: string;
  /** The perplexity of its tokens. */
  perplexity: number;
  /** Why it ended. */
  ended: TrialEnd;
}

/** What 'cntp' did for a step. The steps of one segment, which a trial made, say the same. */
export interface CntpTrace {
  /** The method. */
  name: 'cntp';
  /** The entropy in nats at the start of the segment, after the last stage. */
  entropy: number;
  /** The number of trials; with 1 the step is that of a plain generation. */
  n_trials: number;
  /** The trials; empty when n_trials is 1. */
  trials: CntpTrial[];
  /** The index of the trial that won; 0 when n_trials is 1. */
  winner: number;
  /** The index of the step in its segment. */
  index: number;
  /** Tokens that the generation has drawn so far, those of all trials included. */
  spent_tokens: number;
}

/** The options of a method of generate(). */
export type GenerateMethod = CntpOptions;

/** The trace of a method in a step, by the method's name. */
export interface MethodTraces {
  /** Cautious Next Token Prediction. */
  cntp: CntpTrace;
}

/** What a method did for a step. */
export type MethodTrace = MethodTraces[keyof MethodTraces];
