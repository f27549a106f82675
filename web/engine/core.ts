/** A model and its sessions in this thread: in, plain data as it crosses from another thread; out, the same. It owns the engine's instance and all in it. */
import type { Engine } from './engine.js';
import { TokenglassError, throwIfAborted } from '../types/errors.js';
import { cacheTypes, quants } from '../types/generated.js';
import { loadEngine } from './loading.js';
import type { CoreOptions, Loaded } from './loading.js';
import { turn } from '../platform/platform.js';
import type { Opener } from '../platform/platform.js';
import { Sampling } from './sampling.js';
import { openSaved, savedBytes } from './saving.js';
import type { LastChoice, SampleRequest } from './sampling.js';
import type { SourceSpec } from '../platform/sources.js';
import type {
  ArchitectureName,
  Explanation,
  KernelDotName,
  KernelVariantName,
  MemoryInfo,
  ModelInfo,
  ModelStats,
  ProfileEntry,
  ProfileStepName,
  Progress,
  QuantTypeInfo,
  StepTrace,
  TokenScore,
} from '../types/types.js';
import { Vocabulary } from './vocabulary.js';

export interface StepResult {
  token: number;
  bytes: Uint8Array;
  /** What a text that begins here shows of it: the space that a tokenizer puts before a text is not part of the text. */
  textBytes: Uint8Array;
  logprob: number;
  rank: number;
  entropy: number;
  position: number;
  eog: boolean;
  shifted: number;
  /** Tokens at the beginning that a shift left. */
  kept: number;
  trace: StepTrace | undefined;
}

/** What step does when the context is full: undefined: an error; else how many tokens at the beginning stay when the window slides, -1: BOS. */
export type Overflow = number | undefined;

/** How a text is scored, in numbers. */
export interface ScoreRequest {
  top_n: number;
  /** Tokens that each window after the first scores; 0: half of the context. */
  stride: number;
}

const PORTION_MS = 60; // of work, after which whatever else waits has its turn
const CROWDED_MS = 1000; // after one work had to wait for another, batches are short: the other will be back
const MOST_BATCH = 128; // tokens that the engine takes through the layers together
const MOST_SCORED = 64; // each of them costs the logits of the whole vocabulary
const SCORE_BYTES = 20;
const TOP_BYTES = 8;
const GROUP = 4; // tokens that a product of matrices takes together

export class Core {
  readonly #opener: Opener;
  #loaded: Loaded | undefined;
  #engine!: Engine;
  #model = 0;
  #info!: ModelInfo;
  #vocabulary!: Vocabulary;
  #sampling!: Sampling;
  readonly #sessions = new Map<number, number>();
  readonly #choices = new Map<number, LastChoice>(); // the last of each session
  #passing = 0; // sessions of our own have numbers below 0
  #portion = 8; // tokens whose scores take about PORTION_MS, measured
  #layerMs = 1; // that a token takes in a layer, when there are many
  #batches = Promise.resolve(); // ends when the last batch does that was asked for
  #asked = 0; // batches that were asked for and have not ended
  #crowded = -Infinity; // when one last had to wait for another, ms
  #rested = 0; // when others last had their turn, ms

  constructor(opener: Opener) {
    this.#opener = opener;
  }

  // ---- loading ----

  async load(
    spec: SourceSpec,
    options: CoreOptions,
    progress: (p: Progress) => void,
    signal: AbortSignal,
  ): Promise<ModelInfo> {
    const loaded = await loadEngine(
      this.#opener,
      spec,
      options,
      progress,
      signal,
      (s) => this.#rest(s),
      () => this.#threadDied(),
    );
    this.#loaded = loaded;
    this.#engine = loaded.engine;
    this.#model = loaded.model;
    this.#info = this.#readInfo(loaded);
    this.#vocabulary = new Vocabulary(this.#engine, this.#model);
    this.#sampling = new Sampling(this.#engine, this.#model, this.#vocabulary, this.#info.n_vocab);
    return this.#info;
  }

  /** From now on every call that runs the model says so. */
  #threadDied(): void {
    if (this.#model && !this.#engine.crashed) this.#engine.call('model_thread_died', this.#model);
  }

