/**
 * A session as a program sees it. The engine keeps the session's tokens and cache under a number;
 * this class checks the caller's options and sends the calls to the engine.
 */
import type { Methods } from '../transport/protocol.js';
import type { SessionChoice, StepResult } from '../engine/choices.js';
import { buffersOf } from '../engine/divergence.js';
import type { SampleRequest } from '../engine/sampling.js';
import type { MethodHost, MethodRun } from '../methods/host.js';
import { TokenglassError, throwIfAborted, typed } from '../types/errors.js';
import { followersOf } from '../types/followers.js';
import { endedAtOnce, follow, untilAborted, withSignal } from '../types/signals.js';
import type { Stop } from '../types/signals.js';
import {
  MAX_INT32,
  arrayType,
  bitsOf,
  idOf,
  idsOf,
  invalid,
  readOptions,
  textOf,
  wholeNumber,
} from '../types/arguments.js';
import type { GrammarRun, Wait } from './constraint.js';
import { dropped, freeing, grammarNumber, weightOf } from './engine-objects.js';
import {
  DEFAULT_TOP_N,
  checkedGeneration,
  drawingRequest,
  jumpAhead,
  promptOf,
  stepsOf,
  withBits,
} from './generation.js';
import type { Generation, Speculation } from './generation.js';
import { guardThis } from './guard.js';
import { badOption, sampleRequest } from './options.js';
import type { SessionHost } from './session-host.js';
import {
  CALL_OPTIONS,
  CANDIDATES_OPTIONS,
  DISTRIBUTION_OPTIONS,
  EXPLAIN_OPTIONS,
  MAX_FORKS,
  TABLE_OPTIONS,
  previewRequest,
} from './session-options.js';
import type {
  Bytes,
  CallOptions,
  CandidatesOptions,
  Constraint,
  DistributionOptions,
  Divergence,
  DivergenceOptions,
  ExplainOptions,
  Explanation,
  FindTokensOptions,
  EditCounts,
  FoundToken,
  GenerateOptions,
  MethodGenerateOptions,
  MethodStep,
  MethodTrace,
  MethodTraces,
  Observation,
  ObserveOptions,
  Preview,
  PreviewOptions,
  Session,
  SessionScoreOptions,
  StageTable,
  StageTableOptions,
  Step,
  StepTrace,
  TextOrIds,
  TokenScore,
  TracedGenerateOptions,
  TracedMethodOptions,
  TracedMethodStep,
  TracedStep,
} from '../types/types.js';

const DEFAULT_ROWS = 15;
const DEFAULT_FOUND = 30;

/** How a generation ends, once. The generator must not be reachable from here. */
interface Ending {
  run(): void;
}

export class SessionImpl implements Session {
  readonly #host: SessionHost;
  readonly #number: number;
  readonly #freeInEngine: () => Promise<unknown>;
  #seed: bigint;
  #tokens: number[] = [];
  #ready: Promise<unknown>; // resolves when the engine has the session
  #pending = 0; // tokens to run before the next choice of a generation
  #busy: string | undefined; // with what, and how to end that, for the message
  #disposed: Promise<void> | undefined;
  #weight: ArrayBuffer | undefined;
  readonly #end = new AbortController(); // aborted when the session is disposed

