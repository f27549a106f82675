/**
 * Completions in the shapes of the OpenAI API. Names and meaning are the API's; the sampler's
 * options and the timings are this package's additions.
 */
import type { CallOptions } from './common.js';
import type { Constraint } from './grammar.js';
import type { LogitBias, SamplerOptions } from './sampling.js';
import type { OverflowMode } from './session.js';

/** Why an answer ended: 'stop' for an end token or a stop text, 'length' for max_tokens. */
export type FinishReason = 'stop' | 'length';

/** An answer of any text. */
export interface TextResponseFormat {
  /** An answer of any text. */
  type: 'text';
}

/** An answer that is a JSON object. */
export interface JsonObjectResponseFormat {
  /** An answer that is a JSON object. */
  type: 'json_object';
}

/** A JSON schema as the API wraps it. */
export interface ResponseSchema {
  /** A name for the schema; not used. */
  name?: string;
  /** What the answer is for; not used. */
  description?: string;
  /** The JSON Schema. Required, although the API's type leaves it out. */
  schema?: Record<string, unknown>;
  /** Not used: the answer always follows the schema. */
  strict?: boolean | null;
}

/** An answer that a JSON schema describes. */
export interface JsonSchemaResponseFormat {
  /** An answer that a JSON schema describes. */
  type: 'json_schema';
  /** The schema. */
  json_schema: ResponseSchema;
}

/** What an answer must look like. */
export type ResponseFormat =
  TextResponseFormat | JsonObjectResponseFormat | JsonSchemaResponseFormat;

/** Options of a stream. */
export interface StreamOptions {
  /** Add a last chunk with usage and timings. Default: false. */
  include_usage?: boolean;
  /** Not supported: true is refused with OPTION_UNSUPPORTED. */
  include_obfuscation?: boolean;
}

/**
 * Parameters of the API that this package does not support. They are here so that the parameters
 * of the official client fit. A call that gives a value other than null rejects with
 * OPTION_UNSUPPORTED, and the error names the parameter.
 */
export interface UnsupportedParams {
  /** Not supported: applyChatTemplate takes tools. */
  tools?: unknown;
  /** Not supported. */
  tool_choice?: unknown;
  /** Not supported. */
  functions?: unknown;
  /** Not supported. */
  function_call?: unknown;
  /** Not supported. */
  parallel_tool_calls?: unknown;
  /** Not supported. */
  suffix?: unknown;
  /** Not supported: n makes several answers. */
  best_of?: unknown;
  /** Not supported. */
  audio?: unknown;
  /** Not supported. */
  modalities?: unknown;
  /** Not supported. */
  moderation?: unknown;
  /** Not supported. */
  prediction?: unknown;
  /** Not supported: chat_template_kwargs has what a template knows of reasoning. */
  reasoning_effort?: unknown;
  /** Not supported. */
  verbosity?: unknown;
  /** Not supported. */
  web_search_options?: unknown;
  /** Not supported. */
  metadata?: unknown;
  /** Not supported. */
  store?: unknown;
  /** Not supported. */
  service_tier?: unknown;
  /** Not supported. */
  safety_identifier?: unknown;
  /** Not supported. */
  prompt_cache_key?: unknown;
  /** Not supported. */
  prompt_cache_options?: unknown;
  /** Not supported. */
  prompt_cache_retention?: unknown;
}

