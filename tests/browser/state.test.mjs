// The page's state without a page, with the real model in this process: quick actions happen in
// order, edits during a computation do not corrupt the text, nothing is lost, and failures stay
// visible.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { bundle } from './page.mjs';
import { pageState, until } from './page-state.mjs';

let settings, visible, percent, state, model, Store;
let started, write, settle, output, tokens, truth, freshRows, shownRows, optionsOf;

before(async () => {
  ({ settings } = await bundle('state/chain'));
  ({ visible, percent } = await bundle('format'));
  state = await pageState();
  ({ model, Store, started, write, settle, output, tokens } = state);
  ({ truth, freshRows, shownRows, optionsOf } = state);
});
after(() => state?.close());

/** Each branch as its text. */
const branches = (store) =>
  store.document.tree.value.tips.map((tip) => {
    const texts = [];
    for (let node = tip; node; node = node.parent)
      texts.unshift(new TextDecoder().decode(node.bytes));
    return texts.join('').trimStart();
  });

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

test('steps that are pressed quickly are all made, after the text that was typed', async () => {
  const store = await started();
  store.document.setText('The wolf');
  await Promise.all([store.runner.step(), store.runner.step(), store.runner.step()]);
  assert.deepEqual(
    output(store),
    await truth('The wolf', { seed: store.sampler.seed.value, max_tokens: 3 }),
  );
});

test('run, pause, run and pause: one run at a time, and the text is that of the seed', async () => {
  const store = await started('The wolf');
  const first = store.runner.run();
  store.runner.pause();
  const second = store.runner.run();
  await until(() => output(store).length >= 5);
  store.runner.pause();
  await Promise.all([first, second]);
  const drawn = output(store);
  assert.equal(store.runner.running.value, false);
  assert.ok(store.runner.rate.value > 0);
  assert.deepEqual(
    drawn,
    await truth('The wolf', { seed: store.sampler.seed.value, max_tokens: drawn.length }),
  );
  assert.deepEqual(shownRows(store), await freshRows(tokens(store), optionsOf(store)));
});

test('start again brings back the first choice; typing during a run ends it', async () => {
  const store = await started();
  const first = JSON.stringify(store.inspector.table.value);
  await store.runner.step();
  await store.runner.restart();
  assert.equal(JSON.stringify(store.inspector.table.value), first);
  const run = store.runner.run();
  await until(() => output(store).length > 0);
  store.document.setText('A hen');
  await run;
  await settle(store);
  assert.equal(store.document.text.value, 'A hen');
  assert.deepEqual(output(store), []);
  assert.equal(store.status.phase.value, 'ready');
});

test('the model is run once a token: a typed text, its scores, its choice, and whatever is looked at', async () => {
  const before = (await model.stats()).decoded_tokens;
  const store = await started();
  const decoded = () => store.engine.decoded.value - before;
  let n = tokens(store).length;
  assert.equal(decoded(), n);
  const scores = await model.score(tokens(store));
  assert.deepEqual(
    store.document.tokens.value.map(({ token, logprob, rank, entropy }) => [token, logprob, rank, entropy]),
    scores.map(({ token, logprob, rank, entropy }) => [token, logprob, rank, entropy]),
  ); // prettier-ignore
  const scored = n;
  store.document.setText(`${store.document.text.value} had a cat`);
  await settle(store);
  n = tokens(store).length;
  for (const value of [0, 0.5, 1.5]) store.sampler.set('temperature', value);
  store.sampler.setSeed(9);
  await store.runner.step();
  assert.equal(decoded() - scored, n + 1, 'only the new tokens');
});

test('typing loses nothing: each text stays a branch; a text that is only typed on makes no branch', async () => {
  const store = await started('The wolf ran');
  for (let i = 0; i < 3; i++) await store.runner.step();
  const first = tokens(store);
  const whole = store.document.text.value;
  await write(store, 'The wolf slept');
  assert.equal(store.document.text.value, 'The wolf slept');
  assert.deepEqual(output(store), []);
  await write(store, 'The wolf slept we');
  await write(store, 'The wolf slept well');
  const texts = branches(store);
  assert.ok(texts.includes(whole) && texts.includes('The wolf slept well'), texts.join(' | '));
  assert.ok(!texts.some((text) => /slept( we)?$/.test(text)), texts.join(' | '));
  // one step back to each text, and the first again with all its tokens
  for (let i = 0; i < 3; i++) await store.document.undo();
  assert.deepEqual(tokens(store), first);
  await store.document.redo();
  assert.equal(store.document.text.value, 'The wolf slept');
});

