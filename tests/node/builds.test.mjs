// The entries of the package, and which build of the engine runs: the entry's builds, the option
// `builds`, threads or not, and the files of a folder that base_url names.
import assert from 'node:assert/strict';
import { cpSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { errorCodes, loadModel, stages } from '../../dist/node.js';
import * as relaxed from '../../dist/node-relaxed.js';
import * as relaxedThreads from '../../dist/node-relaxed.threads.js';
import * as simd128 from '../../dist/node-simd128.js';
import * as simd128Threads from '../../dist/node-simd128.threads.js';
import storybook from '../../dist/node-storybook.js';
import { inTree } from '../support/support.mjs';

const require = createRequire(import.meta.url);
const folder = mkdtempSync(join(tmpdir(), 'tokenglass-builds-'));
after(() => rmSync(folder, { recursive: true }));

/** What a load chose; the model is gone. */
async function infoOf(load, options) {
  const model = await load(storybook, options);
  const { kernel_variant, n_threads, threads_note, worker_note } = model.info;
  await model.dispose();
  return { kernel_variant, n_threads, threads_note, worker_note };
}

test('an entry of one build runs that build', async () => {
  const plain = await infoOf(simd128.loadModel, { n_threads: 1 });
  assert.equal(plain.kernel_variant, 'simd128');
  assert.equal(plain.worker_note, undefined);
  const threads = await infoOf(simd128Threads.loadModel, { n_threads: 2 });
  assert.deepEqual([threads.kernel_variant, threads.n_threads], ['simd128', 2]);
});

test('a build with threads runs on one thread, too, with the same tokens', async () => {
  const tell = async (load) => {
    const model = await load(storybook, { n_threads: 1 });
    const session = model.createSession({ seed: 3 });
    const ids = [];
    for await (const { token } of session.generate('The fox', { max_tokens: 8 })) ids.push(token);
    await model.dispose();
    return ids;
  };
  const ids = await tell(simd128Threads.loadModel);
  assert.equal(ids.length, 8);
  assert.deepEqual(ids, await tell(simd128.loadModel));
});

test('a build without threads says why there is one thread', async () => {
  const { n_threads, threads_note } = await infoOf(simd128.loadModel, { n_threads: 2 });
  assert.equal(n_threads, 1);
  assert.match(threads_note, /no build simd128\.threads/);
});

test('the option builds names the builds to choose from', async () => {
  const builds = [simd128.build, simd128Threads.build];
  const chosen = await infoOf(loadModel, { builds, n_threads: 2 });
  assert.deepEqual([chosen.kernel_variant, chosen.n_threads], ['simd128', 2]);
});

test('kernels that no build has are refused by name', async () => {
  for (const [load, kernels, name] of [
    [simd128.loadModel, 'relaxed', 'simd128'],
    [relaxedThreads.loadModel, 'simd128', 'relaxed.threads'],
  ])
    await assert.rejects(load(storybook, { kernels }), {
      code: 'ENGINE_UNSUPPORTED',
      message: new RegExp(`kernels is "${kernels}".* ${name.replace('.', '\\.')} only`),
    });
});

test('a runtime without relaxed SIMD takes simd128, or names the build that is missing', async () => {
  // the self-test of relaxed SIMD decides, in the engine's thread: here this thread
  const validate = WebAssembly.validate;
  const builds = [relaxed.build];
  WebAssembly.validate = (bytes) => bytes.length < 50 && validate(bytes); // the shorter probe only
  try {
    await assert.rejects(loadModel(storybook, { builds, worker: false }), {
      code: 'ENGINE_UNSUPPORTED',
      message: /no simd128 build/,
    });
    const both = { builds: [...builds, simd128.build], worker: false };
    assert.equal((await infoOf(loadModel, both)).kernel_variant, 'simd128');
  } finally {
    WebAssembly.validate = validate;
  }
});

test('wrong builds are named', async () => {
  const { url } = simd128.build;
  for (const [builds, message] of [
    [[], /builds is empty/],
    [simd128.build, /builds is an object|builds is .*; it must be a list/],
    [[{ name: 'simd', url }], /build's name is "simd"/],
    [[{ name: 'simd128', url: 5 }], /url of build simd128 is 5/],
    [[undefined], /an element of builds is undefined/],
  ])
    await assert.rejects(loadModel(storybook, { builds }), { code: 'INVALID_ARGUMENT', message });
});

test('base_url names the folder of all files', async () => {
  for (const name of readdirSync(inTree('dist')))
    if (/\.wasm$|\.gguf$|^worker-node\.mjs$/.test(name))
      cpSync(inTree(`dist/${name}`), join(folder, name));
  const base_url = pathToFileURL(folder); // without a slash at its end
  const model = await loadModel('storybook', { base_url });
  assert.equal(model.info.name, 'storybook');
  await model.dispose();
  rmSync(join(folder, 'worker-node.mjs'));
  await assert.rejects(loadModel('storybook', { base_url }), {
    code: 'WORKER_FAILED',
    message: new RegExp(`${pathToFileURL(folder).href}/worker-node\\.mjs`),
  });
  const none = { base_url: `${base_url.href}/none/`, worker: false };
  await assert.rejects(loadModel(storybook, none), {
    code: 'ENGINE_LOAD_FAILED',
    message: /none\/tokenglass\./,
  });
});

test('a built-in model that is not there names the entry that brings the model', async () => {
  const base_url = pathToFileURL(folder);
  rmSync(join(folder, 'storybook-q8_0.gguf'));
  await assert.rejects(loadModel('storybook', { base_url, worker: false }), {
    code: 'SOURCE_NOT_FOUND',
    message: /built-in model is not at .*tokenglass\/storybook/,
  });
});

test('require() gives the same API as import', async () => {
  const cjs = require('../../dist/cjs/node.js');
  assert.deepEqual(cjs.errorCodes, errorCodes);
  assert.deepEqual(cjs.stages, stages);
  assert.equal(require('../../dist/cjs/node-storybook.js').default.href, storybook.href);
  const model = await cjs.loadModel('storybook', { worker: false, n_ctx: 128 });
  const grammar = await model.createGrammar({ type: 'ebnf', grammar: 'root ::= "yes" | "no"' });
  const { choices } = await model.createCompletion({ prompt: 'A', grammar, max_tokens: 4 });
  assert.match(choices[0].text, /^(yes|no)$/);
  await assert.rejects(
    model.createCompletion({ prompt: 'A', n: -1 }),
    (error) => error instanceof cjs.TokenglassError,
  );
  await model.dispose();
});
