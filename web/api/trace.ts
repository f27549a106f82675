/** Traces as files: in, the steps of a generation, or the JSON of an exported trace; out, plain JSON of a versioned schema (trace.schema.json), or the steps. */
import { TokenglassError } from '../types/errors.js';
import { validate } from '../types/generated-validator.js';
import type {
  Candidate,
  ModelInfo,
  SamplerOptions,
  StageTrace,
  Step,
  StepTrace,
} from '../types/types.js';

/** What an exported trace says of its model. */
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

export interface Trace {
  model: TraceModel;
  /** The session's tokens before the first step. */
  prompt: readonly number[];
  seed: bigint;
  /** The sampler's options as they were given. */
  options: SamplerOptions;
  steps: Step[];
}

/** Infinite numbers are strings, what is undefined is null, bytes are hexadecimal, seeds decimal. */
type Extended = number | 'Infinity' | '-Infinity';
type Written<T> = T extends Uint8Array ? string : T extends undefined ? null : T;
type CandidateFile = {
  [K in keyof Candidate as K extends 'p_final' ? 'final' : K]: K extends 'logit'
    ? Extended
    : Written<Candidate[K]>;
};
type StageFile = {
  [K in keyof StageTrace]: K extends 'threshold' ? Extended : Written<StageTrace[K]>;
};
type StepTraceFile = Omit<
  { [K in keyof StepTrace]: Written<StepTrace[K]> },
  'candidates' | 'stages'
> & {
  candidates: CandidateFile[];
  stages: StageFile[];
};
type StepFile = Omit<
  { [K in keyof Step]: Written<Step[K]> },
  'trace' | 'logprob' | 'rank' | 'entropy'
> & {
  logprob: Extended;
  trace: StepTraceFile | null;
};
export interface TraceFile {
  format: 'tokenglass-trace';
  version: 1;
  model: TraceModel;
  prompt: number[];
  seed: string;
  options: Record<string, unknown>;
  steps: StepFile[];
}

/** The generated function leaves what it found on itself. */
const schema = validate as unknown as {
  (value: unknown): value is TraceFile;
  errors?: { instancePath: string; message?: string }[] | null;
};

const hex = (bytes: Uint8Array) =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
const fromHex = (text: string) =>
  Uint8Array.from(text.match(/../g) ?? [], (pair) => parseInt(pair, 16));
const written = (x: number): Extended =>
  Number.isFinite(x) ? x : x > 0 ? 'Infinity' : '-Infinity';

export function modelOf(info: TraceModel): TraceModel {
  const {
    fingerprint,
    name,
    architecture,
    n_vocab,
    kernel_variant,
    kernel_dot,
    cache_type_k,
    cache_type_v,
  } = info;
  return {
    fingerprint,
    name,
    architecture,
    n_vocab,
    kernel_variant,
    kernel_dot,
    cache_type_k,
    cache_type_v,
  };
}

/** Options as JSON: biases are objects with token ids as keys, infinite ones strings, bigints decimal strings. */
export function optionsFile(options: SamplerOptions): Record<string, unknown> {
  const { logit_bias, ...rest } = options;
  const pairs = logit_bias instanceof Map ? [...logit_bias] : Object.entries(logit_bias ?? {});
  const biases = logit_bias && {
    logit_bias: Object.fromEntries(pairs.map(([id, x]) => [id, written(x as number)])),
  };
  const seed = typeof rest.seed === 'bigint' && { seed: String(rest.seed) };
  return JSON.parse(JSON.stringify({ ...rest, ...biases, ...seed })) as Record<string, unknown>;
}

/** What optionsFile wrote. */
export function optionsFrom(file: Record<string, unknown>): SamplerOptions {
  const { logit_bias, seed, ...rest } = file;
  const biases = Object.entries((logit_bias ?? {}) as Record<string, Extended>).map(([id, x]) => [
    id,
    Number(x),
  ]);
  return {
    ...rest,
    ...(logit_bias === undefined ? {} : { logit_bias: Object.fromEntries(biases) }),
    ...(seed === undefined
      ? {}
      : { seed: typeof seed === 'string' ? BigInt(seed) : (seed as number) }),
  } as SamplerOptions;
}

