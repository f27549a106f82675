/** Completions in the shapes of the OpenAI API, whole or as chunks. Loaded with the first one. */
import { messagesOf, templateVariables } from './chat-input.js';
import { allAnswers, allParts } from './answers.js';
import type { Answer, AnswerPart, TokenRecord } from './answers.js';
import { completionRequest, readParams } from './completion-request.js';
import type { CompletionRequest } from './completion-request.js';
import { UsageCounter } from './usage.js';
import {
  flag,
  idsOf,
  invalid,
  readOptions,
  reading,
  unsupported,
  wholeNumber,
} from '../types/arguments.js';
import { TokenglassError } from '../types/errors.js';
import { endedAtOnce, follow } from '../types/signals.js';
import type { Stop } from '../types/signals.js';
import type {
  ChatCompletion,
  ChatCompletionChunk,
  ChatLogprobs,
  ChatMessage,
  ChatParams,
  ChatPrompt,
  ChatTemplateOptions,
  Completion,
  CompletionChunk,
  CompletionHead,
  CompletionLogprobs,
  CompletionParams,
  Model,
  Timings,
  TokenLogprob,
  Usage,
} from '../types/types.js';

const DEFAULT_MAX_TOKENS = 16; // of a plain completion, as in the API

/** 128 random bits in hexadecimal; crypto.randomUUID exists on secure pages only. */
const randomId = () =>
  Array.from(crypto.getRandomValues(new Uint8Array(16)), (byte) =>
    byte.toString(16).padStart(2, '0'),
  ).join('');

const headOf = <Kind extends string>(
  model: Model,
  object: Kind,
  prefix: string,
  name: string | undefined,
): CompletionHead<Kind> => ({
  id: `${prefix}-${randomId()}`,
  object,
  created: Math.floor(Date.now() / 1000),
  model: name ?? (model.info.name || model.info.architecture),
  system_fingerprint: model.info.fingerprint,
});

/** The chunks of a stream; with include_usage a last one has the totals. */
async function* chunkSteps<Head extends object, Choice>(
  model: Model,
  request: CompletionRequest,
  include_usage: boolean,
  head: Head,
  choiceOf: (part: AnswerPart, first: boolean) => Choice,
  stop: Stop,
): AsyncGenerator<Chunk<Head, Choice>, void, undefined> {
  const counter = new UsageCounter();
  const release = follow(request.signal, stop);
  const begun = new Set<number>(); // the answers
  try {
    for await (const part of allParts(model, { ...request, signal: stop.signal }, counter)) {
      const choices = [choiceOf(part, !begun.has(part.index))];
      begun.add(part.index);
      yield { ...head, choices, ...(include_usage && { usage: null }) };
    }
    if (include_usage) yield { ...head, choices: [], ...counter.totals() };
  } catch (error) {
    if (error !== stop.returned) throw error;
  } finally {
    release();
  }
}

type Chunk<Head, Choice> = Head & { choices: Choice[]; usage?: Usage | null; timings?: Timings };

const chunksOf = <Head extends object, Choice>(
  model: Model,
  request: CompletionRequest,
  include_usage: boolean,
  head: Head,
  choiceOf: (part: AnswerPart, first: boolean) => Choice,
) => endedAtOnce((stop) => chunkSteps(model, request, include_usage, head, choiceOf, stop));

/** All answers as choices, with the totals. */
async function wholeOf<Choice>(
  model: Model,
  request: CompletionRequest,
  choiceOf: (answer: Answer, index: number) => Choice,
): Promise<{ choices: Choice[]; usage: Usage; timings: Timings }> {
  const counter = new UsageCounter();
  const answers = await allAnswers(model, request, counter);
  return { choices: answers.map(choiceOf), ...counter.totals() };
}

/** The option include_usage of a stream. */
function usageOf({ stream_options }: CompletionParams | ChatParams): boolean {
  const names = ['include_usage', 'include_obfuscation'];
  const options = readOptions(stream_options ?? undefined, names, 'stream_options');
  if (options.include_obfuscation)
    throw unsupported('stream_options does not support include_obfuscation');
  return flag(options.include_usage ?? undefined, 'include_usage', false);
}

// ---- plain completions ----

/** The log-probabilities by text. Of tokens with the same text the first one counts. */
function byText(alternatives: readonly TokenLogprob[]): Record<string, number> {
  const map = new Map<string, number>();
  for (const { token, logprob } of alternatives) if (!map.has(token)) map.set(token, logprob);
  return Object.fromEntries(map);
}

/** offset: characters before the answer. */
function completionLogprobs(
  tokens: readonly TokenRecord[],
  n_alternatives: number | undefined,
  offset: number,
): CompletionLogprobs | null {
  if (n_alternatives === undefined) return null;
  return {
    tokens: tokens.map(({ token }) => token),
    token_logprobs: tokens.map(({ logprob }) => logprob),
    top_logprobs: tokens.map(({ alternatives }) => byText(alternatives)),
    text_offset: tokens.map((record) => offset + record.offset),
  };
}

/** The prompt, which is one text or the token ids of one. */
function onePrompt(prompt: CompletionParams['prompt']): string | readonly number[] {
  if (prompt === null) throw unsupported('createCompletion needs a prompt: null is not supported');
  // the first element tells a list of prompts; idsOf reads the others
  const first: unknown = reading('prompt', () => (Array.isArray(prompt) ? prompt[0] : undefined));
  if (typeof first === 'string' || Array.isArray(first))
    throw unsupported('prompt is a list of prompts; createCompletion takes one prompt in a call');
  return prompt as string | readonly number[];
}

