// What architectures other than llama add to the package: tokens that a model must never generate,
// and sessions of models with recurrent state.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { loadModel } from '../../dist/node.js';
import { tinyModel } from '../support/architectures.mjs';
import { writeGguf } from '../support/gguf-writer.mjs';

const SHAPE = {
  N_EMBD: 64,
  N_HEAD: 2,
  N_HEAD_KV: 1,
  HEAD_DIM: 32,
  N_FF: 64,
  N_VOCAB: 301,
  PER_LAYER: 32,
};
const load = (name, ...metadata) => {
  const model = tinyModel(name, { type: 'Q8_0', shape: SHAPE });
  return loadModel(writeGguf({ ...model, metadata: [...model.metadata, ...metadata] }), {
    worker: false,
    n_ctx: 256,
  });
};

test('gemma4: suppressed tokens have no logit, and are neither drawn nor break what else is asked', async () => {
  const plain = await load('gemma4');
  const session = plain.createSession();
  await session.sync([5, 6, 7]);
  const free = await session.logits();
  const best = free.indexOf(Math.max(...free));
  const model = await load('gemma4', ['tokenizer.ggml.suppress_tokens', 'array<i32>', [best, 300]]);
  const held = model.createSession();
  await held.sync([5, 6, 7]);
  const logits = await held.logits();
  assert.deepEqual(
    [...logits].map((x, i) => (i === best || i === 300 ? -Infinity : x)),
    [...logits],
  );
  assert.deepEqual(
    [...free].filter((_, i) => i !== best && i !== 300),
    [...logits].filter((_, i) => i !== best && i !== 300),
  );
  for await (const { token } of held.generate(undefined, {
    max_tokens: 20,
    temperature: 2,
    top_k: 0,
    top_p: 1,
    min_p: 0,
  }))
    assert.ok(token !== best && token !== 300);
  const [, scored] = await model.score([5, best]);
  assert.equal(scored.logprob, -Infinity);
  await Promise.all([plain.dispose(), model.dispose()]);
});

let model;
before(async () => (model = await load('qwen35')));
after(() => model.dispose());

/** The logits after these tokens, in a new session. */
async function fresh(tokens) {
  const session = model.createSession();
  await session.sync(tokens);
  const logits = await session.logits();
  await session.dispose();
  return logits;
}

const ids = Array.from({ length: 180 }, (_, i) => 3 + ((i * 37) % 290));

test('qwen35: a session goes back, branches and is saved with the same bits as a fresh one', async () => {
  const session = model.createSession();
  await session.sync(ids);
  for (const n of [179, 150, 90, 91, 31, 1]) {
    await session.rewind(n);
    const fork = await session.fork();
    await fork.append(77);
    assert.deepEqual(
      await fork.logits(),
      await fresh([...ids.slice(0, n), 77]),
      `a fork after ${n}`,
    );
    await fork.dispose();
    assert.deepEqual(await session.logits(), await fresh(ids.slice(0, n)), `back at ${n}`);
    await session.sync(ids);
    await session.logits();
  }
  const saved = await session.save();
  const opened = await model.loadSession(saved);
  await opened.append(9);
  assert.deepEqual(await opened.logits(), await fresh([...ids, 9]));
  await assert.rejects(model.loadSession(saved.slice(0, -1)), { code: 'SESSION_DAMAGED' });
  const other = saved.slice();
  other[other.length - 5] ^= 1;
  await assert.rejects(model.loadSession(other), { code: 'SESSION_DAMAGED' });
});

test('qwen35: going back a few tokens runs a few again, not all', async () => {
  const session = model.createSession();
  await session.sync(ids);
  await session.logits();
  const before = (await model.stats()).decoded_tokens;
  await session.rewind(170);
  await session.logits();
  const { decoded_tokens } = await model.stats();
  assert.ok(decoded_tokens - before <= 64, `${decoded_tokens - before} tokens`);
});
