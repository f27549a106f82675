// One function for each engine that is measured. Takes a model's path, a number of threads and a
// plan; returns { runs: [{ prefill, decode }], ... } in tokens a second, each run from a new
// process or a new page. setUp() must have been awaited, with the class of processors to measure.
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { serve } from '../../demo/serve.mjs';
import { findBrowser, installPackages, nodeWithRelaxedSimd } from '../../wasm/toolchain/setup.mjs';
import { preparePeer } from '../peers/llamacpp.mjs';

const run = promisify(execFile);
const here = fileURLToPath(new URL('.', import.meta.url));
const root = fileURLToPath(new URL('../../', import.meta.url));
const ISOLATED = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'Cache-Control': 'no-store',
};
const MINUTES = 20;

let server;
let browsers;
let processor; // from processorAs
let llamaFolder;

/**
 * Installs what the wanted engines need, and starts the server for the pages. as: what processorAs
 * returned.
 */
export async function setUp(wanted, as) {
  processor = as;
  process.env.CHROMIUM ??= findBrowser(
    'CHROMIUM',
    ['chromium', 'chromium-browser', 'google-chrome'],
    'chromium',
  );
  browsers = await import('../browser/browsers.mjs');
  if (wanted.some(({ peer }) => peer === 'wllama')) installPackages(here);
  if (wanted.some(({ peer }) => peer === 'llama.cpp')) {
    const missing = preparePeer();
    if (missing) throw new Error(missing);
    llamaFolder = processor.llamaFolder();
  }
  server = await serve({
    port: 0,
    roots: [here, `${root}dist`, `${root}build/bench`],
    headers: ISOLATED,
  });
}

export async function tearDown() {
  await server?.close();
}

async function inPage(fn, argument) {
  const page = await browsers.open('chromium', { v8_flags: processor.chromiumFlags });
  try {
    await page.goto(`${server.url}index.html`);
    const result = await page.run(fn, argument);
    processor.check(result);
    return result;
  } finally {
    await page.close();
  }
}

async function inProcess(node, args) {
  const result = (await lines(node, args)).at(-1);
  processor.check(result);
  return result;
}

const options = (kernels, n_threads, more) => ({ kernels, n_threads, n_ctx: 1024, ...more });

export function oursInChromium(kernels) {
  return {
    name: `tokenglass ${kernels}, Chromium`,
    run: (model, n_threads, plan, more) =>
      inPage(
        async ({ url, options, plan }) => {
          const { measure } = await import('/measure.mjs');
          const { loadModel } = await import('/index.js');
          return measure(loadModel, url, options, plan);
        },
        { url: `/${basename(model)}`, options: options(kernels, n_threads, more), plan },
      ),
  };
}

export function oursInNode(label, node, kernels) {
  return {
    name: `tokenglass ${kernels}, ${label}`,
    run: (model, n_threads, plan, more) =>
      inProcess(node(), [
        `${here}ours-node.mjs`,
        model,
        JSON.stringify(options(kernels, n_threads, more)),
        JSON.stringify(plan),
      ]),
  };
}

const wllamaVersion = JSON.parse(readFileSync(`${here}package.json`)).dependencies[
  '@wllama/wllama'
];
const wllama = {
  name: `wllama ${wllamaVersion}, Chromium`,
  peer: 'wllama',
  run: (model, n_threads, plan) =>
    inPage(
      async ({ url, n_threads, plan }) => {
        const { Wllama } = await import('/node_modules/@wllama/wllama/esm/index.js');
        const quiet = { debug() {}, log() {}, warn() {}, error: console.error };
        const wasm = { default: '/node_modules/@wllama/wllama/esm/wasm/wllama.wasm' };
        const engine = new Wllama(wasm, { suppressNativeLog: true, logger: quiet });
        const start = performance.now();
        const loading = { n_threads, n_ctx: 1024, n_batch: 512, n_gpu_layers: 0, useCache: false };
        await engine.loadModelFromUrl(location.origin + url, loading);
        const load_ms = performance.now() - start;
        const runs = [];
        for (let i = -1; i < plan.repeats; i++) {
          // one token for each character, and another start each time, so that no cached prefix is
          // used
          const text = Array.from({ length: plan.prompt }, (_, k) =>
            String.fromCharCode(65 + ((k * 7 + i + 3) % 26)),
          ).join('');
          const completion = {
            prompt: text,
            max_tokens: plan.generate,
            temperature: 0,
            ignore_eos: true,
            stream: false,
            cache_prompt: false,
          };
          const { timings } = await engine.createCompletion(completion);
          if (timings.prompt_n !== plan.prompt)
            throw new Error(`the prompt had ${timings.prompt_n} tokens`);
          if (i >= 0)
            runs.push({ prefill: timings.prompt_per_second, decode: timings.predicted_per_second });
        }
        const used = engine.getNumThreads();
        await engine.exit();
        return { load_ms, n_threads: used, runs };
      },
      { url: `/${basename(model)}`, n_threads, plan },
    ),
};

const llamacpp = {
  name: 'llama.cpp, native',
  peer: 'llama.cpp',
  run: (model, n_threads, plan) =>
    inProcess(process.execPath, [
      `${here}native.mjs`,
      model,
      String(n_threads),
      JSON.stringify(plan),
      llamaFolder,
    ]),
};

const thisNode = `Node ${process.versions.node.split('.')[0]}`;
export const newer = nodeWithRelaxedSimd();
export const ours = oursInChromium('relaxed');
export const oursInNewNode = oursInNode('newer Node', () => newer, 'relaxed');
export const engines = [
  ours,
  oursInChromium('simd128'),
  wllama,
  llamacpp,
  ...(newer === process.execPath ? [] : [oursInNode(thisNode, () => process.execPath, 'simd128')]),
  oursInNode('newer Node', () => newer, 'simd128'),
  oursInNewNode,
];

export const kernels = (variant, what) => program(variant, 'kernels', [what]);
export const sampling = (variant) => program(variant, 'sampling', []);

/** Runs a program of tests/bench in a separate process and returns its output lines. */
function program(variant, name, args) {
  const wasm = `${root}build/wasm/${variant}/tests/bench/${name}.wasm`;
  return lines(newer, [`${root}tests/wasm/run.mjs`, wasm, ...args]);
}

export const grammars = () => lines(process.execPath, [`${here}grammars.mjs`]);

export const speculate = (rounds, shape) =>
  lines(newer, [`${here}speculate.mjs`, String(rounds), shape]);

export const attention = (what, shape, rounds) =>
  lines(newer, [`${here}attention.mjs`, what, shape, String(rounds)]);

export const tokenizers = () => lines(process.execPath, [`${here}tokenizers.mjs`]);

/** A conversation in this Node: the rows of its table. */
export const chat = (shape) => lines(process.execPath, [`${here}chat.mjs`, shape, 'Q4_0']);

/** Runs a program in a Node with the flags of the class, and returns the JSON of its lines. */
async function lines(node, args) {
  const flags = ['--no-warnings', ...processor.nodeFlags(node)];
  const { stdout } = await run(node, [...flags, ...args], { timeout: MINUTES * 60_000 });
  return stdout
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line));
}
