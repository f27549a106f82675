// The package's API in real browsers, in a worker and in the page's thread: the same texts as in
// Node, and the same bits for any batch size.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { loadModel } from '../../dist/node.js';
import { chatFile } from '../support/decision-models.mjs';
import { chatModel } from '../support/tiny-llama.mjs';
import { inTree, published, shared, withModel } from '../support/support.mjs';
import { browsers, open, openBlank } from './browsers.mjs';
import { scenarios } from './pages/sessions.mjs';

const stories = shared('models/stories260K.gguf');

const PATIENCE_MS = 30_000;
const TRIES = 4;
const FLOATS = { cache_type_k: 'f32', cache_type_v: 'f32' };

/**
 * Runs in the page: returns greedy ids and text, and whether every way to split the prompt into
 * batches gives the same bits.
 */
const tell = async ({ source, ids, max_tokens, options }) => {
  const { loadModel } = await import('/index.js');
  const model = await loadModel(source, options);
  const session = model.createSession();
  const steps = [];
  for await (const step of session.generate(ids, { temperature: 0, max_tokens, trace: false }))
    steps.push(step);
  const long = session.tokens.slice(0, 100);
  const logits = [];
  for (const batch of [100, 7, 1]) {
    const other = model.createSession();
    for (let n = batch; n < 100; n += batch) {
      await other.sync(long.slice(0, n));
      await other.logits();
    }
    await other.sync(long);
    logits.push((await other.logits()).join());
  }
  const { info } = model;
  await model.dispose();
  return {
    tokens: steps.map(({ token }) => token),
    text: steps.map(({ text }) => text).join(''),
    same: logits.every((l) => l === logits[0]),
    usual: Math.min(8, Math.ceil(navigator.hardwareConcurrency / 2)),
    variant: info.kernel_variant,
    threads: info.n_threads,
  };
};

