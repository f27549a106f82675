/** Checks the parameters of a completion and turns them into a request for the generation. */
import { TokenglassError } from '../types/errors.js';
import { MAX_INT32, checkNames, randomSeed, samplerOptionNames, wholeNumber } from './options.js';
import type {
  ChatParams,
  CompletionParams,
  Constraint,
  GenerateOptions,
  Model,
} from '../types/types.js';

/** A checked request. */
export interface CompletionRequest {
  /** The prompt's token ids. */
  ids: number[];
  /** Maximum number of tokens; undefined: until the context is full. */
  max_tokens: number | undefined;
  n_answers: number;
  stops: string[];
  /** Alternatives to list for each token; undefined: no log-probabilities. */
  n_alternatives: number | undefined;
  options: GenerateOptions;
  signal: AbortSignal | undefined;
}

const MAX_ANSWERS = 128;
const MAX_STOPS = 16;
export const MAX_ALTERNATIVES = 20;

/** Parameters that become options of Session.generate as they are. */
const GENERATE_PARAMS = [...samplerOptionNames, 'ignore_eos', 'overflow', 'n_keep'].filter(
  (name) => name !== 'grammar',
);
const COMMON_PARAMS = [
  ...GENERATE_PARAMS,
  'model',
  'n',
  'stop',
  'max_tokens',
  'frequency_penalty',
  'presence_penalty',
  'response_format',
  'grammar',
  'user',
  'stream',
  'stream_options',
  'logprobs',
  'signal',
];
/** Parameters of the API that this package does not support. They are errors unless null. */
const UNSUPPORTED_PARAMS = [
  'tools',
  'tool_choice',
  'functions',
  'function_call',
  'parallel_tool_calls',
  'suffix',
  'best_of',
  'audio',
  'modalities',
  'prediction',
  'reasoning_effort',
  'web_search_options',
];

/** Throws for a parameter that is unsupported or unknown. own: the method's own parameters. */
export function checkParams(params: object, own: readonly string[], method: string): void {
  for (const [name, value] of Object.entries(params)) {
    if (UNSUPPORTED_PARAMS.includes(name) && value !== undefined && value !== null)
      throw new TokenglassError('OPTION_UNSUPPORTED', `${method} does not support ${name}`);
  }
  checkNames(params, [...COMMON_PARAMS, ...own, ...UNSUPPORTED_PARAMS], method);
}

function stopsOf(stop: string | readonly string[] | null | undefined): string[] {
  const stops = typeof stop === 'string' ? [stop] : [...(stop ?? [])];
  if (stops.length > MAX_STOPS || stops.some((text) => typeof text !== 'string' || text === '')) {
    throw new TokenglassError(
      'INVALID_ARGUMENT',
      `stop must be at most ${MAX_STOPS} texts, none of them empty`,
    );
  }
  return stops;
}

async function constraintOf(
  model: Model,
  { response_format, grammar }: CompletionParams | ChatParams,
): Promise<Constraint | undefined> {
  const format = response_format ?? { type: 'text' };
  if (format.type !== 'text' && grammar !== undefined)
    throw new TokenglassError('INVALID_ARGUMENT', 'response_format and grammar exclude each other');
  if (typeof grammar === 'string') return model.createGrammar({ type: 'ebnf', grammar });
  if (grammar !== undefined) return grammar;
  switch (format.type) {
    case 'text':
      return undefined;
    case 'json_object':
      return model.createGrammar({ type: 'json' });
    case 'json_schema':
      return model.createGrammar({ type: 'json_schema', schema: format.json_schema?.schema });
    default:
      throw new TokenglassError(
        'INVALID_ARGUMENT',
        `response_format.type is "${String((format as { type: unknown }).type)}"`,
      );
  }
}

/** The options of the generation, without its length. */
async function generateOptions(
  model: Model,
  params: CompletionParams | ChatParams,
  n_alternatives: number | undefined,
): Promise<GenerateOptions> {
  const values = params as unknown as Record<string, unknown>;
  const names = GENERATE_PARAMS.filter((name) => values[name] !== undefined);
  const grammar = await constraintOf(model, params);
  return {
    ...Object.fromEntries(names.map((name) => [name, values[name]])),
    penalty_freq: params.penalty_freq ?? params.frequency_penalty ?? 0,
    penalty_present: params.penalty_present ?? params.presence_penalty ?? 0,
    seed: params.seed ?? randomSeed(),
    trace: n_alternatives === undefined ? false : { top_n: n_alternatives },
    ...(grammar && { grammar }),
  };
}

/** The request of either kind of completion. */
export async function completionRequest(
  model: Model,
  params: CompletionParams | ChatParams,
  ids: number[],
  max_tokens: number | null | undefined,
  n_alternatives: number | undefined,
): Promise<CompletionRequest> {
  return {
    ids,
    max_tokens:
      max_tokens === undefined || max_tokens === null
        ? undefined
        : wholeNumber(max_tokens, 'max_tokens', 0, MAX_INT32),
    n_answers: wholeNumber(params.n ?? 1, 'n', 1, MAX_ANSWERS),
    stops: stopsOf(params.stop),
    n_alternatives,
    options: await generateOptions(model, params, n_alternatives),
    signal: params.signal,
  };
}
