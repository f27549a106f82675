// Odd surroundings in real browsers: policies that forbid WebAssembly or workers, objects of
// another realm as sources, signals and saved sessions, and a grammar that gives no bits.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { browsers, openBlank } from './browsers.mjs';

/** Runs in the page: the error of a load. */
const loadError = async (worker) => {
  const { loadModel, TokenglassError } = await import('/index.js');
  try {
    await loadModel('storybook', { worker });
    return undefined;
  } catch (error) {
    return { ours: error instanceof TokenglassError, code: error.code, message: error.message };
  }
};

/** Runs in the page: loads the built-in model from objects of another realm, and uses others. */
const otherRealm = async (worker) => {
  const { loadModel } = await import('/index.js');
  const frame = document.body.appendChild(document.createElement('iframe'));
  const other = frame.contentWindow;
  const bytes = await (await fetch('/storybook-q8_0.gguf')).arrayBuffer();
  const copy = new other.Uint8Array(bytes.byteLength);
  copy.set(new Uint8Array(bytes));
  const results = {};
  const sources = {
    blob: () => new other.Blob([bytes]),
    bytes: () => copy,
    buffer: () => copy.buffer,
    stream: () => new other.Blob([bytes]).stream(),
    response: () => new other.Response(bytes.slice()),
    url: () => new other.URL('/storybook-q8_0.gguf', location.href),
  };
  for (const [name, source] of Object.entries(sources)) {
    const model = await loadModel(source(), { worker });
    const session = model.createSession();
    const steps = [];
    for await (const { token } of session.generate('The fox', { temperature: 0, max_tokens: 3 }))
      steps.push(token);
    results[name] = steps.join();
    if (name === 'url') {
      const saved = await session.save();
      const again = await model.loadSession(new other.Blob([saved]));
      results.saved = again.tokens.length === session.tokens.length;
      const controller = new other.AbortController();
      const reason = new other.Error('mine');
      controller.abort(reason);
      const error = await session.logits({ signal: controller.signal }).catch((error) => error);
      results.reason = error === reason;
      const bits = new other.Int32Array(96);
      bits[300 >> 5] = 1 << (300 & 31);
      const grammar = { begin: () => ({ allowed: () => bits, accept() {}, ended: false }) };
      results.token = (await session.candidates({ grammar })).draw.token;
    }
    await model.dispose();
  }
  frame.remove();
  return results;
};

/** Runs in the page: hostile sources and grammars. */
const hostile = async (worker) => {
  const { loadModel } = await import('/index.js');
  const codes = {};
  const codeOf = async (name, call) => {
    codes[name] = await call().then(
      () => 'none',
      (error) => error.code ?? String(error),
    );
  };
  const locked = new Blob([new Uint8Array(8)]).stream();
  locked.getReader();
  await codeOf('locked stream', () => loadModel(locked, { worker }));
  await codeOf('bad URL', () => loadModel('http://[', { worker }));
  await codeOf('text for a grammar', async () => {
    const model = await loadModel('storybook', { worker });
    try {
      const session = model.createSession();
      await session.sync('The fox');
      const greedy = async () => {
        const steps = [];
        const fork = await session.fork();
        for await (const { token } of fork.generate(undefined, { temperature: 0, max_tokens: 5 }))
          steps.push(token);
        return steps.join();
      };
      const before = await greedy();
      const values = [new Set([300]), { length: -100 }, new Int32Array(95), [300], 'x', undefined];
      for (const [i, value] of values.entries()) {
        const grammar = { begin: () => ({ allowed: () => value, accept() {}, ended: false }) };
        await codeOf(`allowed ${i}`, () => session.generate(undefined, { grammar }).next());
      }
      await codeOf('signal', () => session.generate(undefined, { signal: {} }).next());
      await codeOf('score', () => model.score('x', { signal: {} }));
      codes.same = (await greedy()) === before;
      await model.createGrammar('root ::= "a"');
    } finally {
      await model.dispose();
    }
  });
  return codes;
};

for (const { name, needs } of browsers) {
  describe(`odd surroundings in ${name}`, needs, () => {
    let page, close;
    before(async () => ({ page, close } = await openBlank(name)));
    after(() => close?.());

    /** Calls use with a page under a Content-Security-Policy. */
    async function underPolicy(policy, use) {
      const guarded = await openBlank(name, { headers: { 'Content-Security-Policy': policy } });
      try {
        await use(guarded.page);
      } finally {
        await guarded.close();
      }
    }

    test('a policy that forbids WebAssembly is named', () =>
      underPolicy("default-src 'none'; script-src 'self'; connect-src 'self'", async (guarded) => {
        for (const worker of [true, false]) {
          const error = await guarded.run(loadError, worker);
          assert.equal(error?.ours, true, JSON.stringify(error));
          assert.equal(error.code, 'ENGINE_LOAD_FAILED', error.message);
          assert.match(error.message, /Content-Security-Policy must allow 'wasm-unsafe-eval'/);
        }
      }));

    test('a policy that forbids workers, or requests, has a code', async () => {
      const base = "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'";
      await underPolicy(`${base}; worker-src 'none'; connect-src 'self'`, async (guarded) => {
        const error = await guarded.run(loadError, true);
        assert.equal(error?.code, 'WORKER_FAILED', JSON.stringify(error));
        assert.equal(await guarded.run(loadError, false), undefined);
      });
      await underPolicy(`${base}; connect-src 'none'`, async (guarded) => {
        const error = await guarded.run(loadError, false);
        assert.match(error?.code, /^(ENGINE_LOAD_FAILED|SOURCE_FAILED)$/, JSON.stringify(error));
      });
    });

    for (const worker of [true, false]) {
      const where = worker ? 'in a worker' : "in the page's thread";

      test(`objects of another realm are what they are ${where}`, async () => {
        const { saved, reason, token, ...texts } = await page.run(otherRealm, worker);
        assert.deepEqual({ saved, reason, token }, { saved: true, reason: true, token: 300 });
        assert.equal(Object.keys(texts).length, 6);
        assert.equal(new Set(Object.values(texts)).size, 1, JSON.stringify(texts));
      });

      test(`hostile sources, grammars and signals have their codes ${where}`, async () => {
        const { same, 'bad URL': badUrl, ...codes } = await page.run(hostile, worker);
        assert.equal(same, true);
        assert.match(badUrl, /^(SOURCE_UNSUPPORTED|INVALID_ARGUMENT)$/);
        const invalid = 'INVALID_ARGUMENT';
        assert.deepEqual(codes, {
          'locked stream': 'SOURCE_UNSUPPORTED',
          ...Object.fromEntries([0, 1, 2, 3, 4, 5].map((i) => [`allowed ${i}`, invalid])),
          signal: invalid,
          score: invalid,
          'text for a grammar': invalid,
        });
      });
    }
  });
}