test('an edit keeps the tokens before it, and its choice is that of a fresh session', async () => {
  const store = await started('Once upon a time');
  const texts = await model.tokenTexts();
  for (const piece of [' the', 're', ' was', ' a']) await store.runner.branch(texts.indexOf(piece));
  for (let i = 0; i < 6; i++) await store.runner.step();
  const before = tokens(store);
  const { text } = store.document;
  assert.match(text.value, /^Once upon a time there was a/);
  assert.notDeepEqual(await model.tokenize(text.value), before, 'the tokenizer cuts otherwise');
  const { start } = store.document.tokens.value[11];
  await write(store, `${text.value.slice(0, start)} zebra${text.value.slice(start)}`);
  assert.deepEqual(tokens(store).slice(0, 11), before.slice(0, 11));
  assert.match(text.value, / zebra/);
  assert.deepEqual(shownRows(store), await freshRows(tokens(store), optionsOf(store)));
  await store.document.undo();
  assert.deepEqual(tokens(store), before);
});

test('another token inside the typed text is a branch, and the old text stays', async () => {
  const store = await started('The old man had a hen and');
  await store.runner.step();
  const first = tokens(store);
  store.inspector.select(3);
  await settle(store);
  const { token } = store.inspector.table.value.rows.find(({ token }) => token !== first[3]);
  await store.runner.branch(token);
  assert.deepEqual(tokens(store), [...first.slice(0, 3), token]);
  const old = store.document.tree.value.tips.find(
    (tip) => tip.depth === first.length && tip.token === first.at(-1),
  );
  await store.document.goTo(old);
  assert.deepEqual(tokens(store), first);
});

test('a token that is drawn is output, although the same text was typed once', async () => {
  const store = await started('The wolf ran');
  const first = tokens(store);
  await write(store, 'The wolf');
  await store.runner.branch(first.at(-1));
  assert.deepEqual(tokens(store), first);
  assert.deepEqual(output(store), first.slice(-1), 'the user took a candidate');
  await store.document.undo();
  store.inspector.select(undefined);
  store.sampler.set('top_k', 1);
  const [next] = await truth('The wolf', { top_k: 1, max_tokens: 1 });
  await write(store, `The wolf${(await model.tokenTexts())[next]}`);
  await write(store, 'The wolf');
  assert.deepEqual(output(store), []);
  await store.runner.step();
  assert.deepEqual(output(store), [next]);
  assert.equal(store.document.tokens.value.at(-1).how, 'drawn');
  await store.runner.check();
  assert.deepEqual(store.runner.checked.value, { n: 1, differs: undefined });
  await store.runner.restart();
  assert.equal(store.document.text.value, 'The wolf');
});

test('undo keeps the branches: another token after undo, and the first one is still there', async () => {
  const store = await started('The wolf');
  await store.runner.step();
  await store.runner.step();
  const first = tokens(store);
  await store.document.undo();
  await store.document.undo();
  assert.equal(store.document.text.value, 'The wolf');
  const tips = () => store.document.tree.value.tips.map(({ token, depth }) => [token, depth]);
  assert.deepEqual(tips().at(-1), [first.at(-1), first.length], 'one branch for both tokens');
  const other = store.inspector.table.value.rows.find(({ token }) => token !== first.at(-2));
  await store.runner.branch(other.token);
  const branch = store.document.tree.value.tips.find(({ depth }) => depth === first.length);
  await store.document.goTo(branch);
  assert.deepEqual(tokens(store), first);
});

