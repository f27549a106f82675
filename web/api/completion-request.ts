/** Checks the parameters of a completion and turns them into a request for the generation. */
import { TokenglassError, typed } from '../types/errors.js';
import { suggestion } from '../types/names.js';
import { MAX_LISTED, checkListed } from '../types/listed.js';
import { withSignal } from '../types/signals.js';
import { maxParallel } from './cache-room.js';
import {
  MAX_INT32,
  flag,
  invalid,
  isGiven,
  listOf,
  readOptions,
  reading,
  wholeNumber,
} from '../types/arguments.js';
import { randomSeed, samplerOptionNames } from './options.js';
import type {
  ChatParams,
  CompletionParams,
  GenerateOptions,
  JsonSchemaResponseFormat,
  Model,
  ResponseFormat,
  ResponseSchema,
  UnsupportedParams,
} from '../types/types.js';

/** A checked request. */
export interface CompletionRequest {
  /** The prompt's token ids. */
  ids: number[];
  /** Maximum number of tokens of an answer; undefined: until a token ends it. */
  limit: number | undefined;
  n_answers: number;
  /** Answers that run at the same time, at most. */
  n_parallel: number;
  /** Whether to use the sessions of earlier completions, and to keep this one's. */
  cache_prompt: boolean;
  stops: string[];
  /** Alternatives to list for each token; undefined: no log-probabilities. */
  n_alternatives: number | undefined;
  /** Throws INVALID_ARGUMENT when the alternatives of n tokens are too many. */
  checkListed(n: number): void;
  options: GenerateOptions;
  signal: AbortSignal | undefined;
}

/** What the two kinds of completion read in their own ways. */
export interface OwnRequest {
  ids: number[];
  max_tokens: number | null | undefined;
  n_alternatives: number | undefined;
  /** The name of the parameter that gives n_alternatives. */
  alternatives_name: string;
}

const FORMATS = ['text', 'json_object', 'json_schema'];
const MAX_ANSWERS = 128;
const MAX_STOPS = 16;
/** Parts of a stream that are in memory for each answer that runs: unread, or being made. */
const HELD_PARTS = 3;

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
  'cache_prompt',
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
  'moderation',
  'prediction',
  'reasoning_effort',
  'verbosity',
  'web_search_options',
  'metadata',
  'store',
  'service_tier',
  'safety_identifier',
  'prompt_cache_key',
  'prompt_cache_options',
  'prompt_cache_retention',
] satisfies (keyof UnsupportedParams)[] as readonly string[];

/**
 * A copy of the parameters. Throws for a parameter that is unsupported or unknown. own: the
 * method's own parameters.
 */
export function readParams<T extends CompletionParams | ChatParams>(
  params: T,
  own: readonly string[],
  method: string,
): T {
  const read = readOptions(params, [...COMMON_PARAMS, ...own], method, UNSUPPORTED_PARAMS);
  for (const [name, value] of Object.entries(read)) {
    if (UNSUPPORTED_PARAMS.includes(name) && value !== null)
      throw new TokenglassError('OPTION_UNSUPPORTED', `${method} does not support ${name}`);
  }
  const { model } = read;
  if (model !== undefined && typeof model !== 'string')
    throw invalid(`model is ${typed(model)}; it must be a text`);
  flag(read.stream ?? undefined, 'stream', false);
  return read;
}

function stopsOf(stop: unknown): string[] {
  const given = stop ?? [];
  const stops = typeof given === 'string' ? [given] : listOf(given, 'stop', (text) => text);
  const rule = `it must be at most ${MAX_STOPS} texts, none of them empty`;
  if (stops.length > MAX_STOPS) throw invalid(`stop has ${stops.length} texts; ${rule}`);
  const bad = stops.findIndex((text) => typeof text !== 'string' || text === '');
  if (bad >= 0) throw invalid(`stop has ${typed(stops[bad], 'string')}; ${rule}`);
  return stops as string[];
}

/** What response_format says. */
interface Format {
  type: ResponseFormat['type'];
  json_schema: Pick<ResponseSchema, 'schema'>;
}

