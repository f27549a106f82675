/**
 * A model as a program sees it. It checks the caller's arguments and sends the calls to the engine,
 * which runs in a worker or in this thread and ends with the model.
 */
import type { Backend } from '../transport/backend.js';
import { TokenglassError, shown, throwIfAborted, typed } from '../types/errors.js';
import { untilAborted, withSignal } from '../types/signals.js';
import { textOfBytes } from '../types/utf8.js';
import { ADD_SPECIAL, PARSE_SPECIAL } from '../types/generated.js';
import {
  MAX_POSITIONS,
  bytesOf,
  checkSeed,
  flag,
  idOf,
  idsOf,
  indexIn,
  invalid,
  isBlob,
  readOptions,
  reading,
  textOf,
  wholeNumber,
} from '../types/arguments.js';
import { guardThis } from './guard.js';
import { randomSeed } from './options.js';
import type { Methods } from '../transport/protocol.js';
import { SessionImpl } from './session.js';
import type { SessionHost } from './session-host.js';
import type {
  AttributeLensOptions,
  AttributeResult,
  BeamSearchOptions,
  BeamSearchResult,
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
  Decision,
  DecisionParams,
  EmbedOptions,
  GrammarSpec,
  Lenses,
  MethodPrompt,
  Model,
  ModelInfo,
  ModelObserveOptions,
  ModelStats,
  NavigateListOptions,
  NavigateListResult,
  NavigateOptions,
  NavigateWaysOptions,
  NavigateWaysResult,
  Observation,
  ScoreOptions,
  Session,
  SessionOptions,
  StreamedChatParams,
  StreamedCompletionParams,
  SystemOneDecision,
  SystemOneParams,
  TextOrIds,
  TokenScore,
  TokenOffset,
  TokenizeOptions,
  VoteOptions,
  VoteResult,
  WholeChatParams,
  WholeCompletionParams,
} from '../types/types.js';

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

export class ModelImpl implements Model, SessionHost {
  readonly backend: Backend;
  readonly info: ModelInfo;
  #sessions = 0;
  #disposed: Promise<void> | undefined;
  readonly #end = new AbortController();
  readonly ended = this.#end.signal;
  readonly lens = new Proxy({} as Lenses, {
    get: (_, name) =>
      // a promise asks for `then`
      name === 'then' || typeof name === 'symbol'
        ? undefined
        : async (...args: unknown[]) => {
            this.check();
            return (await import('../lenses/calls.js')).callLens(this, name, args);
          },
  });

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
    return textOfBytes(await this.#call('detokenize', [idsOf(ids, 'the list')]));
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

  async attribute(text: string, options?: AttributeLensOptions): Promise<AttributeResult> {
    return this.lens.attribute(text, options);
  }

  createSession(options?: SessionOptions): Session {
    this.check();
    const { seed, edits } = readOptions(options, ['seed', 'edits'], 'createSession');
    return new SessionImpl(
      this,
      seed === undefined ? randomSeed() : checkSeed(seed),
      undefined,
      reading('edits', () => structuredClone(edits)), // as they are now
    );
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

  async observe(text: TextOrIds, options?: ModelObserveOptions): Promise<Observation> {
    const { OBSERVE_OPTIONS } = await import('./observe.js');
    const { edits, ...rest } = readOptions(options, [...OBSERVE_OPTIONS, 'edits'], 'observe');
    const session = this.createSession({ edits });
    try {
      return await session.observe(text, rest);
    } finally {
      await session.dispose();
    }
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

  async outputRows(tokens: readonly number[]): Promise<Float32Array> {
    return this.#call('outputRows', [idsOf(tokens, 'the list')]);
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

  /** The decoding methods, which load with the first of them. */
  #methods() {
    this.check();
    return import('../methods/calls.js');
  }

  decide(params: DecisionParams): Promise<Decision>;
  decide(params: SystemOneParams): Promise<SystemOneDecision>;
  async decide(params: DecisionParams | SystemOneParams): Promise<Decision | SystemOneDecision> {
    return (await this.#methods()).decide(this, params, {
      headerValues: (prefixes) => this.#call('headerValues', [prefixes]),
      render: async (...template) => (await import('./chat.js')).renderChat(...template),
    });
  }

  async beamSearch(prompt: MethodPrompt, options?: BeamSearchOptions): Promise<BeamSearchResult> {
    return (await this.#methods()).beamSearch(this, prompt, options);
  }

  async vote(prompt: MethodPrompt, options?: VoteOptions): Promise<VoteResult> {
    return (await this.#methods()).vote(this, prompt, options);
  }

  navigate(prompt: MethodPrompt, options: NavigateWaysOptions): Promise<NavigateWaysResult>;
  navigate(prompt: MethodPrompt, options?: NavigateListOptions): Promise<NavigateListResult>;
  async navigate(
    prompt: MethodPrompt,
    options?: NavigateOptions,
  ): Promise<NavigateListResult | NavigateWaysResult> {
    return (await this.#methods()).navigate(this, prompt, options, (token) =>
      this.#call('tokenIsEog', [token]),
    );
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
