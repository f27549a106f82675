/**
 * A model in this thread, with its sessions. Its methods take and return plain data, as it crosses
 * between threads (transport/protocol.ts). It owns the engine and its memory.
 */
import type { WorkerPlatform } from '../platform/platform.js';
import type { SourceSpec } from '../platform/sources.js';
import { TokenglassError } from '../types/errors.js';
import { quants } from '../types/generated.js';
import type { ArchitectureName, KernelDotName, ProfileStepName } from '../types/generated.js';
import { cacheTypes } from '../types/generated-load.js';
import type { KernelVariantName } from '../types/generated-load.js';
import type {
  Divergence,
  Explanation,
  FoundToken,
  MemoryInfo,
  ModelInfo,
  ModelStats,
  Observation,
  ProfileEntry,
  Progress,
  QuantTypeInfo,
  StageTable,
  StepTrace,
  TokenScore,
} from '../types/types.js';
import { Choices } from './choices.js';
import type { StepResult } from './choices.js';
import type { Distributions } from './divergence.js';
import { editReports } from './edits.js';
import type { EditReport, EditRequest } from './edits.js';
import { readAll } from './engine.js';
import type { Engine } from './engine.js';
import { Grammars } from './grammars.js';
import type { AllowedTokens } from './grammars.js';
import { loadEngine } from './loader.js';
import type { LoadedEngine } from './loader.js';
import { planOf, warningsOf } from './model-writer.js';
import type { EngineOptions } from './model-writer.js';
import { Observing } from './observing.js';
import { Sampling } from './sampling.js';
import { Scheduler } from './scheduler.js';
import { Scoring } from './scoring.js';
import { Sessions } from './sessions.js';
import { loadSnapshot, saveSnapshot } from './snapshot.js';
import { Vocabulary } from './vocabulary.js';

export class EngineModel {
  readonly #platform: WorkerPlatform;
  readonly #scheduler = new Scheduler();
  #loaded: LoadedEngine | undefined;
  #engine!: Engine;
  #info!: ModelInfo;
  #vocabulary!: Vocabulary;
  #sessions!: Sessions;
  #grammars!: Grammars;
  #choices!: Choices;
  #scoring!: Scoring;
  #observing!: Observing;

  constructor(platform: WorkerPlatform) {
    this.#platform = platform;
  }

  // ---- loading ----

