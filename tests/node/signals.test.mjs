// Signals and generators: what is no signal is refused before anything starts, an abort gives its
// reason, no listener stays, and a generation that is left early frees its session.
import assert from 'node:assert/strict';
import { getEventListeners } from 'node:events';
import { test } from 'node:test';
import { loadModel } from '../../dist/node.js';
import { HOSTILE, settled } from '../support/hostile.mjs';
import { collect, freshLogits, tokensOf, withModel } from '../support/support.mjs';

const PROMPT = 'Once upon a time there was';
const GREEDY = { temperature: 0, trace: false };

/** A signal of another library: an event target with a boolean. */
class OtherSignal {
  aborted = false;
  reason;
  listeners = new Set();
  addEventListener(type, listener) {
    this.listeners.add(listener);
  }
  removeEventListener(type, listener) {
    this.listeners.delete(listener);
  }
  abort(reason) {
    this.aborted = true;
    this.reason = reason;
    for (const listener of this.listeners) listener({ type: 'abort', target: this });
  }
}

const throws = () => {
  throw new Error('listen');
};

/** By name: what is no signal. */
const WRONG = {
  ...HOSTILE,
  'only aborted': () => ({ aborted: false }),
  'only addEventListener': () => ({ addEventListener: () => undefined }),
  'aborted is a text': () => ({ aborted: 'no', addEventListener: () => undefined }),
  'addEventListener throws': () => ({ aborted: false, addEventListener: throws }),
  'aborted throws': () => Object.defineProperty(new OtherSignal(), 'aborted', { get: throws }),
  'a controller': () => new AbortController(),
};
delete WRONG['an abort signal'];

/** Every call with a signal, on a session that has tokens. */
const CALLS = {
  sync: ({ session }, signal) => session.sync('Another text', { signal }),
  'score of a session': ({ session }, signal) => session.score([300, 301], { signal }),
  logits: ({ session }, signal) => session.logits({ signal }),
  candidates: ({ session }, signal) => session.candidates({ signal }),
  stageTable: ({ session }, signal) => session.stageTable({ signal }),
  findTokens: ({ session }, signal) => session.findTokens('the', { signal }),
  divergence: ({ session }, signal) => session.divergence(session, { signal }),
  explain: ({ session }, signal) => session.explain(300, { signal }),
  save: ({ session }, signal) => session.save({ signal }),
  generate: ({ session }, signal) =>
    collect(session.generate('Another text', { signal, max_tokens: 2 })),
  score: ({ model }, signal) => model.score(PROMPT, { signal }),
  embed: ({ model }, signal) => model.embed(PROMPT, { signal }),
  loadSession: ({ model, saved }, signal) => model.loadSession(saved, { signal }),
  createCompletion: ({ model }, signal) =>
    model.createCompletion({ prompt: PROMPT, max_tokens: 2, signal }),
  stream: async ({ model }, signal) =>
    collect(await model.createCompletion({ prompt: PROMPT, max_tokens: 2, stream: true, signal })),
};

