/**
 * Traces as files: exportTrace turns the steps of a generation into plain JSON of a versioned
 * schema (web/types/trace.schema.json), importTrace checks such JSON and turns it back.
 */
import { TokenglassError } from '../types/errors.js';
import { idsOf, invalid as invalidArgument, listOf, reading } from '../types/arguments.js';
import { faultOf } from './schema.js';
import { traceSchema } from '../types/generated-schema.js';
import type { Candidate, SamplerOptions, StageTrace, Step, StepTrace } from '../types/types.js';
import type {
  CandidateFile,
  ExtendedNumber,
  StageFile,
  StepFile,
  StepTraceFile,
  Trace,
  TraceFile,
  TraceModel,
} from '../types/trace.js';

const toHex = (bytes: Uint8Array) =>
  Array.from(bytes, (byte) => byte.toString(16).padStart(2, '0')).join('');
const fromHex = (text: string) =>
  Uint8Array.from(text.match(/../g) ?? [], (pair) => parseInt(pair, 16));
const toExtended = (x: number): ExtendedNumber =>
  x === Infinity ? 'Infinity' : x === -Infinity ? '-Infinity' : x;

/** The part of a model's info that files contain. */
export function modelOf(info: TraceModel): TraceModel {
  return {
    fingerprint: info.fingerprint,
    name: info.name,
    architecture: info.architecture,
    n_vocab: info.n_vocab,
    kernel_variant: info.kernel_variant,
    kernel_dot: info.kernel_dot,
    cache_type_k: info.cache_type_k,
    cache_type_v: info.cache_type_v,
  };
}

/** Options as JSON: a bias is an object by token id, infinite numbers and bigints are strings. */
export function optionsFile(options: SamplerOptions): Record<string, unknown> {
  const { logit_bias, seed, ...rest } = options;
  const file: Record<string, unknown> = { ...rest };
  if (logit_bias) {
    const pairs = logit_bias instanceof Map ? [...logit_bias] : Object.entries(logit_bias);
    file['logit_bias'] = Object.fromEntries(pairs.map(([id, x]) => [id, toExtended(x as number)]));
  }
  if (seed !== undefined) file['seed'] = typeof seed === 'bigint' ? String(seed) : seed;
  return JSON.parse(JSON.stringify(file)) as Record<string, unknown>;
}

/** The options that optionsFile turned into JSON. */
export function optionsFrom(file: Record<string, unknown>): SamplerOptions {
  const { logit_bias, seed, ...rest } = file;
  const options = rest as SamplerOptions;
  if (logit_bias !== undefined) {
    const pairs = Object.entries((logit_bias ?? {}) as Record<string, ExtendedNumber>);
    options.logit_bias = Object.fromEntries(pairs.map(([id, x]) => [id, Number(x)]));
  }
  if (seed !== undefined) options.seed = typeof seed === 'string' ? BigInt(seed) : (seed as number);
  return options;
}

const candidateFile = ({ p_final, ...candidate }: Candidate): CandidateFile => ({
  ...candidate,
  final: p_final,
  bytes: toHex(candidate.bytes),
  logit: toExtended(candidate.logit),
  removed_by: candidate.removed_by ?? null,
});

const stageFile = (stage: StageTrace): StageFile => ({
  ...stage,
  threshold: toExtended(stage.threshold),
  coin: stage.coin ?? null,
});

const traceFile = (trace: StepTrace): StepTraceFile => ({
  candidates: trace.candidates.map(candidateFile),
  stages: trace.stages.map(stageFile),
  draw: trace.draw,
  other: trace.other,
  entropy: trace.entropy,
  n_vocab: trace.n_vocab,
  position: trace.position,
  mu: trace.mu ?? null,
});

/** A step as JSON. The file format has no rank and, outside the trace, no entropy. */
export function stepFile(step: Step): StepFile {
  return {
    token: step.token,
    text: step.text,
    bytes: toHex(step.bytes),
    logprob: toExtended(step.logprob),
    position: step.position,
    eog: step.eog,
    shifted: step.shifted,
    trace: step.trace ? traceFile(step.trace) : null,
  };
}

function candidateFrom({ bytes, logit, final, removed_by, ...rest }: CandidateFile): Candidate {
  return {
    ...rest,
    bytes: fromHex(bytes),
    logit: Number(logit),
    p_final: final,
    removed_by: removed_by ?? undefined,
  };
}

