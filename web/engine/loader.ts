/** Reads a model from a source into a new engine, and starts its threads. */
import type { WorkerPlatform } from '../platform/platform.js';
import type { ByteSource, SourceSpec } from '../platform/sources.js';
import { throwIfAborted } from '../types/errors.js';
import type { ProgressListener } from '../types/types.js';
import type { Engine } from './engine.js';
import { FileStart } from './file-start.js';
import { TokenglassError } from '../types/errors.js';
import { chooseBuild } from './choose-build.js';
import { ModelWriter, STAGING_BYTES } from './model-writer.js';
import type { EngineOptions } from './model-writer.js';
import { ProgressReporter } from './progress.js';
import {
  Threads,
  defaultThreads,
  isMadeForThreads,
  sharedMemory,
  whyNoThreads,
} from './threads.js';

export interface LoadedEngine {
  engine: Engine;
  n_threads: number;
  /** Why there are fewer threads than requested. */
  threads_note: string | undefined;
  threads: Threads | undefined;
}

const MAX_HEADER_MEMORY = 256 * 2 ** 20; // bytes that reading a header can take
const EXTRA_MEMORY = 256 * 2 ** 20; // bytes beyond the plan: sessions, texts, traces
const STACK_BYTES = 64 * 1024; // of a thread
const STACK_ALIGNMENT = 16;
const NO_SHARED_MEMORY =
  'shared memory of the size that the model needs is not available in this browser or runtime';

/** How a loader makes engines. */
interface BuildChoice {
  n_threads: number;
  module: WebAssembly.Module;
  /** For a build with threads: the memory for reading the header. */
  memory: WebAssembly.Memory | undefined;
  /** Compiles the build without threads. */
  compilePlain: () => Promise<WebAssembly.Module>;
  /** Why there is one thread although more were requested. */
  note: string | undefined;
}

/**
 * Reads a model. Shared memory gets its maximum size when it is made. For a build with threads, a
 * first engine reads the header and makes the plan, and a second engine, in memory of the planned
 * size, reads everything. For a build without threads there is one engine.
 */
class ModelLoader {
  readonly #options: EngineOptions;
  readonly #fileBytes: number;
  readonly #build: BuildChoice;
  readonly #spawn: WorkerPlatform['spawnThread'];
  readonly #onThreadDeath: () => void;
  #writer: ModelWriter;
  #n_threads: number;
  #shared: boolean; // whether the first engine only reads the header
  #note: string | undefined;
  #header: Uint8Array[] = []; // what the first engine has read
  #threads: Threads | undefined;

  constructor(
    options: EngineOptions,
    fileBytes: number,
    build: BuildChoice,
    spawn: WorkerPlatform['spawnThread'],
    onThreadDeath: () => void,
  ) {
    this.#options = options;
    this.#fileBytes = fileBytes;
    this.#build = build;
    this.#spawn = spawn;
    this.#onThreadDeath = onThreadDeath;
    this.#n_threads = build.n_threads;
    this.#shared = build.memory !== undefined;
    this.#note = build.note;
    this.#writer = new ModelWriter(build.module, build.memory, fileBytes, build.n_threads, options);
  }

  get stagingBuffer(): Uint8Array<ArrayBuffer> {
    return this.#writer.stagingBuffer;
  }

  /** Bytes of the file that the model has. */
  get loaded(): number {
    return this.#writer.fed;
  }

  /** Bytes of the file that the model needs; undefined before the header is complete. */
  get needed(): number | undefined {
    return this.#writer.needed;
  }

  get complete(): boolean {
    return this.#writer.complete;
  }

  async write(bytes: Uint8Array): Promise<void> {
    const planOnly = this.#shared;
    if (planOnly) this.#header.push(bytes.slice());
    if (this.#writer.write(bytes, planOnly)) await this.#startAgain();
  }

  /** Makes the second engine and passes to it what was read. */
  async #startAgain(): Promise<void> {
    this.#shared = false;
    const memory = sharedMemory(this.#writer.planBytes + EXTRA_MEMORY);
    if (!memory) {
      this.#note = NO_SHARED_MEMORY;
      this.#n_threads = 1;
    }
    const module = memory ? this.#build.module : await this.#build.compilePlain();
    this.#writer = new ModelWriter(module, memory, this.#fileBytes, this.#n_threads, this.#options);
    if (memory) this.#startThreads(memory);
    for (const part of this.#header.splice(0)) this.#writer.write(part, false);
  }

  #startThreads(memory: WebAssembly.Memory): void {
    const { engine } = this.#writer;
    const starts = Array.from({ length: this.#n_threads - 1 }, (_, i) => ({
      kind: 'thread' as const,
      module: this.#build.module,
      memory,
      model: engine.model,
      thread: i + 1,
      stack: (engine.alloc(STACK_BYTES) + STACK_BYTES) & -STACK_ALIGNMENT,
    }));
    this.#threads = new Threads(this.#spawn!, starts, this.#onThreadDeath);
  }

