/** A generation: its checked options, and the loop that makes its steps. */
import type { Overflow, StepResult } from '../engine/choices.js';
import type { SampleRequest } from '../engine/sampling.js';
import type { SpeculateRequest } from '../engine/speculation.js';
import {
  MAX_INT32,
  flag,
  idsOf,
  indexIn,
  readOptions,
  reading,
  wholeNumber,
} from '../types/arguments.js';
import { throwIfAborted } from '../types/errors.js';
import { stages } from '../types/generated-stages.js';
import { utf8Decoder } from '../types/utf8.js';
import type {
  Constraint,
  GenerateMethod,
  GenerateOptions,
  Speculate,
  Step,
  TextOrIds,
} from '../types/types.js';
import type { GrammarRun } from './constraint.js';
import { sampleRequest, samplerOptionNames } from './options.js';

const GENERATE_OPTIONS = [
  ...samplerOptionNames,
  'signal',
  'max_tokens',
  'parse_special',
  'ignore_eos',
  'overflow',
  'n_keep',
  'sample_index',
  'trace',
  'method',
  'speculate',
];
const TRACE_OPTIONS = ['top_n', 'all_removed'];
export const DEFAULT_TOP_N = 50;
const TEMPERATURE = stages
  .flatMap(({ options }) => options)
  .findIndex(({ name }) => name === 'temperature');
const KEEP_BOS = -1; // for the engine: keep the first token when it is BOS

/** The checked arguments of a generation. */
export interface Generation {
  /** The prompt. */
  text_or_ids: string | Int32Array | undefined;
  signal: AbortSignal | undefined;
  grammar: Constraint | Int32Array | undefined;
  parse_special: boolean;
  max_tokens: number | undefined;
  n_keep: Overflow;
  request: SampleRequest;
  traced: boolean;
  ignore_eos: boolean;
  /** Not yet checked. */
  speculate: Speculate | undefined;
  /** The sampler's options as they were given, without a grammar, and the seed. */
  samplers: GenerateOptions;
  /** The options of a decoding method, not yet checked. */
  method: GenerateMethod | undefined;
}

/** What a generation speculates with. */
export interface Speculation {
  request: SpeculateRequest;
  /** A second model that proposes tokens. */
  draft?: {
    next(tokens: readonly number[], signal: AbortSignal): Promise<Int32Array>;
    dispose(): Promise<void>;
  };
}

/** Proposes only what a grammar forces. */
export const jumpAhead: Speculation = {
  request: { method: 'grammar', tree: 0, tokens: undefined },
};

export const promptOf = (prompt: TextOrIds) =>
  typeof prompt === 'string' ? prompt : idsOf(prompt, 'the prompt');

/** How many tokens a shift keeps, or KEEP_BOS; undefined when a full context is an error. */
function keptByShift({ overflow = 'error', n_keep }: GenerateOptions): Overflow {
  indexIn(['error', 'shift'], overflow, 'overflow');
  const kept = n_keep === undefined ? KEEP_BOS : wholeNumber(n_keep, 'n_keep', 0, MAX_INT32);
  return overflow === 'shift' ? kept : undefined;
}

/** A copy of an option that is an object, which the code of its method checks. */
const copyOf = <T>(given: T, name: string): T =>
  reading(name, () => (Object(given) === given ? { ...given } : given));

/** The options with which a second model draws as the session does. */
function samplersOf(options: GenerateOptions, seed: bigint): GenerateOptions {
  const names = [...samplerOptionNames, 'sample_index'].filter((name) => name !== 'grammar');
  const given = Object.entries(options).filter(([name]) => names.includes(name));
  return { seed, ...Object.fromEntries(given) };
}

/** Checks the arguments of generate(). seed: that of the session. */
export function checkedGeneration(
  prompt: TextOrIds | undefined,
  given: GenerateOptions | undefined,
  seed: bigint,
): Generation {
  const options = readOptions(given, GENERATE_OPTIONS, 'generate');
  const { max_tokens, trace = {} } = options;
  const traced = trace !== false;
  const { top_n = DEFAULT_TOP_N, all_removed = false } = traced
    ? readOptions(trace, TRACE_OPTIONS, 'trace')
    : { top_n: 0 };
  return {
    text_or_ids: prompt === undefined ? undefined : promptOf(prompt),
    signal: options.signal,
    grammar: options.grammar,
    parse_special: flag(options.parse_special, 'parse_special', false),
    max_tokens:
      max_tokens === undefined ? undefined : wholeNumber(max_tokens, 'max_tokens', 0, MAX_INT32),
    n_keep: keptByShift(options),
    request: sampleRequest(
      Object.assign(options, { all_removed }),
      seed,
      wholeNumber(top_n, 'trace.top_n', 0, MAX_INT32),
    ),
    traced,
    ignore_eos: flag(options.ignore_eos, 'ignore_eos', false),
    speculate: copyOf(options.speculate, 'speculate'),
    samplers: samplersOf(options, seed),
    method: copyOf(options.method, 'method'),
  };
}

/** The request of a draw for a greedy generation, too: with temperature 1 in place of 0. */
export function drawingRequest(request: SampleRequest): SampleRequest {
  if (request.options[TEMPERATURE] !== 0) return request;
  const options = request.options.map((value, i) => (i === TEMPERATURE ? 1 : value));
  return { ...request, options };
}

/** A step as the engine or a method gives it. */
export type MadeStep = StepResult & Pick<Step, 'method'>;

/**
 * The steps of a generation. step: makes one choice, of at most `remaining` that are left. isFull:
 * whether the context has no position left and does not slide.
 */
export async function* stepsOf(
  { max_tokens, request, ignore_eos }: Generation,
  step: (request: SampleRequest, remaining: number) => Promise<MadeStep>,
  isFull: () => boolean,
  grammar: GrammarRun | undefined,
  signal: AbortSignal,
): AsyncGenerator<Step, void, undefined> {
  const decoder = utf8Decoder();
  if (max_tokens === undefined ? isFull() : max_tokens === 0) return;
  for (let count = 0; ; count++) {
    throwIfAborted(signal);
    const restricted = grammar ? withBits(request, await grammar.allowed()) : request;
    const remaining = max_tokens === undefined ? Infinity : max_tokens - count;
    const result = await step(restricted, remaining);
    const { textBytes, kept: _k, pending: _n, p_final: _p, ended: complete, ...made } = result;
    const ended = await grammar?.accept(made.token);
    const last =
      (made.eog && !ignore_eos) ||
      complete ||
      ended === true ||
      (max_tokens === undefined ? isFull() : count + 1 === max_tokens);
    // where no token can follow, the bytes of an unfinished character become U+FFFD
    const stream = !last && !isFull();
    yield { ...made, text: decoder.decode(textBytes, { stream }) };
    if (last) return;
  }
}

/** The request with the bits of a grammar, if there are any. */
export function withBits(request: SampleRequest, bits: Int32Array | undefined): SampleRequest {
  if (!bits) return request;
  return { ...request, lists: { ...request.lists, grammar: { tokens: bits, values: undefined } } };
}
