/**
 * Decisions: typed questions about a state, answered by probabilities that are read from logits.
 * Two shapes of requests: a list of questions, as in OpenAI's Decisions API, and questions by name,
 * as POST /v1/systemone of llama.cpp's server and others takes them.
 */
import type { CallOptions } from './common.js';
import type { StepTrace } from './sampling.js';

/**
 * What the questions are about: a text, or JSON, which the model reads as JSON text. Control
 * characters of a chat format inside the text are read as a chat reads them.
 */
export type DecisionState = string | object;

/**
 * A text, or a list of parts: `{ type: 'input_text', text }` and `{ type: 'input_json', data }`. A
 * part of another type, such as an image, is refused with OPTION_UNSUPPORTED.
 */
export type DecisionInstructions = string | readonly object[];

/** How likely is it that a statement about the state is true? */
export interface PredicateQuestion {
  /** The statement, or a question to which yes is an answer. */
  instructions: DecisionInstructions;
  /** Always 'predicate'. */
  type: 'predicate';
  /** A name that the answer repeats. Default: null. */
  name?: string;
}

/** One option of a choice. */
export interface DecisionChoice {
  /** What the answer gives. A text and a boolean that read the same are two options. */
  value: string | boolean;
  /** What the option means. Default: none. */
  description?: string;
}

/** Which of the options fits? */
export interface ChoiceQuestion {
  /** 2 to 255 options, each with another value. */
  choices: readonly DecisionChoice[];
  /** The question. */
  instructions: DecisionInstructions;
  /** Always 'choice'. */
  type: 'choice';
  /** A name that the answer repeats. Default: null. */
  name?: string;
}

/** One level of a score. */
export interface DecisionLevel {
  /** The level's name. */
  label: string;
  /** What the level means. Default: none. */
  description?: string;
}

/** Where on a scale is it? */
export interface ScoreQuestion {
  /** The question. */
  instructions: DecisionInstructions;
  /** 2 to 10 levels, the lowest first. */
  levels: readonly DecisionLevel[];
  /** Always 'score'. */
  type: 'score';
  /** A name that the answer repeats. Default: null. */
  name?: string;
}

/** A question in a list. */
export type DecisionQuestion = PredicateQuestion | ChoiceQuestion | ScoreQuestion;

/** What a yes and a no mean. */
export interface NoulCriteria {
  /** What a yes means: a text or JSON. Default: nothing more. */
  true?: unknown;
  /** What a no means: a text or JSON. Default: nothing more. */
  false?: unknown;
}

/** A yes-or-no question in a record. */
export interface NoulQuestion {
  /** The question: a text or JSON. */
  instructions: string | object;
  /** 'noul' as in /v1/systemone; 'boolean' as in the AI SDK. Only the answers' shapes differ. */
  type: 'noul' | 'boolean';
  /** What a yes and a no mean: texts or JSON. Default: none. */
  criteria?: NoulCriteria | null;
}

/** A choice in a record. */
export interface CriteriaQuestion {
  /** The question: a text or JSON. */
  instructions: string | object;
  /** Always 'choice'. */
  type: 'choice';
  /** 2 to 255 options: what each means, by its name; null for none. */
  criteria: Readonly<Record<string, unknown>>;
}

/** A score in a record. */
export interface LevelsQuestion {
  /** The question: a text or JSON. */
  instructions: string | object;
  /** Always 'score'. */
  type: 'score';
  /** What each of 2 to 10 levels means, the lowest first: texts or JSON. */
  criteria: readonly unknown[];
}

/** A question in a record. */
export type SystemOneQuestion = NoulQuestion | CriteriaQuestion | LevelsQuestion;

/** Which trace each reading of a decision has. */
export interface DecisionTraceOptions {
  /** How many candidates the trace lists. Default: 20. */
  top_n?: number;
}

