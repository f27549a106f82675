/** A session as programs see it: in, prompts and options; out, steps. It owns a number under which the engine keeps its tokens and cache. */
import type { Backend } from '../transport/backend.js';
import { TokenglassError, throwIfAborted } from '../types/errors.js';
import { checkNames, idsOf, sampleRequest, samplerOptionNames, wholeNumber } from './options.js';
import type { Methods } from '../transport/protocol.js';
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
  TracedGenerateOptions,
  TracedStep,
} from '../types/types.js';

/** What a session needs of its model. */
export interface Owner {
  readonly backend: Backend;
  readonly info: ModelInfo;
  tokenize(text: string, options: { parse_special: boolean }): Promise<number[]>;
  /** Throws DISPOSED after the model was disposed. */
  check(): void;
  newNumber(): number;
}

const GENERATE_OPTIONS = [
  ...samplerOptionNames,
  ...[
    'max_tokens',
    'parse_special',
    'ignore_eos',
    'overflow',
    'n_keep',
    'sample_index',
    'signal',
    'trace',
  ],
];
const CANDIDATES_OPTIONS = [
  ...samplerOptionNames,
  'top_n',
  'all_removed',
  'sample_index',
  'signal',
];
const EXPLAIN_OPTIONS = [...samplerOptionNames, 'position', 'sample_index', 'signal'];
const CALL_OPTIONS = ['signal'];
const DEFAULT_TOP_N = 50;
const MOST = 2 ** 31 - 1;

/** undefined: a full context is an error; else what stays when the window slides, -1: BOS. */
function overflowOf({
  overflow = 'error',
  n_keep,
}: GenerateOptions): { n_keep: number } | undefined {
  if (overflow !== 'error' && overflow !== 'shift') {
    throw new TokenglassError(
      'INVALID_ARGUMENT',
      `overflow is "${String(overflow)}"; known: error, shift`,
    );
  }
  const kept = n_keep === undefined ? -1 : wholeNumber(n_keep, 'n_keep', 0, MOST);
  return overflow === 'shift' ? { n_keep: kept } : undefined;
}

/** A grammar's beginning as bits. */
async function withBits<T extends SamplerOptions>(options: T): Promise<T> {
  if (!options.grammar || options.grammar instanceof Int32Array) return options;
  const state = await options.grammar.begin();
  try {
    return { ...options, grammar: await state.allowed() };
  } finally {
    state.dispose?.();
  }
}

export class SessionImpl implements Session {
  readonly #owner: Owner;
  readonly #number: number;
  #seed: bigint;
  #tokens: number[] = [];
  #ready: Promise<unknown>; // the engine has it
  #generating = false;
  #disposed = false;

  /** from: the number of a session to fork, or the bytes of a saved one. */
  constructor(owner: Owner, seed: bigint, from?: number | Uint8Array) {
    this.#owner = owner;
    this.#number = owner.newNumber();
    this.#seed = seed;
    this.#ready = this.#begin(from);
    this.#ready.catch(() => undefined); // the first call that needs it tells
  }

