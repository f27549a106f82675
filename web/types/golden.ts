/** Golden files: the choices of a model as they were recorded, for regression tests. */
import type { StageName, TextOrIds } from './common.js';
import type { SamplerOptions } from './sampling.js';
import type { TraceModel } from './trace.js';

/** One generation to record. */
export interface GoldenCase {
  /** Its name in reports. */
  name: string;
  /** The prompt. */
  prompt: TextOrIds;
  /** Number of tokens to generate. Default: 16. */
  max_tokens?: number;
  /** The sampler's options. Default: the package's defaults and the seed 1. */
  options?: SamplerOptions;
}

/** Options of recordTrace. */
export interface RecordOptions {
  /** Write the golden file here, too (only in Node). Default: write nothing. */
  path?: string;
  /** How many candidates of each step to record. Default: 10. */
  top_n?: number;
}

/** Options of compareTrace. */
export interface CompareOptions {
  /** Differences of a probability up to this size are not reported. Default: 0.001. */
  tolerance?: number;
}

/** A recorded candidate. */
export interface GoldenCandidate {
  /** The token's id. */
  token: number;
  /** The token for display. */
  text: string;
  /** Probability before any stage. */
  p: number;
  /** Probability after the last stage. */
  final: number;
  /** The stage that removed the token; null for a token that all stages kept. */
  removed_by: StageName | null;
}

/** A recorded step. */
export interface GoldenStep {
  /** Id of the drawn token. */
  token: number;
  /** The drawn token for display. */
  text: string;
  /** The most probable tokens, most probable first. */
  candidates: GoldenCandidate[];
}

/** A recorded generation. */
export interface GoldenCaseFile {
  /** Its name in reports. */
  name: string;
  /** Token ids of the prompt. */
  prompt: number[];
  /** The seed in decimal. */
  seed: string;
  /** The sampler's options, as in an exported trace. */
  options: Record<string, unknown>;
  /** The steps. */
  steps: GoldenStep[];
}

/** A golden file. */
export interface Golden {
  /** Always 'tokenglass-golden'. */
  format: 'tokenglass-golden';
  /** Version of the format. */
  version: 1;
  /** The model that made the choices. */
  model: TraceModel;
  /** The generations. */
  cases: GoldenCaseFile[];
}

/** A difference to a golden file. */
export interface Difference {
  /** Name of the case; undefined for a difference of the whole model. */
  case: string | undefined;
  /** Index of the step; undefined for a difference of the whole model. */
  step: number | undefined;
  /** Id of the token; undefined for a difference of the whole model. */
  token: number | undefined;
  /** The recorded probability before any stage; undefined for another drawn token. */
  before: number | undefined;
  /** The probability now; undefined for another drawn token. */
  after: number | undefined;
  /** The difference for people: where it is, both values, and the stage behind it. */
  message: string;
}

/** What compareTrace found. */
export interface TraceComparison {
  /** Whether there are no differences. */
  same: boolean;
  /** The differences. */
  differences: Difference[];
  /** The messages of all differences, one a line; '' when there are none. */
  report: string;
}
