// The page's state without a page, on the real model in this process: what was wished for in haste happens in order, and failures stay visible.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { loadModel } from '../../dist/node.js';
import { bundle } from './page.mjs';

let Instrument, settings, visible, percent, model;

before(async () => {
  globalThis.requestAnimationFrame = (then) => setTimeout(then, 1);
  ({ Instrument } = await bundle('state/instrument'));
  ({ settings } = await bundle('state/chain'));
  ({ visible, percent } = await bundle('format'));
  model = await loadModel('storybook', { worker: false, n_kv: 4096 }); // each instrument here keeps a session
});
after(async () => {
  delete globalThis.requestAnimationFrame;
  await model.dispose();
});

const started = async () => {
  const instrument = new Instrument();
  await instrument.start(async () => model);
  await until(() => !instrument.busy.value); // the prompt's own tokens are scored after its choice is there
  return instrument;
};
const ids = (instrument) => instrument.path.value.map(({ token }) => token);
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
  const instrument = await started();
  assert.deepEqual(
    settings.map(({ name }) => name).sort(),
    Object.keys(instrument.chain.value.values).sort(),
  );
  for (const { name, min, max } of settings) {
    const value = instrument.chain.value.values[name];
    assert.ok(min <= value && value <= max, name);
  }
});

test('steps pressed in haste are all made, of the prompt as it was typed', async () => {
  const instrument = await started();
  instrument.setPrompt('The wolf');
  await Promise.all([instrument.step(), instrument.step(), instrument.step()]);
  assert.deepEqual(
    ids(instrument),
    await truth('The wolf', { seed: instrument.seed.value, max_tokens: 3 }),
  );
});

test('run, pause, run and pause: one run at a time, and the text is that of the seed', async () => {
  const instrument = await started();
  const first = instrument.run();
  instrument.pause();
  const second = instrument.run();
  await until(() => instrument.path.value.length >= 5);
  instrument.pause();
  await Promise.all([first, second]);
  const made = ids(instrument);
  assert.equal(instrument.running.value, false);
  assert.deepEqual(
    made,
    await truth(instrument.prompt.value, { seed: instrument.seed.value, max_tokens: made.length }),
  );
});

test('reset brings back the first choice; typing during a run ends it', async () => {
  const instrument = await started();
  const first = JSON.stringify(instrument.trace.value);
  await instrument.step();
  await instrument.reset();
  assert.equal(JSON.stringify(instrument.trace.value), first);
  const run = instrument.run();
  await until(() => instrument.path.value.length > 0);
  instrument.setPrompt('A hen');
  await run;
  await until(() => instrument.path.value.length === 0);
  assert.equal(instrument.phase.value, 'ready');
});

test('the model is run once a token, whatever is looked at', async () => {
  const instrument = await started();
  const before = instrument.decoded.value;
  for (const value of [0, 0.5, 1.5]) instrument.set('temperature', value);
  instrument.setSeed(9);
  await instrument.step();
  assert.equal(instrument.decoded.value, before + 1);
});

test('a full context ends the text', async () => {
  const instrument = await started();
  instrument.setPrompt('word '.repeat(2 * model.info.n_ctx));
  await instrument.step();
  assert.equal(instrument.phase.value, 'failed');
  assert.match(instrument.failure.value, /context|positions/i);
  assert.equal(instrument.trace.value, undefined);
  instrument.set('temperature', 1); // shows nothing of the text before
  await instrument.step();
  assert.equal(instrument.trace.value, undefined);
  let words = 'a'.repeat(8);
  while ((await model.tokenize(words)).length < model.info.n_ctx) words += ' a';
  instrument.setPrompt(words);
  await instrument.step();
  assert.equal(instrument.phase.value, 'full');
  assert.deepEqual(ids(instrument), []);
});

test('after a text that has ended, a new prompt can be stepped at once', async () => {
  const instrument = await started();
  instrument.setPrompt('word '.repeat(2 * model.info.n_ctx));
  await instrument.step();
  instrument.setPrompt('A hen');
  assert.equal(instrument.phase.value, 'ready');
  instrument.set('top_k', 1);
  await instrument.step();
  assert.deepEqual(ids(instrument), await truth('A hen', { top_k: 1, max_tokens: 1 }));
  assert.equal(instrument.failure.value, '');
});

