/**
 * A session as a program sees it. The engine keeps the session's tokens and cache under a number;
 * this class checks the caller's options and sends the calls to the engine.
 */
import type { Backend } from '../transport/backend.js';
import type { Methods } from '../transport/protocol.js';
import type { SampleRequest } from '../engine/sampling.js';
import { TokenglassError, throwIfAborted } from '../types/errors.js';
import {
  MAX_INT32,
  checkNames,
  idsOf,
  indexIn,
  sampleRequest,
  samplerOptionNames,
  wholeNumber,
} from './options.js';
import type {
  Bytes,
  CallOptions,
  CandidatesOptions,
  ConstraintState,
  ExplainOptions,
  Explanation,
  GenerateOptions,
  ModelInfo,
  SamplerOptions,
  Session,
  Step,
  StepTrace,
  TextOrIds,
  TokenizeOptions,
  TracedGenerateOptions,
  TracedStep,
} from '../types/types.js';

/** What a session needs from its model. */
export interface SessionHost {
  readonly backend: Backend;
  readonly info: ModelInfo;
  tokenize(text: string, options: TokenizeOptions): Promise<number[]>;
  /** Throws DISPOSED after the model was disposed. */
  check(): void;
  /** A number that no session of the model has yet. */
  newNumber(): number;
}

const CALL_OPTIONS = ['signal'];
const CANDIDATES_OPTIONS = [
  ...samplerOptionNames,
  ...CALL_OPTIONS,
  'top_n',
  'all_removed',
  'sample_index',
];
const EXPLAIN_OPTIONS = [...samplerOptionNames, ...CALL_OPTIONS, 'position', 'sample_index'];
const GENERATE_OPTIONS = [
  ...samplerOptionNames,
  ...CALL_OPTIONS,
  'max_tokens',
  'parse_special',
  'ignore_eos',
  'overflow',
  'n_keep',
  'sample_index',
  'trace',
];
const DEFAULT_TOP_N = 50;
const KEEP_BOS = -1; // for the engine: keep the first token when it is BOS

/** How many tokens a shift keeps, or KEEP_BOS; undefined when a full context is an error. */
function keptByShift({ overflow = 'error', n_keep }: GenerateOptions): number | undefined {
  indexIn(['error', 'shift'], overflow, 'overflow');
  const kept = n_keep === undefined ? KEEP_BOS : wholeNumber(n_keep, 'n_keep', 0, MAX_INT32);
  return overflow === 'shift' ? kept : undefined;
}

/** The options with the bits of the grammar's start state instead of the grammar. */
async function withStartBits<T extends SamplerOptions>(options: T): Promise<T> {
  if (!options.grammar || options.grammar instanceof Int32Array) return options;
  const state = await options.grammar.begin();
  try {
    return { ...options, grammar: await state.allowed() };
  } finally {
    state.dispose?.();
  }
}

/** The request with the tokens that the grammar allows now. */
async function restricted(
  request: SampleRequest,
  grammar: ConstraintState | undefined,
): Promise<SampleRequest> {
  if (!grammar) return request;
  const tokens = await grammar.allowed();
  return { ...request, lists: { ...request.lists, grammar: { tokens, values: undefined } } };
}

/**
 * Ends sessions and generations that their owner has dropped without ending them. What is stored
 * here must not refer to the session or the generator.
 */
const dropped = new FinalizationRegistry<Ending>((ending) => void ending.run());

interface Ending {
  run(): unknown;
}

/** Frees a session of the engine. After the end of the model the call fails: nothing is left. */
const endingOf = (backend: Backend, number: number): Ending => ({
  run: () => backend.call('disposeSession', [number]).catch(() => undefined),
});

/** The checked options of a generation. */
interface Generation {
  max_tokens: number | undefined;
  n_keep: number | undefined;
  request: SampleRequest;
  traced: boolean;
  ignore_eos: boolean;
}

export class SessionImpl implements Session {
  readonly #host: SessionHost;
  readonly #number: number;
  #seed: bigint;
  #tokens: number[] = [];
  #ready: Promise<unknown>; // resolves when the engine has the session
  #generating = false;
  #disposed = false;

