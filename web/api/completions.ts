/** Completions in the OpenAI shapes: in, a model and parameters; out, whole answers or chunks of them. Loaded when one is asked for. */
import { TokenglassError } from '../types/errors.js';
import { stages } from '../types/generated.js';
import { checkNames, randomSeed, wholeNumber } from './options.js';
import { Stops } from './stops.js';
import type {
  ChatCompletion,
  ChatCompletionChunk,
  ChatLogprobs,
  ChatMessage,
  ChatParams,
  Completion,
  CompletionChunk,
  CompletionLogprobs,
  CompletionParams,
  FinishReason,
  Timings,
  TokenLogprob,
  Usage,
} from '../types/completions.js';
import type {
  ChatPrompt,
  Constraint,
  GenerateOptions,
  Model,
  Session,
  Step,
} from '../types/types.js';

const OURS = [
  ...stages.flatMap(({ options, lists }) => [...options.map(({ name }) => name), ...lists]),
  ...['samplers', 'ignore_eos', 'overflow', 'n_keep', 'signal'],
];
const COMMON = [
  ...OURS,
  ...[
    'model',
    'n',
    'stop',
    'seed',
    'max_tokens',
    'frequency_penalty',
    'presence_penalty',
    'response_format',
    'user',
  ],
  ...['stream', 'stream_options', 'logprobs'],
];
/** Known to the API, and not to us: none of them is ignored in silence. */
const UNSUPPORTED = [
  ...[
    'tools',
    'tool_choice',
    'functions',
    'function_call',
    'parallel_tool_calls',
    'suffix',
    'best_of',
    'audio',
    'modalities',
  ],
  ...['prediction', 'reasoning_effort', 'web_search_options'],
];
const DEFAULT_MAX_TOKENS = 16; // of a plain completion, as in the API
const MOST = 2 ** 31 - 1;
const MOST_ANSWERS = 128;
const MOST_STOPS = 16;
const MOST_TOP = 20;

/** A token as answers tell of it. */
interface Told extends TokenLogprob {
  top: TokenLogprob[];
  /** Characters of its answer before it. */
  offset: number;
}

/** What an answer gained. */
interface Piece {
  index: number;
  text: string;
  tokens: Told[];
  finish: FinishReason | null;
}

/** What a request comes to. */
interface Plan {
  ids: number[];
  most: number | undefined;
  answers: number;
  stops: string[];
  /** Alternatives to list; undefined: no log-probabilities. */
  top: number | undefined;
  options: GenerateOptions;
  signal: AbortSignal | undefined;
}

interface Account {
  usage: Usage;
  timings: Timings;
}

function stopsOf(stop: string | readonly string[] | null | undefined): string[] {
  const stops =
    stop === undefined || stop === null ? [] : typeof stop === 'string' ? [stop] : [...stop];
  if (stops.length > MOST_STOPS || stops.some((text) => typeof text !== 'string' || text === '')) {
    throw new TokenglassError(
      'INVALID_ARGUMENT',
      `stop must be at most ${MOST_STOPS} texts, none of them empty`,
    );
  }
  return stops;
}

