// Calls ggml's own functions on blocks of weights, through blocks.c, which this module compiles
// with a C compiler. quantize returns a tensor's bytes as llama.cpp's quantizer writes them;
// compareDequantizers counts the weights on which our dequantizers and ggml's disagree.
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync } from 'node:fs';
import { dirname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { compiler } from '../support/support.mjs';
import { TYPES } from '../support/types.mjs';

const root = fileURLToPath(new URL('../../', import.meta.url));
const program = join(root, 'build/tests/ggml-blocks');
const library = () =>
  fileURLToPath(
    new URL(
      'node_modules/@node-llama-cpp/linux-x64/bins/linux-x64/libggml-base.so',
      import.meta.url,
    ),
  );

let built = false;

function build() {
  if (built) return;
  const sources = readdirSync(join(root, 'src/quant'), { recursive: true }).filter((name) =>
    name.endsWith('.c'),
  );
  mkdirSync(dirname(program), { recursive: true });
  const flags = [
    '-std=gnu17',
    '-O1',
    '-ffp-contract=off',
    '-Wall',
    '-Wextra',
    '-Werror',
    '-Wno-format-zero-length',
  ];
  execFileSync(
    compiler(),
    [
      ...flags,
      'tests/peers/blocks.c',
      ...sources.map((name) => `src/quant/${name}`),
      '-lm',
      '-ldl',
      '-o',
      program,
    ],
    {
      cwd: root,
      stdio: ['ignore', 'inherit', 'inherit'],
    },
  );
  built = true;
}

/** Quantizes numbers, in rows of whole blocks. Returns the tensor's bytes. */
export function quantize(type, values) {
  build();
  const input = Buffer.from(Float32Array.from(values).buffer);
  return execFileSync(program, [library(), 'quantize', String(TYPES[type].ggml)], {
    input,
    maxBuffer: 1 << 30,
  });
}

/** Returns { type, blocks, different } for every type with blocks. */
export function compareDequantizers() {
  build();
  const lines = execFileSync(program, [library(), 'compare'], { encoding: 'utf8' })
    .trim()
    .split('\n');
  return lines.map((line) => {
    const [type, blocks, different] = line.split(' ');
    return { type, blocks: Number(blocks), different: Number(different) };
  });
}
