/** One instance of the WebAssembly engine: in, the bytes of a build; out, its functions and views of its memory. The instance goes with the object. */
import { TokenglassError, codeOf } from '../types/errors.js';
import type { KernelVariant } from '../types/types.js';

/** (i32) -> i32: i32x4.splat and i32x4.extract_lane, to see whether SIMD is there at all. */
const SIMD_PROBE = Uint8Array.of(
  ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 1, 6, 1, 0x60, 1, 0x7f, 1, 0x7f, 3, 2, 1, 0],
  ...[10, 11, 1, 9, 0, 0x20, 0, 0xfd, 0x11, 0xfd, 0x1b, 0, 0x0b],
);

/** d(a, b, c) = lane 0 of i32x4.relaxed_dot_i8x16_i7x16_add_s over splats of a, b and c. */
const RELAXED_PROBE = Uint8Array.of(
  ...[
    0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 1, 8, 1, 0x60, 3, 0x7f, 0x7f, 0x7f, 1, 0x7f, 3, 2, 1, 0, 7,
    5, 1, 1, 0x64, 0, 0,
  ],
  ...[
    10, 22, 1, 20, 0, 0x20, 0, 0xfd, 0x11, 0x20, 1, 0xfd, 0x11, 0x20, 2, 0xfd, 0x11, 0xfd, 0x93, 2,
    0xfd, 0x1b, 0, 0x0b,
  ],
);

/** Whether the relaxed dot product is there and right: signed bytes by bytes of 0 to 127. Some compilers take it and compute something else. */
function relaxedDotIsRight(): boolean {
  if (!WebAssembly.validate(RELAXED_PROBE)) return false;
  const { d } = new WebAssembly.Instance(new WebAssembly.Module(RELAXED_PROBE)).exports as {
    d: (a: number, b: number, c: number) => number;
  };
  const pack = (bytes: number[]) =>
    bytes.reduce((word, byte, i) => word | ((byte & 255) << (8 * i)), 0);
  let state = 1;
  const next = () => (state = (Math.imul(state, 1103515245) + 12345) >>> 0) >>> 16;
  for (let round = 0; round < 64; round++) {
    const extreme = round % 4 === 0;
    const a = [0, 1, 2, 3].map(() => (extreme ? (next() % 2 ? -128 : 127) : (next() % 256) - 128));
    const b = [0, 1, 2, 3].map(() => (extreme ? 127 : next() % 128));
    const c = (next() % 2000) - 1000;
    if (d(pack(a), pack(b), c) !== a.reduce((sum, x, i) => sum + x * (b[i] ?? 0), c)) return false;
  }
  return true;
}

/** The fastest build that validates and passes its self-test, unless one is asked for. */
export function chooseVariant(wanted: KernelVariant | undefined): KernelVariant {
  if (typeof WebAssembly !== 'object' || !WebAssembly.validate(SIMD_PROBE)) {
    throw new TokenglassError(
      'ENGINE_UNSUPPORTED',
      'WebAssembly SIMD is missing in this browser or runtime',
    );
  }
  const relaxed = relaxedDotIsRight();
  if (wanted === 'relaxed' && !relaxed) {
    throw new TokenglassError(
      'ENGINE_UNSUPPORTED',
      'relaxed WebAssembly SIMD is missing in this runtime or fails its self-test',
    );
  }
  return wanted ?? (relaxed ? 'relaxed' : 'simd128');
}

type Exported = (...args: number[]) => number;

/** Imports that need no answer: memory is looked at anew at every use, and threads are our own business. */
const UNANSWERED = [
  'emscripten_notify_memory_growth',
  '_emscripten_init_main_thread_js',
  '_emscripten_thread_mailbox_await',
];

/** The functions of a build; one that is made for threads takes the memory they share. */
export function instantiate(
  module: WebAssembly.Module,
  memory?: WebAssembly.Memory,
): Record<string, Exported> {
  const imports: Record<string, Record<string, WebAssembly.ImportValue>> = {};
  for (const { module: from, name, kind } of WebAssembly.Module.imports(module)) {
    const answer = () => {
      if (name === 'now') return performance.now();
      if (UNANSWERED.includes(name)) return 0;
      throw new Error(`the engine called ${from}.${name}`);
    };
    (imports[from] ??= {})[name] = kind === 'memory' && memory ? memory : answer;
  }
  try {
    return new WebAssembly.Instance(module, imports).exports as Record<string, Exported>;
  } catch (error) {
    throw new TokenglassError('ENGINE_LOAD_FAILED', String(error), { cause: error });
  }
}

