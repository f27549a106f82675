/** In-context Navigation: different answers, found through first tokens that were not used yet. */
import type { CallOptions } from './common.js';
import type { AnswerCount, AnswerExtractor, AnswerForm } from './vote.js';

/** A list of short answers, or several ways to solve a problem. */
export type NavigateMode = 'list' | 'ways';

/** Options of Model.navigate for a list of answers. */
export interface NavigateListOptions extends CallOptions {
  /** A list of short answers. Default: 'list'. */
  mode?: 'list';
  /** How many new first tokens each run takes, 1 to 10000. Default: 10. */
  n_tol?: number;
  /**
   * How many runs there are, 1 to 10000; each one shows the answers of the runs before it.
   * Default: 10.
   */
  n_run?: number;
  /**
   * Whether an answer continues the prompt without the list of answers, so that the list only
   * chooses the first token. Default: true.
   */
  reg?: boolean;
  /** Maximum number of tokens of an answer, at least 1. Default: 64. */
  max_tokens?: number;
  /** The text between the prompt and the list. Default: '\nAnswers:\n'. */
  header?: string;
}

/** Options of Model.navigate for several ways to solve a problem. */
export interface NavigateWaysOptions extends CallOptions {
  /** Several ways to solve a problem. */
  mode: 'ways';
  /** How many ways, 1 to 100. Default: 4. */
  n_ways?: number;
  /**
   * Among how many first tokens the search looks for one that is new, 1 to 1048576. Default: 100.
   */
  depth?: number;
  /** Find the first tokens without showing the earlier ways. Default: false. */
  baseline?: boolean;
  /** Maximum number of tokens of a way, at least 1. Default: 256. */
  max_tokens?: number;
  /** Maximum number of tokens of a final answer, 1 to 4096. Default: 8. */
  answer_tokens?: number;
  /** The text after the prompt. Default: 'Solve this problem in n different ways.'. */
  instruction?: string;
  /**
   * What is above each way, with its number. A line that begins with its first word ends a way.
   * Default: '### Way'.
   */
  heading?: string;
  /** The text after a way, which asks for the final answer. Default: '\n\nFinal answer: "'. */
  cue?: string;
  /**
   * How the answer is found in the text after the cue: a regular expression, or a function.
   * Default: the last number, or else the last letter A to E.
   */
  extract?: RegExp | AnswerExtractor;
  /** The form in which answers are compared. Default: as in Model.vote. */
  canonical?: AnswerForm;
}

/** Options of Model.navigate. */
export type NavigateOptions = NavigateListOptions | NavigateWaysOptions;

/** A text with the first token that navigation chose. */
export interface Navigated {
  /** The first token. */
  token: number;
  /** Its text without spaces around it; no two first tokens have the same. */
  first: string;
  /** How many tokens were more probable in its place. */
  rank: number;
  /** Its log-probability in nats before any stage. */
  logprob: number;
  /** All tokens of the text. */
  tokens: number[];
  /** The text, up to the quotation mark or the heading that ends it. */
  text: string;
}

/** One answer of a list. */
export interface NavigatedAnswer extends Navigated {
  /** The run that found it, from 0. */
  run: number;
}

/** The answers that a navigation found. */
export interface NavigateListResult {
  /** The answers in the order in which they were found, without empty ones. */
  answers: NavigatedAnswer[];
  /** How many texts were empty. */
  n_dropped: number;
  /** How many different texts the answers have. */
  n_distinct: number;
}

/** One way to solve a problem. */
export interface NavigatedWay extends Navigated {
  /** The text after the cue. */
  final_text: string;
  /** The answer in it; undefined when there is none. */
  answer: string | undefined;
}

/** The ways that a navigation found. */
export interface NavigateWaysResult {
  /** The answer that most ways have; undefined when none has one. */
  winner: string | undefined;
  /** The ways. */
  ways: NavigatedWay[];
  /** The different answers, most frequent first. */
  histogram: AnswerCount[];
}
