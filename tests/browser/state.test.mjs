// The page's state without a page, on the real model in this process: what was wished for in haste happens in order, and failures stay visible.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { loadModel } from '../../dist/node.js';
import { bundle } from './page.mjs';

let Store, settings, visible, percent, model;

before(async () => {
  globalThis.requestAnimationFrame = (then) => setTimeout(then, 1);
  ({ Store } = await bundle('state/store'));
  ({ settings } = await bundle('state/chain'));
  ({ visible, percent } = await bundle('format'));
  model = await loadModel('storybook', { worker: false, n_kv: 4096 }); // each store here keeps a session
});
after(async () => {
  delete globalThis.requestAnimationFrame;
  await model.dispose();
});

const started = async () => {
  const store = new Store();
  await store.start(async () => model);
  await until(() => !store.busy.value); // the prompt's own tokens are scored after its choice is there
  return store;
};
const ids = (store) => store.path.value.map(({ token }) => token);
const until = async (condition) => {
  while (!condition()) await new Promise((resolve) => setTimeout(resolve, 5));
};
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
    Object.keys(store.chain.value.values).sort(),
  );
  for (const { name, min, max } of settings) {
    const value = store.chain.value.values[name];
    assert.ok(min <= value && value <= max, name);
  }
});

test('steps pressed in haste are all made, of the prompt as it was typed', async () => {
  const store = await started();
  store.setPrompt('The wolf');
  await Promise.all([store.step(), store.step(), store.step()]);
  assert.deepEqual(ids(store), await truth('The wolf', { seed: store.seed.value, max_tokens: 3 }));
});

test('run, pause, run and pause: one run at a time, and the text is that of the seed', async () => {
  const store = await started();
  const first = store.run();
  store.pause();
  const second = store.run();
  await until(() => store.path.value.length >= 5);
  store.pause();
  await Promise.all([first, second]);
  const made = ids(store);
  assert.equal(store.running.value, false);
  assert.deepEqual(
    made,
    await truth(store.prompt.value, { seed: store.seed.value, max_tokens: made.length }),
  );
});

test('reset brings back the first choice; typing during a run ends it', async () => {
  const store = await started();
  const first = JSON.stringify(store.trace.value);
  await store.step();
  await store.reset();
  assert.equal(JSON.stringify(store.trace.value), first);
  const run = store.run();
  await until(() => store.path.value.length > 0);
  store.setPrompt('A hen');
  await run;
  await until(() => store.path.value.length === 0);
  assert.equal(store.phase.value, 'ready');
});

test('the model is run once a token, whatever is looked at', async () => {
  const store = await started();
  const before = store.decoded.value;
  for (const value of [0, 0.5, 1.5]) store.set('temperature', value);
  store.setSeed(9);
  await store.step();
  assert.equal(store.decoded.value, before + 1);
});

test('a full context ends the text', async () => {
  const store = await started();
  store.setPrompt('word '.repeat(2 * model.info.n_ctx));
  await store.step();
  assert.equal(store.phase.value, 'failed');
  assert.match(store.failure.value, /context|positions/i);
  assert.equal(store.trace.value, undefined);
  store.set('temperature', 1); // shows nothing of the text before
  await store.step();
  assert.equal(store.trace.value, undefined);
  let words = 'a'.repeat(8);
  while ((await model.tokenize(words)).length < model.info.n_ctx) words += ' a';
  store.setPrompt(words);
  await store.step();
  assert.equal(store.phase.value, 'full');
  assert.deepEqual(ids(store), []);
});

test('after a text that has ended, a new prompt can be stepped at once', async () => {
  const store = await started();
  store.setPrompt('word '.repeat(2 * model.info.n_ctx));
  await store.step();
  store.setPrompt('A hen');
  assert.equal(store.phase.value, 'ready');
  store.set('top_k', 1);
  await store.step();
  assert.deepEqual(ids(store), await truth('A hen', { top_k: 1, max_tokens: 1 }));
  assert.equal(store.failure.value, '');
});