  async finish(): Promise<LoadedEngine> {
    this.#writer.finish();
    const n_threads = 1 + ((await this.#threads?.joined()) ?? 0);
    const missing = this.#n_threads - n_threads;
    if (missing > 0) this.#note = `${missing} of the threads did not start`;
    return {
      engine: this.#writer.engine,
      n_threads,
      threads_note: this.#note,
      threads: this.#threads,
    };
  }

  endThreads(): void {
    this.#threads?.end();
  }
}

/** A build that is being compiled. */
interface BuildRequest {
  n_threads: number;
  note: string | undefined;
  compiling: Promise<WebAssembly.Module>;
  compilePlain: () => Promise<WebAssembly.Module>;
}

/** Chooses the build and the number of threads, and begins to compile. */
function requestBuild(
  platform: WorkerPlatform,
  options: EngineOptions,
  signal: AbortSignal,
): BuildRequest {
  const requested = options.vocab_only
    ? 1
    : (options.n_threads ?? defaultThreads(platform.cores()));
  const { url, note, threads, plain } = chooseBuild(
    options.builds,
    options.kernels,
    requested,
    whyNoThreads(platform.spawnThread),
  );
  const limits = { signal, timeout_ms: options.timeout_ms };
  const compiling = platform.compile(url, limits);
  compiling.catch(() => undefined); // reported where it is awaited, unless the source fails first
  return {
    n_threads: threads ? requested : 1,
    note,
    compiling,
    compilePlain: () => {
      if (plain !== undefined) return platform.compile(plain, limits);
      throw new TokenglassError(
        'ENGINE_UNSUPPORTED',
        `${NO_SHARED_MEMORY}, and the program has no build without threads`,
      );
    },
  };
}

/** Waits for the module; falls back to one thread where threads are not possible. */
async function completeBuild(request: BuildRequest): Promise<BuildChoice> {
  const { compiling, compilePlain } = request;
  let { n_threads, note } = request;
  let module = await compiling;
  let memory: WebAssembly.Memory | undefined;
  if (!isMadeForThreads(module)) {
    if (n_threads > 1) note = 'the build that wasm_url names is not made for threads';
    n_threads = 1;
  } else if (!(memory = sharedMemory(MAX_HEADER_MEMORY))) {
    n_threads = 1;
    note = NO_SHARED_MEMORY;
    module = await compilePlain();
  }
  return { n_threads, module, memory, compilePlain, note };
}

/**
 * Reads a model from a source. yieldIfDue is called between portions: it lets other work of this
 * thread run and throws after an abort. onThreadDeath is called when a thread dies later.
 */
export async function loadEngine(
  platform: WorkerPlatform,
  spec: SourceSpec,
  options: EngineOptions,
  onProgress: ProgressListener,
  signal: AbortSignal,
  yieldIfDue: (signal: AbortSignal) => Promise<void>,
  onThreadDeath: () => void,
): Promise<LoadedEngine> {
  throwIfAborted(signal);
  let source: ByteSource | undefined;
  let loader: ModelLoader | undefined;
  let start: FileStart | undefined;
  let complete = false;
  const stop = () => void source?.close().catch(() => undefined); // the load fails by the abort
  const progress = new ProgressReporter(onProgress, stop);
  signal.addEventListener('abort', stop);
  try {
    const request = requestBuild(platform, options, signal);
    source = await platform.openSource(spec, { signal, timeout_ms: options.timeout_ms });
    const build = await completeBuild(request);
    const { total } = source;
    loader = new ModelLoader(options, total ?? 0, build, platform.spawnThread, onThreadDeath);
    const report = ({ loaded, needed }: { loaded: number; needed: number | undefined }) =>
      progress.report({ loaded, total: needed ?? (options.vocab_only ? undefined : total) });
    report(loader);
    start = new FileStart(source);
    while (!loader.complete) {
      await yieldIfDue(signal); // also throws after an abort before the source was there
      throwIfAborted(signal);
      const chunk = await start.pull(loader.stagingBuffer);
      throwIfAborted(signal);
      progress.throwFailure();
      if (!chunk) break;
      const { byteLength } = chunk; // read before the memory grows, which empties views of it
      for (let i = 0; i < byteLength && !loader.complete; i += STAGING_BYTES) {
        await yieldIfDue(signal);
        await loader.write(chunk.subarray(i, i + STAGING_BYTES));
        report(loader);
      }
    }
    progress.flush();
    const result = await loader.finish();
    throwIfAborted(signal);
    complete = true;
    return result;
  } catch (error) {
    loader?.endThreads();
    throwIfAborted(signal); // an error that the abort caused is reported as the abort
    progress.throwFailure();
    throw (await start?.explain(error)) ?? error;
  } finally {
    progress.stop();
    signal.removeEventListener('abort', stop);
    await source?.close(complete);
  }
}