  async #begin(from: number | Uint8Array | undefined): Promise<void> {
    const { backend } = this.#owner;
    if (from === undefined) return backend.call('createSession', [this.#number]);
    if (typeof from === 'number') {
      this.#tokens = Array.from(await backend.call('forkSession', [from, this.#number]));
      return;
    }
    const { tokens, seed } = await backend.call('loadSession', [this.#number, from]);
    this.#tokens = Array.from(tokens);
    this.#seed = (BigInt(seed[1]) << 32n) | BigInt(seed[0]);
  }

  /** A session from the bytes of a saved one. */
  static async load(owner: Owner, saved: Uint8Array): Promise<Session> {
    const session = new SessionImpl(owner, 0n, saved);
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
    return this.#owner.backend.call(method, args, signal);
  }

  #check(): void {
    this.#owner.check();
    if (this.#disposed) throw new TokenglassError('DISPOSED', 'the session was disposed');
  }

  /** What changes the tokens has to wait until a generation is over. */
  #checkFree(): void {
    this.#check();
    if (this.#generating)
      throw new TokenglassError(
        'SESSION_BUSY',
        'the session is in the middle of a generation; fork it or end that first',
      );
  }

  async #set(
    prompt: string | readonly number[],
    parse_special: boolean,
    signal: AbortSignal | undefined,
  ): Promise<void> {
    throwIfAborted(signal);
    const ids = idsOf(
      typeof prompt === 'string' ? await this.#owner.tokenize(prompt, { parse_special }) : prompt,
    );
    throwIfAborted(signal);
    await this.#call('sync', [this.#number, ids]);
    this.#tokens = Array.from(ids);
  }

  async sync(prompt: string | readonly number[], options: CallOptions = {}): Promise<void> {
    checkNames(options, CALL_OPTIONS, 'sync');
    this.#checkFree();
    await this.#set(prompt, false, options.signal);
  }

  async rewind(n: number): Promise<void> {
    this.#checkFree();
    await this.#call('rewind', [this.#number, wholeNumber(n, 'n', 0, MOST)]);
    this.#tokens.length = n;
  }

  async append(token: number): Promise<void> {
    this.#checkFree();
    const [id = -1] = idsOf([token]);
    await this.#call('append', [this.#number, id]);
    this.#tokens.push(id);
  }

  async fork(): Promise<Session> {
    this.#check();
    await this.#ready;
    const fork = new SessionImpl(this.#owner, this.#seed, this.#number);
    await fork.#ready;
    return fork;
  }

  async logits(options: CallOptions = {}): Promise<Float32Array> {
    checkNames(options, CALL_OPTIONS, 'logits');
    throwIfAborted(options.signal);
    return this.#call('logits', [this.#number], options.signal);
  }

  async explain(token: number, options: ExplainOptions = {}): Promise<Explanation> {
    checkNames(options, EXPLAIN_OPTIONS, 'explain');
    const { position, signal, ...sampler } = options;
    throwIfAborted(signal);
    const [id = -1] = idsOf([token]);
    const at = position === undefined ? undefined : wholeNumber(position, 'position', 0, MOST);
    const request = sampleRequest(await withBits(sampler), this.#seed, 0);
    const asked = Object.keys(sampler).length > 0 ? request : undefined;
    return this.#call('explain', [this.#number, id, asked, at, request], signal);
  }

  async save(options: CallOptions = {}): Promise<Bytes> {
    checkNames(options, CALL_OPTIONS, 'save');
    throwIfAborted(options.signal);
    this.#checkFree();
    const seed: [number, number] = [Number(this.#seed & 0xffffffffn), Number(this.#seed >> 32n)];
    const saved = await this.#call('save', [this.#number, seed], options.signal);
    return saved as Bytes; // the engine copies it out of its memory
  }

  async candidates(options: CandidatesOptions = {}): Promise<StepTrace> {
    checkNames(options, CANDIDATES_OPTIONS, 'candidates');
    const { signal } = options;
    throwIfAborted(signal);
    options = await withBits(options);
    const top_n = wholeNumber(options.top_n ?? DEFAULT_TOP_N, 'top_n', 0, MOST);
    const request = sampleRequest(options, this.#seed, top_n);
    return this.#call('candidates', [this.#number, request], signal);
  }

  generate(
    prompt?: string | readonly number[],
    options?: TracedGenerateOptions,
  ): AsyncGenerator<TracedStep, void, undefined>;
  generate(
    prompt?: string | readonly number[],
    options?: GenerateOptions,
  ): AsyncGenerator<Step, void, undefined>;
  generate(
    prompt?: string | readonly number[],
    options: GenerateOptions = {},
  ): AsyncGenerator<Step, void, undefined> {
    const stop = new AbortController();
    const steps = this.#generate(prompt, options, stop);
    // a generator hears of its end only between two steps; this ends the one that is under way
    const end = steps.return.bind(steps);
    steps.return = (value) => {
      stop.abort();
      return end(value);
    };
    return steps;
  }

  async *#generate(
    prompt: string | readonly number[] | undefined,
    options: GenerateOptions,
    stop: AbortController,
  ): AsyncGenerator<Step, void, undefined> {
    checkNames(options, GENERATE_OPTIONS, 'generate');
    const { signal, ignore_eos = false, parse_special = false, trace = {} } = options;
    const most =
      options.max_tokens === undefined
        ? undefined
        : wholeNumber(options.max_tokens, 'max_tokens', 0, MOST);
    const top_n = trace ? wholeNumber(trace.top_n ?? DEFAULT_TOP_N, 'trace.top_n', 0, MOST) : 0;
    const request = sampleRequest(
      { ...options, ...(trace ? { all_removed: trace.all_removed ?? false } : {}) },
      this.#seed,
      top_n,
    );
    const overflow = overflowOf(options);
    const decoder = new TextDecoder('utf-8', { ignoreBOM: true });
    const aborted = () => stop.abort();
    throwIfAborted(signal);
    this.#checkFree();
    this.#generating = true;
    signal?.addEventListener('abort', aborted);
    let grammar: ConstraintState | undefined;
    try {
      if (options.grammar && !(options.grammar instanceof Int32Array))
        grammar = await options.grammar.begin();
      if (prompt !== undefined) await this.#set(prompt, parse_special, signal);
      for (let made = 0; most === undefined || made < most; made++) {
        if (
          most === undefined &&
          overflow === undefined &&
          this.#tokens.length >= this.#owner.info.n_ctx
        )
          return;
        throwIfAborted(signal);
        const tokens = await grammar?.allowed();
        const here = tokens
          ? { ...request, lists: { ...request.lists, grammar: { tokens, values: undefined } } }
          : request;
        const { textBytes, kept, ...step } = await this.#call(
          'step',
          [this.#number, here, trace !== false, overflow?.n_keep],
          stop.signal,
        );
        grammar?.accept(step.token);
        if (step.shifted) this.#tokens.splice(kept, step.shifted);
        this.#tokens.push(step.token);
        yield { ...step, text: decoder.decode(textBytes, { stream: true }) };
        if ((step.eog && !ignore_eos) || grammar?.ended) return;
      }
    } catch (error) {
      const ended =
        stop.signal.aborted && !signal?.aborted && (error as Error).name === 'AbortError';
      if (!ended) throw error;
    } finally {
      signal?.removeEventListener('abort', aborted);
      grammar?.dispose?.();
      this.#generating = false;
    }
  }

  async dispose(): Promise<void> {
    if (this.#disposed) return;
    this.#disposed = true;
    await this.#ready.catch(() => undefined);
    // after the model itself there is nothing left to free
    await this.#owner.backend.call('disposeSession', [this.#number]).catch(() => undefined);
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.dispose();
  }
}