test('undo covers the settings, and does not run the model for them', async () => {
  const store = await started('The wolf');
  await store.runner.step();
  const text = tokens(store);
  const rows = shownRows(store);
  store.sampler.set('temperature', 1.2);
  store.sampler.set('temperature', 1.4);
  store.sampler.set('top_k', 3);
  store.sampler.add('xtc');
  assert.deepEqual(
    [store.sampler.chain.value.values.xtc_probability, store.sampler.options().samplers.at(-1)],
    [0.5, 'temperature'],
  );
  await settle(store);
  const { decoded } = store.engine;
  const count = decoded.value;
  await store.document.undo(); // the stage
  assert.ok(!store.sampler.options().samplers.includes('xtc'));
  await store.document.undo(); // top_k
  assert.equal(store.sampler.chain.value.values.top_k, 40);
  assert.equal(store.sampler.chain.value.values.temperature, 1.4);
  await store.document.undo(); // both moves of one slider
  await settle(store);
  assert.deepEqual(shownRows(store), rows);
  assert.deepEqual(tokens(store), text);
  assert.equal(decoded.value, count);
  await store.document.undo(); // the token
  assert.deepEqual(tokens(store), text.slice(0, -1));
  for (let i = 0; i < 4; i++) await store.document.redo();
  assert.ok(store.sampler.options().samplers.includes('xtc'));
});

test('a text that is longer than the context is scored in windows, and goes on', async () => {
  const { n_ctx } = model.info;
  const words = 'The little bird sang to the old tree. '.repeat(Math.ceil(n_ctx / 3));
  const store = await started(words);
  const ids = tokens(store);
  assert.ok(ids.length > 2 * n_ctx);
  assert.equal(store.status.phase.value, 'ready');
  assert.equal(store.document.text.value, words);
  assert.ok(store.document.tokens.value.slice(1).every(({ logprob }) => logprob <= 0));
  const { windows } = store.engine;
  // each window is a text of its own
  for (const index of [n_ctx - 1, n_ctx, n_ctx + n_ctx / 2, ids.length - 1]) {
    const seen = windows.at(ids, index).ids;
    const [score] = (await model.score([...seen, ids[index]])).slice(-1);
    assert.equal(store.document.tokens.value[index].logprob, score.logprob, index);
  }
  const end = windows.at(ids, ids.length);
  const options = { ...optionsOf(store), sample_index: end.number };
  assert.deepEqual(shownRows(store), await freshRows(end.ids, options));
  await store.runner.step();
  assert.deepEqual(output(store), await truth(end.ids, { ...options, max_tokens: 1 }));
  // a choice in the middle
  store.inspector.select(n_ctx + 3);
  await settle(store);
  const middle = windows.at(ids, n_ctx + 3);
  assert.deepEqual(
    shownRows(store).slice(0, 5),
    (await freshRows(middle.ids, { ...options, sample_index: middle.number })).slice(0, 5),
  );
});

test('a full context stops the run; a sliding window goes on, and the check finds the same text', async () => {
  const { n_ctx } = model.info;
  let words = 'a'.repeat(8);
  while ((await model.tokenize(words)).length < n_ctx - 5) words += ' a';
  const store = await started(words);
  store.sampler.set('temperature', 2); // ends no text soon
  await store.runner.run();
  assert.ok(['full', 'ended'].includes(store.status.phase.value));
  assert.equal(store.status.phase.value, 'full');
  assert.equal(tokens(store).length, n_ctx);
  await store.runner.step();
  assert.equal(tokens(store).length, n_ctx, 'a step does nothing');
  const run = store.runner.slide();
  await until(() => tokens(store).length > n_ctx + n_ctx / 2 + 8 || !store.runner.running.value);
  store.runner.pause();
  await run;
  const text = tokens(store);
  assert.ok(text.length > n_ctx, `${text.length}`);
  const window = store.engine.windows.at(text, text.length - 1);
  const options = { ...optionsOf(store), sample_index: window.number };
  assert.deepEqual(await truth(window.ids, { ...options, max_tokens: 1 }), text.slice(-1));
  await store.runner.check();
  assert.equal(store.runner.checked.value.differs, undefined);
  assert.deepEqual(tokens(store), text);
  await store.runner.restart();
  assert.deepEqual(output(store), []);
});