  #plan() {
    this.#check('model_plan', this.#engine.out);
    const [file = 0, header = 0, weights = 0, kv = 0, scratch = 0] = this.#engine.results(5);
    return { file, header, weights, kv, scratch };
  }

  #memory(): MemoryInfo {
    // WebAssembly memory never shrinks: what it has now is its greatest size
    const total = this.#engine.memoryBytes;
    return { ...this.#plan(), total, peak: total };
  }

  #readInfo({ n_threads, threads_note }: Loaded): ModelInfo {
    const engine = this.#engine;
    return engine.with(20 + 32, (address) => {
      this.#check('model_info', engine.out, address, address + 20);
      const [
        n_vocab = 0,
        n_ctx_train = 0,
        n_ctx = 0,
        n_kv = 0,
        n_layer = 0,
        n_embd = 0,
        n_head = 0,
        n_head_kv = 0,
        n_ff = 0,
        n_params = 0,
      ] = engine.results(10);
      const [type_k = 0, type_v = 0, tied = 0, bos = -1, eos = -1] = engine.results(15).slice(10);
      const [architecture = 0, name = 0, variant = 0, dot = 0, template = 0] = engine.i32(
        address,
        5,
      );
      const fingerprint = [...engine.bytes(address + 20, 32)]
        .map((byte) => byte.toString(16).padStart(2, '0'))
        .join('');
      return {
        architecture: engine.text(architecture) as ArchitectureName,
        name: engine.text(name),
        ...{
          n_vocab,
          n_ctx_train,
          n_ctx,
          n_kv,
          n_layer,
          n_embd,
          n_head,
          n_head_kv,
          n_ff,
          n_params,
        },
        tied_output: tied === 1,
        quant_types: this.#quantTypes(),
        bos: bos < 0 ? undefined : bos,
        eos: eos < 0 ? undefined : eos,
        cache_type_k: cacheTypes[type_k]!,
        cache_type_v: cacheTypes[type_v]!,
        memory: this.#memory(),
        ...{ n_threads, threads_note },
        kernel_variant: engine.text(variant) as KernelVariantName,
        kernel_dot: engine.text(dot) as KernelDotName,
        fingerprint,
        chat_template: template ? engine.text(template) : undefined,
      };
    });
  }

  #quantTypes(): QuantTypeInfo[] {
    return quants
      .map(({ name }, index) => {
        this.#check('model_quant', index, this.#engine.out);
        const [tensors = 0, params = 0] = this.#engine.results(2);
        return { name, tensors, params };
      })
      .filter(({ tensors }) => tensors > 0);
  }

  #check(name: string, ...args: number[]): void {
    this.#engine.check(this.#model, name, this.#model, ...args);
  }

  stats(): ModelStats {
    return {
      decoded_tokens: this.#engine.call('model_decoded', this.#model),
      memory: this.#memory(),
      profile: this.#profile(),
    };
  }

  #profile(): ProfileEntry[] {
    const steps: ProfileEntry[] = [];
    for (;;) {
      const name = this.#engine.call('model_time', this.#model, steps.length, this.#engine.out);
      if (!name) return steps;
      const step = this.#engine.text(name) as ProfileStepName;
      steps.push({ step, ms: this.#engine.result() });
    }
  }

  // ---- tokens ----

  tokenize(text: string, flags: number): Int32Array {
    return this.#vocabulary.tokenize(text, flags);
  }

  tokenOffsets(text: string, flags: number): Int32Array {
    return this.#vocabulary.tokenOffsets(text, flags);
  }

  detokenize(ids: Int32Array): Uint8Array {
    return this.#vocabulary.detokenize(ids);
  }

  tokenBytes(id: number): Uint8Array {
    return this.#vocabulary.token(id).bytes;
  }

  tokenText(id: number): string {
    return this.#vocabulary.token(id).text;
  }

  vocabulary(): { texts: string[]; ends: Int32Array } {
    return this.#vocabulary.all(this.#info.n_vocab);
  }

  // ---- sessions: the caller chooses their numbers ----

  createSession(number: number): void {
    this.#check('session_new', this.#engine.out);
    this.#sessions.set(number, this.#engine.result());
  }

  /** Returns the tokens that both have now. */
  forkSession(from: number, number: number): Int32Array {
    const session = this.#session(from);
    this.#engine.check(this.#model, 'session_fork', session, this.#engine.out);
    this.#sessions.set(number, this.#engine.result());
    return this.#tokens(number);
  }

  disposeSession(number: number): void {
    const session = this.#sessions.get(number);
    if (session === undefined) return;
    this.#sessions.delete(number);
    this.#chose(number, undefined);
    this.#engine.call('session_free', session);
  }

  /** Notes a session's last choice. */
  #chose(number: number, choice: LastChoice | undefined): void {
    const before = this.#choices.get(number)?.before;
    this.#choices.delete(number);
    if (choice) this.#choices.set(number, choice);
    if (before !== undefined) this.disposeSession(before);
  }

  /** Only the session's first n tokens are what they were: a choice after them is none of its own any more. */
  #forget(number: number, n: number): void {
    if ((this.#choices.get(number)?.position ?? 0) > this.#dropped(number) + n)
      this.#chose(number, undefined);
  }

  #dropped(number: number): number {
    return this.#engine.call('session_dropped', this.#session(number)) >>> 0;
  }

  #session(number: number): number {
    const session = this.#sessions.get(number);
    if (session === undefined) throw new TokenglassError('DISPOSED', 'the session was disposed');
    return session;
  }

  #checkSession(number: number, name: string, ...args: number[]): void {
    try {
      this.#engine.check(this.#model, name, this.#session(number), ...args);
    } catch (error) {
      // a thread that only stood still would go on some time, with memory that by then is used for something else
      if (error instanceof TokenglassError && error.code === 'THREAD_LOST')
        this.#loaded?.threads?.end();
      throw error;
    }
  }

  #tokens(number: number): Int32Array {
    const address =
      this.#engine.call('session_tokens', this.#session(number), this.#engine.out) >>> 0;
    return this.#engine.i32(address, this.#engine.result()).slice();
  }

  sync(number: number, ids: Int32Array): void {
    const session = this.#session(number);
    const before = this.#tokens(number);
    this.#engine.with(ids.length * 4, (address) => {
      this.#engine.i32(address, ids.length).set(ids);
      this.#engine.check(this.#model, 'session_sync', session, address, ids.length);
    });
    const differs = ids.findIndex((id, i) => id !== before[i]);
    this.#forget(number, differs < 0 ? ids.length : differs);
  }

  rewind(number: number, n: number): void {
    this.#checkSession(number, 'session_rewind', n);
    this.#forget(number, n);
  }

  append(number: number, token: number): void {
    this.#checkSession(number, 'session_append', token);
  }

  /** Every so often, lets the thread's other work have its turn and hears of an abort. */
  async #rest(signal: AbortSignal): Promise<void> {
    throwIfAborted(signal);
    if (performance.now() - this.#rested < PORTION_MS) return;
    await turn();
    this.#rested = performance.now();
    throwIfAborted(signal);
  }

  /** Does work on n tokens and learns from the time it takes how many the next portion can have. */
  #timed(n: number, work: () => void): void {
    const start = performance.now();
    work();
    const ms = performance.now() - start;
    if (n < this.#portion && ms <= PORTION_MS) return; // one token alone tells nothing of many
    // twice as many at the most: a browser's clock may be so coarse that it saw no time pass
    const fit = Math.min(
      Math.floor((n * PORTION_MS) / Math.max(ms, 0.001)),
      2 * this.#portion,
      MOST_SCORED,
    );
    // whole groups: the products read each weight once for four tokens, so that four cost little more than one
    this.#portion = Math.max(fit - (fit % GROUP), GROUP);
  }

  /** Runs what is pending, in portions (the bits do not depend on them), and then, before anything else can happen to the session, uses its logits. */
  async #eval<T>(number: number, signal: AbortSignal, use: () => T): Promise<T> {
    for (;;) {
      await this.#rest(signal);
      const pending = this.#engine.call('session_pending', this.#session(number)) >>> 0;
      if (pending === 0) return use();
      await this.#alone(signal, () => this.#runBatch(number, signal));
    }
  }

  /** Runs a batch when those that were asked for before have ended: to run in the middle of one would undo its work. */
  async #alone(signal: AbortSignal, run: () => Promise<void> | void): Promise<void> {
    const waits = this.#asked++ > 0;
    const before = this.#batches;
    let done = () => {};
    this.#batches = new Promise((resolve) => (done = resolve));
    let stop = () => {};
    const aborted = new Promise<void>((resolve) => (stop = resolve));
    signal.addEventListener('abort', stop);
    try {
      await Promise.race([before, aborted]);
      throwIfAborted(signal);
      if (waits) this.#crowded = performance.now();
      await run();
    } finally {
      signal.removeEventListener('abort', stop);
      this.#asked--;
      void before.then(done); // whoever gave up has not had its turn yet
    }
  }

  /** As many tokens as go through a layer in one portion, or through all when others work, too; so many layers at a time as take about as long. */
  async #runBatch(number: number, signal: AbortSignal): Promise<void> {
    const pending = this.#engine.call('session_pending', this.#session(number)) >>> 0;
    const atOnce = performance.now() - this.#crowded < CROWDED_MS ? this.#info.n_layer : 1;
    const whole = Math.floor(PORTION_MS / (this.#layerMs * atOnce) / GROUP) * GROUP;
    const n = Math.min(pending, MOST_BATCH, Math.max(whole, GROUP));
    const layers = Math.max(Math.floor(PORTION_MS / (n * this.#layerMs)), 1);
    for (let left = this.#info.n_layer; left > 0; left -= layers) {
      if (left < this.#info.n_layer) await this.#rest(signal);
      const start = performance.now();
      this.#checkSession(number, 'session_eval', n, layers, this.#engine.out);
      const ms = (performance.now() - start) / (Math.min(layers, left) * n);
      // one token alone tells nothing of many, and a browser's clock may be so coarse that it saw no time pass
      if (n >= GROUP) this.#layerMs = Math.max(ms, this.#layerMs / 2, 1e-4);
      if (this.#engine.result() === 0) return;
    }
  }

  logits(number: number, signal: AbortSignal): Promise<Float32Array> {
    return this.#eval(number, signal, () => {
      this.#checkSession(number, 'session_logits', this.#engine.out);
      return this.#engine.f32(this.#engine.result(), this.#info.n_vocab).slice();
    });
  }

  /** The next choice, without making it. */
  candidates(number: number, request: SampleRequest, signal: AbortSignal): Promise<StepTrace> {
    return this.#eval(number, signal, () => {
      const { trace } = this.#sampling.traced(this.#session(number), request);
      this.#chose(number, { request, position: trace.position, before: undefined });
      return trace;
    });
  }

  /** The next choice, made. */
  step(
    number: number,
    request: SampleRequest,
    traced: boolean,
    overflow: Overflow,
    signal: AbortSignal,
  ): Promise<StepResult> {
    return this.#eval(number, signal, () => {
      const session = this.#session(number);
      const made = traced
        ? this.#sampling.traced(session, request)
        : this.#sampling.sample(session, { ...request, top_n: 0 });
      const { traceAt, ...choice } = made;
      const { token, position } = choice;
      const { bytes, eog } = this.#vocabulary.token(token);
      const textBytes =
        bytes[0] === 0x20 && !this.#hasText(number) ? this.detokenize(Int32Array.of(token)) : bytes;
      const { before, ...slid } = this.#slide(number, overflow);
      this.#chose(number, { request, position, before });
      this.#checkSession(number, 'session_take', traceAt);
      return { trace: undefined, ...choice, bytes, textBytes, eog, ...slid };
    });
  }

  /** Slides a full window: half of what may go goes. Returns how many tokens went, how many before them stayed, and the session as it was. */
  #slide(
    number: number,
    keep: Overflow,
  ): { shifted: number; kept: number; before: number | undefined } {
    const tokens = this.#tokens(number);
    if (keep === undefined || tokens.length < this.#info.n_ctx)
      return { shifted: 0, kept: 0, before: undefined };
    const kept = Math.min(
      keep >= 0 ? keep : tokens[0] === this.#info.bos ? 1 : 0,
      tokens.length - 1,
    );
    const discarded = Math.ceil((tokens.length - kept) / 2);
    const before = --this.#passing;
    this.forkSession(number, before);
    this.#engine.call('session_release', this.#session(before)); // its logits tell all that can be asked of it
    this.#checkSession(number, 'session_shift', kept, discarded);
    return { shifted: discarded, kept, before };
  }

  /** Whether the session's tokens add anything to a text; usually the second of them does. */
  #hasText(number: number): boolean {
    return this.#tokens(number).some((id) => this.#vocabulary.token(id).bytes.length > 0);
  }

  /** A session of our own for as long as it is used. */
  async #withSession<T>(
    begin: (number: number) => void,
    use: (number: number) => Promise<T>,
  ): Promise<T> {
    const number = --this.#passing;
    begin(number);
    try {
      return await use(number);
    } finally {
      this.disposeSession(number);
    }
  }

  /** What became of a token in a choice: the session's last one, or that of the request before `position`. */
  explain(
    number: number,
    token: number,
    request: SampleRequest | undefined,
    position: number | undefined,
    usual: SampleRequest,
    signal: AbortSignal,
  ): Promise<Explanation> {
    const last = this.#choices.get(number);
    const chosen = request ?? last?.request ?? usual;
    const at = position ?? (request ? undefined : last?.position);
    const from = at === last?.position ? (last?.before ?? number) : number;
    const dropped = this.#dropped(from);
    const n = at === undefined ? this.#tokens(from).length : at - dropped;
    return this.#withSession(
      (fork) => void this.forkSession(from, fork),
      async (fork) => {
        this.rewind(fork, Math.max(n, 0));
        if (n < 0 || this.#dropped(fork) !== dropped)
          // it has, or what stood before it
          throw new TokenglassError(
            'POSITION_OUT_OF_RANGE',
            `position ${at} has slid out of the window, ${dropped} tokens went`,
          );
        return this.#eval(fork, signal, () =>
          this.#sampling.explain(this.#session(fork), chosen, token),
        );
      },
    );
  }

  // ---- saving ----

  save(number: number, seed: [number, number]): Uint8Array {
    return savedBytes(this.#engine, this.#session(number), seed);
  }

  /** Returns the tokens and the seed. */
  loadSession(number: number, saved: Uint8Array): { tokens: Int32Array; seed: [number, number] } {
    const { session, seed } = openSaved(this.#engine, this.#model, saved);
    this.#sessions.set(number, session);
    return { tokens: this.#tokens(number), seed };
  }

  // ---- measures of a text ----

  /** Scores a text in a session of its own; one longer than the context in windows, each beginning with the text's BOS. */
  async score(
    ids: Int32Array,
    { top_n, stride }: ScoreRequest,
    signal: AbortSignal,
  ): Promise<TokenScore[]> {
    const window = this.#info.n_ctx;
    const front = ids[0] === this.#info.bos ? 1 : 0;
    const step = Math.min(stride || Math.ceil(window / 2), window - 1 - front);
    if (ids.length > window && step < 1) {
      throw new TokenglassError(
        'CONTEXT_FULL',
        `a context of ${window} is too small for windows over ${ids.length} tokens`,
      );
    }
    const scores: TokenScore[] = [];
    await this.#withSession(
      (number) => this.createSession(number),
      async (number) => {
        for (
          let at = 0, end = Math.min(window, ids.length);
          at < ids.length;
          end = Math.min(end + step, ids.length)
        ) {
          if (at > 0) {
            // what the window's tokens are given: as much of what stands before them as fits
            const given = ids.slice(Math.max(end - window, 0), at);
            given.set(ids.subarray(0, front));
            this.sync(number, given);
            await this.#eval(number, signal, () => undefined);
          }
          while (at < end) {
            await this.#rest(signal);
            const part = ids.subarray(at, Math.min(end, at + Math.min(MOST_SCORED, this.#portion)));
            await this.#alone(
              signal,
              () => void scores.push(...this.#scorePart(number, part, top_n)),
            );
            at += part.length;
          }
        }
      },
    );
    return scores;
  }

  #scorePart(number: number, ids: Int32Array, top_n: number): TokenScore[] {
    const engine = this.#engine;
    const n = ids.length;
    return engine.with(n * (4 + SCORE_BYTES + top_n * TOP_BYTES), (address) => {
      const scoresAt = address + 4 * n;
      const topsAt = scoresAt + SCORE_BYTES * n;
      engine.i32(address, n).set(ids);
      this.#timed(n, () =>
        this.#checkSession(
          number,
          'session_score',
          address,
          n,
          top_n,
          scoresAt,
          top_n ? topsAt : 0,
        ),
      );
      return Array.from(ids, (_, i) => {
        const view = engine.view(scoresAt + i * SCORE_BYTES, SCORE_BYTES);
        const [token, rank] = [view.getInt32(0, true), view.getInt32(8, true)];
        const [logprob, entropy, top_mass] = [
          view.getFloat32(4, true),
          view.getFloat32(12, true),
          view.getFloat32(16, true),
        ];
        const tops = engine.view(topsAt + i * top_n * TOP_BYTES, top_n * TOP_BYTES);
        const pairs = Array.from({ length: top_n }, (_, k) => ({
          token: tops.getInt32(TOP_BYTES * k, true),
          logprob: tops.getFloat32(TOP_BYTES * k + 4, true),
        })).filter(({ token }) => token >= 0);
        const named = ({ token, ...rest }: { token: number; logprob: number }) => {
          const { text, bytes } = this.#vocabulary.token(token);
          return { token, text, bytes, ...rest };
        };
        return { ...named({ token, logprob }), rank, entropy, top_mass, top: pairs.map(named) };
      });
    });
  }

  /** The mean or the last of the text's last hidden states. */
  async embed(
    ids: Int32Array,
    mean: boolean,
    normalize: boolean,
    signal: AbortSignal,
  ): Promise<Float32Array> {
    if (ids.length === 0)
      throw new TokenglassError('SESSION_EMPTY', 'a text without tokens has no embedding');
    const sum = new Float64Array(this.#info.n_embd);
    await this.#withSession(
      (number) => this.createSession(number),
      async (number) => {
        for (let at = 0; at < ids.length;) {
          await this.#rest(signal);
          const part = ids.subarray(at, at + Math.min(MOST_SCORED, this.#portion));
          await this.#alone(signal, () => this.#addStates(number, part, mean, sum));
          at += part.length;
        }
      },
    );
    const length = normalize
      ? Math.sqrt(sum.reduce((squares, x) => squares + x * x, 0))
      : mean
        ? ids.length
        : 1;
    return Float32Array.from(sum, (x) => x / (length || 1));
  }

  /** Adds the states of the part to the sum, or keeps the last alone. */
  #addStates(number: number, ids: Int32Array, mean: boolean, sum: Float64Array): void {
    const engine = this.#engine;
    const n = ids.length;
    engine.with(n * 4 * (1 + sum.length), (address) => {
      engine.i32(address, n).set(ids);
      this.#timed(n, () =>
        this.#checkSession(number, 'session_hidden', address, n, address + 4 * n),
      );
      const states = engine.f32(address + 4 * n, n * sum.length);
      if (!mean) sum.set(states.subarray((n - 1) * sum.length));
      else states.forEach((x, i) => (sum[i % sum.length]! += x));
    });
  }

  /** What a crashed engine holds goes with the engine. */
  dispose(): void {
    const model = this.#model;
    this.#model = 0;
    this.#sessions.clear();
    this.#loaded?.threads?.end(); // what they may be working on goes with them
    if (model && !this.#loaded?.threads && !this.#engine.crashed)
      this.#engine.call('model_free', model);
    this.#loaded = undefined;
  }
}
