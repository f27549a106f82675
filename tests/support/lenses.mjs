// Shared by the tests of lenses: the built-in model, and figures of lists.
import assert from 'node:assert/strict';
import { after, before } from 'node:test';
import { loadModel } from '../../dist/node.js';

export const near = (a, b, limit = 1e-9) => assert.ok(Math.abs(a - b) <= limit, `${a} is not ${b}`);
export const sum = (list) => list.reduce((total, x) => total + x, 0);
export const mean = (list) => sum(list) / list.length;

// Node warns of a signal that many calls listen to
const warnings = [];
process.on('warning', ({ message }) => warnings.push(message));

/** The built-in model, while the tests of a file run. */
export let model;
before(async () => void (model = await loadModel('storybook', { worker: false })));
after(async () => {
  await model.dispose();
  assert.deepEqual(warnings, []);
});

/** The log-probability of each token but the first, from a score of the whole text alone. */
export const logprobs = async (text) =>
  (await model.score(text)).slice(1).map(({ logprob }) => logprob);