test('an empty text: a model without BOS waits for the first word', async () => {
  const store = await started('');
  assert.equal(store.status.phase.value, 'ready'); // this model begins a text with BOS
  assert.equal(store.inspector.table.value.position, 1);
  const { tokenOffsets } = model;
  model.tokenOffsets = async (text, options) =>
    (await tokenOffsets.call(model, text, options)).filter(({ end }) => end > 0);
  try {
    await write(store, 'A');
    await write(store, '');
    assert.equal(store.status.phase.value, 'empty');
    assert.equal(store.inspector.table.value, undefined);
    store.sampler.set('top_k', 3);
    await store.runner.step();
    assert.equal(store.status.failure.value, '');
    await write(store, 'A hen');
    assert.equal(store.status.phase.value, 'ready');
    await store.runner.step();
    assert.equal(output(store).length, 1);
  } finally {
    model.tokenOffsets = tokenOffsets;
  }
});

test('a model that cannot be loaded: the reason stays', async () => {
  const store = new Store();
  await store.start(() => Promise.reject(new Error('no such model')));
  store.document.setText('anything');
  store.sampler.set('top_k', 1);
  await store.runner.step();
  await store.runner.run();
  await store.runner.restart();
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

test('a branch is a real run: its logits are those of a fresh session, at any token', async () => {
  const store = await started('Once upon a time there was a');
  for (let i = 0; i < 5; i++) await store.runner.step();
  const before = tokens(store);
  const first = store.document.typedLength.value;
  for (const index of [first + 2, first, 4, undefined]) {
    const prefix = store.document.tokensTo(index);
    store.inspector.select(index);
    await settle(store);
    const { token } = store.inspector.table.value.rows[7];
    await store.runner.branch(token);
    assert.deepEqual(tokens(store), [...prefix, token]);
    assert.deepEqual(shownRows(store), await freshRows(tokens(store), optionsOf(store)));
  }
  for (let i = 0; i < 4; i++) await store.document.undo();
  assert.deepEqual(tokens(store), before);
});

test('an earlier choice is looked at and set without a run of the model after the first look', async () => {
  const store = await started('Once upon a time');
  for (let i = 0; i < 4; i++) await store.runner.step();
  const [index, text] = [store.document.typedLength.value + 1, output(store)];
  store.inspector.select(index);
  await settle(store);
  const { table } = store.inspector;
  const { decoded } = store.engine;
  assert.equal(store.inspector.taken.value, text[1]);
  assert.equal(table.value.draw.token, text[1], 'the same settings draw the same token');
  assert.equal(table.value.position, index);
  const count = decoded.value;
  for (const value of [0, 1.5]) store.sampler.set('temperature', value);
  store.sampler.move('min_p', 0);
  store.sampler.remove('top_k');
  await store.inspector.tryDraws();
  assert.equal(decoded.value, count);
  assert.ok(
    table.value.rows.some(({ token }) => token === text[1]),
    'the text’s token has a row',
  );
  store.inspector.select(undefined);
  await store.runner.step();
  assert.equal(decoded.value, count + 1);
  assert.deepEqual(output(store).slice(0, 4), text);
});

test('the search finds tokens, which stay rows of the table while settings change', async () => {
  const store = await started();
  store.inspector.search('queen');
  await settle(store);
  const { found, table } = store.inspector;
  assert.ok(found.value.length > 0);
  const rowOf = (token) => table.value.rows.find((row) => row.token === token);
  for (const token of found.value) assert.match(rowOf(token).text, /queen/i);
  store.sampler.set('temperature', 1.5);
  await settle(store);
  assert.ok(found.value.every(rowOf));
  store.inspector.search('');
  await settle(store);
  assert.equal(found.value, undefined);
  assert.ok(table.value.rows.length <= 16);
});

test('the check makes the same text again, chosen tokens and changed settings included', async () => {
  const store = await started('Once upon a time');
  for (let i = 0; i < 3; i++) await store.runner.step();
  await store.runner.branch(store.inspector.table.value.rows[12].token);
  store.sampler.set('temperature', 1.4);
  for (let i = 0; i < 3; i++) await store.runner.step();
  const text = tokens(store);
  const n_branches = store.document.tree.value.tips.length;
  await store.runner.check();
  assert.deepEqual(store.runner.checked.value, { n: 7, differs: undefined });
  assert.deepEqual(tokens(store), text);
  assert.equal(store.document.tree.value.tips.length, n_branches, 'no new branch');
});

test('a text of a format: what the grammar forbids is never drawn', async () => {
  const store = await started();
  const schema = {
    type: 'object',
    properties: { n: { type: 'integer', maximum: 99, minimum: 0 } },
    required: ['n'],
    additionalProperties: false,
  };
  await store.setOutputFormat({ kind: 'schema', schema: JSON.stringify(schema) });
  assert.equal(store.sampler.constraint.problem.value, '');
  assert.equal(store.inspector.table.value.stages[0].name, 'grammar');
  assert.ok(store.inspector.table.value.stages[0].removed > 3000);
  await store.runner.run();
  const written = store.document.tokens.value
    .slice(store.document.typedLength.value)
    .map(({ text }) => text)
    .join('');
  assert.ok(Number.isInteger(JSON.parse(written).n), written);
  await store.setOutputFormat({ kind: 'schema', schema: '{"type": 7' });
  assert.match(store.sampler.constraint.problem.value.text, /not JSON/);
  assert.equal(
    store.sampler.constraint.format.value.schema,
    JSON.stringify(schema),
    'the old format stays',
  );
  await store.setOutputFormat(undefined);
  assert.ok(store.inspector.table.value.stages.every(({ name }) => name !== 'grammar'));
});

test('an edit during queued steps: no token of the old text gets into the new text', async () => {
  const store = await started('The wolf');
  const { document, runner, sampler } = store;
  const seed = sampler.seed.value;
  // undo while two steps wait
  await runner.step();
  void runner.step();
  void runner.step();
  await document.undo();
  await settle(store);
  const options = { seed, max_tokens: 4 };
  for (let i = output(store).length; i < 4; i++) await runner.step();
  assert.deepEqual(output(store), await truth('The wolf', options));
  // another text while a step waits
  void runner.step();
  void runner.step();
  document.setText('A hen');
  await settle(store);
  assert.deepEqual(output(store), []);
  await runner.step();
  assert.deepEqual(output(store), await truth('A hen', { seed, max_tokens: 1 }));
  // another text while a candidate is being taken
  const branch = runner.branch(store.inspector.table.value.rows[3].token);
  document.setText('The wolf');
  await branch;
  await settle(store);
  assert.equal(document.text.value, 'The wolf');
  assert.deepEqual(output(store), []);
});

test('an edit while a long text is being run: the newest text wins', async () => {
  const store = await started('A hen');
  store.document.setText('The little bird sang. '.repeat(400));
  store.document.flush();
  await until(() => store.document.tokens.value.length > 128);
  store.document.setText('The wolf');
  await settle(store);
  assert.equal(store.document.text.value, 'The wolf');
  assert.deepEqual(tokens(store), await model.tokenize('The wolf'));
  assert.deepEqual(shownRows(store), await freshRows(tokens(store), optionsOf(store)));
  assert.equal(store.status.failure.value, '');
});

test('an edit ends a check, and the page does not report a difference', async () => {
  const store = await started('The wolf');
  for (let i = 0; i < 6; i++) await store.runner.step();
  const check = store.runner.check();
  await until(() => store.runner.running.value);
  store.document.setText('A hen');
  await check;
  await settle(store);
  assert.equal(store.runner.checked.value, undefined);
  assert.equal(store.document.text.value, 'A hen');
  assert.deepEqual(output(store), []);
});

test('a burst of typing is one step of the history', async () => {
  const store = await started();
  const first = store.document.text.value;
  for (const text of ['A', 'A h', 'A hen']) store.document.setText(text);
  await settle(store);
  store.document.setText('A hen ran');
  await store.document.undo();
  assert.equal(store.document.text.value, 'A hen');
  await store.document.undo();
  assert.equal(store.document.text.value, first);
  assert.equal(store.document.canUndo.value, false);
});