for (const { name, needs } of browsers) {
  describe(`the interface in ${name}`, needs, () => {
    let page, url, close;

    before(async () => {
      const roots = existsSync(stories.path) ? [inTree('../shared/models')] : [];
      ({ page, url, close } = await openBlank(name, { roots }));
    });
    after(() => close?.());

    /**
     * The result of `tell` in a page. While a driver is attached, `new Worker` inside a worker
     * sometimes never returns in Firefox, even in a page of ten lines. So tests with threads use a
     * separate browser, and another one when there is no answer.
     */
    async function tellWithRetries(t, given) {
      if (!given.options.n_threads) return page.run(tell, given);
      for (let tries = 1; ; tries++) {
        const separate = await open(name, { own: true });
        const late = new Promise((_, reject) => setTimeout(reject, PATIENCE_MS, new Error('late')));
        late.catch(() => undefined);
        try {
          await separate.goto(`${url}blank.html`);
          return await Promise.race([separate.run(tell, given), late]);
        } catch (error) {
          if (tries === TRIES || error.message !== 'late') throw error;
          t.diagnostic(`try ${tries}: no answer in ${PATIENCE_MS} ms`);
        } finally {
          await separate.close();
        }
      }
    }

    for (const options of [{}, { worker: false }, { kernels: 'simd128' }, { n_threads: 2 }]) {
      test(`the built-in model tells what it tells in Node, ${JSON.stringify(options)}`, async (t) => {
        const there = await tellWithRetries(t, {
          source: 'storybook',
          ids: [1],
          max_tokens: 120,
          options: { ...FLOATS, ...options },
        });
        t.diagnostic(`kernels: ${there.variant}`);
        // codes may round differently in another build, and a quantized cache stores them: so this
        // compares runs with floats
        const model = await loadModel('storybook', { worker: false, ...FLOATS });
        const tokens = [];
        for await (const step of model
          .createSession()
          .generate([1], { temperature: 0, max_tokens: 120 }))
          tokens.push(step.token);
        await model.dispose();
        assert.deepEqual(there.tokens.slice(0, 60), tokens.slice(0, 60));
        assert.ok(there.same, 'batches of 100, 7 and 1 give the same bits');
        if (options.kernels) assert.equal(there.variant, options.kernels);
        assert.equal(
          there.threads,
          options.n_threads ?? (options.worker === false ? 1 : there.usual),
        );
      });

      test(
        `stories260K tells its published story, ${JSON.stringify(options)}`,
        stories.needs,
        async (t) => {
          const there = await tellWithRetries(t, {
            source: '/stories260K.gguf',
            ids: [1],
            max_tokens: 200,
            options,
          });
          assert.equal(there.tokens.length, 200);
          assert.ok(published().startsWith(there.text) && there.text.length > 450, there.text);
          assert.ok(there.same, 'batches of 100, 7 and 1 give the same bits');
        },
      );
    }

    test('threads are asked for where the page is not isolated, or may not wait', async () => {
      const plain = await openBlank(name, { headers: {} });
      const ask = async (options) => {
        const { loadModel } = await import('/index.js');
        const model = await loadModel('storybook', { n_threads: 2, ...options });
        for await (const step of model
          .createSession()
          .generate('Once', { max_tokens: 3, temperature: 0 }))
          void step;
        const { n_threads, threads_note } = model.info;
        await model.dispose();
        return { n_threads, threads_note };
      };
      try {
        const { n_threads, threads_note } = await plain.page.run(ask, {});
        assert.equal(n_threads, 1);
        assert.match(threads_note, /not cross-origin isolated/);
      } finally {
        await plain.close();
      }
      const waiting = await page.run(ask, { worker: false });
      assert.equal(waiting.n_threads, 1);
      assert.match(waiting.threads_note, /may not wait/);
    });

    for (const scenario of Object.keys(scenarios)) {
      test(`${scenario}`, () =>
        page.run(async (scenario) => {
          const { loadModel } = await import('/index.js');
          const { scenarios } = await import('/sessions.mjs');
          await scenarios[scenario](loadModel, {});
        }, scenario));
    }

    test('random trees end with the bits of fresh runs', () =>
      page.run(async () => {
        const { loadModel } = await import('/index.js');
        const { trees } = await import('/sessions.mjs');
        await trees(loadModel, 'storybook', { worker: false, n_ctx: 96, n_kv: 192 }, 10, 8);
      }, undefined));

    test('completions, structured output and what they refuse', async () => {
      const text = await page.run(async () => {
        const { loadModel } = await import('/index.js');
        const { completions } = await import('/completions.mjs');
        return completions(loadModel);
      }, undefined);
      assert.ok(text.length > 20);
    });

    test('a conversation by the template of the file', async () => {
      const template =
        '{% for m in messages %}{{ m.role }}: {{ m.content }} {% endfor %}assistant:';
      const text = await page.run(
        async (base64) => {
          const { loadModel } = await import('/index.js');
          const { chat } = await import('/completions.mjs');
          return chat(
            loadModel,
            Uint8Array.from(atob(base64), (character) => character.charCodeAt(0)),
          );
        },
        Buffer.from(chatModel(template)).toString('base64'),
      );
      assert.equal(text, 'user: the an assistant:');
    });

    test('decisions have the bits that they have in Node', async () => {
      const bytes = chatFile();
      const params = {
        state: 'I was charged twice.',
        questions: {
          refund: { type: 'noul', instructions: 'Is a refund due?' },
          team: {
            type: 'choice',
            instructions: 'Which team?',
            criteria: { pay: 'bills', ship: null },
          },
          urgency: { type: 'score', instructions: 'How urgent?', criteria: ['low', 'mid', 'high'] },
        },
      };
      const expected = await withModel(bytes, { kernels: 'simd128' }, (model) =>
        model.decide(params),
      );
      const decided = await page.run(
        async ({ base64, params }) => {
          const { loadModel } = await import('/index.js');
          const file = Uint8Array.from(atob(base64), (character) => character.charCodeAt(0));
          const model = await loadModel(file, { kernels: 'simd128' });
          const decided = await model.decide(params);
          await model.dispose();
          return JSON.parse(JSON.stringify(decided));
        },
        { base64: Buffer.from(bytes).toString('base64'), params },
      );
      assert.deepEqual(decided, JSON.parse(JSON.stringify(expected)));
    });

    test('a File, a stream and a missing address', async () => {
      const result = await page.run(async () => {
        const { loadModel } = await import('/index.js');
        const bytes = await (await fetch('/storybook-q8_0.gguf')).arrayBuffer();
        const fingerprints = [];
        for (const source of [
          new File([bytes], 'model.gguf'),
          new Blob([bytes]).stream(),
          await fetch('/storybook-q8_0.gguf'),
          bytes,
        ]) {
          const model = await loadModel(source);
          fingerprints.push(model.info.fingerprint);
          await model.dispose();
        }
        const missing = await loadModel('/no.gguf').catch((error) => error.code);
        const cut = await loadModel(new Blob([bytes.slice(0, 1e6)])).catch((error) => error.code);
        return { fingerprints, missing, cut };
      });
      assert.equal(new Set(result.fingerprints).size, 1);
      assert.equal(result.missing, 'SOURCE_NOT_FOUND');
      assert.equal(result.cut, 'GGUF_TRUNCATED');
    });
  });
}
