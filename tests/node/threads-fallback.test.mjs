// Runtimes and builds in which threads cannot work. The model must load with as many threads as
// possible, and threads_note must give the reason.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { cpSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { inTree } from '../support/support.mjs';

const folder = mkdtempSync(join(tmpdir(), 'tokenglass-'));
after(() => rmSync(folder, { recursive: true }));

/**
 * n_threads and threads_note of the built-in model, in a program that first changes its runtime.
 */
function threadsOf(change, options = {}) {
  const script = `import os from 'node:os';
    import { syncBuiltinESMExports } from 'node:module';
    ${change}
    syncBuiltinESMExports();
    const { loadModel } = await import(${JSON.stringify(pathToFileURL(inTree('dist/node.js')).href)});
    const model = await loadModel('storybook', { worker: false, ...${JSON.stringify(options)} });
    const session = model.createSession();
    await session.sync([1, 300]);
    await session.logits();
    console.log(JSON.stringify([model.info.n_threads, model.info.threads_note]));
    await model.dispose();`;
  return JSON.parse(
    execFileSync(process.execPath, ['--input-type=module', '-e', script], {
      encoding: 'utf8',
      timeout: 30_000,
    }),
  );
}

const CORES = 'os.availableParallelism = () => 6;';

test('the usual number of threads is half of the cores, in every Node', () => {
  assert.deepEqual(threadsOf(CORES), [3, null]);
});

test('where shared memory cannot be had, one thread works', () => {
  const refuse = `const { Memory } = WebAssembly;
    WebAssembly.Memory = function (descriptor) {
      if (descriptor.shared) throw new RangeError('could not allocate memory');
      return new Memory(descriptor);
    };`;
  const [n_threads, note] = threadsOf(refuse, { n_threads: 2 });
  assert.equal(n_threads, 1);
  assert.match(note, /shared memory/);
});

test('a build of the caller that is not made for threads runs on one, whatever the machine', () => {
  const wasm_url = pathToFileURL(inTree('dist/tokenglass.simd128.wasm')).href;
  for (const options of [{ wasm_url }, { wasm_url, n_threads: 2 }]) {
    const [n_threads, note] = threadsOf(CORES, options);
    assert.equal(n_threads, 1);
    assert.match(note, /wasm_url/);
  }
});

test('a thread that is late and then fails is not missed', { timeout: 30_000 }, async () => {
  // a copy of the package whose threads break only after the engine has stopped waiting for them
  cpSync(inTree('dist'), folder, { recursive: true });
  const script = join(folder, 'worker-node.mjs');
  const source = readFileSync(script, 'utf8');
  const broken = source.replace(
    /case"thread":return [^;]+;/,
    'case"thread":setTimeout(()=>process.exit(3),2500);return;',
  );
  assert.notEqual(broken, source);
  writeFileSync(script, broken);
  const { loadModel } = await import(pathToFileURL(join(folder, 'node.js')));
  const model = await loadModel('storybook', { n_threads: 2 });
  assert.equal(model.info.n_threads, 1);
  assert.match(model.info.threads_note, /did not start/);
  await new Promise((resolve) => setTimeout(resolve, 1500));
  assert.equal((await model.score([1, 300, 301])).length, 3);
  await model.dispose();
});