for (const worker of [true, false]) {
  const where = worker ? 'in a worker' : "in the caller's thread";
  const built = (use, options = {}) =>
    withModel('storybook', { worker, ...options }, async (model) => {
      const session = model.createSession({ seed: 1 });
      await session.sync(PROMPT);
      await use({ model, session, saved: await session.save() });
    });

  test(`what is no signal is refused before anything starts ${where}`, () =>
    built(async (given) => {
      const { model, session } = given;
      const { decoded_tokens } = await model.stats();
      const tokens = [...session.tokens];
      for (const [what, value] of Object.entries(WRONG)) {
        for (const [name, call] of Object.entries(CALLS)) {
          const { error } = await settled(`${name} with ${what}`, () => call(given, value()));
          assert.equal(error?.code, 'INVALID_ARGUMENT', `${name} with ${what}: ${error}`);
          assert.match(error.message, /signal/, `${name} with ${what}`);
        }
        const { error } = await settled(what, () =>
          loadModel('storybook', { worker, signal: value() }),
        );
        assert.equal(error?.code, 'INVALID_ARGUMENT', `loadModel with ${what}`);
      }
      assert.deepEqual(session.tokens, tokens);
      assert.equal((await model.stats()).decoded_tokens, decoded_tokens);
      await session.rewind(3); // not SESSION_BUSY
      assert.equal((await model.score(PROMPT)).length, tokens.length, 'the model is not stuck');
      assert.equal((await model.embed(PROMPT)).length, model.info.n_embd);
    }));

  test(`an abort gives its reason, whatever that is ${where}`, () =>
    built(async (given) => {
      const reasons = [new Error('mine'), new TypeError('mine'), 'a text', 0, null, { my: 'own' }];
      for (const reason of reasons) {
        for (const [name, call] of Object.entries(CALLS)) {
          const outcome = await settled(name, () => call(given, AbortSignal.abort(reason)));
          assert.ok('error' in outcome && outcome.error === reason, `${name}, ${String(reason)}`);
        }
        const loading = settled('loadModel', () =>
          loadModel('storybook', { worker, signal: AbortSignal.abort(reason) }),
        );
        assert.equal((await loading).error, reason);
      }
      const { error } = await settled('', () => CALLS.score(given, AbortSignal.abort()));
      assert.equal(error.name, 'AbortError');
    }));

  test(`an abort in the middle gives its reason and leaves all usable ${where}`, () =>
    built(
      async (given) => {
        const { model } = given;
        const ids = Array.from({ length: 3500 }, (_, i) => 300 + (i % 500));
        const calls = {
          logits: (session, signal) => session.logits({ signal }),
          candidates: (session, signal) => session.candidates({ signal }),
          stageTable: (session, signal) => session.stageTable({ signal }),
          findTokens: (session, signal) => session.findTokens('the', { signal }),
          divergence: (session, signal) => session.divergence(session, { signal }),
          explain: (session, signal) => session.explain(300, { signal }),
          generate: (session, signal) => collect(session.generate(undefined, { signal })),
          score: (session, signal) => model.score(ids, { signal }),
          'score of a session': (session, signal) => session.score([300, 301], { signal }),
          embed: (session, signal) => model.embed(ids, { signal }),
          stream: async (session, signal) =>
            collect(await model.createCompletion({ prompt: ids, stream: true, signal })),
        };
        for (const [name, call] of Object.entries(calls)) {
          const session = model.createSession();
          await session.sync(ids);
          const reason = new Error(name);
          const controller = new AbortController();
          setTimeout(() => controller.abort(reason), 5);
          const { error } = await settled(name, () => call(session, controller.signal));
          assert.equal(error, reason, name);
          await session.rewind(20);
          assert.deepEqual(await session.logits(), await freshLogits(model, session.tokens), name);
          await session.dispose();
        }
        const session = model.createSession();
        await session.sync(ids);
        const timeout = AbortSignal.timeout(5);
        await assert.rejects(session.logits({ signal: timeout }), { name: 'TimeoutError' });
        const controller = new AbortController();
        const any = AbortSignal.any([controller.signal, new AbortController().signal]);
        setTimeout(() => controller.abort(), 5);
        await assert.rejects(session.logits({ signal: any }), { name: 'AbortError' });
      },
      { n_ctx: 4000, n_kv: 8000 },
    ));

  test(`no listener stays on a signal ${where}`, () =>
    built(async (given) => {
      const { signal } = new AbortController();
      const other = new OtherSignal();
      for (const [name, call] of Object.entries(CALLS)) {
        await call(given, signal);
        assert.equal(getEventListeners(signal, 'abort').length, 0, name);
        await call(given, other);
        assert.equal(other.listeners.size, 0, name);
      }
      const model = await loadModel('storybook', { worker, signal });
      assert.equal(getEventListeners(signal, 'abort').length, 0, 'loadModel');
      await model.dispose();
      // nor after a failure, a break, a return and a generator that never starts
      const { session } = given;
      await assert.rejects(session.explain(2 ** 20, { signal }));
      await assert.rejects(session.candidates({ signal, allowed_tokens: [5], banned_tokens: [5] }));
      for await (const step of session.generate(undefined, { signal })) {
        assert.ok(step.token >= 0);
        assert.equal(getEventListeners(signal, 'abort').length, 1);
        break;
      }
      const generation = session.generate(undefined, { signal });
      await generation.next();
      await generation.return();
      await session.generate(undefined, { signal }).return();
      void session.generate(undefined, { signal });
      await assert.rejects(collect(session.generate('x', { signal, max_tokens: -1 })));
      assert.equal(getEventListeners(signal, 'abort').length, 0);
    }));

  test(`a signal of another library is heard ${where}`, () =>
    built(async (given) => {
      const { session } = given;
      for (const [name, call] of Object.entries(CALLS)) {
        const aborted = new OtherSignal();
        aborted.abort('its reason');
        const { error } = await settled(name, () => call(given, aborted));
        assert.equal(error, 'its reason', name);
      }
      const signal = new OtherSignal();
      await assert.rejects(async () => {
        for await (const step of session.generate(PROMPT, { signal }))
          if (step.position > 8) signal.abort(new Error('enough'));
      }, /enough/);
      const without = { aborted: false, addEventListener: () => undefined };
      const steps = await collect(session.generate(PROMPT, { signal: without, max_tokens: 2 }));
      assert.equal(steps.length, 2);
    }));

  test(`a generation that is left early frees the session ${where}`, () =>
    built(async ({ model, session }) => {
      const free = async (what) => {
        await settled(what, () => session.rewind(5)).then(({ error }) =>
          assert.equal(error, undefined, what),
        );
        await session.sync(PROMPT);
      };
      void session.generate(PROMPT); // never started
      await free('never started');
      assert.deepEqual(await session.generate(PROMPT).return(), { done: true, value: undefined });
      await free('return before the start');
      await assert.rejects(session.generate(PROMPT).throw(new Error('mine')), /mine/);
      await free('throw before the start');
      for (const end of ['return', 'throw']) {
        for (const started of [0, 1, 2]) {
          const generation = session.generate(PROMPT, { max_tokens: 50 });
          for (let i = 0; i < started; i++) await generation.next();
          const pending = generation.next();
          const ended = settled(end, () => generation[end](new Error('mine')));
          const { error, value } = await ended;
          if (end === 'throw') assert.match(error.message, /mine/);
          else assert.equal(value.done, true);
          await pending; // a step, or the end; no failure
          assert.equal((await generation.next()).done, true);
          await free(`${end} after ${started}`);
        }
      }
      await assert.rejects(async () => {
        for await (const step of session.generate(PROMPT)) throw new Error(`at ${step.position}`);
      }, /at/);
      await free('an exception in the loop');
      await assert.rejects(session.generate('x', { temperature: -1 }).next());
      await free('bad options');
      await assert.rejects(
        session.generate(undefined, { allowed_tokens: [5], banned_tokens: [5] }).next(),
        { code: 'NO_CANDIDATES' },
      );
      await free('a failing step');
      // concurrent next() calls give the steps in their order
      const generation = session.generate(PROMPT, { ...GREEDY, max_tokens: 4 });
      const results = await Promise.all(Array.from({ length: 6 }, () => generation.next()));
      assert.deepEqual(
        results.map(({ done }) => done),
        [false, false, false, false, true, true],
      );
      const alone = await collect(
        model.createSession().generate(PROMPT, { ...GREEDY, max_tokens: 4 }),
      );
      assert.deepEqual(tokensOf(results.slice(0, 4).map(({ value }) => value)), tokensOf(alone));
      await free('concurrent calls');
      // a sync() that was under way does not change the tokens of a generation
      const late = session.sync('Another text');
      const steps = collect(session.generate(PROMPT, { ...GREEDY, max_tokens: 4 }));
      await late.catch(({ code }) => assert.equal(code, 'SESSION_BUSY'));
      assert.deepEqual(tokensOf(await steps), tokensOf(alone));
      await free('a late sync');
    }));

  test(`a stream of chunks that is left early ends at once ${where}`, () =>
    built(
      async ({ model }) => {
        const params = { prompt: PROMPT, stream: true, max_tokens: 300 };
        const waits = { begin: () => new Promise(() => undefined) };
        const stuck = await model.createCompletion({ ...params, grammar: waits });
        const pending = stuck.next();
        const { value } = await settled('return', () => stuck.return());
        assert.equal(value.done, true);
        assert.equal((await pending).done, true);
        const chunks = await model.createCompletion(params);
        await chunks.next();
        await chunks.return();
        assert.ok((await model.stats()).decoded_tokens < 100);
        void (await model.createCompletion(params)); // never started
        assert.equal(
          (await model.createCompletion({ prompt: PROMPT, max_tokens: 1 })).choices.length,
          1,
        );
      },
      { n_ctx: 512 },
    ));
}
