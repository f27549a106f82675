// Links and models in the page's state, without a page and with the real model: a link that is
// opened before, while and after a model is loaded.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { bundle } from './page.mjs';
import { pageState, until } from './page-state.mjs';

let linkOpener, encodeSharedState, state, model, Store;
let started, settle, output, truth, freshRows;

before(async () => {
  ({ linkOpener } = await bundle('state/share'));
  ({ encodeSharedState } = await bundle('state/shared-state'));
  state = await pageState();
  ({ model, Store, started, settle, output, truth, freshRows } = state);
});
after(() => state?.close());

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

test('a link that is opened before the model is loaded gives the first choice; each token is run once', async () => {
  const shared = await sharedState('The wolf ran');
  const n_tokens = (await model.tokenize(shared.prompt)).length + shared.path.length;
  const before = (await model.stats()).decoded_tokens;
  const store = new Store();
  const choices = [];
  const texts = new Set();
  await store.open(shared, 'link');
  assert.equal(store.document.text.value, shared.prompt);
  const stops = [
    store.inspector.table.subscribe((table) => table && choices.push(table.position)),
    store.document.text.subscribe((text) => texts.add(text)),
  ];
  await store.start(async () => model);
  await settle(store);
  for (const stop of stops) stop();
  assert.deepEqual(output(store), shared.path);
  assert.deepEqual(choices, [n_tokens]);
  assert.deepEqual([...texts], [shared.prompt, store.document.text.value]);
  assert.ok(store.document.text.value.startsWith(shared.prompt));
  assert.equal(store.document.canUndo.value, false, 'there is no text before it');
  assert.equal((await model.stats()).decoded_tokens - before, n_tokens);
  await store.runner.check();
  assert.deepEqual(store.runner.checked.value, { n: 2, differs: undefined });
});

test('a token of a link that was not drawn is given again by a check, not drawn', async () => {
  const shared = await sharedState('The wolf ran');
  const [drawn, other] = (await freshRows(await model.tokenize('The wolf ran')))
    .map(([token]) => token)
    .filter((token) => token !== shared.path[0]);
  const store = new Store();
  await store.open({ ...shared, path: [drawn, other], chosen: [0, 1] }, 'link');
  await store.start(async () => model);
  await settle(store);
  await store.runner.check();
  assert.deepEqual(store.runner.checked.value, { n: 2, differs: undefined });
  assert.deepEqual(output(store), [drawn, other]);
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
  assert.equal(store.document.text.value, 'The wolf ran');
  assert.deepEqual(output(store), []);
});

test('another model keeps the typed text', async () => {
  const store = await started('The wolf ran');
  await store.runner.step();
  const { dispose } = model;
  model.dispose = async () => {};
  await store.start(async () => model);
  model.dispose = dispose;
  assert.equal(store.document.text.value, 'The wolf ran');
  assert.equal(store.document.canUndo.value, false);
});

test('the last of two links wins, however long each takes to read', async () => {
  const store = await started();
  const openLink = linkOpener(store);
  const hash = async (prompt, change) =>
    `#${await encodeSharedState(await sharedState(prompt, change))}`;
  const slow = await hash('a '.repeat(100), { path: Array.from({ length: 20_000 }, () => 5) });
  const fast = await hash('The wolf');
  await Promise.all([openLink(slow), openLink(fast)]);
  await settle(store);
  assert.match(store.document.text.value, /^The wolf/);
  assert.equal(output(store).length, 2);
});
