// Sessions and their traces in Node: the scenarios that also run in pages, and 500 random trees on
// a small random model.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadModel } from '../../dist/node.js';
import { inWorker, shared } from '../browser/pages/batches.mjs';
import { scenarios, trees } from '../browser/pages/sessions.mjs';
import { writeGguf } from '../support/gguf-writer.mjs';
import { tinyLlama } from '../support/tiny-llama.mjs';

for (const worker of [true, false]) {
  for (const [name, run] of Object.entries(scenarios)) {
    test(`${name}, ${worker ? 'in a worker' : "in the caller's thread"}`, () =>
      run(loadModel, { worker }));
  }
}

test('six sessions at the same time have the bits of runs alone, in fewer passes', async () => {
  const { alone, together } = await shared(loadModel, {});
  assert.equal(new Set(alone.steps).size, 6);
  assert.deepEqual(together.steps, alone.steps);
  assert.deepEqual(await inWorker(loadModel, {}), alone.steps);
  assert.equal(together.decoded, alone.decoded);
  const [many, few] = [alone, together].map(({ passes }) => passes.length);
  assert.ok(few * 2 < many, `${many} passes alone, ${few} together`);
});

test('a worker runs the token of a step while the caller has the step, but not of the last step', async () => {
  const model = await loadModel('storybook', { worker: true });
  const session = model.createSession({ seed: 1 });
  const decoded = async () => (await model.stats()).decoded_tokens;
  const steps = session.generate('Once upon a time', { max_tokens: 2, ignore_eos: true });
  await steps.next();
  const n = session.tokens.length; // with the token of the step
  while ((await decoded()) < n);
  assert.equal(await decoded(), n);
  await steps.next();
  assert.equal((await steps.next()).done, true);
  assert.equal(await decoded(), n);
  await session.candidates({ top_n: 1 }); // only now the last token runs
  assert.equal(await decoded(), n + 1);
  await model.dispose();
});

for (const cache of ['f32', 'f16', 'q8_0']) {
  test(`random trees end with the bits of fresh runs, cache ${cache}`, () => {
    const bytes = writeGguf(tinyLlama({ n_embd: 64, n_layer: 2, type: 'Q8_0', n_ff: 64 }));
    const options = {
      worker: false,
      n_ctx: 96,
      n_kv: 192,
      cache_type_k: cache,
      cache_type_v: cache,
    };
    return trees(loadModel, bytes, options, cache === 'q8_0' ? 300 : 100, 5);
  });
}