  static {
    guardThis(this.prototype, 'Session', ['generate'], (value) => #disposed in value);
  }

  /** source: the number of a session to fork, or the bytes of a saved session. */
  constructor(host: SessionHost, seed: bigint, source?: number | Uint8Array, edits?: unknown) {
    this.#host = host;
    this.#number = host.newNumber();
    this.#seed = seed;
    const { n_vocab, n_ctx } = host.info;
    this.#weight = weightOf(4 * n_vocab + 12 * n_ctx); // bytes of logits and tokens in the engine
    this.#ready = this.#create(source, edits);
    this.#ready.catch(() => undefined); // the first call that awaits it reports the error
    this.#freeInEngine = freeing(host.backend, 'disposeSession', this.#number);
    dropped.register(this, this.#freeInEngine, this);
  }

  async #create(source: number | Uint8Array | undefined, edits: unknown): Promise<void> {
    const { backend, info } = this.#host;
    if (source === undefined) {
      // what was dropped is freed between two turns of the event loop
      if (this.#weight) await new Promise((resolve) => setTimeout(resolve));
      const requests = edits ? (await import('./edits.js')).editRequests(edits, info) : [];
      return backend.call('createSession', [this.#number, requests]);
    }
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
    transfer?: ArrayBuffer[],
  ): Promise<ReturnType<Methods[M]>> {
    this.#check();
    await this.#ready;
    this.#check();
    const answer = await this.#host.backend.call(method, args, signal, transfer);
    void this.#number; // a use after the answer: until then the session is not dropped
    return answer;
  }

  #check(): void {
    this.#host.check();
    throwIfAborted(this.#end.signal);
  }

  /** Throws while another call changes the tokens, for calls that change the tokens. */
  #checkIdle(): void {
    this.#check();
    if (this.#busy)
      throw new TokenglassError(
        'SESSION_BUSY',
        `the session is ${this.#busy}, or fork the session`,
      );
  }

  /** Waits for what the caller or another call gives, until an abort or a dispose(). */
  #waitFor(signal: AbortSignal): Wait {
    return (value) => untilAborted(value, [signal, this.#end.signal, this.#host.ended]);
  }

  /**
   * Makes the prompt the session's tokens. Returns how many of them are cached. Throws SESSION_BUSY
   * for another's generation.
   */
  async #setTokens(
    prompt: string | Int32Array,
    parse_special: boolean,
    signal: AbortSignal,
    generating: boolean,
  ): Promise<number> {
    const ids =
      typeof prompt === 'string'
        ? await this.#waitFor(signal)(this.#host.tokenize(prompt, { parse_special }))
        : prompt;
    throwIfAborted(signal);
    if (!generating) this.#checkIdle(); // one may have started meanwhile
    const n_cached = await this.#call('sync', [this.#number, Int32Array.from(ids)]);
    this.#tokens = Array.from(ids);
    return n_cached;
  }

  async sync(prompt: TextOrIds, options?: CallOptions): Promise<number> {
    const { signal } = readOptions(options, CALL_OPTIONS, 'sync');
    return withSignal(signal, async (followed) => {
      this.#checkIdle();
      return this.#setTokens(promptOf(prompt), false, followed, false);
    });
  }

  async rewind(n: number): Promise<void> {
    this.#checkIdle();
    await this.#call('rewind', [this.#number, wholeNumber(n, 'n', 0, MAX_INT32)]);
    this.#tokens.length = n;
  }

  async append(token: number): Promise<void> {
    this.#checkIdle();
    const id = idOf(token, 'the token');
    await this.#call('append', [this.#number, id]);
    this.#tokens.push(id);
  }

  async score(tokens: readonly number[], options?: SessionScoreOptions): Promise<TokenScore[]> {
    const read = readOptions(options, [...CALL_OPTIONS, 'top_n'], 'score');
    return withSignal(read.signal, async (signal) => {
      const ids = idsOf(tokens, 'the list');
      const top_n = wholeNumber(read.top_n ?? 0, 'top_n', 0, this.#host.info.n_vocab);
      this.#checkIdle();
      this.#busy = 'scoring tokens; wait for the scores first';
      try {
        return await this.#call('scoreSession', [this.#number, ids, top_n], signal);
      } finally {
        // after an error, too: what was scored before stays
        const now = await this.#call('sessionTokens', [this.#number]).catch(() => undefined);
        if (now) this.#tokens = Array.from(now);
        this.#busy = undefined;
      }
    });
  }

  async observe(text: TextOrIds, options?: ObserveOptions): Promise<Observation> {
    this.#checkIdle();
    this.#busy = 'observing a text; wait for the result first';
    try {
      const { readObserve } = await import('./observe.js');
      const { prompt, request, signal: given } = readObserve(text, options, this.#host.info);
      return await withSignal(given, async (signal) => {
        const tokenize = (words: string) =>
          this.#host.tokenize(words, { add_special: this.#tokens.length === 0 });
        const ids = typeof prompt === 'string' ? await tokenize(prompt) : prompt;
        throwIfAborted(signal);
        const args: Parameters<Methods['observe']> = [this.#number, Int32Array.from(ids), request];
        const seen = await this.#call('observe', args, signal);
        this.#tokens.push(...ids);
        return seen;
      });
    } finally {
      this.#busy = undefined;
    }
  }

  async editCounts(): Promise<EditCounts[]> {
    return (await import('./edits.js')).countsOf(await this.#call('editReports', [this.#number]));
  }

  async #forks(n: number): Promise<SessionImpl[]> {
    this.#check();
    await this.#ready;
    this.#check();
    const numbers = Array.from({ length: n });
    const forks = numbers.map(() => new SessionImpl(this.#host, this.#seed, this.#number));
    try {
      await Promise.all(forks.map((fork) => fork.#ready));
      return forks;
    } catch (error) {
      await Promise.all(forks.map((fork) => fork.dispose()));
      throw error;
    }
  }

  fork(): Promise<Session>;
  fork(n: number): Promise<Session[]>;
  async fork(n?: number): Promise<Session | Session[]> {
    if (n !== undefined) return this.#forks(wholeNumber(n, 'n', 1, MAX_FORKS));
    return (await this.#forks(1))[0]!;
  }

  async logits(options?: CallOptions): Promise<Float32Array> {
    const { signal } = readOptions(options, CALL_OPTIONS, 'logits');
    return withSignal(signal, (followed) => this.#call('logits', [this.#number], followed));
  }

  /** The request with the given bits, or with what the grammar allows at its start. */
  async #atStart(
    request: SampleRequest,
    grammar: Constraint | Int32Array | undefined,
    signal: AbortSignal,
  ): Promise<SampleRequest> {
    const number = grammarNumber(grammar, this.#host.backend);
    if (number !== undefined) return { ...request, grammar: { at: 'start', number } };
    const run = await this.#begin(grammar, signal);
    if (!run) return withBits(request, this.#bits(grammar));
    try {
      return withBits(request, await run.allowed());
    } finally {
      run.dispose();
    }
  }

  /** The bits that were given in place of a grammar. Throws SAMPLER_BAD_OPTION. */
  #bits(grammar: unknown): Int32Array | undefined {
    if (arrayType(grammar) === undefined) return undefined;
    return bitsOf(grammar, this.#host.info.n_vocab, 'grammar', badOption);
  }

  /** Starts a grammar; undefined for none and for bits. */
  async #begin(grammar: unknown, signal: AbortSignal): Promise<GrammarRun | undefined> {
    this.#check();
    if (grammar === undefined || grammar === null || arrayType(grammar)) return undefined;
    const { GrammarRun } = await import('./constraint.js');
    const { n_vocab } = this.#host.info;
    return GrammarRun.begin(grammar as Constraint, n_vocab, this.#waitFor(signal));
  }

  async candidates(options?: CandidatesOptions): Promise<StepTrace> {
    const read = readOptions(options, CANDIDATES_OPTIONS, 'candidates');
    return withSignal(read.signal, async (signal) => {
      const top_n = wholeNumber(read.top_n ?? DEFAULT_TOP_N, 'top_n', 0, MAX_INT32);
      const request = sampleRequest(read, this.#seed, top_n);
      const restricted = await this.#atStart(request, read.grammar, signal);
      return this.#call('candidates', [this.#number, restricted], signal);
    });
  }

  async stageTable(options?: StageTableOptions): Promise<StageTable> {
    const read = readOptions(options, TABLE_OPTIONS, 'stageTable');
    return withSignal(read.signal, async (signal) => {
      const table = {
        max_rows: wholeNumber(read.max_rows ?? DEFAULT_ROWS, 'max_rows', 0, MAX_INT32),
        tokens: idsOf(read.tokens ?? [], 'tokens'),
      };
      const request = sampleRequest(read, this.#seed, 0);
      const restricted = await this.#atStart(request, read.grammar, signal);
      return this.#call('stageTable', [this.#number, restricted, table], signal);
    });
  }

  async findTokens(query: string, options?: FindTokensOptions): Promise<FoundToken[]> {
    const read = readOptions(options, [...CALL_OPTIONS, 'limit'], 'findTokens');
    return withSignal(read.signal, (signal) => {
      const limit = wholeNumber(read.limit ?? DEFAULT_FOUND, 'limit', 0, MAX_INT32);
      return this.#call('findTokens', [this.#number, textOf(query, 'the query'), limit], signal);
    });
  }

  async preview(options?: PreviewOptions): Promise<Preview[]> {
    const { signal, ...request } = previewRequest(options, this.#host.info);
    return withSignal(signal, async (followed) => {
      const { preview } = await import('../methods/preview.js');
      return preview(this, request, (token) => this.#call('tokenIsEog', [token]), followed);
    });
  }

  /** The choice that the options of one side of a divergence describe. */
  async #choice(
    given: DistributionOptions | undefined,
    side: string,
    signal: AbortSignal,
  ): Promise<SessionChoice> {
    const read = readOptions(given, DISTRIBUTION_OPTIONS, `divergence (${side})`);
    const request = await this.#atStart(sampleRequest(read, this.#seed, 0), read.grammar, signal);
    this.#check();
    await this.#ready;
    return { number: this.#number, request };
  }

  async divergence(other: Session, options?: DivergenceOptions): Promise<Divergence> {
    const read = readOptions(options, [...CALL_OPTIONS, 'a', 'b'], 'divergence');
    return withSignal(read.signal, async (signal) => {
      if (!(Object(other) === other && #disposed in other))
        throw invalid(`the other session is ${typed(other)}; it must be a Session`);
      const sizes = [this, other].map((session) => session.#host.info.n_vocab);
      if (sizes[0] !== sizes[1])
        throw invalid(
          `the vocabularies have ${sizes.join(' and ')} tokens; the sizes must be equal`,
        );
      const a = await this.#choice(read.a, 'a', signal);
      const b = await other.#choice(read.b, 'b', signal);
      if (other.#host.backend === this.#host.backend)
        return this.#call('divergence', [a, b], signal);
      const distributions = await other.#call('distributions', [b], signal);
      return this.#call('divergence', [a, distributions], signal, buffersOf(distributions));
    });
  }

  async explain(token: number, options?: ExplainOptions): Promise<Explanation> {
    const read = readOptions(options, EXPLAIN_OPTIONS, 'explain');
    const { position, signal: given } = read;
    return withSignal(given, async (signal) => {
      const id = idOf(token, 'the token');
      const index =
        position === undefined ? undefined : wholeNumber(position, 'position', 0, MAX_INT32);
      const request = sampleRequest(read, this.#seed, 0);
      const restricted = await this.#atStart(request, read.grammar, signal);
      const explicit = Object.keys(read).some((name) => !['position', 'signal'].includes(name));
      return this.#call('explain', [this.#number, id, restricted, explicit, index], signal);
    });
  }

  async save(options?: CallOptions): Promise<Bytes> {
    const { signal } = readOptions(options, CALL_OPTIONS, 'save');
    return withSignal(signal, async (followed) => {
      this.#checkIdle();
      const saved = await this.#call('save', [this.#number, this.#seed], followed);
      return saved as Bytes; // a copy, never a view of the engine's memory
    });
  }

  generate<N extends keyof MethodTraces>(
    prompt: TextOrIds | undefined,
    options: TracedMethodOptions<N>,
  ): AsyncGenerator<TracedMethodStep<N>, void, undefined>;
  generate<N extends keyof MethodTraces>(
    prompt: TextOrIds | undefined,
    options: MethodGenerateOptions<N>,
  ): AsyncGenerator<MethodStep<N>, void, undefined>;
  generate(
    prompt?: TextOrIds,
    options?: TracedGenerateOptions,
  ): AsyncGenerator<TracedStep, void, undefined>;
  generate(prompt?: TextOrIds, options?: GenerateOptions): AsyncGenerator<Step, void, undefined>;
  generate(prompt?: TextOrIds, options?: GenerateOptions): AsyncGenerator<Step, void, undefined> {
    const ending: Ending = { run: () => undefined };
    const steps = endedAtOnce((stop) => this.#generate(prompt, options, stop, ending));
    dropped.register(steps, () => ending.run());
    return steps;
  }

  /** stop: aborted by the caller's signal and by the end of the loop. */
  async *#generate(
    prompt: TextOrIds | undefined,
    options: GenerateOptions | undefined,
    stop: Stop,
    ending: Ending,
  ): AsyncGenerator<Step, void, undefined> {
    const generation = checkedGeneration(prompt, options, this.#seed);
    const { text_or_ids, grammar, parse_special, request, speculate } = generation;
    const release = follow(generation.signal, stop);
    const { signal } = stop;
    let run: GrammarRun | undefined;
    let own: number | undefined; // a grammar that the engine follows by itself
    let method: MethodRun<StepResult, MethodTrace> | undefined;
    let speculation: Speculation | undefined;
    let started = false;
    ending.run = () => {
      ending.run = () => undefined;
      release();
      run?.dispose();
      if (own !== undefined) void freeing(this.#host.backend, 'endText', this.#number)();
      if (started) this.#busy = undefined;
    };
    try {
      throwIfAborted(signal);
      this.#checkIdle();
      started = true;
      this.#busy = 'generating; end the generation first';
      if (speculate !== undefined && speculate !== false) {
        const { speculationOf } = await import('./speculate.js');
        speculation = await speculationOf(generation, this.#host);
      }
      if (generation.method !== undefined) {
        const { beginMethod } = await import('../methods/generate.js');
        method = beginMethod(generation.method, this.#methodHost(generation, signal));
      }
      const number = grammarNumber(grammar, this.#host.backend);
      const bits = this.#bits(grammar);
      // no grammar: the prompt becomes the session's tokens before anything else can happen
      if (grammar !== undefined && !bits && number === undefined)
        run = await this.#begin(grammar, signal);
      if (text_or_ids !== undefined)
        await this.#setTokens(text_or_ids, parse_special, signal, true);
      let restricted = withBits(request, bits);
      if (number !== undefined) {
        own = number;
        await this.#call('beginText', [this.#number, number, true], signal);
        restricted = { ...request, grammar: { at: 'text', number: this.#number } };
      }
      if (own !== undefined && speculate === undefined) speculation = jumpAhead;
      this.#pending = 0;
      const { n_ctx } = this.#host.info;
      yield* stepsOf(
        { ...generation, request: restricted },
        (step, remaining) =>
          method?.next(remaining) ??
          this.#step(step, generation, signal, speculation, remaining > 1),
        () => generation.n_keep === undefined && this.#tokens.length >= n_ctx,
        run,
        signal,
      );
    } catch (error) {
      if (error !== stop.returned) throw error;
    } finally {
      await method?.dispose();
      await speculation?.draft?.dispose();
      ending.run();
    }
  }

  /** What a method of this generation works on. */
  #methodHost(generation: Generation, signal: AbortSignal): MethodHost<StepResult> {
    const { ignore_eos } = generation;
    const request = withBits(generation.request, this.#bits(generation.grammar));
    const drawing = drawingRequest(request);
    const followers = followersOf(signal);
    return {
      sample_index: request.sample_index,
      ignore_eos,
      has_grammar: generation.grammar !== undefined && !arrayType(generation.grammar),
      shifts: generation.n_keep !== undefined,
      room: () => this.#host.info.n_ctx - this.#tokens.length,
      step: () => this.#step(request, generation, signal),
      entropy: () => this.#call('finalEntropy', [this.#number, drawing], signal),
      tokenize: (text) => this.#host.tokenize(text, { add_special: false }),
      fork: async (n) => {
        const n_before = this.#tokens.length;
        const signals = followers(n);
        return (await this.#forks(n)).map((fork, i) => ({
          draw: (sample_index) => {
            this.#check(); // the end of the session ends its branches
            return fork.#step({ ...drawing, sample_index }, generation, signals[i]!);
          },
          adopt: async (n_drawn) => {
            const tokens = fork.#tokens.slice(0, n_before + n_drawn);
            await this.#call('adoptSession', [this.#number, fork.#number, tokens.length], signal);
            this.#tokens = tokens;
          },
          dispose: () => fork.dispose(),
        }));
      },
    };
  }

  /** Makes one choice and keeps the list of tokens as the engine has it. again: whether another
   *  choice follows. */
  async #step(
    request: SampleRequest,
    { traced, n_keep }: Generation,
    signal: AbortSignal,
    speculation?: Speculation,
    again = false,
  ): Promise<StepResult> {
    const tokens =
      this.#pending === 1 ? await speculation?.draft?.next(this.#tokens, signal) : undefined;
    const speculate = speculation && { ...speculation.request, tokens };
    const args: Parameters<Methods['step']> = [this.#number, request, traced, n_keep, speculate];
    const result = await this.#call(again && !speculation ? 'stepAgain' : 'step', args, signal);
    this.#pending = result.pending;
    if (result.shifted) this.#tokens.splice(result.kept, result.shifted);
    this.#tokens.push(result.token);
    return result;
  }

  dispose(): Promise<void> {
    this.#end.abort(new TokenglassError('DISPOSED', 'the session was disposed'));
    return (this.#disposed ??= this.#free());
  }

  async #free(): Promise<void> {
    dropped.unregister(this);
    this.#weight = undefined;
    await this.#ready.catch(() => undefined);
    await this.#freeInEngine();
  }

  [Symbol.asyncDispose](): Promise<void> {
    return this.dispose();
  }
}
