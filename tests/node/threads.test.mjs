// Several threads on the built-in model: the same bits as with one thread, clear errors when a
// thread is lost, and no process that is kept alive.
import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { test } from 'node:test';
import { loadModel } from '../../dist/node.js';
import { collect, freshLogits, inTree, tokensOf, withModel } from '../support/support.mjs';

const IDS = Array.from({ length: 150 }, (_, i) => ((i * 37 + 5) % 200) + 259);

/** The tokens of a greedy run, and logits after prompts of several lengths. */
async function outcome(model) {
  const session = model.createSession({ seed: 1 });
  const tokens = tokensOf(
    await collect(
      session.generate('Once upon a time', { max_tokens: 40, temperature: 0.7, trace: false }),
    ),
  );
  const logits = [];
  for (const [n, batch] of [
    [1, 1],
    [33, 33],
    [150, 150],
    [150, 7],
  ]) {
    logits.push(await freshLogits(model, IDS.slice(0, n), batch));
  }
  return { tokens, logits };
}

for (const worker of [true, false]) {
  const where = worker ? 'in a worker' : "in the caller's thread";

  test(`two and three threads give the bits of one, for every cache type ${where}`, async () => {
    for (const cache of ['f32', 'f16', 'q8_0']) {
      const options = { worker, cache_type_k: cache, cache_type_v: cache };
      const alone = await withModel('storybook', { ...options, n_threads: 1 }, (model) => {
        assert.equal(model.info.n_threads, 1);
        return outcome(model);
      });
      for (const n_threads of [2, 3]) {
        await withModel('storybook', { ...options, n_threads }, async (model) => {
          assert.equal(model.info.n_threads, n_threads);
          assert.equal(model.info.threads_note, undefined);
          assert.deepEqual(await outcome(model), alone, `${cache}, ${n_threads} threads`);
        });
      }
    }
  });

  test(`a load with threads can be aborted, fail and be disposed ${where}`, async () => {
    await assert.rejects(
      loadModel('storybook', { worker, n_threads: 2, signal: AbortSignal.timeout(1) }),
      {
        name: /AbortError|TimeoutError/,
      },
    );
    await assert.rejects(loadModel(new Uint8Array(100), { worker, n_threads: 2 }), {
      code: 'GGUF_BAD_MAGIC',
    });
    const model = await loadModel('storybook', { worker, n_threads: 2, n_ctx: 4000, n_kv: 4100 });
    const generation = collect(model.createSession().generate(IDS, { ignore_eos: true }));
    generation.catch(() => undefined);
    await new Promise((resolve) => setTimeout(resolve, 20));
    await model.dispose();
    await assert.rejects(generation, { code: 'DISPOSED' });
  });
}

test(
  'a thread that dies ends the call with THREAD_LOST, and every later one',
  { timeout: 60_000 },
  async () => {
    const threads = [];
    const keep = (thread) => threads.push(thread);
    process.on('worker', keep);
    const model = await loadModel('storybook', {
      worker: false,
      n_threads: 3,
      n_ctx: 4000,
      n_kv: 4100,
    });
    process.off('worker', keep);
    assert.equal(threads.length, 2);
    const session = model.createSession({ seed: 1 });
    let made = 0;
    const running = (async () => {
      for await (const step of session.generate('Once', { ignore_eos: true, trace: false })) {
        assert.equal(step.position, session.tokens.length - 1);
        if (++made === 30) void threads[0].terminate();
      }
    })();
    const gone = new Promise((resolve) => threads[1].once('exit', resolve));
    await assert.rejects(running, { code: 'THREAD_LOST', message: /load the model again/ });
    // no late thread may go on in memory that is used for something else
    await gone;
    assert.ok(made >= 30, `${made}`);
    await assert.rejects(model.createSession().generate('Once', {}).next(), {
      code: 'THREAD_LOST',
    });
    assert.equal((await model.tokenize('Once')).length, 2, 'what needs no thread goes on');
    await model.dispose();
  },
);

test('options and memory are checked', async () => {
  for (const n_threads of [0, 65, 1.5, '2']) {
    await assert.rejects(loadModel('storybook', { n_threads }), {
      code: 'INVALID_ARGUMENT',
      message: /n_threads/,
    });
  }
  await withModel('storybook', { n_threads: 2, vocab_only: true }, (model) =>
    assert.equal(model.info.n_threads, 1),
  );
  await withModel('storybook', { n_threads: 2, profile: true }, async (model) => {
    await freshLogits(model, IDS);
    const { profile, memory } = await model.stats();
    assert.ok(profile.find(({ step }) => step === 'matmul').ms > 0, JSON.stringify(profile));
    assert.ok(memory.peak < 1.07 * memory.file + memory.kv + 24 * 2 ** 20, JSON.stringify(memory));
  });
  await withModel('storybook', { n_threads: 1 }, async (model) => {
    await freshLogits(model, IDS);
    assert.ok(
      (await model.stats()).profile.every(({ ms }) => ms === 0),
      'no clock unless it was asked for',
    );
  });
});

for (const disposed of [true, false]) {
  for (const worker of [true, false]) {
    test(
      `a program with threads ends by itself, worker: ${worker}, disposed: ${disposed}`,
      { timeout: 30_000 },
      async () => {
        const script = `import { loadModel } from ${JSON.stringify(inTree('dist/node.js'))};
        const model = await loadModel('storybook', { worker: ${worker}, n_threads: 2 });
        for await (const step of model.createSession().generate('Once', { max_tokens: 3, trace: false })) process.stdout.write('.');
        ${disposed ? 'await model.dispose();' : ''}`;
        const child = spawn(process.execPath, ['--input-type=module', '-e', script], {
          stdio: ['ignore', 'pipe', 'inherit'],
        });
        let output = '';
        child.stdout.on('data', (text) => (output += text));
        const code = await new Promise((resolve) => child.on('close', resolve));
        assert.equal(code, 0);
        assert.equal(output, '...');
      },
    );
  }
}
