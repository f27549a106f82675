/**
 * A model as a program sees it. It checks the caller's arguments and sends the calls to the engine,
 * which runs in a worker or in this thread and ends with the model.
 */
import { builds, storybook } from '../platform/assets.js';
import { openBackend } from '../transport/backend.js';
import type { Backend } from '../transport/backend.js';
import { TokenglassError, shown, throwIfAborted, typed } from '../types/errors.js';
import { untilAborted, withSignal } from '../types/signals.js';
import {
  ADD_SPECIAL,
  MAX_THREADS,
  PARSE_SPECIAL,
  cacheTypes,
  kernelVariants,
} from '../types/generated.js';
import type { EngineOptions } from '../engine/model-writer.js';
import {
  bytesOf,
  checkSeed,
  flag,
  idOf,
  idsOf,
  indexIn,
  invalid,
  readOptions,
  reading,
  tagOf,
  textOf,
  wholeNumber,
} from './arguments.js';
import { guardThis } from './guard.js';
import { randomSeed, timeoutOf } from './options.js';
import type { Platform } from '../platform/platform.js';
import type { Methods } from '../transport/protocol.js';
import { SessionImpl } from './session.js';
import type { SessionHost } from './session.js';
import type { SourceSpec, specOfStream } from '../platform/sources.js';
import type {
  CallOptions,
  ChatCompletion,
  ChatCompletionChunk,
  ChatMessage,
  ChatParams,
  ChatPrompt,
  ChatTemplateOptions,
  Completion,
  CompletionChunk,
  CompletionParams,
  Constraint,
  EmbedOptions,
  GrammarSpec,
  LoadOptions,
  Model,
  ModelInfo,
  ModelSource,
  ModelStats,
  ScoreOptions,
  Session,
  SessionOptions,
  StreamedChatParams,
  StreamedCompletionParams,
  TextOrIds,
  TokenScore,
  TokenOffset,
  TokenizeOptions,
  WholeChatParams,
  WholeCompletionParams,
} from '../types/types.js';

const LOAD_OPTIONS = [
  'on_progress',
  'signal',
  'timeout_ms',
  'n_ctx',
  'n_kv',
  'cache_type_k',
  'cache_type_v',
  'vocab_only',
  'worker',
  'kernels',
  'n_threads',
  'profile',
  'wasm_url',
  'worker_url',
];
const MAX_POSITIONS = 2 ** 20;
const MAX_OFFSETS = 2 ** 24; // objects that fit into memory

/** The text and the flags of tokenize and tokenOffsets. */
function tokenizeArgs(
  text: string,
  options: TokenizeOptions | undefined,
  method: string,
): [string, number] {
  const read = readOptions(options, ['add_special', 'parse_special'], method);
  const add_special = flag(read.add_special, 'add_special', true);
  const parse_special = flag(read.parse_special, 'parse_special', false);
  return [
    textOf(text, 'the text'),
    (add_special ? ADD_SPECIAL : 0) | (parse_special ? PARSE_SPECIAL : 0),
  ];
}

class ModelImpl implements Model, SessionHost {
  readonly backend: Backend;
  readonly info: ModelInfo;
  #sessions = 0;
  #disposed: Promise<void> | undefined;
  readonly #end = new AbortController();
  readonly ended = this.#end.signal;

  static {
    const synchronous = ['createSession', 'check', 'newNumber'];
    guardThis(this.prototype, 'Model', synchronous, (value) => #disposed in value);
  }

  constructor(backend: Backend, info: ModelInfo) {
    this.backend = backend;
    this.info = info;
  }

  check(): void {
    throwIfAborted(this.ended);
  }

  newNumber(): number {
    return ++this.#sessions;
  }

  async #call<M extends keyof Methods>(
    method: M,
    args: Parameters<Methods[M]>,
    signal?: AbortSignal,
  ): Promise<ReturnType<Methods[M]>> {
    this.check();
    return this.backend.call(method, args, signal);
  }