test('a model that cannot be loaded: the reason stays', async () => {
  const store = new Store();
  await store.start(() => Promise.reject(new Error('no such model')));
  store.setPrompt('anything');
  store.set('top_k', 1);
  await store.step();
  await store.run();
  await store.reset();
  assert.equal(store.failure.value, 'no such model');
  assert.equal(store.phase.value, 'failed');
  assert.equal(store.running.value, false);
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
  for (let i = 0; i < 5; i++) await store.step();
  const before = ids(store);
  const first = store.promptIds.value.length;
  for (const index of [first + 2, first, 4, undefined]) {
    const prefix = store.tokensTo(index);
    store.select(index);
    await until(() => !store.busy.value);
    const token = store.trace.value.candidates[7].token;
    await store.branch(token);
    assert.deepEqual(store.tokensTo(), [...prefix, token]);
    const fresh = model.createSession();
    await fresh.sync(store.tokensTo());
    const { candidates } = await fresh.candidates({ top_n: 100 });
    assert.deepEqual(
      store.trace.value.candidates.map(({ token, logit }) => [token, logit]),
      candidates.map(({ token, logit }) => [token, logit]),
    );
    await fresh.dispose();
  }
  for (let i = 0; i < 4; i++) await store.undo();
  assert.deepEqual(ids(store), before);
});

test('an earlier choice is looked at and set without a run of the model after the first look', async () => {
  const store = await started();
  for (let i = 0; i < 4; i++) await store.step();
  const [index, text] = [store.promptIds.value.length + 1, ids(store)];
  store.select(index);
  await until(() => !store.busy.value);
  const { decoded, trace } = store;
  assert.equal(store.taken.value, text[1]);
  assert.equal(trace.value.draw.token, text[1], 'the same settings draw the same token');
  assert.equal(trace.value.position, index);
  const count = decoded.value;
  for (const value of [0, 1.5]) store.set('temperature', value);
  store.move('min_p', 0);
  store.toggle('top_k', false);
  await store.tryDraws();
  assert.equal(decoded.value, count);
  store.select(undefined);
  await store.step();
  assert.equal(decoded.value, count + 1);
  assert.deepEqual(ids(store).slice(0, 4), text);
});

test('replay makes the same text again, chosen tokens and changed settings included', async () => {
  const store = await started();
  for (let i = 0; i < 3; i++) await store.step();
  await store.branch(store.trace.value.candidates[20].token);
  store.set('temperature', 1.4);
  for (let i = 0; i < 3; i++) await store.step();
  const text = ids(store);
  await store.replay();
  assert.deepEqual(store.replayed.value, { n: 7, differs: undefined });
  assert.deepEqual(ids(store), text);
  assert.equal(store.tree.value.tips.length, 1, 'no new path');
});

test('a text of a form: what the grammar forbids is never drawn', async () => {
  const store = await started();
  const schema = {
    type: 'object',
    properties: { n: { type: 'integer', maximum: 99, minimum: 0 } },
    required: ['n'],
    additionalProperties: false,
  };
  await store.setForm({ kind: 'schema', schema: JSON.stringify(schema) });
  assert.equal(store.constraint.problem.value, '');
  assert.equal(store.trace.value.stages[0].name, 'grammar');
  assert.ok(store.trace.value.stages[0].removed > 3000);
  await store.run();
  const written = store.shown.value.made
    .filter(({ bytes }) => bytes.length)
    .map(({ text }) => text)
    .join('');
  assert.ok(Number.isInteger(JSON.parse(written).n), written);
  await store.setForm({ kind: 'schema', schema: '{"type": 7' });
  assert.match(store.constraint.problem.value, /cannot be used/);
  assert.equal(store.constraint.form.value.schema, JSON.stringify(schema), 'the one before stays');
  await store.setForm(undefined);
  assert.ok(store.trace.value.stages.every(({ name }) => name !== 'grammar'));
});