  async load(
    spec: SourceSpec,
    options: EngineOptions,
    onProgress: (progress: Progress) => void,
    signal: AbortSignal,
  ): Promise<ModelInfo> {
    const loaded = await loadEngine(
      this.#platform,
      spec,
      options,
      onProgress,
      signal,
      (s) => this.#scheduler.yieldIfDue(s),
      () => this.#threadDied(),
    );
    const { engine, threads } = loaded;
    this.#loaded = loaded;
    this.#engine = engine;
    // a thread that only stood still would go on later, in memory that has another use by then
    engine.onThreadLost = () => threads?.end();
    this.#info = this.#readInfo(loaded);
    this.#vocabulary = new Vocabulary(engine);
    this.#sessions = new Sessions(engine, this.#scheduler, this.#info.n_layer);
    const sampling = new Sampling(engine, this.#vocabulary, this.#info.n_vocab);
    this.#grammars = new Grammars(engine);
    this.#choices = new Choices(
      engine,
      this.#sessions,
      sampling,
      this.#vocabulary,
      this.#grammars,
      this.#info,
    );
    this.#scoring = new Scoring(
      engine,
      this.#scheduler,
      this.#sessions,
      this.#vocabulary,
      this.#info,
    );
    this.#observing = new Observing(
      engine,
      this.#scheduler,
      this.#sessions,
      this.#vocabulary,
      this.#info,
    );
    return this.#info;
  }

  /** Makes every later call that runs the model fail with THREAD_LOST. */
  #threadDied(): void {
    if (this.#loaded && !this.#engine.crashed) this.#engine.modelThreadDied();
  }

  #memory(engine: Engine): MemoryInfo {
    const total = engine.memoryBytes; // WebAssembly memory never shrinks: this is the peak, too
    return { ...planOf(engine), total, peak: total };
  }

  #readInfo({ engine, n_threads, threads_note }: LoadedEngine): ModelInfo {
    const info = engine.modelGetInfo();
    const bos = engine.modelBos();
    const eos = engine.modelEos();
    return {
      architecture: info.architecture as ArchitectureName,
      name: info.name ?? '',
      n_vocab: info.n_vocab,
      n_ctx_train: info.n_ctx_train,
      n_ctx: info.n_ctx,
      n_kv: info.n_kv,
      n_states: info.n_states,
      n_layer: info.n_layer,
      n_embd: info.n_embd,
      n_head: info.n_head,
      n_head_kv: info.n_head_kv,
      n_ff: info.n_ff,
      n_params: Number(info.n_params),
      tied_output: info.tied_output,
      quant_types: quantTypes(engine),
      bos: bos < 0 ? undefined : bos,
      eos: eos < 0 ? undefined : eos,
      cache_type_k: cacheTypes[info.cache_type_k]!,
      cache_type_v: cacheTypes[info.cache_type_v]!,
      memory: this.#memory(engine),
      n_threads,
      threads_note,
      worker_note: undefined, // the caller's thread knows
      kernel_variant: info.kernel_variant as KernelVariantName,
      kernel_dot: info.kernel_dot as KernelDotName,
      fingerprint: Array.from(info.fingerprint, (byte) => byte.toString(16).padStart(2, '0')).join(
        '',
      ),
      chat_template: info.chat_template,
      warnings: warningsOf(engine),
    };
  }

  /**
   * The keys of the file's header that begin with one of the prefixes, each with its value: strings
   * whole, other values as text.
   */
  headerValues(prefixes: readonly string[]): [name: string, value: string][] {
    const engine = this.#engine;
    return readAll((index) => engine.modelGetKey(index)).flatMap(({ name = '', value }, index) =>
      prefixes.some((prefix) => name.startsWith(prefix))
        ? [[name, engine.modelGetKeyText(index)?.text ?? value]]
        : [],
    );
  }

  stats(): ModelStats {
    return {
      decoded_tokens: this.#engine.modelNDecoded(),
      memory: this.#memory(this.#engine),
      profile: profile(this.#engine),
    };
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

  /** Whether the token ends a generation. */
  tokenIsEog(id: number): boolean {
    return this.#vocabulary.token(id).eog;
  }

  tokenTexts(): string[] {
    return this.#vocabulary.texts(this.#info.n_vocab);
  }

  // ---- sessions: the caller chooses their numbers, from 1 ----

  createSession(number: number, edits: EditRequest[]): void {
    this.#sessions.create(number, edits);
  }

  /** Returns the tokens that both sessions have now. */
  forkSession(from: number, number: number): Int32Array {
    return this.#sessions.fork(from, number);
  }

  /**
   * Makes the first n tokens of session `from` the tokens of session `number`, with their cache.
   * With all of them, `from` names nothing afterwards.
   */
  adoptSession(number: number, from: number, n: number): void {
    this.#choices.adopt(number, from, n);
    this.#sessions.adopt(number, from, n);
    if (!this.#sessions.has(from)) this.disposeSession(from); // its last choice and its text
  }

  sessionTokens(number: number): Int32Array {
    return this.#sessions.tokens(number);
  }

  disposeSession(number: number): void {
    this.#sessions.dispose(number);
    this.#choices.forget(number);
    this.#grammars.end(number);
  }

  /** Returns how many of the tokens are cached. */
  sync(number: number, ids: Int32Array): number {
    const unchanged = this.#sessions.sync(number, ids);
    this.#choices.forgetAfter(number, unchanged);
    return ids.length - this.#sessions.pending(number);
  }

  rewind(number: number, n: number): void {
    this.#sessions.rewind(number, n);
    this.#choices.forgetAfter(number, n);
  }

  append(number: number, token: number): void {
    this.#sessions.append(number, token);
  }

  /** n_vocab logits for the next token. */
  logits(number: number, signal: AbortSignal): Promise<Float32Array> {
    return this.#sessions.whenReady(number, signal, () => {
      const logits = this.#engine.sessionLogits(this.#sessions.address(number));
      return this.#engine.float32s(logits, this.#info.n_vocab).slice();
    });
  }

  save(number: number, seed: bigint): Uint8Array {
    if (this.#sessions.hasEdits(number))
      throw new TokenglassError(
        'OPTION_UNSUPPORTED',
        'a session with edits cannot be saved: a saved session does not hold its edits',
      );
    return saveSnapshot(this.#engine, this.#sessions.address(number), seed);
  }

  loadSession(number: number, saved: Uint8Array): { tokens: Int32Array; seed: bigint } {
    const { session, seed } = loadSnapshot(this.#engine, saved);
    this.#sessions.add(number, session);
    return { tokens: this.#sessions.tokens(number), seed };
  }

  // ---- grammars: the caller chooses their numbers, and those of texts, from 1 ----

  createGrammar(number: number, grammar: string): void {
    this.#grammars.create(number, grammar);
  }

  disposeGrammar(number: number): void {
    this.#grammars.dispose(number);
  }

  /**
   * Begins a text. of_session: it is the generation of the session with this number. Returns the
   * tokens that end a generation.
   */
  beginText(number: number, grammar: number, of_session: boolean): Int32Array {
    const at_start = of_session && !this.#choices.hasText(number);
    this.#grammars.begin(number, grammar, at_start);
    return this.#grammars.ends(grammar);
  }

  /** What can come next when a text goes on by these tokens. */
  textAllowed(number: number, tokens: Int32Array): AllowedTokens {
    return this.#grammars.allowedAfter(number, tokens);
  }

  endText(number: number): void {
    this.#grammars.end(number);
  }

  // ---- choices ----

  candidates(...args: Parameters<Choices['candidates']>): Promise<StepTrace> {
    return this.#choices.candidates(...args);
  }

  stageTable(...args: Parameters<Choices['table']>): Promise<StageTable> {
    return this.#choices.table(...args);
  }

  findTokens(...args: Parameters<Choices['find']>): Promise<FoundToken[]> {
    return this.#choices.find(...args);
  }

  distributions(...args: Parameters<Choices['distributions']>): Promise<Distributions> {
    return this.#choices.distributions(...args);
  }

  finalEntropy(...args: Parameters<Choices['finalEntropy']>): Promise<number> {
    return this.#choices.finalEntropy(...args);
  }

  divergence(...args: Parameters<Choices['divergence']>): Promise<Divergence> {
    return this.#choices.divergence(...args);
  }

  step(...args: Parameters<Choices['step']>): Promise<StepResult> {
    return this.#choices.step(...args);
  }

  /** A step after which its caller means to make another one: see runAfter. */
  stepAgain(...args: Parameters<Choices['step']>): Promise<StepResult> {
    return this.step(...args);
  }

  /** Runs the token of a step while the result is on its way, unless the text ends with it. */
  runAfter(number: number, { eog }: StepResult): void {
    if (!eog) this.#sessions.runLast(number);
  }

  explain(...args: Parameters<Choices['explain']>): Promise<Explanation> {
    return this.#choices.explain(...args);
  }

  // ---- measures of a text ----

  score(...args: Parameters<Scoring['score']>): Promise<TokenScore[]> {
    return this.#scoring.score(...args);
  }

  scoreSession(...args: Parameters<Scoring['append']>): Promise<TokenScore[]> {
    return this.#scoring.append(...args);
  }

  embed(...args: Parameters<Scoring['embed']>): Promise<Float32Array> {
    return this.#scoring.embed(...args);
  }

  outputRows(ids: Int32Array): Float32Array {
    return this.#scoring.outputRows(ids);
  }

  // ---- inside the model ----

  editReports(number: number): EditReport[] {
    return editReports(this.#engine, this.#sessions.address(number));
  }

  observe(...args: Parameters<Observing['observe']>): Promise<Observation> {
    return this.#observing.observe(...args);
  }

  /**
   * Frees the model. The memory of a crashed engine, or of one with threads, goes with the engine.
   */
  dispose(): void {
    const loaded = this.#loaded;
    this.#loaded = undefined;
    if (!loaded) return;
    this.#sessions.clear();
    this.#grammars.clear();
    loaded.threads?.end(); // first: they may be working on the model
    if (!loaded.threads && !loaded.engine.crashed) loaded.engine.modelFree();
  }
}

function quantTypes(engine: Engine): QuantTypeInfo[] {
  return quants
    .map(({ name }, index) => {
      const { n_tensors, n_params } = engine.modelGetQuant(index);
      return { name, tensors: n_tensors, params: Number(n_params) };
    })
    .filter(({ tensors }) => tensors > 0);
}

const profile = (engine: Engine): ProfileEntry[] =>
  readAll((index) => engine.modelGetProfile(index)).map(({ name, ms }) => ({
    step: name as ProfileStepName,
    ms,
  }));