/** A step as a file has it. */
export function stepFile({
  token,
  text,
  bytes,
  logprob,
  position,
  eog,
  shifted,
  trace,
}: Step): StepFile {
  return {
    ...{ token, text, bytes: hex(bytes), logprob: written(logprob), position, eog, shifted },
    trace: trace
      ? {
          candidates: trace.candidates.map(({ p_final, ...candidate }) => ({
            ...candidate,
            final: p_final,
            bytes: hex(candidate.bytes),
            logit: written(candidate.logit),
            removed_by: candidate.removed_by ?? null,
          })),
          stages: trace.stages.map((stage) => ({
            ...stage,
            threshold: written(stage.threshold),
            coin: stage.coin ?? null,
          })),
          ...{
            draw: trace.draw,
            other: trace.other,
            entropy: trace.entropy,
            n_vocab: trace.n_vocab,
            position: trace.position,
          },
          mu: trace.mu ?? null,
        }
      : null,
  };
}

/** How many of the listed candidates are more probable than the token; NaN when it is not listed. */
function rankIn(candidates: readonly CandidateFile[], token: number): number {
  const listed = candidates.find((candidate) => candidate.token === token);
  if (!listed) return NaN;
  const logit = Number(listed.logit);
  return candidates.filter((candidate) => Number(candidate.logit) > logit).length;
}

function stageFrom({ threshold, coin, ...stage }: StageFile): StageTrace {
  return { ...stage, threshold: Number(threshold), coin: coin ?? undefined } as StageTrace;
}

function stepFrom({ bytes, logprob, trace, ...rest }: StepFile): Step {
  return {
    ...rest,
    bytes: fromHex(bytes),
    logprob: Number(logprob),
    rank: trace ? rankIn(trace.candidates, rest.token) : NaN,
    entropy: trace ? trace.entropy : NaN,
    trace: trace
      ? {
          ...trace,
          candidates: trace.candidates.map(({ bytes, logit, final, removed_by, ...candidate }) => ({
            ...candidate,
            bytes: fromHex(bytes),
            logit: Number(logit),
            p_final: final,
            removed_by: removed_by ?? undefined,
          })),
          stages: trace.stages.map(stageFrom),
          mu: trace.mu ?? undefined,
        }
      : undefined,
  };
}

/** The steps of a generation as an object for JSON.stringify. model: the model's info. */
export function exportTrace({ model, prompt, seed, options, steps }: Trace): TraceFile {
  return {
    ...{
      format: 'tokenglass-trace',
      version: 1,
      model: modelOf(model),
      prompt: [...prompt],
      seed: String(seed),
    },
    options: optionsFile(options),
    steps: steps.map(stepFile),
  };
}

const invalid = (message: string, cause?: unknown) =>
  new TokenglassError('TRACE_INVALID', message, cause === undefined ? {} : { cause });

/** An exported trace, as JSON text or as the parsed object: TRACE_INVALID says where it is none. */
export function importTrace(json: unknown): Trace {
  let value = json;
  if (typeof json === 'string') {
    try {
      value = JSON.parse(json);
    } catch (error) {
      throw invalid(`this is no JSON: ${(error as Error).message}`, error);
    }
  }
  if (!schema(value)) {
    const [first] = schema.errors ?? [];
    throw invalid(
      `${first?.instancePath || 'the trace'} ${first?.message ?? 'is not as it should be'}`,
    );
  }
  const { model, prompt, seed, options, steps } = value;
  const bits = BigInt(seed);
  if (bits >= 1n << 64n) throw invalid(`/seed is ${seed}: more than 64 bits`);
  const { n_vocab } = model;
  steps.forEach(({ token, trace }, i) => {
    const stray = [token, ...(trace?.candidates.map((candidate) => candidate.token) ?? [])].find(
      (id) => id >= n_vocab,
    );
    if (stray !== undefined)
      throw invalid(`/steps/${i} has token ${stray}; the vocabulary has ${n_vocab}`);
  });
  try {
    return { model, prompt, seed: bits, options: optionsFrom(options), steps: steps.map(stepFrom) };
  } catch (error) {
    throw invalid(`/options ${(error as Error).message}`, error);
  }
}
