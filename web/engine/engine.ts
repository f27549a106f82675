/**
 * One instance of the WebAssembly engine with one model: calls of its functions (the methods of
 * Boundary) and access to its memory.
 */
import { TokenglassError } from '../types/errors.js';
import { errorCodes } from '../types/generated-errors.js';
import type { ErrorCode } from '../types/generated-errors.js';
import { utf8Decoder } from '../types/utf8.js';
import { Boundary, OUT_BYTES } from './generated-boundary.js';
import { instantiate } from './instance.js';
import type { Exports } from './instance.js';

// a token's text may begin with U+FEFF
const decoder = utf8Decoder();

/** No allocation of WebAssembly memory can be larger. */
const MAX_BYTES = 2 ** 32 - 1;

/** The code of a status of the engine. */
const codeOf = (status: number): ErrorCode =>
  errorCodes.find(({ number }) => number === status)?.name ?? 'ENGINE_CRASHED';

type CallableExport = Exclude<keyof Exports, 'memory'>;

/** Memory for the arguments of one call. Engine.withMemory frees all of it. */
export interface CallMemory {
  /** The address of n new bytes. */
  alloc(n: number): number;
  /** The address of a copy of the values. */
  bytes(values: ArrayLike<number>): number;
  int32s(values: ArrayLike<number>): number;
  float32s(values: ArrayLike<number>): number;
  float64s(values: ArrayLike<number>): number;
}

/** What `read` gives for the indexes from 0, up to the first undefined. */
export function readAll<T>(read: (index: number) => T | undefined): T[] {
  const list: T[] = [];
  for (;;) {
    const item = read(list.length);
    if (item === undefined) return list;
    list.push(item);
  }
}

export class Engine extends Boundary {
  readonly #exports: Exports;
  readonly #memory: WebAssembly.Memory;
  #trap: unknown; // what the engine threw when it trapped
  readonly out: number;
  model = 0;
  /** Called when a call fails because a thread was lost. */
  onThreadLost: () => void = () => {};

  constructor(module: WebAssembly.Module, memory?: WebAssembly.Memory) {
    super();
    this.#exports = instantiate(module, memory);
    const exported = memory ?? this.#exports.memory;
    if (!exported || !this.#exports.model_new) {
      throw new TokenglassError(
        'ENGINE_LOAD_FAILED',
        'the WebAssembly file is no build of tokenglass',
      );
    }
    this.#memory = exported;
    if (this.#exports._initialize) this.call('_initialize');
    this.out = this.alloc(OUT_BYTES);
  }

  /** Calls an export. After a trap, this and every later call throws ENGINE_CRASHED. */
  protected override call(name: CallableExport, ...args: number[]): number {
    if (this.#trap !== undefined) {
      throw new TokenglassError('ENGINE_CRASHED', 'the engine trapped in an earlier call', {
        cause: this.#trap,
      });
    }
    try {
      return this.#exports[name]!(...args);
    } catch (error) {
      this.#trap = error;
      throw new TokenglassError('ENGINE_CRASHED', `${name}: ${String(error)}`, { cause: error });
    }
  }

  protected override check(name: CallableExport, ...args: number[]): void {
    const status = this.call(name, ...args);
    if (status === 0) return;
    const { offset, message } = this.modelError();
    const code = codeOf(status);
    if (code === 'THREAD_LOST') this.onThreadLost();
    throw new TokenglassError(code, message, { offset: offset < 0n ? undefined : Number(offset) });
  }

  /** Whether the engine has trapped: it can do nothing any more. */
  get crashed(): boolean {
    return this.#trap !== undefined;
  }

  /** The address of n new bytes. */
  alloc(n: number): number {
    // a call takes the lower 32 bits of a number: a larger size would wrap
    const address = n <= MAX_BYTES ? this.call('malloc', Math.max(n, 1)) >>> 0 : 0;
    if (!address)
      throw new TokenglassError('OUT_OF_MEMORY', `no WebAssembly memory for ${n} bytes`);
    return address;
  }

  free(address: number): void {
    this.call('free', address);
  }

  /** Calls `use` with memory that is freed afterwards. */
  withMemory<T>(use: (memory: CallMemory) => T): T {
    const addresses: number[] = [];
    const alloc = (n: number) => {
      const address = this.alloc(n);
      addresses.push(address);
      return address;
    };
    const copy = (
      values: ArrayLike<number>,
      Type:
        | Uint8ArrayConstructor
        | Int32ArrayConstructor
        | Float32ArrayConstructor
        | Float64ArrayConstructor,
    ) => {
      const address = alloc(values.length * Type.BYTES_PER_ELEMENT);
      new Type(this.#memory.buffer, address, values.length).set(values);
      return address;
    };
    try {
      return use({
        alloc,
        bytes: (values) => copy(values, Uint8Array),
        int32s: (values) => copy(values, Int32Array),
        float32s: (values) => copy(values, Float32Array),
        float64s: (values) => copy(values, Float64Array),
      });
    } finally {
      if (!this.crashed) for (const address of addresses) this.free(address);
    }
  }

  // Views of the memory as it is now. Calls may grow the memory, which detaches the views. With
  // threads the memory is shared, whatever the type says: text decoders and messages between
  // threads do not take that and are given a slice.

  bytes(address: number, length: number): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.#memory.buffer as ArrayBuffer, address, length);
  }

  int8s(address: number, length: number): Int8Array {
    return new Int8Array(this.#memory.buffer, address, length);
  }

  int32s(address: number, length: number): Int32Array {
    return new Int32Array(this.#memory.buffer, address, length);
  }

  float32s(address: number, length: number): Float32Array {
    return new Float32Array(this.#memory.buffer, address, length);
  }

  float64s(address: number, length: number): Float64Array {
    return new Float64Array(this.#memory.buffer, address, length);
  }

  protected override view(): DataView {
    return new DataView(this.#memory.buffer);
  }

  protected override stringAt(address: number, maxLength?: number): string {
    const bytes = new Uint8Array(this.#memory.buffer, address, maxLength);
    const end = bytes.indexOf(0);
    return decoder.decode(bytes.slice(0, end < 0 ? undefined : end));
  }

  /** The size of the memory now. It never shrinks. */
  get memoryBytes(): number {
    return this.#memory.buffer.byteLength;
  }
}
