// Sizes of WebAssembly memory have 32 bits. The plan of a header must have the numbers of a 64-bit
// build, whatever the header says, and a plan that does not fit must be refused. The program
// build/native/plans (tests/native/plans.c) gives the numbers of a 64-bit build.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, readFileSync, readdirSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { loadModel } from '../../dist/node.js';
import { caseNames, tinyHeader } from '../support/architectures.mjs';
import { generator, writeGguf } from '../support/gguf-writer.mjs';
import { inTree } from '../support/support.mjs';
import { TYPES } from '../support/types.mjs';

const HEADERS = 2000;
const MODEL_PLANNED = 1;
const MODEL_TOO_LARGE = 48;
const MAX_PLAN = 2 ** 31 - 1; // bytes that model_allocate accepts in WebAssembly
// Structs with pointers have other sizes: the sampler and each thread's part of the scratch memory.
const POINTERS = 4096;

const random = generator(17);
const whole = (min, max) => min + Math.floor(random() * (max - min + 1));
/** A whole number of 1 to max whose logarithm is evenly distributed. */
const logarithmic = (max) => Math.floor(2 ** (random() * Math.log2(max + 1)));
const pick = (list) => list[whole(0, list.length - 1)];
const chance = (p) => random() < p;

/** Numbers that a test of sizes must have: the greatest allowed, powers of two, and one more. */
const size = (max) =>
  chance(0.15) ? max : chance(0.3) ? 2 ** whole(0, Math.log2(max)) : logarithmic(max);
const rowLength = (max) =>
  chance(0.9) ? Math.min(Math.ceil(size(max) / 256) * 256, max) : size(max);

const typeNames = Object.keys(TYPES);
// The lists of these have a number for each layer.
const FIXED_LAYERS = ['gemma4', 'lfm2'];

/** Sizes that are parts of others may be no whole numbers: they are rounded down. */
function withWholeNumbers(metadata, tensors) {
  const round = (type, value) =>
    !/[ui]\d/.test(type) ? value : Array.isArray(value) ? value.map(Math.floor) : Math.floor(value);
  return {
    metadata: metadata.map(([key, type, value]) => [key, type, round(type, value)]),
    tensors: tensors.map((tensor) => ({
      ...tensor,
      dims: tensor.dims.map(Math.floor),
      size: Math.floor(tensor.size),
    })),
  };
}

function randomHeader() {
  const name = pick(caseNames);
  const layers = FIXED_LAYERS.includes(name)
    ? undefined
    : chance(0.02)
      ? 1024
      : chance(0.8)
        ? whole(1, 6)
        : logarithmic(200);
  const N_HEAD = size(1024);
  const shape = {
    N_EMBD: rowLength(2 ** 17),
    N_HEAD,
    N_HEAD_KV: chance(0.5) ? N_HEAD : size(N_HEAD),
    HEAD_DIM: chance(0.8) ? 2 ** whole(2, 10) : size(1024),
    N_FF: rowLength(2 ** 20),
    N_VOCAB: 261 + logarithmic(100),
    EXPERTS: size(1024),
    PER_LAYER: rowLength(2 ** 12),
  };
  const more = chance(0.5) ? [['context_length', 'u32', logarithmic(2 ** 30)]] : [];
  const { metadata, tensors } = tinyHeader(name, { type: pick(typeNames), shape, layers, more });
  const options = [
    chance(0.5) ? 0 : size(2 ** 20),
    chance(0.5) ? 0 : size(2 ** 21),
    whole(0, 3),
    whole(0, 3),
    chance(0.7) ? 1 : whole(1, 64),
  ];
  return { name, options, bytes: writeGguf(withWholeNumbers(metadata, tensors)) };
}

/** 1,024 layers of 16 heads of 1,024: a page of the cache has 2^32 bytes. */
function wrappingHeader() {
  const shape = { N_EMBD: 4, N_HEAD: 16, N_HEAD_KV: 16, HEAD_DIM: 1024, N_FF: 4, N_VOCAB: 261 };
  const header = tinyHeader('llama', { shape, layers: 1024 });
  return { name: '2^32', options: [0, 0, 0, 0, 1], bytes: writeGguf(header) };
}

/** The engine's WebAssembly file without the package: its exports take and give numbers. */
function instantiate() {
  const module = new WebAssembly.Module(readFileSync(inTree('dist/tokenglass.simd128.wasm')));
  const imports = {};
  for (const { module: from, name } of WebAssembly.Module.imports(module))
    (imports[from] ??= {})[name] = () => 0;
  const { exports } = new WebAssembly.Instance(module, imports);
  exports._initialize?.();
  return exports;
}

