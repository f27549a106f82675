/** A model and its sessions in this thread: in, plain data as it crosses from another thread; out, the same. It owns the engine's instance and all in it. */
import type { Engine } from './engine.js';
import { TokenglassError, throwIfAborted } from './errors.js';
import { cacheTypes, quants, stages } from './generated.js';
import type { QuantName } from './generated.js';
import { loadEngine } from './loading.js';
import type { CoreOptions, Loaded } from './loading.js';
import { turn } from './platform.js';
import type { Opener } from './platform.js';
import type { SourceSpec } from './sources.js';
import type { Candidate, MemoryInfo, ModelInfo, Progress, StepTrace, TokenScore } from './types.js';

/** A sampling request with every number filled in: one for each option of the list, and the stages' numbers in order. */
export interface SampleRequest {
  options: number[];
  order: number[];
  /** The seed's lower and upper 32 bits. */
  seed: [number, number];
  top_n: number;
}

export interface StepResult {
  token: number;
  bytes: Uint8Array;
  /** What a text that begins here shows of it: the space that a tokenizer puts before a text is not part of the text. */
  textBytes: Uint8Array;
  logprob: number;
  position: number;
  eog: boolean;
  trace: StepTrace | undefined;
}

const PORTION_MS = 60; // of work, after which whatever else waits has its turn
const CROWDED_MS = 1000; // after one work had to wait for another, batches are short: the other will be back
const MOST_BATCH = 128; // tokens that the engine takes through the layers together
const MOST_SCORED = 64; // each of them costs the logits of the whole vocabulary
const BYTE_KIND = 6;
const CANDIDATE_BYTES = 32;
const SCORE_BYTES = 20;
const GROUP = 4; // tokens that a product of matrices takes together
const decoder = new TextDecoder('utf-8', { ignoreBOM: true }); // U+FEFF is a token's text, too

export class Core {
  readonly #opener: Opener;
  #loaded: Loaded | undefined;
  #engine!: Engine;
  #model = 0;
  #info!: ModelInfo;
  readonly #sessions = new Map<number, number>();
  #scores = 0; // their sessions have numbers below 0
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

  async load(spec: SourceSpec, options: CoreOptions, progress: (p: Progress) => void, signal: AbortSignal): Promise<ModelInfo> {
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
    return engine.with(16 + 32, (address) => {
      this.#check('model_info', engine.out, address, address + 16);
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
      const [architecture = 0, name = 0, variant = 0, dot = 0] = engine.i32(address, 4);
      const fingerprint = [...engine.bytes(address + 16, 32)].map((byte) => byte.toString(16).padStart(2, '0')).join('');
      return {
        architecture: engine.text(architecture),
        name: engine.text(name),
        ...{ n_vocab, n_ctx_train, n_ctx, n_kv, n_layer, n_embd, n_head, n_head_kv, n_ff, n_params },
        tied_output: tied === 1,
        quant_types: this.#quantTypes(),
        bos: bos < 0 ? undefined : bos,
        eos: eos < 0 ? undefined : eos,
        cache_type_k: cacheTypes[type_k]!,
        cache_type_v: cacheTypes[type_v]!,
        memory: this.#memory(),
        ...{ n_threads, threads_note },
        kernel_variant: engine.text(variant),
        kernel_dot: engine.text(dot),
        fingerprint,
      };
    });
  }

  #quantTypes(): { name: QuantName; tensors: number; params: number }[] {
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

  stats(): { decoded_tokens: number; memory: MemoryInfo; profile: { step: string; ms: number }[] } {
    return {
      decoded_tokens: this.#engine.call('model_decoded', this.#model),
      memory: this.#memory(),
      profile: this.#profile(),
    };
  }

