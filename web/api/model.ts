/**
 * A model as a program sees it. It checks the caller's arguments and sends the calls to the engine,
 * which runs in a worker or in this thread and ends with the model.
 */
import { builds, storybook } from '../platform/assets.js';
import { openBackend } from '../transport/backend.js';
import type { Backend } from '../transport/backend.js';
import { TokenglassError, throwIfAborted } from '../types/errors.js';
import {
  ADD_SPECIAL,
  MAX_THREADS,
  PARSE_SPECIAL,
  cacheTypes,
  kernelVariants,
} from '../types/generated.js';
import type { EngineOptions } from '../engine/model-writer.js';
import { checkNames, checkSeed, idsOf, indexIn, randomSeed, wholeNumber } from './options.js';
import type { Platform } from '../platform/platform.js';
import type { Methods } from '../transport/protocol.js';
import { SessionImpl } from './session.js';
import type { SessionHost } from './session.js';
import { responseSource, streamSource, streamSpec } from '../platform/sources.js';
import type { SourceSpec } from '../platform/sources.js';
import type {
  CallOptions,
  ChatCompletion,
  ChatCompletionChunk,
  ChatMessage,
  ChatParams,
  ChatPrompt,
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

function flagsOf(options: TokenizeOptions, method: string): number {
  checkNames(options, ['add_special', 'parse_special'], method);
  const { add_special = true, parse_special = false } = options;
  return (add_special ? ADD_SPECIAL : 0) | (parse_special ? PARSE_SPECIAL : 0);
}

class ModelImpl implements Model, SessionHost {
  readonly backend: Backend;
  readonly info: ModelInfo;
  #sessions = 0;
  #disposed = false;

  constructor(backend: Backend, info: ModelInfo) {
    this.backend = backend;
    this.info = info;
  }

  check(): void {
    if (this.#disposed) throw new TokenglassError('DISPOSED', 'the model was disposed');
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

  async #ids(text: TextOrIds): Promise<Int32Array> {
    return idsOf(typeof text === 'string' ? await this.tokenize(text) : text);
  }

  async tokenize(text: string, options: TokenizeOptions = {}): Promise<number[]> {
    return Array.from(await this.#call('tokenize', [text, flagsOf(options, 'tokenize')]));
  }

  async tokenOffsets(text: string, options: TokenizeOptions = {}): Promise<TokenOffset[]> {
    // the ids, then the end of each token
    const result = await this.#call('tokenOffsets', [text, flagsOf(options, 'tokenOffsets')]);
    const n = result.length / 2;
    if (n > MAX_OFFSETS)
      throw new TokenglassError(
        'INVALID_ARGUMENT',
        `the text has ${n} tokens; tokenOffsets lists at most ${MAX_OFFSETS}`,
      );
    return Array.from(result.subarray(0, n), (token, i) => ({
      token,
      start: i ? result[n + i - 1]! : 0,
      end: result[n + i]!,
    }));
  }

  async detokenize(ids: readonly number[]): Promise<string> {
    return new TextDecoder('utf-8', { ignoreBOM: true }).decode(
      await this.#call('detokenize', [idsOf(ids)]),
    );
  }

  async tokenBytes(id: number): Promise<Uint8Array> {
    const [token = -1] = idsOf([id]);
    return this.#call('tokenBytes', [token]);
  }

  async tokenText(id: number): Promise<string> {
    const [token = -1] = idsOf([id]);
    return this.#call('tokenText', [token]);
  }

  createSession(options: SessionOptions = {}): Session {
    this.check();
    checkNames(options, ['seed'], 'createSession');
    return new SessionImpl(
      this,
      options.seed === undefined ? randomSeed() : checkSeed(options.seed),
    );
  }

  async loadSession(
    saved: Uint8Array | ArrayBuffer | Blob,
    options: CallOptions = {},
  ): Promise<Session> {
    this.check();
    checkNames(options, ['signal'], 'loadSession');
    throwIfAborted(options.signal);
    if (saved instanceof Blob) return this.loadSession(await saved.arrayBuffer(), options);
    if (!(saved instanceof Uint8Array) && !(saved instanceof ArrayBuffer)) {
      throw new TokenglassError(
        'INVALID_ARGUMENT',
        'a saved session is a Uint8Array, an ArrayBuffer or a Blob',
      );
    }
    return SessionImpl.load(this, new Uint8Array(saved));
  }

  async score(text: TextOrIds, options: ScoreOptions = {}): Promise<TokenScore[]> {
    checkNames(options, ['top_n', 'stride', 'signal'], 'score');
    throwIfAborted(options.signal);
    const top_n = wholeNumber(options.top_n ?? 0, 'top_n', 0, this.info.n_vocab);
    const stride =
      options.stride === undefined ? 0 : wholeNumber(options.stride, 'stride', 1, MAX_POSITIONS);
    return this.#call('score', [await this.#ids(text), { top_n, stride }], options.signal);
  }

  async embed(text: TextOrIds, options: EmbedOptions = {}): Promise<Float32Array> {
    checkNames(options, ['pooling', 'normalize', 'signal'], 'embed');
    throwIfAborted(options.signal);
    const { pooling = 'mean', normalize = true } = options;
    indexIn(['mean', 'last'], pooling, 'pooling');
    const ids = await this.#ids(text);
    if (ids.length > this.info.n_ctx)
      throw new TokenglassError(
        'CONTEXT_FULL',
        `${ids.length} tokens do not fit into a context of ${this.info.n_ctx}`,
      );
    return this.#call('embed', [ids, pooling === 'mean', normalize], options.signal);
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

  async applyChatTemplate(messages: readonly ChatMessage[]): Promise<ChatPrompt> {
    this.check();
    return (await import('./completions.js')).chatPrompt(this, messages);
  }

  async createGrammar(spec: GrammarSpec): Promise<Constraint> {
    this.check();
    return (await import('./grammar.js')).createGrammar(
      this,
      () => this.#call('vocabulary', []),
      spec,
    );
  }

  async stats(): Promise<ModelStats> {
    return this.#call('stats', []);
  }

  async dispose(): Promise<void> {
    if (this.#disposed) return;
    this.#disposed = true;
    await this.backend.dispose();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.dispose();
  }
}

function specOf(source: ModelSource, platform: Platform): SourceSpec {
  if (source === 'storybook') return { kind: 'url', url: storybook };
  if (typeof source === 'string') return platform.namedSource(source);
  if (source instanceof URL) return { kind: 'url', url: source.href };
  if (source instanceof Blob) return platform.blobSource(source);
  if (source instanceof Response)
    return streamSpec(responseSource(source, source.url || 'the response'));
  if (source instanceof ReadableStream)
    return streamSpec(streamSource(source, undefined, 'the stream'));
  if (source instanceof ArrayBuffer) return { kind: 'bytes', bytes: new Uint8Array(source) };
  if (source instanceof Uint8Array) return { kind: 'bytes', bytes: source };
  throw new TokenglassError(
    'SOURCE_UNSUPPORTED',
    `a model cannot be read from ${Object.prototype.toString.call(source)}`,
  );
}

/** A caller's own build is used in place of each of the package's builds. */
const allBuilds = (url: string): typeof builds => ({
  simd128: url,
  relaxed: url,
  'simd128.threads': url,
  'relaxed.threads': url,
});

const absolute = (url: string | URL, base: string) => new URL(url, base).href;

function engineOptionsOf(options: LoadOptions, base: string): EngineOptions {
  if (options.kernels !== undefined) indexIn(kernelVariants.slice(1), options.kernels, 'kernels');
  return {
    n_ctx: wholeNumber(options.n_ctx ?? 0, 'n_ctx', 0, MAX_POSITIONS),
    n_kv: wholeNumber(options.n_kv ?? 0, 'n_kv', 0, 2 * MAX_POSITIONS),
    cache_type_k: indexIn(cacheTypes, options.cache_type_k, 'cache_type_k'),
    cache_type_v: indexIn(cacheTypes, options.cache_type_v, 'cache_type_v'),
    vocab_only: options.vocab_only ?? false,
    n_threads:
      options.n_threads === undefined
        ? undefined
        : wholeNumber(options.n_threads, 'n_threads', 1, MAX_THREADS),
    profile: options.profile ?? false,
    kernels: options.kernels,
    builds: options.wasm_url === undefined ? builds : allBuilds(absolute(options.wasm_url, base)),
  };
}

export async function load(
  platform: Platform,
  source: ModelSource,
  options: LoadOptions = {},
): Promise<Model> {
  checkNames(options, LOAD_OPTIONS, 'loadModel');
  const { on_progress = () => undefined, signal, worker = true } = options;
  throwIfAborted(signal);
  const base = globalThis.location?.href ?? import.meta.url;
  const engineOptions = engineOptionsOf(options, base);
  const spec = specOf(source, platform);
  const worker_url = options.worker_url && absolute(options.worker_url, base);
  const backend = await openBackend(platform, worker, worker_url);
  try {
    return new ModelImpl(backend, await backend.load(spec, engineOptions, on_progress, signal));
  } catch (error) {
    await backend.dispose();
    throw error;
  }
}
