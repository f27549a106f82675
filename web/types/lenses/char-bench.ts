/** Questions about the letters of words. */

/** How often a letter occurs, or where it occurs first or last, counted from 1. */
export type CharTask = 'count' | 'first' | 'last';

/** A question about a letter of a word. */
export interface CharQuestion {
  /** What is asked. */
  task: CharTask;
  /** The word. */
  word: string;
  /** The letter; it occurs in the word. */
  letter: string;
  /** The right number. */
  answer: number;
}

/** A question and what the model says. */
export interface CharAnswer extends CharQuestion {
  /** The number that the model finds most probable, of 1 to the length of the word. */
  choice: number;
  /** Whether that is right. */
  correct: boolean;
  /** Probability of the right number among these numbers. */
  p: number;
  /** Letters of the word. */
  word_length: number;
  /** Tokens that cover the word. */
  n_tokens: number;
  /** Letters of the word in the token with the letter: for 'last' in its last place. */
  token_length: number;
}

/** The questions of one task. */
export interface CharSummary {
  /** The task. */
  task: CharTask;
  /** How many questions there are. */
  n: number;
  /** Share of right choices. */
  accuracy: number;
  /** Share of right choices that chance gives: the mean of 1 / word_length. */
  chance: number;
  /** Mean probability of the right number. */
  mean_p: number;
  /** Correlation of p with token_length; NaN where one of them is constant. */
  correlation_token_length: number;
  /** Correlation of p with word_length. */
  correlation_word_length: number;
  /** Correlation of p with the right number. */
  correlation_answer: number;
}

/** What the lens charBench gives. */
export interface CharBenchResult {
  /** The questions. */
  questions: CharAnswer[];
  /** One row for each task. */
  tasks: CharSummary[];
}