export async function createCompletion(
  model: Model,
  given: CompletionParams,
): Promise<Completion | AsyncGenerator<CompletionChunk>> {
  const params = readParams(given, ['prompt', 'echo'], 'createCompletion');
  const { logprobs = null, max_tokens = DEFAULT_MAX_TOKENS } = params;
  const prompt = onePrompt(params.prompt);
  const include_usage = usageOf(params);
  const echoed = flag(params.echo ?? undefined, 'echo', false);
  const ids =
    typeof prompt === 'string' ? await model.tokenize(prompt) : [...idsOf(prompt, 'prompt')];
  const n_alternatives =
    logprobs === null ? undefined : wholeNumber(logprobs, 'logprobs', 0, model.info.n_vocab);
  const alternatives_name = 'logprobs';
  const own = { ids, max_tokens, n_alternatives, alternatives_name };
  const request = await completionRequest(model, params, own);
  const promptText = () => (typeof prompt === 'string' ? prompt : model.detokenize(ids));
  const echo = echoed ? await promptText() : '';
  const head = headOf(model, 'text_completion', 'cmpl', params.model);
  const logprobsOf = (tokens: readonly TokenRecord[]) =>
    completionLogprobs(tokens, n_alternatives, echo.length);
  if (params.stream) {
    return chunksOf(model, request, include_usage, head, ({ tokens, ...part }, first) => ({
      index: part.index,
      text: (first ? echo : '') + part.text,
      logprobs: logprobsOf(tokens),
      finish_reason: part.finish_reason,
    }));
  }
  const whole = await wholeOf(model, request, ({ text, tokens, finish_reason }, index) => ({
    index,
    text: echo + text,
    logprobs: logprobsOf(tokens),
    finish_reason,
  }));
  return { ...head, ...whole };
}

// ---- chat ----

/** The conversation as the model's template writes it. */
export async function chatPrompt(
  model: Model,
  messages: readonly ChatMessage[],
  options?: ChatTemplateOptions,
): Promise<ChatPrompt> {
  const { chat_template, bos, eos } = model.info;
  if (chat_template === undefined)
    throw new TokenglassError('TEMPLATE_MISSING', "the model's file has no chat template");
  const plain = messagesOf(messages);
  const variables = templateVariables(options);
  const textOf = async (id: number | undefined) => (id === undefined ? '' : model.tokenText(id));
  const [bos_token, eos_token] = [await textOf(bos), await textOf(eos)];
  const { renderChat } = await import('./chat.js');
  const text = renderChat(chat_template, { bos_token, eos_token, ...variables, messages: plain });
  const add_special = bos_token === '' || !text.startsWith(bos_token); // no second BOS
  return { text, ids: await model.tokenize(text, { add_special, parse_special: true }) };
}

function chatLogprobs(
  tokens: readonly TokenRecord[],
  n_alternatives: number | undefined,
): ChatLogprobs | null {
  if (n_alternatives === undefined) return null;
  return {
    content: tokens.map(({ token, bytes, logprob, alternatives }) => ({
      token,
      bytes,
      logprob,
      top_logprobs: alternatives,
    })),
    refusal: null,
  };
}

export async function createChatCompletion(
  model: Model,
  given: ChatParams,
): Promise<ChatCompletion | AsyncGenerator<ChatCompletionChunk>> {
  const own = ['messages', 'max_completion_tokens', 'top_logprobs', 'chat_template_kwargs'];
  const params = readParams(given, own, 'createChatCompletion');
  const include_usage = usageOf(params);
  const { top_logprobs } = params;
  const logprobs = flag(params.logprobs ?? undefined, 'logprobs', false);
  if (top_logprobs && !logprobs) throw invalid('top_logprobs needs logprobs: true');
  const n_alternatives = logprobs
    ? wholeNumber(top_logprobs ?? 0, 'top_logprobs', 0, model.info.n_vocab)
    : undefined;
  const kwargs = params.chat_template_kwargs;
  const { ids } = await chatPrompt(model, params.messages, {
    ...(kwargs && { chat_template_kwargs: kwargs }),
  });
  const max_tokens = params.max_completion_tokens ?? params.max_tokens;
  const request = await completionRequest(model, params, {
    ids,
    max_tokens,
    n_alternatives,
    alternatives_name: 'top_logprobs',
  });
  if (params.stream) {
    const head = headOf(model, 'chat.completion.chunk', 'chatcmpl', params.model);
    const choiceOf = ({ index, text, tokens, finish_reason }: AnswerPart, first: boolean) => ({
      index,
      delta: {
        ...(first && { role: 'assistant' as const }),
        ...((text || !finish_reason) && { content: text }),
      },
      logprobs: chatLogprobs(tokens, n_alternatives),
      finish_reason,
    });
    return chunksOf(model, request, include_usage, head, choiceOf);
  }
  const whole = await wholeOf(model, request, ({ text, tokens, finish_reason }, index) => ({
    index,
    message: { role: 'assistant' as const, content: text, refusal: null },
    logprobs: chatLogprobs(tokens, n_alternatives),
    finish_reason,
  }));
  return { ...headOf(model, 'chat.completion', 'chatcmpl', params.model), ...whole };
}