  async #ids(text: TextOrIds, signal: AbortSignal): Promise<Int32Array> {
    if (typeof text !== 'string') return idsOf(text, 'the text');
    return Int32Array.from(await untilAborted(this.tokenize(text), [signal]));
  }

  async tokenize(text: string, options?: TokenizeOptions): Promise<number[]> {
    return Array.from(await this.#call('tokenize', tokenizeArgs(text, options, 'tokenize')));
  }

  async tokenOffsets(text: string, options?: TokenizeOptions): Promise<TokenOffset[]> {
    // the ids, then the end of each token
    const result = await this.#call('tokenOffsets', tokenizeArgs(text, options, 'tokenOffsets'));
    const n = result.length / 2;
    if (n > MAX_OFFSETS)
      throw invalid(`the text has ${n} tokens; tokenOffsets lists at most ${MAX_OFFSETS}`);
    return Array.from(result.subarray(0, n), (token, i) => ({
      token,
      start: i ? result[n + i - 1]! : 0,
      end: result[n + i]!,
    }));
  }

  async detokenize(ids: readonly number[]): Promise<string> {
    return new TextDecoder('utf-8', { ignoreBOM: true }).decode(
      await this.#call('detokenize', [idsOf(ids, 'the list')]),
    );
  }

  async tokenBytes(id: number): Promise<Uint8Array> {
    return this.#call('tokenBytes', [idOf(id, 'the token')]);
  }

  async tokenText(id: number): Promise<string> {
    return this.#call('tokenText', [idOf(id, 'the token')]);
  }

  async tokenTexts(): Promise<string[]> {
    return this.#call('tokenTexts', []);
  }

  createSession(options?: SessionOptions): Session {
    this.check();
    const { seed } = readOptions(options, ['seed'], 'createSession');
    return new SessionImpl(this, seed === undefined ? randomSeed() : checkSeed(seed));
  }

  async loadSession(
    saved: Uint8Array | ArrayBuffer | Blob,
    options?: CallOptions,
  ): Promise<Session> {
    const read = readOptions(options, ['signal'], 'loadSession');
    return withSignal(read.signal, async (signal) => {
      this.check();
      const bytes = await untilAborted(savedBytes(saved), [signal, this.ended]);
      return SessionImpl.load(this, bytes);
    });
  }

  async score(text: TextOrIds, options?: ScoreOptions): Promise<TokenScore[]> {
    const read = readOptions(options, ['top_n', 'stride', 'signal'], 'score');
    return withSignal(read.signal, async (signal) => {
      const top_n = wholeNumber(read.top_n ?? 0, 'top_n', 0, this.info.n_vocab);
      const stride =
        read.stride === undefined ? 0 : wholeNumber(read.stride, 'stride', 1, MAX_POSITIONS);
      return this.#call('score', [await this.#ids(text, signal), { top_n, stride }], signal);
    });
  }

  async embed(text: TextOrIds, options?: EmbedOptions): Promise<Float32Array> {
    const read = readOptions(options, ['pooling', 'normalize', 'signal'], 'embed');
    return withSignal(read.signal, async (signal) => {
      const mean = indexIn(['mean', 'last'], read.pooling ?? 'mean', 'pooling') === 0;
      const normalize = flag(read.normalize, 'normalize', true);
      const ids = await this.#ids(text, signal);
      if (ids.length > this.info.n_ctx)
        throw new TokenglassError(
          'CONTEXT_FULL',
          `${ids.length} tokens do not fit into a context of ${this.info.n_ctx}`,
        );
      return this.#call('embed', [ids, mean, normalize], signal);
    });
  }

  createCompletion(params: StreamedCompletionParams): Promise<AsyncGenerator<CompletionChunk>>;
  createCompletion(params: WholeCompletionParams): Promise<Completion>;
  async createCompletion(
    params: CompletionParams,
  ): Promise<Completion | AsyncGenerator<CompletionChunk>> {
    this.check();
    return (await import('./completions.js')).createCompletion(this, params);
  }

  createChatCompletion(params: StreamedChatParams): Promise<AsyncGenerator<ChatCompletionChunk>>;
  createChatCompletion(params: WholeChatParams): Promise<ChatCompletion>;
  async createChatCompletion(
    params: ChatParams,
  ): Promise<ChatCompletion | AsyncGenerator<ChatCompletionChunk>> {
    this.check();
    return (await import('./completions.js')).createChatCompletion(this, params);
  }

  async applyChatTemplate(
    messages: readonly ChatMessage[],
    options?: ChatTemplateOptions,
  ): Promise<ChatPrompt> {
    this.check();
    return (await import('./completions.js')).chatPrompt(this, messages, options);
  }

  async createGrammar(spec: GrammarSpec): Promise<Constraint> {
    this.check();
    return (await import('./grammar.js')).createGrammar(this, spec);
  }

  async stats(): Promise<ModelStats> {
    return this.#call('stats', []);
  }

  dispose(): Promise<void> {
    this.#end.abort(new TokenglassError('DISPOSED', 'the model was disposed'));
    return (this.#disposed ??= this.backend.dispose());
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.dispose();
  }
}

/** A copy of the bytes of a saved session. */
async function savedBytes(saved: unknown): Promise<Uint8Array> {
  const name = 'the saved session';
  let value = saved;
  try {
    if (isBlob(saved)) value = await saved.arrayBuffer();
  } catch (error) {
    throw invalid(`${name} cannot be read: ${shown(error)}`, error);
  }
  const bytes = bytesOf(value, name);
  if (bytes) return new Uint8Array(bytes);
  throw invalid(`${name} is ${typed(saved)}; it must be a Uint8Array, an ArrayBuffer or a Blob`);
}

/** Whether a value is a Blob, or what another realm or a polyfill has for it. */
const isBlob = (value: unknown): value is Blob =>
  value instanceof Blob || /^(Blob|File)$/.test(tagOf(value));

/** What is read in this thread: a stream, or what has one. */
type Streamed = Parameters<typeof specOfStream>[0];

/** The source as plain data, or what is read in this thread. */
function readSource(source: ModelSource, platform: Platform): SourceSpec | Streamed {
  if (source === 'storybook') return { kind: 'url', url: storybook };
  if (typeof source === 'string') return platform.namedSource(source);
  const bytes = bytesOf(source, 'the source');
  if (bytes) return { kind: 'bytes', bytes };
  const value = source as URL | Blob | Response | ReadableStream<Uint8Array>;
  if (value instanceof Blob) return platform.blobSource(value);
  if (isBlob(value)) return { type: 'Blob', value };
  switch (tagOf(value)) {
    case 'URL':
      return platform.namedSource(String((value as URL).href));
    case 'Response':
      return { type: 'Response', value: value as Response };
    case 'ReadableStream':
      return { type: 'ReadableStream', value: value as ReadableStream<Uint8Array> };
  }
  throw new TokenglassError('SOURCE_UNSUPPORTED', `a model cannot be read from ${typed(source)}`);
}

/** Throws SOURCE_UNSUPPORTED for what cannot be read. */
async function specOf(
  source: ModelSource,
  platform: Platform,
  timeout_ms: number,
): Promise<SourceSpec> {
  const read = <T>(use: () => T) => reading('the source', use, 'SOURCE_UNSUPPORTED');
  const result = read(() => readSource(source, platform));
  if ('kind' in result) return result;
  const { specOfStream } = await import('../platform/sources.js');
  return read(() => specOfStream(result, timeout_ms));
}

/** A caller's own build is used in place of each of the package's builds. */
const allBuilds = (url: string): typeof builds => ({
  simd128: url,
  relaxed: url,
  'simd128.threads': url,
  'relaxed.threads': url,
});

const absolute = (url: string | URL, base: string, name: string) =>
  reading(name, () => new URL(url, base).href);

function engineOptionsOf(options: LoadOptions, base: string): EngineOptions {
  const { n_ctx = 0, n_kv = 0, kernels, n_threads, wasm_url } = options;
  if (kernels !== undefined) indexIn(kernelVariants.slice(1), kernels, 'kernels');
  return {
    n_ctx: wholeNumber(n_ctx, 'n_ctx', 0, MAX_POSITIONS),
    n_kv: wholeNumber(n_kv, 'n_kv', 0, 2 * MAX_POSITIONS),
    cache_type_k: indexIn(cacheTypes, options.cache_type_k, 'cache_type_k'),
    cache_type_v: indexIn(cacheTypes, options.cache_type_v, 'cache_type_v'),
    vocab_only: flag(options.vocab_only, 'vocab_only', false),
    n_threads:
      n_threads === undefined ? undefined : wholeNumber(n_threads, 'n_threads', 1, MAX_THREADS),
    profile: flag(options.profile, 'profile', false),
    timeout_ms: timeoutOf(options),
    kernels,
    builds: wasm_url === undefined ? builds : allBuilds(absolute(wasm_url, base, 'wasm_url')),
  };
}

export async function load(
  platform: Platform,
  source: ModelSource,
  options?: LoadOptions,
): Promise<Model> {
  const read = readOptions(options, LOAD_OPTIONS, 'loadModel');
  return withSignal(read.signal, async (signal) => {
    const { on_progress = () => undefined, worker_url } = read;
    if (typeof on_progress !== 'function')
      throw invalid(`on_progress is ${typed(on_progress)}; it must be a function`);
    const worker = flag(read.worker, 'worker', true);
    const base = globalThis.location?.href ?? import.meta.url;
    const engineOptions = engineOptionsOf(read, base);
    const script = worker_url === undefined ? undefined : absolute(worker_url, base, 'worker_url');
    const spec = await specOf(source, platform, engineOptions.timeout_ms);
    let backend: Backend | undefined;
    try {
      backend = await openBackend(platform, worker, script);
      return new ModelImpl(backend, await backend.load(spec, engineOptions, on_progress, signal));
    } catch (error) {
      if (spec.kind === 'stream') await spec.cancel(); // the backend may not have seen it
      await backend?.dispose();
      throw error;
    }
  });
}
