// The page's state without a page, with the real model in this process: quick actions happen in
// order, edits during a computation do not corrupt the text, and failures stay visible.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { effect } from '@preact/signals';
import { loadModel } from '../../dist/node.js';
import { bundle } from './page.mjs';

let Store, settings, visible, percent, linkOpener, encodeSharedState, model;

before(async () => {
  globalThis.requestAnimationFrame = (then) => setTimeout(then, 1);
  ({ Store } = await bundle('state/store'));
  ({ linkOpener } = await bundle('state/share'));
  ({ encodeSharedState } = await bundle('state/shared-state'));
  ({ settings } = await bundle('state/chain'));
  ({ visible, percent } = await bundle('format'));
  model = await loadModel('storybook', { worker: false, n_kv: 4096 }); // each store keeps a session
});
after(async () => {
  delete globalThis.requestAnimationFrame;
  await model.dispose();
});

const started = async () => {
  const store = new Store();
  await store.start(async () => model);
  await until(() => !store.queue.busy.value); // the prompt is scored after its choice is shown
  return store;
};
const ids = (store) => store.document.path.value.map(({ token }) => token);
/** Resolves as soon as a condition holds: at every change of a signal that the condition reads, so
 *  that no value in between is missed, and every few milliseconds. */
const until = (condition) =>
  new Promise((resolve) => {
    const check = () => {
      if (!condition()) return;
      clearInterval(timer);
      queueMicrotask(() => resolve(dispose()));
    };
    const timer = setInterval(check, 5);
    const dispose = effect(check);
  });
const truth = async (prompt, options) => {
  const tokens = [];
  const session = model.createSession();
  for await (const { token } of session.generate(prompt, options)) tokens.push(token);
  await session.dispose();
  return tokens;
};

test('every option of a stage has a slider whose range holds its default', async () => {
  const store = await started();
  assert.deepEqual(
    settings.map(({ name }) => name).sort(),
    Object.keys(store.sampler.chain.value.values).sort(),
  );
  for (const { name, min, max } of settings) {
    const value = store.sampler.chain.value.values[name];
    assert.ok(min <= value && value <= max, name);
  }
});

test('steps that are pressed quickly are all made, after the prompt that was typed', async () => {
  const store = await started();
  store.document.setPrompt('The wolf');
  await Promise.all([store.runner.step(), store.runner.step(), store.runner.step()]);
  assert.deepEqual(
    ids(store),
    await truth('The wolf', { seed: store.sampler.seed.value, max_tokens: 3 }),
  );
});

test('run, pause, run and pause: one run at a time, and the text is that of the seed', async () => {
  const store = await started();
  const first = store.runner.run();
  store.runner.pause();
  const second = store.runner.run();
  await until(() => store.document.path.value.length >= 5);
  store.runner.pause();
  await Promise.all([first, second]);
  const tokens = ids(store);
  assert.equal(store.runner.running.value, false);
  assert.deepEqual(
    tokens,
    await truth(store.document.prompt.value, {
      seed: store.sampler.seed.value,
      max_tokens: tokens.length,
    }),
  );
});

test('reset brings back the first choice; typing during a run ends it', async () => {
  const store = await started();
  const first = JSON.stringify(store.inspector.trace.value);
  await store.runner.step();
  await store.runner.reset();
  assert.equal(JSON.stringify(store.inspector.trace.value), first);
  const run = store.runner.run();
  await until(() => store.document.path.value.length > 0);
  store.document.setPrompt('A hen');
  await run;
  await until(() => store.document.path.value.length === 0);
  assert.equal(store.status.phase.value, 'ready');
});

test('the model is run once a token, whatever is looked at', async () => {
  const store = await started();
  const before = store.engine.decoded.value;
  for (const value of [0, 0.5, 1.5]) store.sampler.set('temperature', value);
  store.sampler.setSeed(9);
  await store.runner.step();
  assert.equal(store.engine.decoded.value, before + 1);
});

test('a full context ends the text', async () => {
  const store = await started();
  store.document.setPrompt('word '.repeat(2 * model.info.n_ctx));
  await store.runner.step();
  assert.equal(store.status.phase.value, 'failed');
  assert.match(store.status.failure.value, /context|positions/i);
  assert.equal(store.inspector.trace.value, undefined);
  store.sampler.set('temperature', 1); // must not show a choice for the old text
  await store.runner.step();
  assert.equal(store.inspector.trace.value, undefined);
  let words = 'a'.repeat(8);
  while ((await model.tokenize(words)).length < model.info.n_ctx) words += ' a';
  store.document.setPrompt(words);
  await store.runner.step();
  assert.equal(store.status.phase.value, 'full');
  assert.deepEqual(ids(store), []);
});

test('after a text that has ended, a new prompt can be stepped at once', async () => {
  const store = await started();
  store.document.setPrompt('word '.repeat(2 * model.info.n_ctx));
  await store.runner.step();
  store.document.setPrompt('A hen');
  assert.equal(store.status.phase.value, 'ready');
  store.sampler.set('top_k', 1);
  await store.runner.step();
  assert.deepEqual(ids(store), await truth('A hen', { top_k: 1, max_tokens: 1 }));
  assert.equal(store.status.failure.value, '');
});

