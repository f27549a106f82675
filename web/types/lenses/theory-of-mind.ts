/** Stories about what people know, and the model's next tokens. */

/** What a question is about: where things are, where someone looks, what someone thinks of this. */
export type MindOrder = 'zero' | 'first' | 'second';

/** A question: the beginning of a sentence. */
export interface MindQuestion {
  /** What it is about. */
  order: MindOrder;
  /** The beginning of a sentence. */
  cloze: string;
  /** The right continuation, with its space. */
  answer: string;
  /** The wrong one, with its space: the other place of the story. */
  distractor: string;
}

/** A story with a place for sentences that tell nothing of it. */
export interface MindStory {
  /** The story up to where sentences are inserted. */
  before: string;
  /** The rest. */
  after: string;
  /** The questions. */
  questions: readonly MindQuestion[];
}

/** One greedy step. */
export interface MindStep {
  /** The ids of the most probable tokens; the first one is the next token of the text. */
  tokens: number[];
  /** The same for display. */
  texts: string[];
  /** The probabilities of these tokens, one list for each temperature. */
  p: number[][];
}

/** A story with inserted sentences and one of its questions. */
export interface MindPrompt {
  /** The index of the story. */
  story: number;
  /** How many sentences are inserted. */
  infill: number;
  /** What the question is about. */
  order: MindOrder;
  /** Tokens of the prompt. */
  n_tokens: number;
  /** Whether the prompt does not fit into the context; then nothing below is there. */
  skipped: boolean;
  /** The greedy steps. */
  steps?: MindStep[];
  /** Whether the first greedy token is the first token of the answer. */
  correct?: boolean;
  /** Log-probability of the answer in nats. */
  answer_logprob?: number;
  /** Log-probability of the distractor in nats. */
  distractor_logprob?: number;
}

/** All prompts with the same number of inserted sentences and the same kind of question. */
export interface MindCell {
  /** How many sentences are inserted. */
  infill: number;
  /** What the questions are about. */
  order: MindOrder;
  /** How many prompts ran. */
  n: number;
  /** How many did not fit. */
  n_skipped: number;
  /** Share of right first tokens; NaN when none ran. */
  accuracy: number;
  /** Mean of the answer's log-probability minus the distractor's, in nats. */
  margin: number;
  /** Mean probabilities over prompts and steps: for each temperature, one for each rank. */
  mean_p: number[][];
}

/** What the lens theoryOfMind gives. */
export interface TheoryOfMindResult {
  /** The temperatures, in the order of all lists above. */
  temperatures: number[];
  /** Every prompt. */
  prompts: MindPrompt[];
  /** The grid. */
  cells: MindCell[];
}