/** Feeds a header; calls `use` with the model and the plan, then frees the model. */
function planInWasm(wasm, { options, bytes }, use = () => undefined) {
  const [n_ctx, n_kv, type_k, type_v, n_threads] = options;
  const model = wasm.model_new(0, n_ctx, n_kv, type_k, type_v, 0, n_threads, 0);
  const input = wasm.malloc(bytes.length);
  const out = wasm.malloc(64);
  new Uint8Array(wasm.memory.buffer, input >>> 0, bytes.length).set(bytes);
  let status = wasm.model_feed(model, input, bytes.length, out);
  wasm.free(input);
  let plan = { status, weights: 0, kv: 0, scratch: 0 };
  if (status === 0) {
    assert.equal(wasm.model_get_state(model), MODEL_PLANNED);
    status = wasm.model_get_plan(model, out);
    const view = new DataView(wasm.memory.buffer, out >>> 0, 64);
    const [, , weights, kv, scratch] = [0, 1, 2, 3, 4].map((i) =>
      Number(view.getBigUint64(8 * i, true)),
    );
    plan = { status, weights, kv, scratch };
    use(plan, () => wasm.model_allocate(model));
  }
  wasm.free(out);
  wasm.model_free(model);
  return plan;
}

function plansOfNative(tool, headers) {
  const input = headers.flatMap(({ options, bytes }) => [
    Buffer.from(Uint32Array.of(...options, bytes.length).buffer),
    bytes,
  ]);
  const lines = execFileSync(tool, { input: Buffer.concat(input), maxBuffer: 2 ** 26 });
  return String(lines)
    .trim()
    .split('\n')
    .map((line) => {
      const [status, weights, kv, scratch] = line.split(' ').map(Number);
      return { status, weights, kv, scratch };
    });
}

/** Why the native program cannot be used; undefined: it is as new as the sources. */
function whyNot(tool) {
  if (!existsSync(tool)) return './build.sh native makes the program';
  const built = statSync(tool).mtimeMs;
  const newer = readdirSync(inTree('src'), { recursive: true }).some((name) => {
    const file = statSync(join(inTree('src'), name));
    return file.isFile() && file.mtimeMs > built;
  });
  return newer ? 'build/native/plans is older than the sources: ./build.sh native' : undefined;
}

const tool = inTree('build/native/plans');

test(
  `${HEADERS} random headers have the same plan or error in WebAssembly and in 64 bits`,
  { skip: whyNot(tool) },
  (t) => {
    const headers = [wrappingHeader(), ...Array.from({ length: HEADERS }, randomHeader)];
    const expected = plansOfNative(tool, headers);
    assert.equal(expected.length, headers.length);
    const wasm = instantiate();
    const seen = { planned: 0, refused: 0, allocated: 0, above4GB: 0, codes: new Set() };
    for (const [i, header] of headers.entries()) {
      const { status, weights, kv, scratch } = expected[i];
      const label = `header ${i} (${header.name}, ${header.options}): ${status} ${weights} ${kv} ${scratch}`;
      const total = weights + kv + scratch;
      seen.codes.add(status);
      if (status === 0) seen.planned++;
      const plan = planInWasm(wasm, header, (_, allocate) => {
        if (total > MAX_PLAN + POINTERS) {
          seen.refused++;
          if (total > 2 ** 32) seen.above4GB++;
          assert.equal(allocate(), MODEL_TOO_LARGE, label);
        } else if (total < 2 ** 26) {
          seen.allocated++;
          assert.equal(allocate(), 0, label);
        }
      });
      assert.equal(plan.status, status, label);
      assert.equal(plan.weights, weights, label);
      assert.equal(plan.kv, kv, label);
      assert.ok(
        Math.abs(plan.scratch - scratch) <= POINTERS,
        `${label}; in WebAssembly ${plan.scratch}`,
      );
    }
    const { planned, refused, allocated, above4GB, codes } = seen;
    t.diagnostic(
      `${planned} planned, of these ${refused} refused (${above4GB} above 4 GB), ${allocated} allocated; ${codes.size} codes`,
    );
    assert.ok(
      planned > 400 && above4GB > 100 && refused > above4GB && allocated > 50 && codes.size > 3,
    );
  },
);

for (const options of [{ worker: false }, {}, { n_threads: 2 }]) {
  test(`a cache whose page has 2^32 bytes is refused: ${JSON.stringify(options)}`, async () => {
    const { bytes } = wrappingHeader();
    const source = new Blob([bytes]).stream(); // of unknown length
    await assert.rejects(loadModel(source, options), { code: 'MODEL_TOO_LARGE' });
  });
}