test('a model that cannot be loaded: the reason stays', async () => {
  const store = new Store();
  await store.start(() => Promise.reject(new Error('no such model')));
  store.document.setPrompt('anything');
  store.sampler.set('top_k', 1);
  await store.runner.step();
  await store.runner.run();
  await store.runner.reset();
  assert.equal(store.status.failure.value, 'no such model');
  assert.equal(store.status.phase.value, 'failed');
  assert.equal(store.runner.running.value, false);
});

test('invisible characters and half characters are shown, and small probabilities are not zero', () => {
  const bytes = (text) => new TextEncoder().encode(text);
  const show = (text) => visible(text, bytes(text));
  assert.equal(show(' a\n\tb\r'), '␣a⏎⇥b␍');
  assert.equal(show('\u200d\u202e'), '‹U+200D›‹U+202E›');
  assert.equal(visible('\ufffd', Uint8Array.of(0xe2, 0x80)), '‹E2›‹80›');
  assert.equal(show('<b>é😀'), '<b>é😀');
  assert.equal(percent(0.25), '25.0 %');
  assert.equal(percent(0), '0');
  assert.equal(percent(0.00012), '0.01 %');
  assert.equal(percent(1e-9), '1e-9');
});

test('a branch is a real run: its logits are those of a fresh session, at any earlier token and in the prompt', async () => {
  const store = await started();
  for (let i = 0; i < 5; i++) await store.runner.step();
  const before = ids(store);
  const first = store.document.promptIds.value.length;
  for (const index of [first + 2, first, 4, undefined]) {
    const prefix = store.document.tokensTo(index);
    store.inspector.select(index);
    await until(() => !store.queue.busy.value);
    const token = store.inspector.trace.value.candidates[7].token;
    await store.runner.branch(token);
    assert.deepEqual(store.document.tokensTo(), [...prefix, token]);
    const fresh = model.createSession();
    await fresh.sync(store.document.tokensTo());
    const { candidates } = await fresh.candidates({ top_n: 100 });
    assert.deepEqual(
      store.inspector.trace.value.candidates.map(({ token, logit }) => [token, logit]),
      candidates.map(({ token, logit }) => [token, logit]),
    );
    await fresh.dispose();
  }
  for (let i = 0; i < 4; i++) await store.document.undo();
  assert.deepEqual(ids(store), before);
});

test('an earlier choice is looked at and set without a run of the model after the first look', async () => {
  const store = await started();
  for (let i = 0; i < 4; i++) await store.runner.step();
  const [index, text] = [store.document.promptIds.value.length + 1, ids(store)];
  store.inspector.select(index);
  await until(() => !store.queue.busy.value);
  const { trace } = store.inspector;
  const { decoded } = store.engine;
  assert.equal(store.inspector.taken.value, text[1]);
  assert.equal(trace.value.draw.token, text[1], 'the same settings draw the same token');
  assert.equal(trace.value.position, index);
  const count = decoded.value;
  for (const value of [0, 1.5]) store.sampler.set('temperature', value);
  store.sampler.move('min_p', 0);
  store.sampler.toggle('top_k', false);
  await store.inspector.tryDraws();
  assert.equal(decoded.value, count);
  store.inspector.select(undefined);
  await store.runner.step();
  assert.equal(decoded.value, count + 1);
  assert.deepEqual(ids(store).slice(0, 4), text);
});

test('replay makes the same text again, chosen tokens and changed settings included', async () => {
  const store = await started();
  for (let i = 0; i < 3; i++) await store.runner.step();
  await store.runner.branch(store.inspector.trace.value.candidates[20].token);
  store.sampler.set('temperature', 1.4);
  for (let i = 0; i < 3; i++) await store.runner.step();
  const text = ids(store);
  await store.runner.replay();
  assert.deepEqual(store.runner.replayed.value, { n: 7, differs: undefined });
  assert.deepEqual(ids(store), text);
  assert.equal(store.document.tree.value.tips.length, 1, 'no new path');
});

test('a text of a form: what the grammar forbids is never drawn', async () => {
  const store = await started();
  const schema = {
    type: 'object',
    properties: { n: { type: 'integer', maximum: 99, minimum: 0 } },
    required: ['n'],
    additionalProperties: false,
  };
  await store.setOutputFormat({ kind: 'schema', schema: JSON.stringify(schema) });
  assert.equal(store.sampler.constraint.problem.value, '');
  assert.equal(store.inspector.trace.value.stages[0].name, 'grammar');
  assert.ok(store.inspector.trace.value.stages[0].removed > 3000);
  await store.runner.run();
  const written = store.document.display.value.generated
    .filter(({ bytes }) => bytes.length)
    .map(({ text }) => text)
    .join('');
  assert.ok(Number.isInteger(JSON.parse(written).n), written);
  await store.setOutputFormat({ kind: 'schema', schema: '{"type": 7' });
  assert.match(store.sampler.constraint.problem.value, /cannot be used/);
  assert.equal(
    store.sampler.constraint.format.value.schema,
    JSON.stringify(schema),
    'the old format stays',
  );
  await store.setOutputFormat(undefined);
  assert.ok(store.inspector.trace.value.stages.every(({ name }) => name !== 'grammar'));
});

