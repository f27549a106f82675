// Concurrent calls, cancellation and failures, with one model in a worker and in the caller's
// thread: nothing blocks, gets lost or changes the result.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { loadModel } from '../../dist/node.js';
import { writeGguf } from '../support/gguf-writer.mjs';
import { tinyLlama } from '../support/tiny-llama.mjs';
import { DEFAULT_CHAIN, collect, freshLogits, tokensOf, withModel } from '../support/support.mjs';

const PROMPT = 'Once upon a time there was';
const folder = mkdtempSync(join(tmpdir(), 'tokenglass-'));
const silent = createServer(() => undefined); // accepts a request and never answers
await new Promise((resolve) => silent.listen(0, '127.0.0.1', resolve));
after(() => {
  silent.close();
  silent.closeAllConnections();
  rmSync(folder, { recursive: true });
});

/**
 * A module that looks like a build whose malloc traps: a memory of 1 page, and one function
 * (unreachable) under two names.
 */
const TRAPS = Uint8Array.of(
  ...[
    0x00, 0x61, 0x73, 0x6d, 1, 0, 0, 0, 1, 6, 1, 0x60, 1, 0x7f, 1, 0x7f, 3, 2, 1, 0, 5, 3, 1, 0, 1,
    7, 31, 3,
  ],
  ...[
    6,
    ...Buffer.from('memory'),
    2,
    0,
    6,
    ...Buffer.from('malloc'),
    0,
    0,
    9,
    ...Buffer.from('model_new'),
    0,
    0,
  ],
  ...[10, 5, 1, 3, 0, 0, 0x0b],
);

let largeModel;
const large = () =>
  (largeModel ??= writeGguf(
    tinyLlama({ type: 'Q8_0', n_embd: 512, n_head: 8, n_head_kv: 2, n_ff: 2048, n_layer: 12 }),
  ));