/** Parameters of both kinds of completion. */
export interface CommonParams
  extends
    Omit<SamplerOptions, 'seed' | 'grammar' | 'temperature' | 'top_p' | 'logit_bias'>,
    UnsupportedParams,
    CallOptions {
  /** As for Session.generate; null is the default. */
  temperature?: number | null;
  /** As for Session.generate; null is the default. */
  top_p?: number | null;
  /** Added to the logits by token id; null: none. Default: none. */
  logit_bias?: LogitBias | null;
  /** A name that the answer repeats. Default: the model's own name. */
  model?: string;
  /** Number of answers, 1 to 128; each has random numbers of its own. Default: 1. */
  n?: number | null;
  /** A text, or at most 16 texts, before which the answer ends. Default: none. */
  stop?: string | readonly string[] | null;
  /** Seed of the random numbers. Default: a random one. */
  seed?: number | bigint | null;
  /** Another name of penalty_freq. Default: 0. */
  frequency_penalty?: number | null;
  /** Another name of penalty_present. Default: 0. */
  presence_penalty?: number | null;
  /** What the answer must look like. Default: any text. */
  response_format?: ResponseFormat;
  /** A grammar in EBNF, or one from Model.createGrammar. Default: none. */
  grammar?: string | Constraint;
  /** Options of a stream. */
  stream_options?: StreamOptions | null;
  /** Continue after tokens that end a generation. Default: false. */
  ignore_eos?: boolean;
  /** What to do when the context is full, as for Session.generate. Default: 'error'. */
  overflow?: OverflowMode;
  /** How many tokens at the beginning overflow: 'shift' keeps. */
  n_keep?: number;
  /**
   * Reuse what earlier completions of the model have run, and keep what this one runs. The result
   * is the same without. Default: true.
   */
  cache_prompt?: boolean;
  /** Accepted and not used. */
  user?: string;
}

/** A prompt of the API that is refused with OPTION_UNSUPPORTED: several prompts, or none. */
export type UnsupportedPrompt = readonly string[] | readonly (readonly number[])[] | null;

/** Parameters of Model.createCompletion. */
export interface CompletionParams extends CommonParams {
  /** The text to continue, or its token ids. Several prompts, and null, are not supported. */
  prompt: string | readonly number[] | UnsupportedPrompt;
  /** Maximum number of tokens; null: until the context is full. Default: 16, as in the API. */
  max_tokens?: number | null;
  /**
   * How many alternatives to list for each token, at most the vocabulary. A whole answer lists at
   * most 524,288 together, n and max_tokens counted. Default: no log-probabilities.
   */
  logprobs?: number | null;
  /** Put the prompt before the answer. Default: false. */
  echo?: boolean | null;
  /** Answer as a stream of chunks. Default: false. */
  stream?: boolean | null;
}

/** Parameters of a completion that is a stream of chunks. */
export interface StreamedCompletionParams extends CompletionParams {
  /** Answer as a stream of chunks. */
  stream: true;
}

/** Parameters of a completion that is one object. */
export interface WholeCompletionParams extends CompletionParams {
  /** Answer as one object. Default: false. */
  stream?: false | null;
}

/** A part of a message. */
export interface TextPart {
  /** Only texts are supported. */
  type: 'text';
  /** The text. */
  text: string;
}

/** A part of a message that is refused with OPTION_UNSUPPORTED. */
export interface UnsupportedPart {
  /** What is not a text. */
  type: 'image_url' | 'input_audio' | 'file' | 'refusal';
}

/**
 * Who wrote a message. 'developer' is treated as 'system'; 'tool' is the result of a tool call.
 * 'function', the API's older name of 'tool', is refused with OPTION_UNSUPPORTED.
 */
export type ChatRole = 'system' | 'developer' | 'user' | 'assistant' | 'tool' | 'function';

/** A function that the assistant called. */
export interface ToolFunction {
  /** The function's name. */
  name: string;
  /** The arguments as the template wants them: an object for most templates, or JSON as a text. */
  arguments: string | Record<string, unknown>;
}

/** A tool call in a message of the assistant. */
export interface ToolCall {
  /** The id that the tool's result names. Default: none. */
  id?: string;
  /** Always a function. */
  type?: 'function';
  /** The function that was called. */
  function: ToolFunction;
}

/** A tool call that is refused with OPTION_UNSUPPORTED: the tool is no function. */
export interface UnsupportedToolCall {
  /** The id that the tool's result names. */
  id: string;
  /** What is not a function. */
  type: 'custom';
}

