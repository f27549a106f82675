/** From a source's bytes to an engine with a model in it: in, a source and options; out, the engine, the model's address, its threads. */
import type { Build } from '../platform/assets.js';
import { Engine, chooseVariant } from './engine.js';
import { TokenglassError, throwIfAborted } from '../types/errors.js';
import type { Opener } from '../platform/platform.js';
import type { ByteSource, SourceSpec } from '../platform/sources.js';
import { Threads, madeForThreads, sharedMemory, usualThreads, whyNoThreads } from './thread.js';
import type { KernelVariant, Progress } from '../types/types.js';

export interface CoreOptions {
  n_ctx: number;
  n_kv: number;
  cache_type_k: number;
  cache_type_v: number;
  vocab_only: boolean;
  /** undefined: as many as are likely to have a core each. */
  n_threads: number | undefined;
  profile: boolean;
  kernels: KernelVariant | undefined;
  /** Where each build lies. */
  builds: Record<Build, string>;
}

export interface Loaded {
  engine: Engine;
  model: number;
  n_threads: number;
  /** Why there are fewer threads than were asked for. */
  threads_note: string | undefined;
  threads: Threads | undefined;
}

const WINDOW = 256 * 1024; // bytes of the file that are handed over at once
const PLANNED = 1; // the engine's state once the header is read
const HEADER_MEMORY = 256 * 2 ** 20; // most of what reading a header can take
const ROOM = 256 * 2 ** 20; // beyond the plan: sessions, texts, traces
const STACK = 64 * 1024; // bytes a thread
const NO_MEMORY = 'shared memory of the size that the model needs cannot be had here';

/** One instance with a model that takes bytes. */
class Reader {
  readonly engine: Engine;
  readonly model: number;
  #window: number;

  constructor(
    module: WebAssembly.Module,
    memory: WebAssembly.Memory | undefined,
    total: number,
    n_threads: number,
    o: CoreOptions,
  ) {
    this.engine = new Engine(module, memory);
    const { n_ctx, n_kv, cache_type_k, cache_type_v } = o;
    const flags = [Number(o.vocab_only), n_threads, Number(o.profile)];
    this.model = this.engine.call(
      'model_new',
      total,
      n_ctx,
      n_kv,
      cache_type_k,
      cache_type_v,
      ...flags,
    );
    if (!this.model) throw new TokenglassError('OUT_OF_MEMORY', 'no memory for a model');
    this.#window = this.engine.alloc(WINDOW);
  }

