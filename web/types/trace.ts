/** Traces: the steps of a generation with what is needed to repeat it, in memory and as a file. */
import type { StageName } from './common.js';
import type { ModelInfo } from './model.js';
import type { Draw, SamplerOptions } from './sampling.js';
import type { Step } from './session.js';

/** What a trace says about its model. */
export type TraceModel = Pick<
  ModelInfo,
  | 'fingerprint'
  | 'name'
  | 'architecture'
  | 'n_vocab'
  | 'kernel_variant'
  | 'kernel_dot'
  | 'cache_type_k'
  | 'cache_type_v'
>;

/** The steps of a generation with what is needed to repeat it. */
export interface Trace {
  /** The model; `model.info` fits. */
  model: TraceModel;
  /** The session's tokens before the first step. */
  prompt: readonly number[];
  /** The seed, 64 bits. */
  seed: bigint;
  /** The sampler's options as they were given. */
  options: SamplerOptions;
  /** The steps. */
  steps: Step[];
}

/** A number that may be infinite, in a file. */
export type ExtendedNumber = number | 'Infinity' | '-Infinity';

/** A Candidate in a file. */
export interface CandidateFile {
  /** The token's id. */
  token: number;
  /** The token for display. */
  text: string;
  /** The bytes that the token adds to a text, in hexadecimal, two digits a byte. */
  bytes: string;
  /** The model's output. */
  logit: ExtendedNumber;
  /** Probability before any stage. */
  p: number;
  /** Probability after the last stage; Candidate.p_final. */
  final: number;
  /** The stage that removed the token; null for a token that all stages kept. */
  removed_by: StageName | null;
}

/** A StageTrace in a file. */
export interface StageFile {
  /** The stage. */
  name: StageName;
  /** The values of the stage's options. */
  params: Record<string, number>;
  /** Number of tokens after the stage. */
  kept: number;
  /** Number of tokens that the stage removed. */
  removed: number;
  /** Probability, before any stage, of the tokens that reached the stage. */
  mass_before: number;
  /** Probability, before any stage, of the tokens that the stage kept. */
  mass_after: number;
  /** The number that decided. */
  threshold: ExtendedNumber;
  /** The stage's own random number; null for a stage that used none. */
  coin: number | null;
  /** What the stage did and why, for people. */
  reason: string;
  /** Ids of the removed tokens that were listed. */
  removed_tokens: number[];
}

/** A StepTrace in a file. */
export interface StepTraceFile {
  /** The most probable tokens, most probable first. */
  candidates: CandidateFile[];
  /** The stages in the order in which they ran. */
  stages: StageFile[];
  /** The draw. */
  draw: Draw;
  /** Probability of all tokens that candidates does not list. */
  other: number;
  /** Entropy in nats before any stage. */
  entropy: number;
  /** Number of tokens in the vocabulary. */
  n_vocab: number;
  /** Position of the chosen token. */
  position: number;
  /** mirostat's state in bits; null before mirostat has run. */
  mu: number | null;
}

/** A Step in a file. */
export interface StepFile {
  /** The token's id. */
  token: number;
  /** The characters that the token completes. */
  text: string;
  /** The bytes that the token adds to the text, in hexadecimal. */
  bytes: string;
  /** Log-probability in nats before any stage. */
  logprob: ExtendedNumber;
  /** Position of the token. */
  position: number;
  /** Whether the token ends the generation. */
  eog: boolean;
  /** How many tokens the context lost after this token. */
  shifted: number;
  /** How the token was chosen; null for a step without a trace. */
  trace: StepTraceFile | null;
}

/** An exported trace: plain JSON of the schema `tokenglass/trace.schema.json`. */
export interface TraceFile {
  /** Always 'tokenglass-trace'. */
  format: 'tokenglass-trace';
  /** Version of the schema. */
  version: 1;
  /** The model. */
  model: TraceModel;
  /** The session's tokens before the first step. */
  prompt: number[];
  /** The seed in decimal. */
  seed: string;
  /** The sampler's options; infinite numbers are strings, a bigint is a string in decimal. */
  options: Record<string, unknown>;
  /** The steps. */
  steps: StepFile[];
}