/** A message of a conversation. */
export interface ChatMessage {
  /** Who wrote the message. */
  role: ChatRole;
  /** The text, or parts that are joined; null or absent only in a message that has tool calls. */
  content?: string | readonly (TextPart | UnsupportedPart)[] | null;
  /** Name of the writer, for templates that use it. Default: none. */
  name?: string;
  /** Tools that the assistant called. Default: none. */
  tool_calls?: readonly (ToolCall | UnsupportedToolCall)[];
  /** In a message of a tool: the id of the call that it answers. Default: none. */
  tool_call_id?: string;
  /** What the assistant thought before it answered, for templates that use it. Default: none. */
  reasoning_content?: string;
  /** Always null, as in a message of an answer: a text is refused with OPTION_UNSUPPORTED. */
  refusal?: string | null;
  /** Not supported: refused with OPTION_UNSUPPORTED unless null. */
  audio?: unknown;
  /** Not supported: refused with OPTION_UNSUPPORTED unless null. */
  function_call?: unknown;
}

/** What a chat template gets beside the messages. */
export interface ChatTemplateOptions {
  /** Descriptions of tools, as JSON schemas of functions. Default: none. */
  tools?: readonly object[] | null;
  /** Documents for templates that answer from documents. Default: none. */
  documents?: readonly object[] | null;
  /** End with the beginning of the assistant's answer. Default: true. */
  add_generation_prompt?: boolean;
  /** More variables of the template, such as enable_thinking. Default: none. */
  chat_template_kwargs?: Record<string, unknown>;
}

/** Parameters of Model.createChatCompletion. */
export interface ChatParams extends CommonParams {
  /** The conversation so far, at least one message. */
  messages: readonly ChatMessage[];
  /** Maximum number of tokens. Default: until the model ends its turn or the context is full. */
  max_tokens?: number | null;
  /** The newer name of max_tokens, which takes precedence. */
  max_completion_tokens?: number | null;
  /** More variables of the chat template, such as enable_thinking. Default: none. */
  chat_template_kwargs?: Record<string, unknown> | null;
  /** List the log-probability of each token. Default: false. */
  logprobs?: boolean | null;
  /**
   * With logprobs: how many alternatives to list for each token, at most the vocabulary. A whole
   * answer lists at most 524,288 together, n and max_tokens counted. Default: 0.
   */
  top_logprobs?: number | null;
  /** Answer as a stream of chunks. Default: false. */
  stream?: boolean | null;
}

/** Parameters of a chat completion that is a stream of chunks. */
export interface StreamedChatParams extends ChatParams {
  /** Answer as a stream of chunks. */
  stream: true;
}

/** Parameters of a chat completion that is one object. */
export interface WholeChatParams extends ChatParams {
  /** Answer as one object. Default: false. */
  stream?: false | null;
}

/** What the prompt's tokens were. */
export interface PromptTokensDetails {
  /** Tokens that an earlier completion had run: they did not run again. */
  cached_tokens: number;
}

/** Numbers of tokens. */
export interface Usage {
  /** Tokens of the prompt. */
  prompt_tokens: number;
  /** Tokens of all answers. */
  completion_tokens: number;
  /** Both together. */
  total_tokens: number;
  /** What the prompt's tokens were. */
  prompt_tokens_details: PromptTokensDetails;
}

/** Times and rates, with the names of llama.cpp's server. */
export interface Timings {
  /** Tokens of the prompt that an earlier completion had run. */
  cache_n: number;
  /** The other tokens of the prompt. */
  prompt_n: number;
  /** Milliseconds to run the prompt. */
  prompt_ms: number;
  /** Tokens of prompt_n a second. */
  prompt_per_second: number;
  /** Generated tokens, of all answers. */
  predicted_n: number;
  /** Milliseconds to generate them. Time in which several answers are generated counts once. */
  predicted_ms: number;
  /** Generated tokens a second. */
  predicted_per_second: number;
}

/** Log-probabilities of a completion: one entry for each token, in nats, before any stage. */
export interface CompletionLogprobs {
  /** The tokens for display. */
  tokens: string[];
  /** The log-probability of each token. */
  token_logprobs: number[];
  /** The log-probabilities of each token's alternatives by their text. */
  top_logprobs: Record<string, number>[];
  /** Characters of the text before each token. */
  text_offset: number[];
}