/** A shared state of two tokens after a prompt, as a link contains it. */
const sharedState = async (prompt, change = {}) => {
  const path = await truth(prompt, { seed: 7, max_tokens: 2 });
  const { fingerprint, name } = model.info;
  const { chain } = new Store().sampler;
  const shared = {
    model: fingerprint,
    name,
    prompt,
    chain: chain.value,
    seed: 7,
    path,
    chosen: [],
  };
  return { ...shared, ...change };
};

test('a link that is opened before the model is loaded gives the first choice; no other text is decoded', async () => {
  const shared = await sharedState('The wolf ran');
  const n_tokens = (await model.tokenize(shared.prompt)).length + shared.path.length;
  const before = (await model.stats()).decoded_tokens;
  const store = new Store();
  const choices = [];
  await store.open(shared, 'link');
  assert.equal(store.document.prompt.value, shared.prompt);
  const stop = store.inspector.trace.subscribe((trace) => {
    if (trace) choices.push(trace.position);
  });
  await store.start(async () => model);
  await until(() => !store.queue.busy.value);
  stop();
  assert.deepEqual(ids(store), shared.path);
  assert.deepEqual(choices, [n_tokens]);
  assert.equal(store.document.canUndo.value, false, 'there is no text before it');
  assert.equal((await model.stats()).decoded_tokens - before, 2 * n_tokens, 'scored and decoded');
  await store.runner.replay();
  assert.deepEqual(store.runner.replayed.value, { n: 2, differs: undefined });
});

test('a link that comes while a model is being loaded is opened with the new model', async () => {
  const store = await started();
  const { dispose } = model;
  // the page disposes of its old model, which is also the new model in this test
  model.dispose = async () => {};
  let finish;
  const start = store.start(() => new Promise((resolve) => (finish = () => resolve(model))));
  await until(() => finish);
  const shared = await sharedState('The wolf ran', { model: 'f'.repeat(64), name: 'wolf' });
  const open = store.open(shared, 'link');
  finish();
  await Promise.all([start, open]);
  model.dispose = dispose;
  assert.match(store.status.notice.value, /another model, wolf/);
  assert.equal(store.document.prompt.value, 'The wolf ran');
  assert.deepEqual(ids(store), []);
});

test('the last of two links wins, however long each takes to read', async () => {
  const store = await started();
  const openLink = linkOpener(store);
  const hash = async (prompt, change) =>
    `#${await encodeSharedState(await sharedState(prompt, change))}`;
  const slow = await hash('a '.repeat(100), { path: Array.from({ length: 20_000 }, () => 5) });
  const fast = await hash('The wolf');
  await Promise.all([openLink(slow), openLink(fast)]);
  await until(() => !store.queue.busy.value);
  assert.equal(store.document.prompt.value, 'The wolf');
  assert.equal(ids(store).length, 2);
});

test('an edit during queued steps: no token of the old text gets into the new text', async () => {
  const store = await started();
  const { document, runner, sampler } = store;
  const seed = sampler.seed.value;
  const settle = () => until(() => !store.queue.busy.value);
  // undo while two steps wait
  await runner.step();
  void runner.step();
  void runner.step();
  await document.undo();
  await settle();
  const options = { seed, max_tokens: 4 };
  for (let i = ids(store).length; i < 4; i++) await runner.step();
  assert.deepEqual(ids(store), await truth(document.prompt.value, options));
  // another prompt while a step waits
  void runner.step();
  void runner.step();
  document.setPrompt('A hen');
  await settle();
  assert.deepEqual(ids(store), []);
  await runner.step();
  assert.deepEqual(ids(store), await truth('A hen', { seed, max_tokens: 1 }));
  // another prompt while a candidate is being taken
  const branch = runner.branch(store.inspector.trace.value.candidates[3].token);
  document.setPrompt('The wolf');
  await branch;
  await settle();
  assert.equal(document.prompt.value, 'The wolf');
  assert.deepEqual(ids(store), []);
});

test('an edit ends a replay, and the page does not report a difference', async () => {
  const store = await started();
  for (let i = 0; i < 6; i++) await store.runner.step();
  const replay = store.runner.replay();
  await until(() => ids(store).length === 2);
  store.document.setPrompt('A hen');
  await replay;
  await until(() => !store.queue.busy.value);
  assert.equal(store.runner.replayed.value, undefined);
  assert.equal(store.document.prompt.value, 'A hen');
  assert.deepEqual(ids(store), []);
});

test('a burst of typing is one step of the history', async () => {
  const store = await started();
  for (const text of ['A', 'A h', 'A hen']) store.document.setPrompt(text);
  await until(() => !store.queue.busy.value);
  store.document.setPrompt('A hen ran');
  await store.document.undo();
  assert.equal(store.document.prompt.value, 'A hen');
  await store.document.undo();
  assert.equal(store.document.canUndo.value, false);
});