test('a model that cannot be loaded: the reason stays', async () => {
  const instrument = new Instrument();
  await instrument.start(() => Promise.reject(new Error('no such model')));
  instrument.setPrompt('anything');
  instrument.set('top_k', 1);
  await instrument.step();
  await instrument.run();
  await instrument.reset();
  assert.equal(instrument.failure.value, 'no such model');
  assert.equal(instrument.phase.value, 'failed');
  assert.equal(instrument.running.value, false);
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
  const instrument = await started();
  for (let i = 0; i < 5; i++) await instrument.step();
  const before = ids(instrument);
  const first = instrument.promptIds.value.length;
  for (const index of [first + 2, first, 4, undefined]) {
    const prefix = instrument.tokensTo(index);
    instrument.select(index);
    await until(() => !instrument.busy.value);
    const token = instrument.trace.value.candidates[7].token;
    await instrument.branch(token);
    assert.deepEqual(instrument.tokensTo(), [...prefix, token]);
    const fresh = model.createSession();
    await fresh.sync(instrument.tokensTo());
    const { candidates } = await fresh.candidates({ top_n: 100 });
    assert.deepEqual(
      instrument.trace.value.candidates.map(({ token, logit }) => [token, logit]),
      candidates.map(({ token, logit }) => [token, logit]),
    );
    await fresh.dispose();
  }
  for (let i = 0; i < 4; i++) await instrument.undo();
  assert.deepEqual(ids(instrument), before);
});

test('an earlier choice is looked at and set without a run of the model after the first look', async () => {
  const instrument = await started();
  for (let i = 0; i < 4; i++) await instrument.step();
  const [index, text] = [instrument.promptIds.value.length + 1, ids(instrument)];
  instrument.select(index);
  await until(() => !instrument.busy.value);
  const { decoded, trace } = instrument;
  assert.equal(instrument.taken.value, text[1]);
  assert.equal(trace.value.draw.token, text[1], 'the same settings draw the same token');
  assert.equal(trace.value.position, index);
  const count = decoded.value;
  for (const value of [0, 1.5]) instrument.set('temperature', value);
  instrument.move('min_p', 0);
  instrument.toggle('top_k', false);
  await instrument.tryDraws();
  assert.equal(decoded.value, count);
  instrument.select(undefined);
  await instrument.step();
  assert.equal(decoded.value, count + 1);
  assert.deepEqual(ids(instrument).slice(0, 4), text);
});

test('replay makes the same text again, chosen tokens and changed settings included', async () => {
  const instrument = await started();
  for (let i = 0; i < 3; i++) await instrument.step();
  await instrument.branch(instrument.trace.value.candidates[20].token);
  instrument.set('temperature', 1.4);
  for (let i = 0; i < 3; i++) await instrument.step();
  const text = ids(instrument);
  await instrument.replay();
  assert.deepEqual(instrument.replayed.value, { n: 7, differs: undefined });
  assert.deepEqual(ids(instrument), text);
  assert.equal(instrument.tree.value.tips.length, 1, 'no new path');
});

test('a text of a form: what the grammar forbids is never drawn', async () => {
  const instrument = await started();
  const schema = {
    type: 'object',
    properties: { n: { type: 'integer', maximum: 99, minimum: 0 } },
    required: ['n'],
    additionalProperties: false,
  };
  await instrument.setForm({ kind: 'schema', schema: JSON.stringify(schema) });
  assert.equal(instrument.forced.problem.value, '');
  assert.equal(instrument.trace.value.stages[0].name, 'grammar');
  assert.ok(instrument.trace.value.stages[0].removed > 3000);
  await instrument.run();
  const written = instrument.shown.value.made
    .filter(({ bytes }) => bytes.length)
    .map(({ text }) => text)
    .join('');
  assert.ok(Number.isInteger(JSON.parse(written).n), written);
  await instrument.setForm({ kind: 'schema', schema: '{"type": 7' });
  assert.match(instrument.forced.problem.value, /cannot be used/);
  assert.equal(instrument.forced.form.value.schema, JSON.stringify(schema), 'the one before stays');
  await instrument.setForm(undefined);
  assert.ok(instrument.trace.value.stages.every(({ name }) => name !== 'grammar'));
});