/** What both forms of Model.decide accept. */
export interface DecisionOptions extends CallOptions {
  /** What the questions are about. Give `state` or `input`. */
  state?: DecisionState;
  /**
   * The state as OpenAI's API calls it: a text, or a list of messages, function calls and their
   * outputs. The model reads a list as JSON. Images are refused with OPTION_UNSUPPORTED.
   */
  input?: string | readonly object[];
  /** A name that the result repeats. Default: the model's own name. */
  model?: string;
  /**
   * The logits of the labels are divided by this number before the softmax; 0.001 to 1000000.
   * Default: 1, or for a decision model what its file says for the type of the question.
   */
  temperature?: number;
  /**
   * Which orders of the options are read. 'both': the given one and the reverse; the probabilities
   * are the mean, and `order_effect` is how much they differ. 'given': only the given one, which is
   * half the work. A decision model has a rule of its own and refuses this option. Default: 'both'.
   */
  orders?: 'both' | 'given';
  /**
   * A Jinja template that writes the whole prompt of one question, up to where the label follows.
   * The template takes the place of the model's chat template. Its variables are those of the
   * `systemone` template of llama.cpp: id, type ('noul', 'choice' or 'score'), instructions, state,
   * and options, each with key, description and label; further bos_token and eos_token. Default:
   * the chat template.
   */
  template?: string;
  /**
   * Variables for the chat template, above enable_thinking: false and thinking: false, which
   * decide() sets; null: none. Default: none.
   */
  chat_template_kwargs?: Record<string, unknown> | null;
  /** The trace of each reading; false: none, which saves a call a reading. Default: top_n 20. */
  trace?: false | DecisionTraceOptions;
  /** Not supported: what questions share is run once anyway. */
  prompt_cache_key?: unknown;
  /** Not supported. */
  prompt_cache_options?: unknown;
  /** Not supported. */
  safety_identifier?: unknown;
  /** Not supported. */
  files?: unknown;
  /** Not supported. */
  images?: unknown;
  /** Not supported. */
  videos?: unknown;
}

/** Parameters of Model.decide with a list of questions. */
export interface DecisionParams extends DecisionOptions {
  /** 1 to 400 questions. */
  questions: readonly DecisionQuestion[];
}

/** Parameters of Model.decide with questions by name. */
export interface SystemOneParams extends DecisionOptions {
  /** 1 to 400 questions by name. */
  questions: Readonly<Record<string, SystemOneQuestion>>;
}

/** One label in one reading. */
export interface DecisionLabel {
  /** Index of the option that the label stands for; of a level, for a rating. */
  option: number;
  /** The label's text in the prompt. */
  label: string;
  /** Id of the label's token. */
  token: number;
  /** The model's output for the token. */
  logit: number;
  /** Probability of the token over the whole vocabulary, at temperature 1. */
  p: number;
  /** Probability among the labels, at the decision's temperature. */
  probability: number;
}

/** One run of a question: its options in one order. */
export interface DecisionReading {
  /** The labels in the order in which the prompt lists their options. */
  labels: DecisionLabel[];
  /** Probability of all labels together over the whole vocabulary, at temperature 1. */
  label_mass: number;
  /** Number of tokens in the prompt. */
  n_tokens: number;
  /**
   * The choice of the first token, with all tokens but the labels removed: what the labels are
   * among. undefined with trace: false.
   */
  trace: StepTrace | undefined;
}

/** How an answer was read: what no other implementation reports. */
export interface DecisionDetails {
  /**
   * How much of the whole distribution the labels hold, from 0 to 1; the mean of the readings. Near
   * 0 the model wanted to say something else, and the probabilities mean little.
   */
  label_mass: number;
  /**
   * The largest difference that the order of the options makes for the probability of an option;
   * undefined when only one order was read.
   */
  order_effect: number | undefined;
  /** The temperature of the softmax. */
  temperature: number;
  /** The runs, one for each order of the options. */
  readings: DecisionReading[];
}

/** The answer to a predicate. */
export interface PredicateAnswer extends DecisionDetails {
  /** The question's name; null when it has none. */
  name: string | null;
  /** Probability that the statement is true. */
  probability: number;
  /** Always 'predicate'. */
  type: 'predicate';
}

/** The probability of one option of a choice. */
export interface ChoiceProbability {
  /** The probability. */
  probability: number;
  /** The option's value. */
  value: string | boolean;
}

/** The answer to a choice. */
export interface ChoiceAnswer extends DecisionDetails {
  /** The most probable value; the first one of several. */
  choice: string | boolean;
  /** How far the best option is above chance: (p_max - 1/n) / (1 - 1/n), from 0 to 1. */
  confidence: number;
  /** The question's name; null when it has none. */
  name: string | null;
  /** All options in the question's order. */
  probabilities: ChoiceProbability[];
  /** Always 'choice'. */
  type: 'choice';
}

