/** Passes the bytes of a file to a new model in a new engine. */
import type { BuildUrls } from '../platform/builds.js';
import { TokenglassError } from '../types/errors.js';
import { MODEL_PLANNED } from '../types/generated.js';
import type { KernelVariant, MemoryInfo } from '../types/types.js';
import { Engine, readAll } from './engine.js';

/** What a model is made with. */
export interface ModelOptions {
  n_ctx: number;
  n_kv: number;
  /** Index into cacheTypes; its length: the engine chooses. */
  cache_type_k: number;
  cache_type_v: number;
  vocab_only: boolean;
  profile: boolean;
}

/** The options of a load with every default filled in that does not depend on the runtime. */
export interface EngineOptions extends ModelOptions {
  /** undefined: as many as are likely to have a core each. */
  n_threads: number | undefined;
  /** undefined: the fastest that works here. */
  kernels: KernelVariant | undefined;
  /** How long the source may give no byte, in milliseconds; 0: without a limit. */
  timeout_ms: number;
  /** The address of each build's wasm file. */
  builds: BuildUrls;
}

/** How many bytes of the file are passed at once. */
export const STAGING_BYTES = 256 * 1024;

/** What the plan says. */
export type PlannedMemory = Omit<MemoryInfo, 'total' | 'peak'>;

/** The faults of the file that do not keep the model from running. */
export const warningsOf = (engine: Engine): string[] =>
  readAll((index) => engine.modelGetWarning(index)).map(({ text = '' }) => text);

export function planOf(engine: Engine): PlannedMemory {
  const { file, header, weights, kv, scratch } = engine.modelGetPlan();
  return {
    file: Number(file),
    header: Number(header),
    weights: Number(weights),
    kv: Number(kv),
    scratch: Number(scratch),
  };
}

export class ModelWriter {
  readonly engine: Engine;
  readonly #staging: number; // address of STAGING_BYTES
  readonly #vocab_only: boolean;
  #fed = 0;
  #needed: number | undefined;

  /** fileBytes: 0 when unknown. */
  constructor(
    module: WebAssembly.Module,
    memory: WebAssembly.Memory | undefined,
    fileBytes: number,
    n_threads: number,
    options: ModelOptions,
  ) {
    this.engine = new Engine(module, memory);
    this.engine.model = this.engine.modelNew({ ...options, file_size: fileBytes, n_threads });
    if (!this.engine.model) throw new TokenglassError('OUT_OF_MEMORY', 'no memory for a model');
    this.#staging = this.engine.alloc(STAGING_BYTES);
    this.#vocab_only = options.vocab_only;
  }

  /** Where a source may put the next bytes, so that write() need not copy them. */
  get stagingBuffer(): Uint8Array<ArrayBuffer> {
    return this.engine.bytes(this.#staging, STAGING_BYTES);
  }

  /** Bytes of the file that have been passed to the model. */
  get fed(): number {
    return this.#fed;
  }

  /**
   * Bytes of the file that the model needs, to the end of its last tensor or, with vocab_only, of
   * its header; undefined before the header is complete.
   */
  get needed(): number | undefined {
    return this.#needed;
  }

  get complete(): boolean {
    return this.#needed !== undefined && this.#fed >= this.#needed;
  }

  /**
   * Passes at most STAGING_BYTES to the model, and of these what it needs. When the header is
   * complete, allocates what the plan says; with planOnly returns true instead.
   */
  write(bytes: Uint8Array, planOnly: boolean): boolean {
    const { engine } = this;
    const n = bytes.byteLength; // read before the memory grows, which empties views of it
    const staging = engine.bytes(this.#staging, n);
    if (bytes.buffer !== staging.buffer) staging.set(bytes);
    for (let position = 0; position < n && !this.complete;) {
      const length = Math.min(n - position, (this.#needed ?? Infinity) - this.#fed);
      const consumed = engine.modelFeed({ bytes: this.#staging + position, n: length });
      position += consumed;
      this.#fed += consumed;
      if (engine.modelGetState() !== MODEL_PLANNED) continue;
      this.#needed = this.#vocab_only ? this.#fed : planOf(engine).file;
      if (planOnly) return true;
      engine.modelAllocate();
    }
    return false;
  }

  /** The memory that the plan asks for, in bytes. */
  get planBytes(): number {
    const { header, weights, kv, scratch } = planOf(this.engine);
    return header + weights + kv + scratch;
  }

  finish(): void {
    this.engine.free(this.#staging);
    this.engine.modelFinish();
  }
}