async function constraintOf(
  model: Model,
  { response_format, grammar }: CompletionParams | ChatParams,
): Promise<Constraint | undefined> {
  const format = response_format ?? { type: 'text' };
  if (format.type !== 'text' && grammar !== undefined) {
    throw new TokenglassError('INVALID_ARGUMENT', 'response_format and grammar exclude each other');
  }
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

/** The parts of a request that both kinds have. */
async function plan(
  model: Model,
  params: CompletionParams | ChatParams,
  ids: number[],
  max_tokens: number | null | undefined,
  top: number | undefined,
): Promise<Plan> {
  const given = params as unknown as Record<string, unknown>;
  const options: Record<string, unknown> = {};
  for (const name of OURS)
    if (given[name] !== undefined && name !== 'grammar' && name !== 'signal')
      options[name] = given[name];
  options.penalty_freq = params.penalty_freq ?? params.frequency_penalty ?? 0;
  options.penalty_present = params.penalty_present ?? params.presence_penalty ?? 0;
  const grammar = await constraintOf(model, params);
  return {
    ids,
    most:
      max_tokens === undefined || max_tokens === null
        ? undefined
        : wholeNumber(max_tokens, 'max_tokens', 0, MOST),
    answers: wholeNumber(params.n ?? 1, 'n', 1, MOST_ANSWERS),
    stops: stopsOf(params.stop),
    top,
    options: {
      ...(options as GenerateOptions),
      ...(grammar && { grammar }),
      seed: params.seed ?? randomSeed(),
      trace: top === undefined ? false : { top_n: top },
    },
    signal: params.signal,
  };
}

function told({ bytes, logprob, trace }: Step, spelt: string, offset: number, top: number): Told {
  const entry = (text: string, of: Uint8Array, p: number) => ({
    token: text,
    bytes: [...of],
    logprob: p,
  });
  const alternatives = trace?.candidates.slice(0, top) ?? [];
  return {
    ...entry(spelt, bytes, logprob),
    top: alternatives.map((candidate) =>
      entry(candidate.text, candidate.bytes, Math.log(candidate.p)),
    ),
    offset,
  };
}

/** All answers, one after the other, as they come. account is filled in on the way. */
async function* pieces(
  model: Model,
  { ids, most, answers, stops, top, options, signal }: Plan,
  account: Account,
): AsyncGenerator<Piece> {
  const base = model.createSession();
  const begun = performance.now();
  const { usage, timings } = account;
  usage.prompt_tokens = timings.prompt_n = ids.length;
  try {
    await base.sync(ids);
    await base.candidates({ top_n: 0 }); // runs the prompt, once for all answers
    const room = model.info.n_ctx - ids.length;
    const limit = options.overflow === 'shift' ? most : Math.min(most ?? MOST, room);
    timings.prompt_ms = performance.now() - begun;
    for (let index = 0; index < answers; index++) {
      const session = index + 1 < answers ? await base.fork() : base;
      try {
        yield* answer(
          model,
          session,
          index,
          limit,
          stops,
          top,
          { ...options, sample_index: index, ...(signal && { signal }) },
          account,
        );
      } finally {
        if (session !== base) await session.dispose();
      }
    }
  } finally {
    await base.dispose();
  }
}

async function* answer(
  model: Model,
  session: Session,
  index: number,
  limit: number | undefined,
  stops: readonly string[],
  top: number | undefined,
  options: GenerateOptions,
  { usage, timings }: Account,
): AsyncGenerator<Piece> {
  const watch = new Stops(stops);
  let waiting: Told[] = []; // tokens whose text has not been shown as a whole
  let made = 0; // characters so far, shown or held back
  let shown = 0;
  let finish: FinishReason = 'length';
  const piece = (text: string, last: FinishReason | null): Piece => {
    shown += text.length;
    const ready = waiting.filter(
      ({ offset }) => offset < shown || (last === null && offset === shown && made === shown),
    );
    waiting = waiting.filter((token) => !ready.includes(token));
    return { index, text, tokens: ready, finish: last };
  };
  let since = performance.now();
  const steps = session.generate(undefined, {
    ...options,
    ...(limit !== undefined && { max_tokens: limit }),
  });
  for await (const step of steps) {
    usage.completion_tokens++;
    timings.predicted_n++;
    timings.predicted_ms += performance.now() - since;
    if (step.eog && !options.ignore_eos) {
      finish = 'stop';
      break;
    }
    if (top !== undefined) waiting.push(told(step, await model.tokenText(step.token), made, top));
    made += step.text.length;
    const { text, stopped } = watch.push(step.text);
    if (stopped) {
      finish = 'stop';
      yield piece(text, null);
      break;
    }
    if (text || waiting.length > 0) yield piece(text, null);
    since = performance.now();
  }
  yield piece(watch.end(), finish);
}

function emptyAccount(): Account {
  return {
    usage: { prompt_tokens: 0, completion_tokens: 0, total_tokens: 0 },
    timings: {
      prompt_n: 0,
      prompt_ms: 0,
      prompt_per_second: 0,
      predicted_n: 0,
      predicted_ms: 0,
      predicted_per_second: 0,
    },
  };
}

function settle({ usage, timings }: Account): Account {
  usage.total_tokens = usage.prompt_tokens + usage.completion_tokens;
  const rate = (n: number, ms: number) => (ms > 0 ? (1000 * n) / ms : 0);
  timings.prompt_per_second = rate(timings.prompt_n, timings.prompt_ms);
  timings.predicted_per_second = rate(timings.predicted_n, timings.predicted_ms);
  return { usage, timings };
}

function check(params: object, known: readonly string[], what: string): void {
  for (const [name, value] of Object.entries(params)) {
    if (UNSUPPORTED.includes(name) && value !== undefined && value !== null) {
      throw new TokenglassError('OPTION_UNSUPPORTED', `${what} does not support ${name}`);
    }
  }
  checkNames(params, [...known, ...UNSUPPORTED], what);
}

const head = <Kind extends string>(
  model: Model,
  object: Kind,
  prefix: string,
  name: string | undefined,
) => ({
  id: `${prefix}-${crypto.randomUUID()}`,
  object,
  created: Math.floor(Date.now() / 1000),
  model: name ?? (model.info.name || model.info.architecture),
  system_fingerprint: model.info.fingerprint,
});

/** Chunks of pieces, with the account at the end when it is asked for. */
async function* chunks<Chunk extends object>(
  request: Plan,
  model: Model,
  include_usage: boolean,
  one: (piece: Piece) => Chunk,
  last: () => Chunk,
): AsyncGenerator<Chunk & { usage?: Usage | null; timings?: Timings }> {
  const account = emptyAccount();
  for await (const piece of pieces(model, request, account))
    yield { ...one(piece), ...(include_usage && { usage: null }) };
  if (include_usage) yield { ...last(), ...settle(account) };
}

/** All answers as wholes. */
async function gather(
  model: Model,
  request: Plan,
): Promise<Account & { answers: { text: string; tokens: Told[]; finish: FinishReason }[] }> {
  const account = emptyAccount();
  const answers = Array.from({ length: request.answers }, () => ({
    ...{ text: '', tokens: [] as Told[], finish: 'length' as FinishReason },
  }));
  for await (const { index, text, tokens, finish } of pieces(model, request, account)) {
    const answer = answers[index]!;
    answer.text += text;
    answer.tokens.push(...tokens);
    answer.finish = finish ?? answer.finish;
  }
  return { answers, ...settle(account) };
}

// ---- plain completions ----

function legacyLogprobs(
  tokens: Told[],
  top: number | undefined,
  from: number,
): CompletionLogprobs | null {
  if (top === undefined) return null;
  return {
    tokens: tokens.map(({ token }) => token),
    token_logprobs: tokens.map(({ logprob }) => logprob),
    top_logprobs: tokens.map(({ top: list }) =>
      Object.fromEntries(list.map(({ token, logprob }) => [token, logprob])),
    ),
    text_offset: tokens.map(({ offset }) => from + offset),
  };
}

export async function createCompletion(
  model: Model,
  params: CompletionParams,
): Promise<Completion | AsyncGenerator<CompletionChunk>> {
  check(params, [...COMMON, 'prompt', 'echo'], 'createCompletion');
  const { prompt } = params;
  if (typeof prompt !== 'string' && !Array.isArray(prompt))
    throw new TokenglassError('INVALID_ARGUMENT', 'prompt is a text or a list of token ids');
  const ids =
    typeof prompt === 'string' ? await model.tokenize(prompt) : [...(prompt as readonly number[])];
  const top =
    params.logprobs === undefined || params.logprobs === null
      ? undefined
      : wholeNumber(params.logprobs, 'logprobs', 0, MOST_TOP);
  const request = await plan(
    model,
    params,
    ids,
    params.max_tokens === undefined ? DEFAULT_MAX_TOKENS : params.max_tokens,
    top,
  );
  const echoed = params.echo
    ? typeof prompt === 'string'
      ? prompt
      : await model.detokenize(ids)
    : '';
  const base = head(model, 'text_completion' as const, 'cmpl', params.model);
  if (params.stream) {
    const begun = new Set<number>();
    const one = ({ index, text, tokens, finish }: Piece): CompletionChunk => {
      const before = begun.has(index) ? '' : echoed;
      begun.add(index);
      return {
        ...base,
        choices: [
          {
            index,
            text: before + text,
            logprobs: legacyLogprobs(tokens, top, echoed.length),
            finish_reason: finish,
          },
        ],
      };
    };
    return chunks(request, model, params.stream_options?.include_usage ?? false, one, () => ({
      ...base,
      choices: [],
    }));
  }
  const { answers, usage, timings } = await gather(model, request);
  const choices = answers.map(({ text, tokens, finish }, index) => ({
    ...{
      index,
      text: echoed + text,
      logprobs: legacyLogprobs(tokens, top, echoed.length),
      finish_reason: finish,
    },
  }));
  return { ...base, choices, usage, timings };
}

// ---- chat ----

/** Content as plain text: parts are joined. */
function plainMessages(messages: readonly ChatMessage[]): ChatMessage[] {
  if (!Array.isArray(messages) || messages.length === 0)
    throw new TokenglassError('INVALID_ARGUMENT', 'messages is a list of at least one message');
  return messages.map((message: ChatMessage, i) => {
    const { role, content } = message ?? {};
    if (!['system', 'developer', 'user', 'assistant'].includes(role)) {
      throw new TokenglassError(
        'OPTION_UNSUPPORTED',
        `messages[${i}] has the role "${String(role)}"; known: system, developer, user, assistant`,
      );
    }
    const parts = typeof content === 'string' ? [{ type: 'text', text: content }] : content;
    if (
      !Array.isArray(parts) ||
      parts.some((part) => part?.type !== 'text' || typeof part.text !== 'string')
    ) {
      throw new TokenglassError(
        'OPTION_UNSUPPORTED',
        `messages[${i}].content is neither a text nor a list of texts`,
      );
    }
    const name = message.name === undefined ? {} : { name: message.name };
    return {
      role: role === 'developer' ? 'system' : role,
      content: parts.map(({ text }) => text).join(''),
      ...name,
    };
  });
}

/** The ids of a conversation, up to where the assistant begins. */
export async function chatPrompt(
  model: Model,
  messages: readonly ChatMessage[],
): Promise<ChatPrompt> {
  const { chat_template, bos, eos } = model.info;
  if (chat_template === undefined)
    throw new TokenglassError('TEMPLATE_MISSING', "the model's file has no chat template");
  const spelt = async (id: number | undefined) => (id === undefined ? '' : model.tokenText(id));
  const bos_token = await spelt(bos);
  const { renderChat } = await import('./chat.js');
  const text = renderChat(chat_template, {
    messages: plainMessages(messages),
    bos_token,
    eos_token: await spelt(eos),
  });
  const add_special = bos_token === '' || !text.startsWith(bos_token); // a template that begins with BOS has said it
  return { text, ids: await model.tokenize(text, { add_special, parse_special: true }) };
}

function chatLogprobs(tokens: Told[], top: number | undefined): ChatLogprobs | null {
  if (top === undefined) return null;
  return {
    content: tokens.map(({ token, bytes, logprob, top: list }) => ({
      token,
      bytes,
      logprob,
      top_logprobs: list,
    })),
    refusal: null,
  };
}

export async function createChatCompletion(
  model: Model,
  params: ChatParams,
): Promise<ChatCompletion | AsyncGenerator<ChatCompletionChunk>> {
  check(
    params,
    [...COMMON, 'messages', 'max_completion_tokens', 'top_logprobs'],
    'createChatCompletion',
  );
  if (params.top_logprobs && !params.logprobs)
    throw new TokenglassError('INVALID_ARGUMENT', 'top_logprobs needs logprobs: true');
  const top = params.logprobs
    ? wholeNumber(params.top_logprobs ?? 0, 'top_logprobs', 0, MOST_TOP)
    : undefined;
  const { ids } = await chatPrompt(model, params.messages);
  const request = await plan(
    model,
    params,
    ids,
    params.max_completion_tokens ?? params.max_tokens,
    top,
  );
  if (params.stream) {
    const base = head(model, 'chat.completion.chunk' as const, 'chatcmpl', params.model);
    const begun = new Set<number>();
    const one = ({ index, text, tokens, finish }: Piece): ChatCompletionChunk => {
      const role = begun.has(index) ? {} : { role: 'assistant' as const };
      begun.add(index);
      const delta = { ...role, ...(text || !finish ? { content: text } : {}) };
      return {
        ...base,
        choices: [{ index, delta, logprobs: chatLogprobs(tokens, top), finish_reason: finish }],
      };
    };
    return chunks(request, model, params.stream_options?.include_usage ?? false, one, () => ({
      ...base,
      choices: [],
    }));
  }
  const { answers, usage, timings } = await gather(model, request);
  const choices = answers.map(({ text, tokens, finish }, index) => ({
    index,
    message: { role: 'assistant' as const, content: text, refusal: null },
    logprobs: chatLogprobs(tokens, top),
    finish_reason: finish,
  }));
  return {
    ...head(model, 'chat.completion' as const, 'chatcmpl', params.model),
    choices,
    usage,
    timings,
  };
}