/** One answer of a completion. */
export interface CompletionChoice {
  /** Number of the answer, from 0. */
  index: number;
  /** The text. */
  text: string;
  /** Log-probabilities; null when they were not asked for. */
  logprobs: CompletionLogprobs | null;
  /** Why the answer ended. */
  finish_reason: FinishReason;
}

/** What all completions and chunks begin with. */
export interface CompletionHead<Kind extends string> {
  /** A random id, the same in all chunks of a stream. */
  id: string;
  /** The kind of object. */
  object: Kind;
  /** When it was made, in seconds since 1970. */
  created: number;
  /** The `model` parameter, or the model's own name. */
  model: string;
  /** The model's fingerprint. */
  system_fingerprint: string;
}

/** A whole completion. */
export interface Completion extends CompletionHead<'text_completion'> {
  /** The answers. */
  choices: CompletionChoice[];
  /** Numbers of tokens. */
  usage: Usage;
  /** Times and rates. */
  timings: Timings;
}

/** A part of an answer. */
export interface CompletionChunkChoice extends Omit<CompletionChoice, 'finish_reason'> {
  /** Why the answer ended; null before its last chunk. */
  finish_reason: FinishReason | null;
}

/** One chunk of a streamed completion. */
export interface CompletionChunk extends CompletionHead<'text_completion'> {
  /** A part of one answer; empty in the last chunk with include_usage. */
  choices: CompletionChunkChoice[];
  /** With include_usage: the numbers in the last chunk, null in the others. */
  usage?: Usage | null;
  /** With include_usage: times and rates in the last chunk. */
  timings?: Timings;
}

/** A token with its log-probability. */
export interface TokenLogprob {
  /** The token for display. */
  token: string;
  /** The bytes that the token adds to the text. */
  bytes: number[];
  /** Log-probability in nats before any stage. */
  logprob: number;
}

/** A token of an answer with its alternatives. */
export interface ChatTokenLogprob extends TokenLogprob {
  /** The top_logprobs most probable tokens, most probable first. */
  top_logprobs: TokenLogprob[];
}

/** Log-probabilities of a chat completion. */
export interface ChatLogprobs {
  /** One entry for each token. */
  content: ChatTokenLogprob[];
  /** Always null. */
  refusal: null;
}

/** The message that the model wrote. */
export interface AssistantMessage {
  /** Always the assistant. */
  role: 'assistant';
  /** The text. */
  content: string;
  /** Always null. */
  refusal: null;
}

/** One answer of a chat completion. */
export interface ChatChoice {
  /** Number of the answer, from 0. */
  index: number;
  /** The message. */
  message: AssistantMessage;
  /** Log-probabilities; null when they were not asked for. */
  logprobs: ChatLogprobs | null;
  /** Why the answer ended. */
  finish_reason: FinishReason;
}

/** A whole chat completion. */
export interface ChatCompletion extends CompletionHead<'chat.completion'> {
  /** The answers. */
  choices: ChatChoice[];
  /** Numbers of tokens. */
  usage: Usage;
  /** Times and rates. */
  timings: Timings;
}

/** What a chunk adds to a message. */
export interface ChatDelta {
  /** In the first chunk of an answer. */
  role?: 'assistant';
  /** Text to add. */
  content?: string;
}

/** A part of an answer. */
export interface ChatChunkChoice {
  /** Number of the answer, from 0. */
  index: number;
  /** What the chunk adds. */
  delta: ChatDelta;
  /** Log-probabilities of the chunk's tokens; null when they were not asked for. */
  logprobs: ChatLogprobs | null;
  /** Why the answer ended; null before its last chunk. */
  finish_reason: FinishReason | null;
}

/** One chunk of a streamed chat completion. */
export interface ChatCompletionChunk extends CompletionHead<'chat.completion.chunk'> {
  /** A part of one answer; empty in the last chunk with include_usage. */
  choices: ChatChunkChoice[];
  /** With include_usage: the numbers in the last chunk, null in the others. */
  usage?: Usage | null;
  /** With include_usage: times and rates in the last chunk. */
  timings?: Timings;
}