/** The probability of one level of a score. */
export interface ScoreProbability {
  /** The level's name. */
  label: string;
  /** The probability. */
  probability: number;
  /** The level's number, from 0. */
  value: number;
}

/** The answer to a score. */
export interface ScoreAnswer extends DecisionDetails {
  /**
   * 1 minus the mean distance of a level from the most probable one, relative to that distance for
   * equal probabilities from the middle; from 0 to 1.
   */
  confidence: number;
  /** The question's name; null when it has none. */
  name: string | null;
  /** All levels in the question's order. */
  probabilities: ScoreProbability[];
  /** The mean of the levels' numbers, weighted by their probabilities; the lowest level is 0. */
  score: number;
  /** Always 'score'. */
  type: 'score';
}

/** Why a question has no answer. */
export type RefusalReason = 'CONTEXT_FULL' | 'LABELS_MISSING';

/**
 * A question that cannot be answered; the others are. CONTEXT_FULL: the prompt does not fit into
 * the context. LABELS_MISSING: the vocabulary has too few single tokens that can be labels.
 */
export interface RefusalAnswer {
  /** The question's name; null when it has none. */
  name: string | null;
  /** Why, for programs. */
  reason: RefusalReason;
  /** Why, for people. */
  message: string;
  /** Always 'refusal'. */
  type: 'refusal';
}

/** An answer in a list. */
export type DecisionAnswer = PredicateAnswer | ChoiceAnswer | ScoreAnswer | RefusalAnswer;

/** How the tokens of a decision's prompts were read. */
export interface DecisionInputDetails {
  /** Always 0. */
  cache_write_tokens: number;
  /** Tokens that need not run again, because the prompts share their beginning. */
  cached_tokens: number;
}

/** Generated tokens. A decision generates none. */
export interface DecisionOutputDetails {
  /** Always 0. */
  reasoning_tokens: number;
}

/** Tokens of a decision. No token is generated. */
export interface DecisionUsage {
  /** Tokens of all prompts. */
  input_tokens: number;
  /** Details of input_tokens. */
  input_tokens_details: DecisionInputDetails;
  /** Always 0. */
  output_tokens: number;
  /** Details of output_tokens. */
  output_tokens_details: DecisionOutputDetails;
  /** Equal to input_tokens. */
  total_tokens: number;
}

/** The answers to a list of questions. */
export interface Decision {
  /** An answer for each question, in the questions' order. */
  answers: DecisionAnswer[];
  /** The name of the model. */
  model: string;
  /** Tokens that were read. */
  usage: DecisionUsage;
}

/** The answer to a yes-or-no question of the type 'noul'. */
export interface NoulAnswer extends DecisionDetails {
  /** Probability of yes. */
  noul: number;
  /** Always 'noul'. */
  type: 'noul';
}

/** The answer to a yes-or-no question of the type 'boolean'. */
export interface BooleanAnswer extends DecisionDetails {
  /** Probability of yes. */
  probability: number;
  /** Always 'boolean'. */
  type: 'boolean';
}

/** The answer to a choice of a record. */
export interface CriteriaAnswer extends DecisionDetails {
  /** The most probable option; the first one of several. */
  choice: string;
  /** As in ChoiceAnswer. */
  confidence: number;
  /** The probability of each option. */
  probabilities: Record<string, number>;
  /** Always 'choice'. */
  type: 'choice';
}

/** The answer to a score of a record. */
export interface LevelsAnswer extends DecisionDetails {
  /** As in ScoreAnswer. */
  confidence: number;
  /** What each level means, by its number from 0. */
  legend: Record<string, unknown>;
  /** The probability of each level, by its number from 0. */
  probabilities: Record<string, number>;
  /** As in ScoreAnswer. */
  score: number;
  /** Always 'score'. */
  type: 'score';
}

/** An answer in a record. */
export type SystemOneAnswer =
  NoulAnswer | BooleanAnswer | CriteriaAnswer | LevelsAnswer | Omit<RefusalAnswer, 'name'>;

/** The answers to questions by name. */
export interface SystemOneDecision {
  /** An answer for each question, by its name. */
  answers: Record<string, SystemOneAnswer>;
  /** The name of the model. */
  model: string;
  /** Tokens that were read. */
  usage: DecisionUsage;
}
