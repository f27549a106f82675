/** What this runtime can run, and the instances of the engine's WebAssembly module. */
import { TokenglassError } from '../types/errors.js';
import type { ExportName } from './generated-boundary.js';

/** A module f(x: i32) -> i32 of i32x4.splat and i32x4.extract_lane: valid where SIMD exists. */
const SIMD_PROBE = Uint8Array.of(
  ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 1, 6, 1, 0x60, 1, 0x7f, 1, 0x7f, 3, 2, 1, 0],
  ...[10, 11, 1, 9, 0, 0x20, 0, 0xfd, 0x11, 0xfd, 0x1b, 0, 0x0b],
);

/** A module d(a, b, c): lane 0 of i32x4.relaxed_dot_i8x16_i7x16_add_s over splats of a, b and c. */
const RELAXED_PROBE = Uint8Array.of(
  ...[0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 1, 8, 1, 0x60, 3, 0x7f, 0x7f, 0x7f, 1, 0x7f],
  ...[3, 2, 1, 0, 7, 5, 1, 1, 0x64, 0, 0, 10, 22, 1, 20, 0, 0x20, 0, 0xfd, 0x11, 0x20, 1],
  ...[0xfd, 0x11, 0x20, 2, 0xfd, 0x11, 0xfd, 0x93, 2, 0xfd, 0x1b, 0, 0x0b],
);

/** The probe's exports. Throws ENGINE_LOAD_FAILED where WebAssembly may not run. */
function probe(): WebAssembly.Exports {
  try {
    return new WebAssembly.Instance(new WebAssembly.Module(RELAXED_PROBE)).exports;
  } catch (error) {
    throw new TokenglassError(
      'ENGINE_LOAD_FAILED',
      "WebAssembly may not run here; a page's Content-Security-Policy must allow " +
        `'wasm-unsafe-eval' in script-src: ${String(error)}`,
      { cause: error },
    );
  }
}

/**
 * Whether the relaxed dot product exists and is right for signed bytes times bytes of 0 to 127.
 * Some compilers accept the instruction and compute something else.
 */
export function relaxedDotIsRight(): boolean {
  if (!WebAssembly.validate(RELAXED_PROBE)) return false;
  const { d } = probe() as { d: (a: number, b: number, c: number) => number };
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

/** Throws ENGINE_UNSUPPORTED where there is no SIMD. */
export function requireSimd(): void {
  if (typeof WebAssembly === 'object' && WebAssembly.validate(SIMD_PROBE)) return;
  throw new TokenglassError(
    'ENGINE_UNSUPPORTED',
    'WebAssembly SIMD is missing in this browser or runtime',
  );
}

type ExportedFunction = (...args: number[]) => number;

/** What an instance exports: the functions of boundary.def, and those of the C library. */
export type Exports = Record<ExportName | 'malloc' | 'free', ExportedFunction> & {
  memory?: WebAssembly.Memory;
  _initialize?: ExportedFunction;
  _emscripten_stack_restore?: ExportedFunction;
};

/** Imports that need not do anything: Engine looks at the memory again at every use, and threads.ts
 * starts the threads. */
const IGNORED_IMPORTS = [
  'emscripten_notify_memory_growth',
  '_emscripten_init_main_thread_js',
  '_emscripten_thread_mailbox_await',
];

/** Instantiates a module. memory: the shared memory for a build with threads. */
export function instantiate(module: WebAssembly.Module, memory?: WebAssembly.Memory): Exports {
  const imports: Record<string, Record<string, WebAssembly.ImportValue>> = {};
  for (const { module: from, name, kind } of WebAssembly.Module.imports(module)) {
    const imported = () => {
      if (name === 'now') return performance.now();
      if (IGNORED_IMPORTS.includes(name)) return 0;
      throw new Error(`the engine called ${from}.${name}`);
    };
    (imports[from] ??= {})[name] = kind === 'memory' && memory ? memory : imported;
  }
  try {
    return new WebAssembly.Instance(module, imports).exports as unknown as Exports;
  } catch (error) {
    throw new TokenglassError('ENGINE_LOAD_FAILED', String(error), { cause: error });
  }
}