  /** Where a source may put bytes that are fed next. */
  get window(): Uint8Array<ArrayBuffer> {
    return this.engine.bytes(this.#window, WINDOW);
  }

  /** Hands over at most WINDOW bytes, through the window unless they were read straight into it. When the header is complete, and the plan made, takes
   * the memory, now and once; or, only to plan, returns true. */
  feed(portion: Uint8Array, onlyPlan: boolean): boolean {
    const n = portion.byteLength; // before memory grows: that empties views of it
    const into = this.engine.bytes(this.#window, n);
    if (portion.buffer !== into.buffer) into.set(portion);
    for (let done = 0; done < n;) {
      this.check('model_feed', this.#window + done, n - done, this.engine.out);
      done += this.engine.result();
      if (this.engine.call('model_state', this.model) !== PLANNED) continue;
      if (onlyPlan) return true;
      this.check('model_allocate');
    }
    return false;
  }

  /** The memory that the plan asks for in all. */
  get planBytes(): number {
    this.check('model_plan', this.engine.out);
    const [, header = 0, weights = 0, kv = 0, scratch = 0] = this.engine.results(5);
    return header + weights + kv + scratch;
  }

  check(name: string, ...args: number[]): void {
    this.engine.check(this.model, name, this.model, ...args);
  }

  finish(): void {
    this.engine.free(this.#window);
    this.check('model_finish');
  }
}

/** Reads a model. Memory that threads share has a greatest size from the start, so a first instance reads the header and makes the plan, and a second, in
 * memory of the planned size, reads everything; without threads one instance does it all. */
class Loader {
  readonly #options: CoreOptions;
  readonly #total: number;
  readonly #module: WebAssembly.Module;
  readonly #plain: () => Promise<WebAssembly.Module>;
  readonly #spawn: Opener['spawnThread'];
  readonly #onDeath: (reason: string) => void;
  #reader: Reader;
  #wanted: number;
  #header: Uint8Array[] = [];
  #threads: Threads | undefined;
  note: string | undefined;

  constructor(
    options: CoreOptions,
    total: number,
    wanted: number,
    module: WebAssembly.Module,
    memory: WebAssembly.Memory | undefined,
    plain: () => Promise<WebAssembly.Module>,
    spawn: Opener['spawnThread'],
    onDeath: (reason: string) => void,
  ) {
    [this.#options, this.#total, this.#wanted, this.#module] = [options, total, wanted, module];
    [this.#plain, this.#spawn, this.#onDeath] = [plain, spawn, onDeath];
    this.#reader = new Reader(module, memory, total, wanted, options);
  }

  get window(): Uint8Array<ArrayBuffer> {
    return this.#reader.window;
  }

  async feed(portion: Uint8Array): Promise<void> {
    const onlyPlan = this.#wanted > 1 && !this.#threads;
    if (onlyPlan) this.#header.push(portion.slice());
    if (this.#reader.feed(portion, onlyPlan)) await this.#move();
  }

  /** Begins anew, with what was read so far, in memory of the planned size. */
  async #move(): Promise<void> {
    const memory = sharedMemory(this.#reader.planBytes + ROOM);
    if (!memory) {
      this.note = NO_MEMORY;
      this.#wanted = 1;
    }
    const module = memory ? this.#module : await this.#plain();
    this.#reader = new Reader(module, memory, this.#total, this.#wanted, this.#options);
    if (memory) this.#start(memory);
    for (const part of this.#header.splice(0)) this.#reader.feed(part, false);
  }

  #start(memory: WebAssembly.Memory): void {
    const { engine, model } = this.#reader;
    const starts = Array.from({ length: this.#wanted - 1 }, (_, i) => {
      const stack = (engine.alloc(STACK) + STACK) & ~15;
      return { kind: 'thread' as const, module: this.#module, memory, model, thread: i + 1, stack };
    });
    this.#threads = new Threads(this.#spawn!, starts, this.#onDeath);
  }

  async finish(): Promise<Loaded> {
    this.#reader.finish();
    const { engine, model } = this.#reader;
    const n_threads = 1 + ((await this.#threads?.joined()) ?? 0);
    const missing = this.#wanted - n_threads;
    if (missing > 0) this.note = `${missing} of the threads did not start`;
    return { engine, model, n_threads, threads_note: this.note, threads: this.#threads };
  }

  end(): void {
    this.#threads?.end();
  }
}

/** The plan, the memory and the weights of a model, read from a source. rest: lets other work have its turn and hears of an abort. */
export async function loadEngine(
  opener: Opener,
  spec: SourceSpec,
  options: CoreOptions,
  progress: (p: Progress) => void,
  signal: AbortSignal,
  rest: (signal: AbortSignal) => Promise<void>,
  onDeath: (reason: string) => void,
): Promise<Loaded> {
  throwIfAborted(signal);
  let source: ByteSource | undefined;
  let loader: Loader | undefined;
  const stop = () => void source?.close().catch(() => undefined); // the load ends with the abort, whatever becomes of this
  signal.addEventListener('abort', stop);
  try {
    let why = whyNoThreads(opener.spawnThread);
    const asked = options.vocab_only ? 1 : (options.n_threads ?? usualThreads(opener.cores()));
    let wanted = why === undefined ? asked : 1;
    const variant = chooseVariant(options.kernels);
    const compiling = opener.compile(
      options.builds[wanted > 1 ? (`${variant}.threads` as const) : variant],
      signal,
    );
    compiling.catch(() => undefined); // told where it is awaited, unless the source fails first
    source = await opener.openSource(spec, signal);
    const { total } = source;
    const plain = () => opener.compile(options.builds[variant], signal);
    let module = await compiling;
    let memory: WebAssembly.Memory | undefined;
    if (wanted > 1 && !madeForThreads(module)) {
      [wanted, why] = [1, 'the build that wasm_url names is not made for threads'];
    } else if (wanted > 1 && !(memory = sharedMemory(HEADER_MEMORY))) {
      [wanted, why] = [1, NO_MEMORY];
      module = await plain();
    }
    loader = new Loader(
      options,
      total ?? 0,
      wanted,
      module,
      memory,
      plain,
      opener.spawnThread,
      onDeath,
    );
    if (asked > 1 && wanted === 1) loader.note = why;
    let loaded = 0;
    progress({ loaded, total });
    for (;;) {
      throwIfAborted(signal); // an abort that came before there was a source has stopped none
      const chunk = await source.pull(loader.window);
      throwIfAborted(signal);
      if (!chunk) break;
      const { byteLength } = chunk; // before memory grows: that empties views of it
      for (let at = 0; at < byteLength; at += WINDOW) {
        await rest(signal);
        const portion = chunk.subarray(at, at + WINDOW);
        const length = Math.min(WINDOW, byteLength - at);
        await loader.feed(portion);
        loaded += length;
        progress({ loaded, total });
      }
    }
    const result = await loader.finish();
    throwIfAborted(signal);
    return result;
  } catch (error) {
    loader?.end();
    throwIfAborted(signal); // what an abort breaks is not a fault of the source
    throw error;
  } finally {
    signal.removeEventListener('abort', stop);
    await source?.close();
  }
}
