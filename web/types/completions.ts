/** Completions in the OpenAI shapes: what goes in and what comes out. Names are the API's; numbers that it does not know are ours (options of the sampler, timings). */
import type { Constraint, SamplerOptions, StageListName, StageOptionName } from './types.js';

export type FinishReason = 'stop' | 'length';

export type ResponseFormat =
  | { type: 'text' }
  | { type: 'json_object' }
  | {
      type: 'json_schema';
      json_schema: { name?: string; schema: Record<string, unknown>; strict?: boolean | null };
    };

interface CommonParams
  extends
    Partial<Record<StageOptionName, number>>,
    Pick<SamplerOptions, Exclude<StageListName, 'grammar'> | 'samplers'> {
  /** Taken for what the other side calls the model; the answer repeats it. */
  model?: string;
  /** How many answers to the one prompt (default 1); each has coins of its own. */
  n?: number;
  /** A text, or texts, before which the answer ends. */
  stop?: string | readonly string[] | null;
  seed?: number | bigint | null;
  /** The API's names of penalty_freq and penalty_present. */
  frequency_penalty?: number | null;
  presence_penalty?: number | null;
  response_format?: ResponseFormat;
  /** A GBNF-like grammar (EBNF), or what model.createGrammar made. */
  grammar?: string | Constraint;
  stream_options?: { include_usage?: boolean } | null;
  ignore_eos?: boolean;
  overflow?: 'error' | 'shift';
  n_keep?: number;
  user?: string;
  signal?: AbortSignal;
}

export interface CompletionParams extends CommonParams {
  prompt: string | readonly number[];
  /** Default 16, as in the API. */
  max_tokens?: number | null;
  /** How many alternatives to list for each token; 0 lists the tokens alone. */
  logprobs?: number | null;
  /** Put the prompt before the answer. */
  echo?: boolean | null;
  stream?: boolean | null;
}

export type ChatMessage = {
  role: 'system' | 'developer' | 'user' | 'assistant';
  content: string | readonly { type: 'text'; text: string }[];
  name?: string;
};

export interface ChatParams extends CommonParams {
  messages: readonly ChatMessage[];
  /** Default: until the model ends its turn, or the context is full. */
  max_tokens?: number | null;
  max_completion_tokens?: number | null;
  logprobs?: boolean | null;
  /** 0 to 20, with logprobs. */
  top_logprobs?: number | null;
  stream?: boolean | null;
}

export interface Usage {
  prompt_tokens: number;
  completion_tokens: number;
  total_tokens: number;
}

/** Milliseconds and tokens a second, with llama.cpp's server's names. */
export interface Timings {
  prompt_n: number;
  prompt_ms: number;
  prompt_per_second: number;
  predicted_n: number;
  predicted_ms: number;
  predicted_per_second: number;
}

/** Natural logarithms, of the raw distribution (before any sampler stage). */
export interface CompletionLogprobs {
  tokens: string[];
  token_logprobs: number[];
  top_logprobs: Record<string, number>[];
  text_offset: number[];
}

export interface CompletionChoice {
  index: number;
  text: string;
  logprobs: CompletionLogprobs | null;
  finish_reason: FinishReason;
}

interface Answer<Kind extends string, Choice> {
  id: string;
  object: Kind;
  /** Seconds since 1970. */
  created: number;
  model: string;
  system_fingerprint: string;
  choices: Choice[];
}

export interface Completion extends Answer<'text_completion', CompletionChoice> {
  usage: Usage;
  timings: Timings;
}

export interface CompletionChunk extends Answer<
  'text_completion',
  Omit<CompletionChoice, 'finish_reason'> & { finish_reason: FinishReason | null }
> {
  usage?: Usage | null;
  timings?: Timings;
}

export interface TokenLogprob {
  token: string;
  bytes: number[];
  logprob: number;
}

export interface ChatLogprobs {
  content: (TokenLogprob & { top_logprobs: TokenLogprob[] })[];
  refusal: null;
}

export interface ChatChoice {
  index: number;
  message: { role: 'assistant'; content: string; refusal: null };
  logprobs: ChatLogprobs | null;
  finish_reason: FinishReason;
}

export interface ChatCompletion extends Answer<'chat.completion', ChatChoice> {
  usage: Usage;
  timings: Timings;
}

export interface ChatChunkChoice {
  index: number;
  delta: { role?: 'assistant'; content?: string };
  logprobs: ChatLogprobs | null;
  finish_reason: FinishReason | null;
}

export interface ChatCompletionChunk extends Answer<'chat.completion.chunk', ChatChunkChoice> {
  usage?: Usage | null;
  timings?: Timings;
}
