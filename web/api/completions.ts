/** Completions in the shapes of the OpenAI API, whole or as chunks. Loaded with the first one. */
import { UsageCounter, allAnswers, allParts } from './answers.js';
import type { Answer, AnswerPart, TokenRecord } from './answers.js';
import { MAX_ALTERNATIVES, checkParams, completionRequest } from './completion-request.js';
import type { CompletionRequest } from './completion-request.js';
import { wholeNumber } from './options.js';
import { TokenglassError } from '../types/errors.js';
import type {
  ChatCompletion,
  ChatCompletionChunk,
  ChatLogprobs,
  ChatMessage,
  ChatParams,
  ChatPrompt,
  Completion,
  CompletionChunk,
  CompletionHead,
  CompletionLogprobs,
  CompletionParams,
  Model,
  Timings,
  Usage,
} from '../types/types.js';

const DEFAULT_MAX_TOKENS = 16; // of a plain completion, as in the API

const headOf = <Kind extends string>(
  model: Model,
  object: Kind,
  prefix: string,
  name: string | undefined,
): CompletionHead<Kind> => ({
  id: `${prefix}-${crypto.randomUUID()}`,
  object,
  created: Math.floor(Date.now() / 1000),
  model: name ?? (model.info.name || model.info.architecture),
  system_fingerprint: model.info.fingerprint,
});

/** The chunks of a stream; with include_usage a last one has the totals. */
async function* chunksOf<Head extends object, Choice>(
  model: Model,
  request: CompletionRequest,
  { stream_options }: CompletionParams | ChatParams,
  head: Head,
  choiceOf: (part: AnswerPart, first: boolean) => Choice,
): AsyncGenerator<Head & { choices: Choice[]; usage?: Usage | null; timings?: Timings }> {
  const include_usage = stream_options?.include_usage ?? false;
  const counter = new UsageCounter();
  let answer = -1; // the parts of an answer come one after the other
  for await (const part of allParts(model, request, counter)) {
    const choices = [choiceOf(part, part.index !== answer)];
    answer = part.index;
    yield { ...head, choices, ...(include_usage && { usage: null }) };
  }
  if (include_usage) yield { ...head, choices: [], ...counter.totals() };
}

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

// ---- plain completions ----

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
    top_logprobs: tokens.map(({ alternatives }) =>
      Object.fromEntries(alternatives.map(({ token, logprob }) => [token, logprob])),
    ),
    text_offset: tokens.map((record) => offset + record.offset),
  };
}

export async function createCompletion(
  model: Model,
  params: CompletionParams,
): Promise<Completion | AsyncGenerator<CompletionChunk>> {
  checkParams(params, ['prompt', 'echo'], 'createCompletion');
  const { prompt, logprobs = null, max_tokens = DEFAULT_MAX_TOKENS } = params;
  if (typeof prompt !== 'string' && !Array.isArray(prompt))
    throw new TokenglassError('INVALID_ARGUMENT', 'prompt is a text or a list of token ids');
  const ids = typeof prompt === 'string' ? await model.tokenize(prompt) : [...prompt];
  const n_alternatives =
    logprobs === null ? undefined : wholeNumber(logprobs, 'logprobs', 0, MAX_ALTERNATIVES);
  const request = await completionRequest(model, params, ids, max_tokens, n_alternatives);
  const promptText = () => (typeof prompt === 'string' ? prompt : model.detokenize(ids));
  const echo = params.echo ? await promptText() : '';
  const head = headOf(model, 'text_completion', 'cmpl', params.model);
  const logprobsOf = (tokens: readonly TokenRecord[]) =>
    completionLogprobs(tokens, n_alternatives, echo.length);
  if (params.stream) {
    return chunksOf(model, request, params, head, ({ tokens, ...part }, first) => ({
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

const ROLES = ['system', 'developer', 'user', 'assistant'];

/** A message whose content is one text and whose role templates know. */
function plainMessage(message: ChatMessage, i: number): ChatMessage {
  const { role, content, name } = message ?? {};
  if (!ROLES.includes(role)) {
    throw new TokenglassError(
      'OPTION_UNSUPPORTED',
      `messages[${i}] has the role "${String(role)}"; known: ${ROLES.join(', ')}`,
    );
  }
  const parts = typeof content === 'string' ? [{ type: 'text', text: content }] : content;
  const isText = Array.isArray(parts) && parts.every((part) => typeof part?.text === 'string');
  if (!isText || parts.some(({ type }) => type !== 'text')) {
    throw new TokenglassError(
      'OPTION_UNSUPPORTED',
      `messages[${i}].content is neither a text nor a list of texts`,
    );
  }
  return {
    role: role === 'developer' ? 'system' : role,
    content: parts.map(({ text }) => text).join(''),
    ...(name !== undefined && { name }),
  };
}

/** The conversation as the model's template writes it. */
export async function chatPrompt(
  model: Model,
  messages: readonly ChatMessage[],
): Promise<ChatPrompt> {
  const { chat_template, bos, eos } = model.info;
  if (chat_template === undefined)
    throw new TokenglassError('TEMPLATE_MISSING', "the model's file has no chat template");
  if (!Array.isArray(messages) || messages.length === 0)
    throw new TokenglassError('INVALID_ARGUMENT', 'messages is a list of at least one message');
  const textOf = async (id: number | undefined) => (id === undefined ? '' : model.tokenText(id));
  const [bos_token, eos_token] = [await textOf(bos), await textOf(eos)];
  const { renderChat } = await import('./chat.js');
  const text = renderChat(chat_template, {
    messages: messages.map(plainMessage),
    bos_token,
    eos_token,
  });
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
  params: ChatParams,
): Promise<ChatCompletion | AsyncGenerator<ChatCompletionChunk>> {
  const own = ['messages', 'max_completion_tokens', 'top_logprobs'];
  checkParams(params, own, 'createChatCompletion');
  const { logprobs, top_logprobs } = params;
  if (top_logprobs && !logprobs)
    throw new TokenglassError('INVALID_ARGUMENT', 'top_logprobs needs logprobs: true');
  const n_alternatives = logprobs
    ? wholeNumber(top_logprobs ?? 0, 'top_logprobs', 0, MAX_ALTERNATIVES)
    : undefined;
  const { ids } = await chatPrompt(model, params.messages);
  const max_tokens = params.max_completion_tokens ?? params.max_tokens;
  const request = await completionRequest(model, params, ids, max_tokens, n_alternatives);
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
    return chunksOf(model, request, params, head, choiceOf);
  }
  const whole = await wholeOf(model, request, ({ text, tokens, finish_reason }, index) => ({
    index,
    message: { role: 'assistant' as const, content: text, refusal: null },
    logprobs: chatLogprobs(tokens, n_alternatives),
    finish_reason,
  }));
  return { ...headOf(model, 'chat.completion', 'chatcmpl', params.model), ...whole };
}