  #profile(): { step: string; ms: number }[] {
    const steps = [];
    for (;;) {
      const name = this.#engine.call('model_time', this.#model, steps.length, this.#engine.out);
      if (!name) return steps;
      steps.push({ step: this.#engine.text(name), ms: this.#engine.result() });
    }
  }

  // ---- tokens ----

  tokenize(text: string, flags: number): Int32Array {
    const engine = this.#engine;
    const bytes = new TextEncoder().encode(text); // lone surrogates become U+FFFD
    return engine.with(bytes.length, (from) => {
      engine.bytes(from, bytes.length).set(bytes);
      // seldom more tokens than bytes: a space, BOS and EOS are all that can be added
      let capacity = bytes.length + 4;
      for (;;) {
        const ids = engine.with(capacity * 4, (to) => {
          this.#check('tokenize', from, bytes.length, flags, to, capacity, engine.out);
          const n = engine.result();
          if (n <= capacity) return engine.i32(to, n).slice();
          capacity = n;
          return undefined;
        });
        if (ids) return ids;
      }
    });
  }

  detokenize(ids: Int32Array): Uint8Array {
    const engine = this.#engine;
    return engine.with(ids.length * 4, (from) => {
      engine.i32(from, ids.length).set(ids);
      this.#check('detokenize', from, ids.length, 0, 0, engine.out);
      const n = engine.result();
      return engine.with(n, (to) => {
        this.#check('detokenize', from, ids.length, to, n, engine.out);
        return engine.bytes(to, n).slice();
      });
    });
  }

  #token(id: number): { bytes: Uint8Array; text: string; eog: boolean } {
    this.#check('token', id, this.#engine.out);
    const [at = 0, n = 0, entryAt = 0, entryLength = 0, kind = 0, eog = 0] = this.#engine.results(6);
    const bytes = this.#engine.bytes(at, n).slice();
    const entry = n === 0 && kind !== BYTE_KIND;
    return { bytes, text: decoder.decode(entry ? this.#engine.bytes(entryAt, entryLength).slice() : bytes), eog: eog === 1 };
  }

  tokenBytes(id: number): Uint8Array {
    return this.#token(id).bytes;
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
    this.#engine.call('session_free', session);
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
      if (error instanceof TokenglassError && error.code === 'THREAD_LOST') this.#loaded?.threads?.end();
      throw error;
    }
  }

  #tokens(number: number): Int32Array {
    const address = this.#engine.call('session_tokens', this.#session(number), this.#engine.out) >>> 0;
    return this.#engine.i32(address, this.#engine.result()).slice();
  }

