// Cautious Next Token Prediction: the published numbers of trials, and the method on the built-in
// model.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { moduleOf } from '../support/module.mjs';

const { entropyOf, perplexityOf, trialCount } = await moduleOf('methods/cntp.ts');
const DEFAULTS = { h_min: 0.01, h_max: 1.5, n_min: 1, n_max: 10 };

test('the number of trials is that of the paper and of its code', () => {
  // entropy in nats, trials by the paper's listing, trials by its code
  for (const [entropy, paper, code] of [
    [0, 1, 1],
    [0.15, 1, 1],
    [0.175, 1, 1],
    [0.176, 1, 2],
    [0.3, 1, 2],
    [0.307, 1, 2],
    [0.309, 2, 2],
    [0.5, 3, 3],
    [0.75, 4, 5],
    [1, 6, 6],
    [1.25, 8, 8],
    [1.4, 9, 9],
    [1.5, 10, 10],
    [7, 10, 10],
  ]) {
    assert.equal(trialCount(entropy, { ...DEFAULTS, formula: 'paper' }), paper, `paper ${entropy}`);
    assert.equal(trialCount(entropy, { ...DEFAULTS, formula: 'code' }), code, `code ${entropy}`);
  }
  for (const formula of ['code', 'paper']) {
    assert.equal(trialCount(0, { ...DEFAULTS, formula, n_min: 3 }), 3);
    assert.equal(trialCount(9, { ...DEFAULTS, formula, n_max: 1 }), 1);
    assert.equal(trialCount(9, { ...DEFAULTS, formula, h_max: 1e6 }), 1);
  }
});

test('entropy and perplexity', () => {
  assert.ok(Math.abs(entropyOf(Array(8).fill(1 / 8)) - Math.log(8)) < 1e-8);
  assert.ok(Math.abs(entropyOf([1, 0])) < 1e-9);
  assert.ok(Math.abs(perplexityOf([Math.log(0.5), Math.log(0.125)]) - 4) < 1e-12);
});
