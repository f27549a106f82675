// What would take more memory than there is, is refused by name; what the caller drops is freed.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { setTimeout as pause } from 'node:timers/promises';
import { setFlagsFromString } from 'node:v8';
import { runInNewContext } from 'node:vm';
import { loadModel } from '../../dist/node.js';
import { encodeTensor, writeGguf } from '../support/gguf-writer.mjs';
import { withModel } from '../support/support.mjs';
import { tinyLlama } from '../support/tiny-llama.mjs';

setFlagsFromString('--expose-gc');
const gc = runInNewContext('gc');

let model;
before(async () => (model = await loadModel('storybook', { worker: false, n_ctx: 256 })));
after(() => model.dispose());

test('score refuses lists that do not fit into memory, with the memory that they take', async () => {
  const { n_vocab } = model.info;
  const n = Math.floor(2 ** 19 / n_vocab) + 1;
  const ids = Array.from({ length: n }, () => 5);
  await assert.rejects(model.score(ids, { top_n: n_vocab }), (error) => {
    assert.equal(error.code, 'INVALID_ARGUMENT');
    assert.match(
      error.message,
      new RegExp(`top_n is ${n_vocab}: for ${n} tokens .* about \\d+ MB`),
    );
    return true;
  });
  const [, second] = await model.score(ids.slice(0, 2), { top_n: n_vocab });
  assert.equal(second.top.length, n_vocab);
});

test('a text that is too long is refused before memory is taken, and the model goes on', async () => {
  const longest = 'a'.repeat(536_870_880); // its offsets would take 2^32 bytes and some
  for (const text of [longest, 'a'.repeat(2 ** 26 + 1), '€'.repeat(2 ** 25)])
    for (const call of [model.tokenize, model.tokenOffsets])
      await assert.rejects(call.call(model, text), {
        code: 'INVALID_ARGUMENT',
        message: /the text has \d+ bytes or more; at most 67108864/,
      });
  const offsets = await model.tokenOffsets('The cat sat.');
  assert.equal(offsets.at(-1).end, 12);
});

test('an embedding that is not finite is an error, and appends nothing', async () => {
  const { metadata, tensors } = tinyLlama();
  const huge = tensors.map((tensor) =>
    /ffn_(up|down)/.test(tensor.name)
      ? { ...tensor, bytes: encodeTensor('F32', Array(tensor.bytes.length / 4).fill(3e38)) }
      : tensor,
  );
  await withModel(writeGguf({ metadata, tensors: huge }), { worker: false }, async (broken) => {
    for (const options of [{}, { pooling: 'last' }, { normalize: false }])
      await assert.rejects(broken.embed([1, 5, 6], options), (error) => {
        assert.equal(error.code, 'LOGITS_NOT_FINITE');
        assert.match(error.message, /element \d+ of the hidden state of token 0 is (-?inf|-?nan)/i);
        return true;
      });
    await assert.rejects(broken.score([1, 5, 6]), { code: 'LOGITS_NOT_FINITE' });
  });
  const vector = await model.embed('a cat');
  assert.ok(vector.every(Number.isFinite));
});

/** Lets the registry of dropped objects run. */
async function collectGarbage() {
  for (let i = 0; i < 4; i++) {
    gc();
    await pause(5);
  }
}

for (const worker of [false, true]) {
  test(`sessions that are dropped without dispose() are freed (worker: ${worker})`, async () => {
    // a session of this context takes about 0.8 MB of the engine's memory
    const options = { worker, n_ctx: 65536, n_kv: 512, n_threads: 1 };
    await withModel('storybook', options, async (large) => {
      const make = async () => {
        const session = large.createSession();
        await session.sync([1, 5]);
        await (await session.fork()).append(7);
      };
      await make();
      const { total } = (await large.stats()).memory;
      for (let i = 0; i < 20; i++) {
        for (let k = 0; k < 5; k++) await make();
        await collectGarbage();
      }
      const grown = (await large.stats()).memory.total - total;
      assert.ok(grown < 40 * 2 ** 20, `200 sessions took ${grown / 2 ** 20} MB`);
    });
  });
}

for (const worker of [false, true]) {
  test(`the garbage collector learns of forgotten sessions by itself (worker: ${worker})`, async () => {
    const options = { worker, n_ctx: 65536, n_kv: 512, n_threads: 1 };
    await withModel('storybook', options, async (large) => {
      const { total } = (await large.stats()).memory;
      for (let i = 0; i < 1000; i++) await large.createSession().sync([1, 5]); // 0.8 MB each
      const grown = ((await large.stats()).memory.total - total) / 2 ** 20;
      assert.ok(grown < 300, `1,000 sessions took ${grown} MB`);
    });
  });
}

test('2,000 forgotten sessions are freed: the next ones take their memory', async () => {
  for (const worker of [false, true]) {
    await withModel('storybook', { worker, n_threads: 1 }, async (small) => {
      const make = async () => {
        for (let i = 0; i < 2000; i++) await small.createSession().sync([1, 5]); // 15 kB each
        await collectGarbage();
        return (await small.stats()).memory.total / 2 ** 20;
      };
      const first = await make();
      for (let i = 0; i < 3; i++) await make();
      const grown = (await make()) - first;
      assert.ok(grown < 30, `8,000 sessions more took ${grown} MB more`);
    });
  }
});

test('a session whose answer is awaited is not freed before it', async () => {
  const logits = await Promise.all(
    Array.from({ length: 20 }, async (_, i) => {
      const session = model.createSession();
      await session.sync([1, 5, 6 + i]);
      const answer = session.logits();
      gc();
      return answer;
    }),
  );
  assert.ok(logits.every((list) => list.length === model.info.n_vocab));
});

test('a generation that is dropped gives its session back', async () => {
  const session = model.createSession({ seed: 1 });
  let disposed = 0;
  const grammar = {
    begin: async () => ({
      allowed: async () => new Int32Array(Math.ceil(model.info.n_vocab / 32)).fill(-1),
      accept: () => undefined,
      ended: false,
      dispose: () => disposed++,
    }),
  };
  await (async () => {
    const steps = session.generate('The fox', { max_tokens: 50, grammar });
    const { value } = await steps.next();
    assert.equal(value.position, session.tokens.length - 1);
  })();
  for (let i = 0; i < 20 && !disposed; i++) await collectGarbage();
  assert.equal(disposed, 1);
  await session.sync('Another text'); // not SESSION_BUSY
  for await (const { token } of session.generate(undefined, { max_tokens: 3 }))
    assert.ok(token >= 0);
  await session.dispose();
});

test('sequence breakers are looked up again after others', async () => {
  const session = model.createSession();
  await session.sync('The cat sat. The cat sat. The cat');
  const trace = (text) =>
    session.candidates({ dry_multiplier: 2, dry_sequence_breakers: [text], temperature: 0 });
  const first = await trace('sat');
  for (let i = 0; i < 150; i++) await trace(`b${i}`);
  assert.deepEqual(await trace('sat'), first);
  await session.dispose();
});
