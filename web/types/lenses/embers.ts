/** Tasks whose answer should not depend on how probable the answer is. */

/** A task with an answer that is certain. */
export interface EmbersItem {
  /** What is asked, for example 'rot-13'. */
  task: string;
  /** Whether the answer, as a text of its own, is a likely one. */
  likely: boolean;
  /** The instruction and an example, before the input. */
  instruction: string;
  /** What the task is done to. */
  input: string;
  /** What is between the input and the output. */
  cue: string;
  /** The right answer. */
  output: string;
}

/** A task under the model. All log-probabilities are means in nats for each token. */
export interface EmbersAnswer extends EmbersItem {
  /** Of the instruction alone. */
  task_logprob: number;
  /** Of the input alone. */
  input_logprob: number;
  /** Of the output alone: how likely the answer is as a text. */
  output_logprob: number;
  /** Of the output after instruction, input and cue. */
  answer_logprob: number;
  /** Whether every token of the output is the most probable one there: a greedy run is right. */
  correct: boolean;
}

/** The tasks of one kind. */
export interface EmbersGroup {
  /** The task. */
  task: string;
  /** Whether the answers are likely texts. */
  likely: boolean;
  /** How many there are. */
  n: number;
  /** Share of right answers. */
  accuracy: number;
  /** Mean of output_logprob. */
  output_logprob: number;
  /** Mean of answer_logprob. */
  answer_logprob: number;
}

/** What the lens embers gives. */
export interface EmbersResult {
  /** The tasks. */
  items: EmbersAnswer[];
  /** One row for each task with likely answers and for each with unlikely ones. */
  groups: EmbersGroup[];
  /** Correlation of output_logprob and answer_logprob over all items. */
  correlation: number;
}
