// The classes of processors that the benchmark measures on one machine. A class switches off what
// its processors do not have: features of V8 by its flags, libraries of native llama.cpp by a copy
// of the package without them.
import { execFileSync } from 'node:child_process';
import { mkdirSync, readdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { processorClass } from '../support/measurements.mjs';

export const CLASSES = ['vnni', 'avx2'];

// V8 has AVX-VNNI and AVX-VNNI-INT8, and nothing of AVX-512.
const WITHOUT_VNNI = ['--no-enable-avx-vnni', '--no-enable-avx-vnni-int8'];
// libggml-cpu-*.so for processors without VNNI and AVX-512, oldest first
const UP_TO_AVX2 = ['x64', 'sse42', 'sandybridge', 'ivybridge', 'piledriver', 'haswell'];
const PEERS = fileURLToPath(new URL('../peers/', import.meta.url));
const COPY = fileURLToPath(new URL('../../build/bench/llama-avx2/', import.meta.url));

const v8Options = (node, flags = []) =>
  execFileSync(node, [...flags, '--v8-options'], { encoding: 'utf8' });

/** Those of the flags that this Node's V8 has. An unknown one would end Node. */
function known(node, flags) {
  const options = v8Options(node);
  return flags.filter((flag) => options.includes(flag.replace('--no-', '--')));
}

/** What V8 detects on this processor with these flags: a Map like AVX2 -> true; on Arm empty. */
const features = (node, flags) =>
  new Map(
    [
      ...v8Options(node, flags)
        .split('\n')[0]
        .matchAll(/(\w+)=([01])/g),
    ].map(([, name, on]) => [name, on === '1']),
  );

/** Hard links to node-llama-cpp and its packages, without the libraries for newer processors. */
function llamaUpToAvx2() {
  rmSync(COPY, { recursive: true, force: true });
  mkdirSync(COPY, { recursive: true });
  execFileSync('cp', ['-al', join(PEERS, 'node_modules'), COPY]);
  const bins = join(COPY, 'node_modules/@node-llama-cpp/linux-x64/bins');
  for (const folder of readdirSync(bins)) {
    for (const file of readdirSync(join(bins, folder))) {
      const [, family] = /^libggml-cpu-(\w+)\.so$/.exec(file) ?? [];
      if (family && !UP_TO_AVX2.includes(family)) rmSync(join(bins, folder, file));
    }
  }
  return COPY;
}

/**
 * How to measure a class; without a name, the processor as it is. node: the Node that runs the
 * kernels. Throws where the processor is not of the class.
 */
export function processorAs(name, node) {
  const off = name === 'avx2' ? WITHOUT_VNNI : [];
  const nodeFlags = (of) => known(of, off);
  const has = features(node, nodeFlags(node));
  const hasVnni = has.get('AVX_VNNI') || has.get('AVX_VNNI_INT8') || false;
  const refuse = (why) => {
    throw new Error(`--class ${name}: ${why} (this processor: ${processorClass()})`);
  };
  if (name && process.arch !== 'x64') refuse('only processors of x86-64 have these classes');
  if (name && !has.get('AVX2')) refuse('the processor has no AVX2');
  if (name === 'vnni' && !hasVnni)
    refuse('V8 finds no VNNI that it uses. It uses AVX-VNNI, and nothing of AVX-512');
  if (name === 'avx2' && hasVnni) refuse('V8 keeps VNNI in spite of its flags');
  return {
    name,
    text: processorClass(name),
    nodeFlags,
    chromiumFlags: off,
    /** What V8 of a Node uses, for the title of a table. */
    usedBy(of) {
      const on = features(of, nodeFlags(of));
      if (on.get('AVX_VNNI_INT8')) return 'V8 with AVX-VNNI-INT8';
      if (on.get('AVX_VNNI')) return 'V8 with AVX-VNNI';
      return on.get('AVX2') ? 'V8 with AVX2' : `V8 on ${process.arch}`;
    },
    /** The folder whose node_modules has native llama.cpp. */
    llamaFolder: () => (name === 'avx2' ? llamaUpToAvx2() : PEERS),
    /** Throws if a relaxed build or native llama.cpp used what the class does not have. */
    check({ kernel_dot = 'none', native }) {
      if (!name) return;
      const exact = ['unsigned', 'signed'].includes(kernel_dot);
      if (kernel_dot !== 'none' && exact !== (name === 'vnni'))
        throw new Error(`--class ${name}, but the relaxed dot product is ${kernel_dot}`);
      if (name === 'avx2' && native && !UP_TO_AVX2.includes(native))
        throw new Error(`--class avx2, but llama.cpp loaded its library for ${native}`);
    },
  };
}
