/** Questions with options, and the loss on a text. */

/** A question with options. One option is right. */
export interface MultipleChoiceQuestion {
  /** The text before the option. */
  prompt: string;
  /** The options: texts that could follow the prompt, with their space. */
  options: readonly string[];
  /** The index of the right option. */
  answer: number;
}

/** An option under the model. */
export interface MultipleChoiceOption {
  /** Log-probability of the option in nats. */
  logprob: number;
  /** Number of tokens. */
  n_tokens: number;
  /** Number of bytes in UTF-8. */
  n_bytes: number;
  /** What is compared: the log-probability, for each token or byte if that was asked for. */
  score: number;
  /** Probability of the option among the options, from their scores. */
  p: number;
}

/** The model's choice. */
export interface MultipleChoiceAnswer {
  /** The options in their order. */
  options: MultipleChoiceOption[];
  /** The index of the option with the best score, the first of equals. */
  choice: number;
  /** Whether the choice is right. */
  correct: boolean;
}

/** A loss beside an error: a point of the plot. */
export interface LossPair {
  /** Mean negative log-probability of the text in nats for each token. */
  nats_per_token: number;
  /** Bits for each byte of the text, which models with other vocabularies can be compared by. */
  bits_per_byte: number;
  /** Share of questions with a wrong choice. */
  error: number;
}

/** What the lens multipleChoice gives. */
export interface MultipleChoiceResult {
  /** The questions in their order. */
  questions: MultipleChoiceAnswer[];
  /** Share of right choices. */
  accuracy: number;
  /** Share of right choices that chance gives: the mean of 1 / number of options. */
  chance: number;
  /** The loss on the text beside the error; undefined without a text. */
  pair?: LossPair;
}
