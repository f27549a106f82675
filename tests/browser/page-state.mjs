// The page's state without a page, for tests: with the real model in this process.
import { effect } from '@preact/signals';
import { loadModel } from '../../dist/node.js';
import { bundle } from './page.mjs';

/** Resolves as soon as a condition holds: at every change of a signal that the condition reads, so
 *  that no value in between is missed, and every few milliseconds. */
export const until = (condition) =>
  new Promise((resolve) => {
    const check = () => {
      if (!condition()) return;
      clearInterval(timer);
      queueMicrotask(() => resolve(dispose()));
    };
    const timer = setInterval(check, 5);
    const dispose = effect(check);
  });
/** The model, and functions that make, operate and read the page's state. close() ends them. */
export async function pageState() {
  globalThis.requestAnimationFrame = (then) => setTimeout(then, 1);
  const { Store } = await bundle('state/store');
  const model = await loadModel('storybook', { worker: false, n_kv: 4096 }); // a session each store
  const settle = (store) => until(() => !store.queue.busy.value);
  /** The page with a text. */
  const started = async (text) => {
    const store = new Store();
    await store.start(async () => model);
    if (text !== undefined) await write(store, text);
    return store;
  };
  /** Types a text and waits until the page shows its tokens. */
  const write = async (store, text) => {
    store.document.setText(text);
    await settle(store);
  };
  /** The tokens after the last typed one. */
  const output = ({ document }) => document.tokensTo().slice(document.typedLength.value);
  const tokens = (store) => store.document.tokensTo();
  /** The tokens that the package generates. */
  const truth = async (prompt, options) => {
    const generated = [];
    const session = model.createSession();
    for await (const { token } of session.generate(prompt, options)) generated.push(token);
    await session.dispose();
    return generated;
  };
  /** The rows of the choice that a fresh session has after these tokens. */
  const freshRows = async (ids, options = {}) => {
    const session = model.createSession();
    await session.sync(ids);
    const { rows } = await session.stageTable({ max_rows: 15, ...options });
    await session.dispose();
    return rows.map(({ token, logit, p_final }) => [token, logit, p_final]);
  };
  const shownRows = (store) =>
    store.inspector.table.value.rows.map(({ token, logit, p_final }) => [token, logit, p_final]);
  /** The options of the page for the sampler. */
  const optionsOf = ({ sampler }) => sampler.options();
  const close = async () => {
    delete globalThis.requestAnimationFrame;
    await model.dispose();
  };
  return {
    ...{ Store, model, close, started, write, settle, output, tokens },
    ...{ truth, freshRows, shownRows, optionsOf },
  };
}