for (const worker of [true, false]) {
  const where = worker ? 'in a worker' : "in the caller's thread";
  const built = (options, use) => withModel('storybook', { worker, ...options }, use);

  test(`a timer that aborts is heard while tokens are made ${where}`, () =>
    built({ n_ctx: 4000 }, async (model) => {
      const session = model.createSession({ seed: 1 });
      await session.sync(PROMPT);
      const controller = new AbortController();
      setTimeout(() => controller.abort(new Error('a reason of its own')), 50);
      const generation = collect(
        session.generate(undefined, { ignore_eos: true, trace: false, signal: controller.signal }),
      );
      await assert.rejects(generation, { message: 'a reason of its own' });
      assert.ok(session.tokens.length < 4000);
      assert.deepEqual(await session.logits(), await freshLogits(model, session.tokens));
    }));

  test(`every call that works hears an abort ${where}`, () =>
    built({ n_ctx: 2000 }, async (model) => {
      const session = model.createSession({ seed: 1 });
      await session.sync(PROMPT);
      const tokens = [...session.tokens];
      const aborted = AbortSignal.abort();
      const calls = {
        candidates: () => session.candidates({ signal: aborted }),
        logits: () => session.logits({ signal: aborted }),
        explain: () => session.explain(5, { signal: aborted }),
        sync: () => session.sync('Another text', { signal: aborted }),
        save: () => session.save({ signal: aborted }),
        generate: () => session.generate('Another text', { signal: aborted }).next(),
        score: () => model.score(PROMPT, { signal: aborted }),
        embed: () => model.embed(PROMPT, { signal: aborted }),
        loadSession: async () => model.loadSession(await session.save(), { signal: aborted }),
      };
      for (const [name, call] of Object.entries(calls))
        await assert.rejects(call(), { name: 'AbortError' }, name);
      assert.deepEqual(session.tokens, tokens);
      // an abort in the middle of a long prompt
      const ids = Array.from({ length: 1000 }, (_, i) => 300 + (i % 500));
      for (const name of ['candidates', 'logits', 'explain']) {
        const other = model.createSession();
        await other.sync(ids);
        const controller = new AbortController();
        const options = { signal: controller.signal };
        const call = name === 'explain' ? other.explain(5, options) : other[name](options);
        setTimeout(() => controller.abort(), 1);
        await assert.rejects(call, { name: 'AbortError' }, name);
        await other.dispose();
      }
      assert.equal((await session.candidates()).position, tokens.length);
    }));

  test(`one prompt that is being run does not keep another session waiting ${where}`, () =>
    built({ n_ctx: 4000, n_kv: 4100 }, async (model) => {
      const controller = new AbortController();
      const long = collect(
        model
          .createSession()
          .generate(Array(3900).fill(300), { max_tokens: 1, signal: controller.signal }),
      );
      const [step] = await collect(model.createSession().generate(PROMPT, { max_tokens: 1 }));
      assert.ok(step.trace.candidates.length > 0);
      assert.ok((await model.stats()).decoded_tokens < 3900);
      controller.abort();
      await assert.rejects(long, { name: 'AbortError' });
    }));

  test(`sessions that run prompts, score and give up take turns ${where}`, () =>
    // a batch of this model runs in several slices of the event loop; a waiting call waits for the
    // batch to end
    withModel(large(), { worker, n_ctx: 2048, n_kv: 20_000 }, async (model) => {
      const ids = Array.from({ length: 2000 }, (_, i) => 3 + (i % 250));
      const controller = new AbortController();
      const run = (signal) =>
        collect(model.createSession().generate(ids, { max_tokens: 1, trace: false, signal }));
      const long = (async () => {
        for (;;) await run(controller.signal); // one prompt after the other, until it is stopped
      })();
      long.catch(() => undefined);
      const decodedTokens = async () => (await model.stats()).decoded_tokens;
      const start = await decodedTokens();
      await collect(model.createSession().generate([1, 5], { max_tokens: 2, ignore_eos: true }));
      const before = await decodedTokens();
      assert.ok(before < start + 1000, 'a short prompt does not wait for a long one');
      // enough tokens to need several slices on any machine
      assert.equal((await model.score(ids.slice(0, 160))).length, 160);
      assert.ok(
        (await decodedTokens()) > before + 160,
        'prompts go on beside the scores: neither undoes what the other ran',
      );
      const rest = new AbortController();
      const waiting = run(rest.signal);
      setTimeout(() => rest.abort(), 10);
      await assert.rejects(waiting, { name: 'AbortError' });
      controller.abort();
      await assert.rejects(long, { name: 'AbortError' });
    }));

  test(`a look at the candidates and a fork in the midst of a step are whole ${where}`, () =>
    built({}, async (model) => {
      for (const prepared of [true, false]) {
        const session = model.createSession({ seed: 2 });
        await session.sync(PROMPT);
        if (prepared) await session.logits();
        const [step, trace, fork] = await Promise.all([
          session.generate().next(),
          session.candidates({ top_n: 5 }),
          session.fork(),
        ]);
        assert.equal(step.value.token, session.tokens.at(-1));
        assert.equal(trace.candidates.length, 5);
        assert.deepEqual(fork.tokens, session.tokens.slice(0, fork.tokens.length));
        assert.deepEqual(await fork.logits(), await freshLogits(model, fork.tokens));
        await session.dispose();
        await fork.dispose();
      }
    }));

  test(`what on_progress throws ends the load ${where}`, async () => {
    const on_progress = () => {
      throw new Error('mine');
    };
    await assert.rejects(loadModel('storybook', { worker, on_progress }), { message: 'mine' });
  });

  test(`an abort of a load gives its reason ${where}`, async () => {
    const controller = new AbortController();
    const address = `http://127.0.0.1:${silent.address().port}/model.gguf`;
    const loading = loadModel(address, { worker, signal: controller.signal });
    setTimeout(() => controller.abort('a reason of its own'), 50);
    await assert.rejects(loading, (error) => error === 'a reason of its own');
  });

  test(`an engine that traps and a file that is no engine have their codes ${where}`, async () => {
    writeFileSync(join(folder, 'traps.wasm'), TRAPS);
    writeFileSync(join(folder, 'empty.wasm'), TRAPS.subarray(0, 8));
    const load = (name) =>
      loadModel('storybook', { worker, wasm_url: pathToFileURL(join(folder, name)) });
    await assert.rejects(load('traps.wasm'), {
      code: 'ENGINE_CRASHED',
      message: /malloc: .*unreachable/,
    });
    await assert.rejects(load('empty.wasm'), {
      code: 'ENGINE_LOAD_FAILED',
      message: /no build of tokenglass/,
    });
  });

  test(`a generation ends with the end token, or continues after it with ignore_eos ${where}`, () =>
    // the random model samples each of its 275 tokens about equally often, so some seed ends soon
    withModel(writeGguf(tinyLlama()), { worker, n_ctx: 512 }, async (model) => {
      const options = { temperature: 1e6, samplers: ['temperature'], max_tokens: 400 };
      const run = (seed, ignore_eos) =>
        collect(model.createSession({ seed }).generate([1], { ...options, ignore_eos }));
      const past = await run(3, true);
      assert.equal(past.length, 400);
      const end = past.findIndex(({ eog }) => eog);
      assert.ok(end >= 0 && past[end].token === model.info.eos, 'the seed meets the end');
      const ended = await run(3, false);
      assert.deepEqual(tokensOf(ended), tokensOf(past).slice(0, end + 1));
      assert.equal(ended.at(-1).eog, true);
      assert.equal(ended.at(-1).text, '');
    }));

  test(`a trace without candidates is a trace ${where}`, () =>
    built({}, async (model) => {
      const [step] = await collect(
        model.createSession().generate(PROMPT, { max_tokens: 1, trace: { top_n: 0 } }),
      );
      assert.deepEqual(step.trace.candidates, []);
      assert.ok(Math.abs(step.trace.other - 1) < 1e-12);
      assert.equal(step.trace.draw.token, step.token);
      assert.equal(step.trace.stages.length, DEFAULT_CHAIN.length);
    }));
}

test('addresses above 2 GB are addresses', () => {
  // a cache of nearly 2 GB that is hardly used, and large sessions after it
  const bytes = writeGguf(tinyLlama({ n_embd: 128, n_head_kv: 2, n_layer: 2 }));
  return withModel(bytes, { worker: false, n_ctx: 2 ** 20, n_kv: 1_043_000 }, async (model) => {
    const session = model.createSession({ seed: 1 });
    await session.sync([1, 5]);
    const branch = await (await session.fork()).fork();
    const { total } = (await model.stats()).memory;
    assert.ok(total > 2 ** 31 + 2 ** 22, `${total} bytes`);
    assert.deepEqual(branch.tokens, [1, 5]);
    assert.equal(
      (await collect(branch.generate(undefined, { max_tokens: 3, ignore_eos: true }))).length,
      3,
    );
  });
});