  sync(number: number, ids: Int32Array): void {
    const session = this.#session(number);
    this.#engine.with(ids.length * 4, (address) => {
      this.#engine.i32(address, ids.length).set(ids);
      this.#engine.check(this.#model, 'session_sync', session, address, ids.length);
    });
  }

  rewind(number: number, n: number): void {
    this.#checkSession(number, 'session_rewind', n);
  }

  force(number: number, token: number): void {
    this.#checkSession(number, 'session_force', token);
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
    const fit = Math.min(Math.floor((n * PORTION_MS) / Math.max(ms, 0.001)), 2 * this.#portion, MOST_SCORED);
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
    return this.#eval(number, signal, () => this.#sample(number, request).trace);
  }

  /** The next choice, made. */
  step(number: number, request: SampleRequest, traced: boolean, signal: AbortSignal): Promise<StepResult> {
    return this.#eval(number, signal, () => {
      const { logprob, trace } = this.#sample(number, request);
      const { token } = trace.draw;
      const { bytes, eog } = this.#token(token);
      const textBytes = bytes[0] === 0x20 && !this.#hasText(number) ? this.detokenize(Int32Array.of(token)) : bytes;
      this.force(number, token);
      return { token, bytes, textBytes, logprob, position: trace.position, eog, trace: traced ? trace : undefined };
    });
  }

  /** Whether the session's tokens add anything to a text; usually the second of them does. */
  #hasText(number: number): boolean {
    return this.#tokens(number).some((id) => this.#token(id).bytes.length > 0);
  }

  #sample(number: number, { options, order, seed, top_n }: SampleRequest): { logprob: number; trace: StepTrace } {
    const engine = this.#engine;
    const session = this.#session(number);
    return engine.with(options.length * 8 + order.length, (address) => {
      const orderAt = address + options.length * 8;
      engine.f64(address, options.length).set(options);
      engine.bytes(orderAt, order.length).set(order);
      engine.check(this.#model, 'session_sample', session, address, orderAt, order.length, ...seed, top_n, engine.out);
      const [
        token = 0,
        logprob = 0,
        u = 0,
        low = 0,
        high = 0,
        other = 0,
        entropy = 0,
        n = 0,
        at = 0,
        n_stages = 0,
        traceAt = 0,
        position = 0,
      ] = engine.results(12);
      const kept = this.#readStages(traceAt, n_stages, options);
      const candidates = this.#readCandidates(at, n, kept);
      for (const { removed_by, token } of candidates) {
        kept.find(({ name }) => name === removed_by)?.removed_tokens.push(token);
      }
      const trace = {
        candidates,
        stages: kept,
        draw: { u, low, high, token },
        other,
        entropy,
        n_vocab: this.#info.n_vocab,
        position,
      };
      return { logprob, trace };
    });
  }

  #readStages(traceAt: number, n: number, options: number[]): StepTrace['stages'] {
    return Array.from({ length: n }, (_, i) => {
      const reason = this.#engine.text(this.#engine.call('stage_trace', traceAt, i, this.#engine.out));
      const [number = 0, kept = 0, removed = 0, mass_before = 0, mass_after = 0, threshold = 0] = this.#engine.results(6);
      const stage = stages[number]!;
      let at = stages.slice(0, number).reduce((sum, before) => sum + before.options.length, 0);
      const params = Object.fromEntries(stage.options.map(({ name }) => [name, options[at++] ?? NaN]));
      return { name: stage.name, params, kept, removed, mass_before, mass_after, threshold, reason, removed_tokens: [] };
    });
  }

  #readCandidates(address: number, n: number, stageTraces: StepTrace['stages']): Candidate[] {
    const list: Candidate[] = [];
    for (let i = 0; i < n; i++) {
      const view = this.#engine.view(address + i * CANDIDATE_BYTES, CANDIDATE_BYTES);
      const token = view.getInt32(0, true);
      const [logit, p, final] = [view.getFloat32(4, true), view.getFloat64(8, true), view.getFloat64(16, true)];
      const removed_by = stageTraces[view.getInt32(24, true)]?.name;
      const { text, bytes } = this.#token(token);
      list.push({ token, text, bytes, logit, p, final, removed_by });
    }
    return list;
  }

  // ---- scoring ----

  /** Scores a text in a session of its own. */
  async score(ids: Int32Array, signal: AbortSignal): Promise<TokenScore[]> {
    const scores: TokenScore[] = [];
    const number = --this.#scores;
    this.createSession(number);
    try {
      for (let at = 0; at < ids.length;) {
        await this.#rest(signal);
        const part = ids.subarray(at, at + Math.min(MOST_SCORED, this.#portion));
        await this.#alone(signal, () => void scores.push(...this.#scorePart(number, part)));
        at += part.length;
      }
    } finally {
      this.disposeSession(number);
    }
    return scores.map((score) => {
      const { text, bytes } = this.#token(score.token);
      return { ...score, text, bytes };
    });
  }

  #scorePart(number: number, ids: Int32Array): TokenScore[] {
    const engine = this.#engine;
    const n = ids.length;
    return engine.with(n * (4 + SCORE_BYTES), (address) => {
      engine.i32(address, n).set(ids);
      this.#timed(n, () => this.#checkSession(number, 'session_score', address, n, address + 4 * n));
      return Array.from(ids, (_, i) => {
        const view = engine.view(address + 4 * n + i * SCORE_BYTES, SCORE_BYTES);
        const [token, rank] = [view.getInt32(0, true), view.getInt32(8, true)];
        const [logprob, entropy, top_mass] = [view.getFloat32(4, true), view.getFloat32(12, true), view.getFloat32(16, true)];
        return { token, text: '', bytes: new Uint8Array(), logprob, rank, entropy, top_mass };
      });
    });
  }

  /** What a crashed engine holds goes with the engine. */
  dispose(): void {
    const model = this.#model;
    this.#model = 0;
    this.#sessions.clear();
    this.#loaded?.threads?.end(); // what they may be working on goes with them
    if (model && !this.#loaded?.threads && !this.#engine.crashed) this.#engine.call('model_free', model);
    this.#loaded = undefined;
  }
}