const decoder = new TextDecoder('utf-8', { ignoreBOM: true }); // U+FEFF is a token's text, too

export class Engine {
  readonly #exports: Record<string, Exported>;
  readonly #memory: WebAssembly.Memory;
  #crashed: unknown;
  /** 32 doubles for results; wasm address. */
  readonly out: number;

  constructor(module: WebAssembly.Module, memory?: WebAssembly.Memory) {
    this.#exports = instantiate(module, memory);
    this.#memory = memory ?? (this.#exports['memory'] as unknown as WebAssembly.Memory);
    if (!this.#memory || !this.#exports['model_new']) {
      throw new TokenglassError(
        'ENGINE_LOAD_FAILED',
        'the WebAssembly file is no build of tokenglass',
      );
    }
    if (this.#exports['_initialize']) this.call('_initialize');
    this.out = this.alloc(32 * 8);
  }

  /** Calls an exported function; a trap makes this and every later call fail with ENGINE_CRASHED. */
  call(name: string, ...args: number[]): number {
    if (this.#crashed !== undefined) {
      throw new TokenglassError('ENGINE_CRASHED', 'the engine trapped in an earlier call', {
        cause: this.#crashed,
      });
    }
    try {
      return this.#exports[name]!(...args);
    } catch (error) {
      this.#crashed = error;
      throw new TokenglassError('ENGINE_CRASHED', `${name}: ${String(error)}`, { cause: error });
    }
  }

  /** As call, for functions that return a status: throws what the model says of it. */
  check(model: number, name: string, ...args: number[]): void {
    const status = this.call(name, ...args);
    if (status === 0) return;
    const offset = this.call('error_offset', model);
    throw new TokenglassError(codeOf(status), this.text(this.call('error_message', model)), {
      offset: offset < 0 ? undefined : offset,
    });
  }

  alloc(bytes: number): number {
    const address = this.call('malloc', Math.max(bytes, 1)) >>> 0;
    if (!address)
      throw new TokenglassError('OUT_OF_MEMORY', `no WebAssembly memory for ${bytes} bytes`);
    return address;
  }

  get crashed(): boolean {
    return this.#crashed !== undefined;
  }

  free(address: number): void {
    this.call('free', address);
  }

  /** Runs use with a block of memory that is freed afterwards. */
  with<T>(bytes: number, use: (address: number) => T): T {
    const address = this.alloc(bytes);
    try {
      return use(address);
    } finally {
      if (!this.crashed) this.free(address);
    }
  }

  /** Views of the memory as it is now: not to be kept across calls, which may grow it. With threads it is shared memory, whatever the type says: what
   * does not take that (text decoders, messages) is given a slice. */
  bytes(address: number, length: number): Uint8Array<ArrayBuffer> {
    return new Uint8Array(this.#memory.buffer as ArrayBuffer, address, length);
  }

  i32(address: number, length: number): Int32Array {
    return new Int32Array(this.#memory.buffer, address, length);
  }

  f32(address: number, length: number): Float32Array {
    return new Float32Array(this.#memory.buffer, address, length);
  }

  f64(address: number, length: number): Float64Array {
    return new Float64Array(this.#memory.buffer, address, length);
  }

  view(address: number, length: number): DataView {
    return new DataView(this.#memory.buffer, address, length);
  }

  /** The first n doubles of out. */
  results(n: number): number[] {
    return Array.from(this.f64(this.out, n));
  }

  result(): number {
    return this.f64(this.out, 1)[0]!;
  }

  /** A NUL-terminated string. */
  text(address: number): string {
    const memory = new Uint8Array(this.#memory.buffer, address >>> 0);
    return decoder.decode(memory.slice(0, memory.indexOf(0)));
  }

  get memoryBytes(): number {
    return this.#memory.buffer.byteLength;
  }
}