const formatOf = (response_format: unknown): Format =>
  reading('response_format', () => {
    const { type, json_schema } = (response_format ?? { type: 'text' }) as JsonSchemaResponseFormat;
    return { type, json_schema: { schema: json_schema?.schema } };
  });

/** The option `grammar` of the generation. */
async function grammarOption(
  model: Model,
  { response_format, grammar }: CompletionParams | ChatParams,
): Promise<Pick<GenerateOptions, 'grammar'>> {
  const { type, json_schema } = formatOf(response_format);
  if (type !== 'text' && isGiven(grammar))
    throw invalid('response_format and grammar exclude each other');
  if (typeof grammar === 'string')
    return { grammar: await model.createGrammar({ type: 'ebnf', grammar }) };
  if (isGiven(grammar)) return { grammar };
  switch (type) {
    case 'text':
      return {};
    case 'json_object':
      return { grammar: await model.createGrammar({ type: 'json' }) };
    case 'json_schema':
      if (json_schema.schema === undefined)
        throw invalid('response_format.json_schema has no schema; a schema is required');
      return { grammar: await model.createGrammar({ type, schema: json_schema.schema }) };
    default:
      throw invalid(`response_format.type is ${typed(type, 'string')}${suggestion(type, FORMATS)}`);
  }
}

/** The options of the generation, without its length. */
async function generateOptions(
  model: Model,
  params: CompletionParams | ChatParams,
  n_alternatives: number | undefined,
): Promise<GenerateOptions> {
  const values = params as unknown as Record<string, unknown>;
  const names = GENERATE_PARAMS.filter((name) => isGiven(values[name]));
  return {
    ...Object.fromEntries(names.map((name) => [name, values[name]])),
    penalty_freq: params.penalty_freq ?? params.frequency_penalty ?? 0,
    penalty_present: params.penalty_present ?? params.presence_penalty ?? 0,
    seed: params.seed ?? randomSeed(),
    trace: n_alternatives === undefined ? false : { top_n: n_alternatives },
    ...(await grammarOption(model, params)),
  };
}

/** Refuses more alternatives than fit into memory. */
function checkMemory(request: CompletionRequest, stream: boolean): void {
  const { limit, n_answers, n_parallel, stops } = request;
  // a stream keeps only the parts that nobody has read, and tokens whose text may be a stop text
  const longest = Math.max(0, ...stops.map((stop) => stop.length));
  if (stream)
    request.checkListed(n_parallel === 1 ? 2 + longest : n_parallel * (HELD_PARTS + longest));
  else if (limit !== undefined) request.checkListed(n_answers * limit);
}

/** The request of either kind of completion. */
export async function completionRequest(
  model: Model,
  params: CompletionParams | ChatParams,
  { ids, max_tokens: given, n_alternatives, alternatives_name }: OwnRequest,
): Promise<CompletionRequest> {
  await withSignal(params.signal, () => undefined); // throws for a bad or an aborted one
  const max_tokens = isGiven(given) ? wholeNumber(given, 'max_tokens', 0, MAX_INT32) : undefined;
  const room = Math.max(model.info.n_ctx - ids.length, 0);
  const n_answers = wholeNumber(params.n ?? 1, 'n', 1, MAX_ANSWERS);
  const top_n = n_alternatives ?? 0;
  const fit = Math.floor(MAX_LISTED / (HELD_PARTS * Math.max(top_n, 1)));
  const help = params.stream
    ? '; give a smaller n'
    : '; give a smaller n or max_tokens, or read the answer as a stream';
  const request: CompletionRequest = {
    ids,
    limit: params.overflow === 'shift' ? max_tokens : Math.min(max_tokens ?? MAX_INT32, room),
    n_answers,
    n_parallel: Math.min(n_answers, maxParallel(model.info), Math.max(fit, 1)),
    cache_prompt: flag(params.cache_prompt, 'cache_prompt', true),
    stops: stopsOf(params.stop),
    n_alternatives,
    checkListed: (n) => checkListed(n, top_n, alternatives_name, help),
    options: await generateOptions(model, params, n_alternatives),
    signal: params.signal,
  };
  checkMemory(request, params.stream === true);
  return request;
}