function stageFrom({ threshold, coin, ...rest }: StageFile): StageTrace {
  return { ...rest, threshold: Number(threshold), coin: coin ?? undefined } as StageTrace;
}

function traceFrom(trace: StepTraceFile): StepTrace {
  return {
    ...trace,
    candidates: trace.candidates.map(candidateFrom),
    stages: trace.stages.map(stageFrom),
    mu: trace.mu ?? undefined,
  };
}

/** How many listed candidates are more probable than the token; NaN when it is not listed. */
function rankIn(candidates: readonly Candidate[], token: number): number {
  const listed = candidates.find((candidate) => candidate.token === token);
  if (!listed) return NaN;
  return candidates.filter(({ logit }) => logit > listed.logit).length;
}

function stepFrom({ bytes, logprob, trace: file, ...rest }: StepFile): Step {
  const trace = file ? traceFrom(file) : undefined;
  return {
    ...rest,
    bytes: fromHex(bytes),
    logprob: Number(logprob),
    rank: trace ? rankIn(trace.candidates, rest.token) : NaN,
    entropy: trace ? trace.entropy : NaN,
    trace,
  };
}

/**
 * The steps of a generation as an object for JSON.stringify. Throws INVALID_ARGUMENT for what is no
 * trace; the message says where.
 * @example
 * const prompt = session.tokens;
 * const options = { temperature: 1.2 };
 * const steps = [];
 * for await (const step of session.generate(undefined, { ...options, max_tokens: 5 }))
 *   steps.push(step);
 * const { seed } = session;
 * const file = exportTrace({ model: model.info, prompt, seed, options, steps });
 * console.log(JSON.stringify(file));
 */
export function exportTrace(trace: Trace): TraceFile {
  const file = reading('the trace', (): TraceFile => {
    const { model, prompt, seed, options, steps } = trace;
    return {
      format: 'tokenglass-trace',
      version: 1,
      model: modelOf(model),
      prompt: [...idsOf(prompt, 'the prompt')],
      seed: String(seed),
      options: optionsFile(options),
      steps: listOf(steps, 'steps', (step) => stepFile(step as Step)),
    };
  });
  const fault = faultOf(traceSchema, file);
  if (fault) throw invalidArgument(`the trace cannot be exported: ${fault}`);
  return file;
}

const invalid = (message: string, cause?: unknown) =>
  new TokenglassError('TRACE_INVALID', message, cause === undefined ? {} : { cause });

function parsed(json: unknown): unknown {
  if (typeof json !== 'string') return json;
  try {
    return JSON.parse(json);
  } catch (error) {
    throw invalid(`the text is not JSON: ${(error as Error).message}`, error);
  }
}

/** Throws when a step contains a token outside the vocabulary. */
function checkTokens({ model: { n_vocab }, steps }: TraceFile): void {
  for (const [i, { token, trace }] of steps.entries()) {
    const tokens = [token, ...(trace?.candidates ?? []).map((candidate) => candidate.token)];
    const bad = tokens.find((id) => id >= n_vocab);
    if (bad !== undefined)
      throw invalid(`/steps/${i} has token ${bad}; the vocabulary has ${n_vocab}`);
  }
}

/**
 * An exported trace, from JSON text or from the parsed object. Throws TRACE_INVALID; the message
 * says where the JSON does not follow the schema. A step's rank and entropy come from its trace;
 * they are NaN when the trace does not contain them.
 * @example
 * const options = {};
 * const trace = { model: model.info, prompt: session.tokens, seed: 1n, options, steps: [] };
 * const { steps } = importTrace(JSON.stringify(exportTrace(trace)));
 */
export function importTrace(json: unknown): Trace {
  return reading('the trace', () => traceOf(parsed(json)), 'TRACE_INVALID');
}

function traceOf(value: unknown): Trace {
  const fault = faultOf(traceSchema, value);
  if (fault) throw invalid(fault);
  const file = value as TraceFile;
  const { model, prompt, options, steps } = file;
  const seed = BigInt(file.seed);
  if (seed >= 1n << 64n) throw invalid(`/seed is ${file.seed}: more than 64 bits`);
  checkTokens(file);
  try {
    return { model, prompt, seed, options: optionsFrom(options), steps: steps.map(stepFrom) };
  } catch (error) {
    throw invalid(`/options ${(error as Error).message}`, error);
  }
}