  /** source: the number of a session to fork, or the bytes of a saved session. */
  constructor(host: SessionHost, seed: bigint, source?: number | Uint8Array) {
    this.#host = host;
    this.#number = host.newNumber();
    this.#seed = seed;
    this.#ready = this.#create(source);
    this.#ready.catch(() => undefined); // the first call that awaits it reports the error
    dropped.register(this, endingOf(host.backend, this.#number), this);
  }

  async #create(source: number | Uint8Array | undefined): Promise<void> {
    const { backend } = this.#host;
    if (source === undefined) return backend.call('createSession', [this.#number]);
    if (typeof source === 'number') {
      this.#tokens = Array.from(await backend.call('forkSession', [source, this.#number]));
      return;
    }
    const { tokens, seed } = await backend.call('loadSession', [this.#number, source]);
    this.#tokens = Array.from(tokens);
    this.#seed = seed;
  }

  /** A session from the bytes of a saved session. */
  static async load(host: SessionHost, saved: Uint8Array): Promise<Session> {
    const session = new SessionImpl(host, 0n, saved);
    await session.#ready;
    return session;
  }

  get seed(): bigint {
    return this.#seed;
  }

  get tokens(): readonly number[] {
    return [...this.#tokens];
  }

  async #call<M extends keyof Methods>(
    method: M,
    args: Parameters<Methods[M]>,
    signal?: AbortSignal,
  ): Promise<ReturnType<Methods[M]>> {
    this.#check();
    await this.#ready;
    this.#check();
    const answer = await this.#host.backend.call(method, args, signal);
    void this.#number; // a use after the answer: until then the session is not dropped
    return answer;
  }

  #check(): void {
    this.#host.check();
    if (this.#disposed) throw new TokenglassError('DISPOSED', 'the session was disposed');
  }

  /** Throws during a generation, for calls that change the tokens. */
  #checkIdle(): void {
    this.#check();
    if (this.#generating)
      throw new TokenglassError(
        'SESSION_BUSY',
        'the session is generating; end the generation first, or fork the session',
      );
  }

  async #setTokens(
    prompt: TextOrIds,
    parse_special: boolean,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    throwIfAborted(signal);
    const ids = idsOf(
      typeof prompt === 'string' ? await this.#host.tokenize(prompt, { parse_special }) : prompt,
    );
    throwIfAborted(signal);
    await this.#call('sync', [this.#number, ids]);
    this.#tokens = Array.from(ids);
  }

  async sync(prompt: TextOrIds, options: CallOptions = {}): Promise<void> {
    checkNames(options, CALL_OPTIONS, 'sync');
    this.#checkIdle();
    await this.#setTokens(prompt, false, options.signal);
  }

  async rewind(n: number): Promise<void> {
    this.#checkIdle();
    await this.#call('rewind', [this.#number, wholeNumber(n, 'n', 0, MAX_INT32)]);
    this.#tokens.length = n;
  }

  async append(token: number): Promise<void> {
    this.#checkIdle();
    const [id = -1] = idsOf([token]);
    await this.#call('append', [this.#number, id]);
    this.#tokens.push(id);
  }

  async fork(): Promise<Session> {
    this.#check();
    await this.#ready;
    const fork = new SessionImpl(this.#host, this.#seed, this.#number);
    await fork.#ready;
    return fork;
  }

  async logits(options: CallOptions = {}): Promise<Float32Array> {
    checkNames(options, CALL_OPTIONS, 'logits');
    throwIfAborted(options.signal);
    return this.#call('logits', [this.#number], options.signal);
  }

  async candidates(options: CandidatesOptions = {}): Promise<StepTrace> {
    checkNames(options, CANDIDATES_OPTIONS, 'candidates');
    const { signal } = options;
    throwIfAborted(signal);
    const top_n = wholeNumber(options.top_n ?? DEFAULT_TOP_N, 'top_n', 0, MAX_INT32);
    const request = sampleRequest(await withStartBits(options), this.#seed, top_n);
    return this.#call('candidates', [this.#number, request], signal);
  }

  async explain(token: number, options: ExplainOptions = {}): Promise<Explanation> {
    checkNames(options, EXPLAIN_OPTIONS, 'explain');
    const { position, signal, ...sampler } = options;
    throwIfAborted(signal);
    const [id = -1] = idsOf([token]);
    const index =
      position === undefined ? undefined : wholeNumber(position, 'position', 0, MAX_INT32);
    const request = sampleRequest(await withStartBits(sampler), this.#seed, 0);
    const explicit = Object.keys(sampler).length > 0;
    return this.#call('explain', [this.#number, id, request, explicit, index], signal);
  }

  async save(options: CallOptions = {}): Promise<Bytes> {
    checkNames(options, CALL_OPTIONS, 'save');
    throwIfAborted(options.signal);
    this.#checkIdle();
    const saved = await this.#call('save', [this.#number, this.#seed], options.signal);
    return saved as Bytes; // a copy, never a view of the engine's memory
  }

  generate(
    prompt?: TextOrIds,
    options?: TracedGenerateOptions,
  ): AsyncGenerator<TracedStep, void, undefined>;
  generate(prompt?: TextOrIds, options?: GenerateOptions): AsyncGenerator<Step, void, undefined>;
  generate(
    prompt?: TextOrIds,
    options: GenerateOptions = {},
  ): AsyncGenerator<Step, void, undefined> {
    const stop = new AbortController();
    const ending: Ending = { run: () => undefined };
    const steps = this.#generate(prompt, options, stop, ending);
    dropped.register(steps, ending);
    // A generator runs return() only between two steps; the abort ends the current step at once.
    const finish = steps.return.bind(steps);
    steps.return = (value) => {
      stop.abort();
      return finish(value);
    };
    return steps;
  }

  #checkedGeneration(options: GenerateOptions): Generation {
    checkNames(options, GENERATE_OPTIONS, 'generate');
    const { max_tokens, ignore_eos = false, trace = {} } = options;
    const { top_n = DEFAULT_TOP_N, all_removed = false } = trace || { top_n: 0 };
    return {
      max_tokens:
        max_tokens === undefined ? undefined : wholeNumber(max_tokens, 'max_tokens', 0, MAX_INT32),
      n_keep: keptByShift(options),
      request: sampleRequest(
        { ...options, all_removed },
        this.#seed,
        wholeNumber(top_n, 'trace.top_n', 0, MAX_INT32),
      ),
      traced: trace !== false,
      ignore_eos,
    };
  }

  async *#generate(
    prompt: TextOrIds | undefined,
    options: GenerateOptions,
    stop: AbortController,
    ending: Ending,
  ): AsyncGenerator<Step, void, undefined> {
    const generation = this.#checkedGeneration(options);
    const { signal } = options;
    const abort = () => stop.abort();
    throwIfAborted(signal);
    this.#checkIdle();
    this.#generating = true;
    signal?.addEventListener('abort', abort);
    let grammar: ConstraintState | undefined;
    ending.run = () => {
      ending.run = () => undefined;
      signal?.removeEventListener('abort', abort);
      grammar?.dispose?.();
      this.#generating = false;
    };
    try {
      if (options.grammar && !(options.grammar instanceof Int32Array))
        grammar = await options.grammar.begin();
      if (prompt !== undefined)
        await this.#setTokens(prompt, options.parse_special ?? false, signal);
      yield* this.#steps(generation, grammar, signal, stop.signal);
    } catch (error) {
      const returned =
        stop.signal.aborted && !signal?.aborted && (error as Error).name === 'AbortError';
      if (!returned) throw error;
    } finally {
      ending.run();
    }
  }

  /** signal: the caller's; stop: aborted by the caller's signal and by the end of the loop. */
  async *#steps(
    { max_tokens, n_keep, request, traced, ignore_eos }: Generation,
    grammar: ConstraintState | undefined,
    signal: AbortSignal | undefined,
    stop: AbortSignal,
  ): AsyncGenerator<Step, void, undefined> {
    const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
    const { n_ctx } = this.#host.info;
    for (let count = 0; max_tokens === undefined || count < max_tokens; count++) {
      const full = n_keep === undefined && this.#tokens.length >= n_ctx;
      if (full && max_tokens === undefined) return;
      throwIfAborted(signal);
      const args: Parameters<Methods['step']> = [
        this.#number,
        await restricted(request, grammar),
        traced,
        n_keep,
      ];
      const { textBytes, kept, ...step } = await this.#call('step', args, stop);
      grammar?.accept(step.token);
      if (step.shifted) this.#tokens.splice(kept, step.shifted);
      this.#tokens.push(step.token);
      yield { ...step, text: decoder.decode(textBytes, { stream: true }) };
      if ((step.eog && !ignore_eos) || grammar?.ended) return;
    }
  }

  async dispose(): Promise<void> {
    if (this.#disposed) return;
    this.#disposed = true;
    dropped.unregister(this);
    await this.#ready.catch(() => undefined);
    await endingOf(this.#host.backend, this.#number).run();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.dispose();
  }
}
