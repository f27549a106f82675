// Ends with exit code 0 if the emcc at the path given compiles a relaxed dot product correctly: the
// output is valid and, where this Node supports relaxed SIMD, computes the right number. Success of
// the compiler alone proves nothing: some old ones write corrupt output without an error.
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

// The numbers come from memory: binaryen 120 aborts when it folds a relaxed dot product of
// constants.
const source = `#include <wasm_simd128.h>
static signed char a[16], b[16];
__attribute__((export_name("bytes"), used)) signed char *bytes(int which) { return which ? b : a; }
__attribute__((export_name("dot"), used)) int dot(void)
{
    v128_t sum = wasm_i32x4_relaxed_dot_i8x16_i7x16_add(wasm_v128_load(a), wasm_v128_load(b),
                                                        wasm_i32x4_splat(0));
    return wasm_i32x4_extract_lane(sum, 0) + wasm_i32x4_extract_lane(sum, 1) +
           wasm_i32x4_extract_lane(sum, 2) + wasm_i32x4_extract_lane(sum, 3);
}
`;

/**
 * Whether the module gives the exact dot product of signed bytes and bytes of 0 to 127, which every
 * CPU must give.
 */
function computes(wasm) {
  const { exports } = new WebAssembly.Instance(new WebAssembly.Module(wasm), {
    env: { emscripten_notify_memory_growth() {} },
  });
  const a = new Int8Array(exports.memory.buffer, exports.bytes(0), 16);
  const b = new Int8Array(exports.memory.buffer, exports.bytes(1), 16);
  let expected = 0;
  for (let i = 0; i < 16; i++) {
    a[i] = ((i * 37) % 256) - 128;
    b[i] = (i * 29) % 128;
    expected += a[i] * b[i];
  }
  return exports.dot() === expected;
}

/**
 * Node before 22 has relaxed SIMD only with a flag, and its baseline compiler computes it wrongly:
 * there the module is validated but not run.
 */
function accepts(wasm, file) {
  if (WebAssembly.validate(wasm)) return computes(wasm);
  const validate =
    'process.exit(WebAssembly.validate(require("node:fs").readFileSync(process.argv[1])) ? 0 : 1)';
  return (
    spawnSync(process.execPath, ['--experimental-wasm-relaxed-simd', '-e', validate, file])
      .status === 0
  );
}

const emcc = process.argv[2];
const folder = mkdtempSync(join(tmpdir(), 'tokenglass-probe-'));
try {
  const [input, output] = [join(folder, 'probe.c'), join(folder, 'probe.wasm')];
  writeFileSync(input, source);
  const flags = [
    '-O2',
    '-flto',
    '-msimd128',
    '-mrelaxed-simd',
    '-sSTANDALONE_WASM',
    '--no-entry',
    '-sALLOW_MEMORY_GROWTH',
  ];
  execFileSync(emcc, [...flags, input, '-o', output], {
    stdio: ['ignore', 'ignore', 'pipe'],
    timeout: 120_000,
  });
  if (!accepts(readFileSync(output), output))
    throw new Error('its relaxed dot product is wrong or invalid');
} catch (error) {
  console.error(
    `probe: ${emcc} is not used: ${String(error.stderr?.length ? error.stderr : error.message)
      .trim()
      .split('\n')
      .pop()}`,
  );
  process.exitCode = 1;
} finally {
  rmSync(folder, { recursive: true, force: true });
}
