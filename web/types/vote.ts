/** Voting: several answers to one prompt, and which of them wins. */
import type { MethodPrompt } from './beam-search.js';
import type { CallOptions } from './common.js';
import type { SamplerOptions } from './sampling.js';

/**
 * What the answer of a text is: its last number, the last capital letter A to E that is alone, its
 * last line, or the whole text.
 */
export type AnswerKind = 'number' | 'letter' | 'line' | 'text';

/** The answer of a text; undefined or '' for a text without one. */
export type AnswerExtractor = (text: string) => string | undefined | Promise<string | undefined>;

/** An answer in the form in which answers are compared. */
export type AnswerForm = (answer: string) => string;

/**
 * Which answer wins: the most frequent, the one with the largest sum of scores, or that of the best
 * score. 'auto' is 'weighted' with a verifier, else 'majority'.
 */
export type VoteMode = 'auto' | 'majority' | 'weighted' | 'best';

/**
 * How a verification becomes a number: 1 or 0 by its verdict word; the probability of the word for
 * yes where the verdict is; or this probability where it can be read, else 1 or 0.
 */
export type VerdictScore = 'verdict' | 'probability' | 'hybrid';

/** A solution that a verifier is to judge. */
export interface Solution {
  /** The prompt as a text; of a conversation, its last message. */
  question: string;
  /** The text of the solution. */
  text: string;
  /** Its answer. */
  answer: string;
}

/** A verifier: the model judges each solution by texts that end with yes or no. */
export interface VoteVerifier {
  /** How many verifications each solution gets, 1 to 1024. Default: 1. */
  n?: number;
  /** Maximum number of tokens of a verification, at least 1. Default: 256. */
  max_tokens?: number;
  /** Temperature of the verifications, at least 0. Default: 0.7. */
  temperature?: number;
  /** How a verification becomes a number. Default: 'verdict'. */
  score?: VerdictScore;
  /** The word for yes. Default: 'yes'. Upper and lower case are the same. */
  yes?: string;
  /** The word for no. Default: 'no'. */
  no?: string;
  /**
   * Writes the prompt of a verification. Default: an English one that shows question and solution
   * and asks to check step by step and to end with yes or no.
   * @example
   * const prompt = ({ text }: { text: string }) => `${text}\nIs this right? Yes or no:`;
   * const { winner } = await model.vote('2 + 2 =', { n: 2, max_tokens: 4, verifier: { prompt } });
   */
  prompt?(solution: Solution): MethodPrompt | Promise<MethodPrompt>;
}

/** A score of a solution, 0 to 1, in place of a verifier. */
export type SolutionScore = (solution: Solution) => number | Promise<number>;

/** Receives each answer when it and its verifications are complete. */
export type AnswerListener = (event: AnswerEvent) => void;

/** An answer that is complete. */
export interface AnswerEvent {
  /** The answer. */
  answer: VoteAnswer;
  /** How many answers are complete. */
  done: number;
  /** How many answers there will be. */
  n: number;
}

/** Options of Model.vote: the sampler's, and those of the vote. */
export interface VoteOptions extends SamplerOptions, CallOptions {
  /** How many answers the model gives, 1 to 1024. Default: 8. */
  n?: number;
  /** Maximum number of tokens of an answer, at least 1. Default: 256. */
  max_tokens?: number;
  /** Temperature of the answers, 0 to 1000000. Default: 0.7. */
  temperature?: number;
  /**
   * How an answer is found in a text. A regular expression gives its last match, or the first group
   * of this match. Default: 'text'.
   */
  extract?: AnswerKind | RegExp | AnswerExtractor;
  /**
   * The form in which answers are compared. Default: without spaces around the answer and with one
   * space for several; a number without thousands separators and without zeros at its end.
   */
  canonical?: AnswerForm;
  /** Judges the solutions. Default: none. */
  verifier?: VoteVerifier | SolutionScore;
  /** Which answer wins. 'weighted' and 'best' need a verifier. Default: 'auto'. */
  mode?: VoteMode;
  /** Called for each answer that is complete; an exception ends the vote. Default: none. */
  on_answer?: AnswerListener;
}

/** A verification of a solution. */
export interface Verification {
  /** The text. */
  text: string;
  /** Number of tokens. */
  n_tokens: number;
  /** 0 to 1; undefined for a verification without a verdict, which does not count. */
  score: number | undefined;
}

/** One of the answers of a vote. */
export interface VoteAnswer {
  /** Its number: the option sample_index with which generate() gives the same tokens. */
  sample_index: number;
  /** Its tokens. */
  tokens: number[];
  /** Its text. */
  text: string;
  /** What counts; undefined for a text without an answer, which has no weight. */
  answer: string | undefined;
  /** Whether the model ended the text, and not max_tokens. */
  finished: boolean;
  /** Its score, 0 to 1, the mean of its verifications; undefined without a verifier. */
  score: number | undefined;
  /** Its verifications; empty without a verifier of the model. */
  verifications: Verification[];
}

/** How often one answer was given. */
export interface AnswerCount {
  /** The answer. */
  answer: string;
  /** How many texts gave it. */
  count: number;
  /** What is compared: the count, the sum of the scores, or the best score, by mode. */
  weight: number;
}

/** What a vote cost. */
export interface VoteCost {
  /** Tokens of the prompt, which runs once. */
  prompt_tokens: number;
  /** Tokens of all answers. */
  answer_tokens: number;
  /** Tokens of the prompts of the verifications, each of which runs once. */
  verifier_prompt_tokens: number;
  /** Tokens of all verifications. */
  verification_tokens: number;
  /** Tokens of a verification for each token of an answer, on average; 0 without verifications. */
  lambda: number;
  /**
   * The cost in answers: n * (1 + lambda * V), where V is the number of verifications for each
   * answer.
   */
  solution_equivalents: number;
}

/** The result of a vote. */
export interface VoteResult {
  /** The answer that won; undefined when no text has an answer. */
  winner: string | undefined;
  /** The text that won: the first with the answer, in mode 'best' the one with the best score. */
  text: string | undefined;
  /** All answers by their sample_index. */
  answers: VoteAnswer[];
  /** The different answers, largest weight first; of equal weights, the one that came first. */
  histogram: AnswerCount[];
  /** What the vote cost. */
  cost: VoteCost;
}

/** A vote of a list that is counted. */
export interface Vote {
  /** The answer; undefined or '' for none. */
  answer: string | undefined;
  /** The score of its text, 0 to 1. */
  score: number;
}

/** A vote for an answer that is known to be right or wrong. */
export interface MarkedVote extends Vote {
  /** Whether the answer is right. */
  correct: boolean;
}

/** How votes are counted. */
export type CountMode = Exclude<VoteMode, 'auto'>;
