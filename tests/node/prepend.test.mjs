// Token Prepending and the tokens of a vector, on small random models and by plain code.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { loadModel } from '../../dist/node.js';
import { embedPrepended, prependSettings, tokensOfVector } from '../../dist/node-methods.js';
import { referenceRun } from '../peers/reference.mjs';
import { tinyModel } from '../support/architectures.mjs';
import { writeGguf } from '../support/gguf-writer.mjs';
import { moduleOf } from '../support/module.mjs';

const { normalVector, preparedSentence } = await moduleOf('methods/prepend.ts');
const bytes = writeGguf(tinyModel('llama', { type: 'F32', layers: 5 }));
const OPTIONS = { worker: false, n_ctx: 256, cache_type_k: 'f32', cache_type_v: 'f32' };
let model;
before(async () => void (model = await loadModel(bytes, OPTIONS)));
after(() => model.dispose());

const range = (n) => Array.from({ length: n }, (_, i) => i);
const near = (ours, truth) =>
  truth.forEach((x, i) => assert.ok(Math.abs(ours[i] - x) < 2e-4, `${i}: ${ours[i]}, not ${x}`));
const settings = { start: 1, exit: 4, output: 4 };

test('sentences are prepared as in the paper', () => {
  assert.equal(preparedSentence('A cat sat'), 'A cat sat.');
  assert.equal(preparedSentence('A cat sat.'), 'A cat sat.');
  assert.equal(preparedSentence('Did it?'), 'Did it.');
  assert.equal(preparedSentence('He said "yes"'), "He said 'yes'");
  assert.equal(preparedSentence(''), '');
});

test('the placeholder has a standard normal vector that the seed decides', () => {
  const vector = normalVector(20000, 1);
  const mean = vector.reduce((a, b) => a + b) / vector.length;
  const variance = vector.reduce((a, x) => a + (x - mean) ** 2, 0) / vector.length;
  assert.ok(Math.abs(mean) < 0.03 && Math.abs(variance - 1) < 0.05);
  const beyond = vector.filter((x) => Math.abs(x) > 1.96).length / vector.length;
  assert.ok(Math.abs(beyond - 0.05) < 0.01);
  assert.deepEqual(normalVector(7, 3), normalVector(9, 3).subarray(0, 7));
  assert.notDeepEqual(normalVector(7, 3), normalVector(7, 4));
});

test('settings are published for five models, and in range for all', () => {
  const llama = { architecture: 'llama', n_layer: 32, n_vocab: 32000 };
  assert.deepEqual(prependSettings(llama), { start: 1, exit: 7, output: 27, published: true });
  const llama3 = { ...llama, n_vocab: 128256 };
  assert.deepEqual(prependSettings(llama3), { start: 1, exit: 3, output: -2, published: true });
  for (let n_layer = 1; n_layer <= 80; n_layer++) {
    const { start, exit, output, published } = prependSettings({ ...llama, n_layer, n_vocab: 9 });
    assert.ok(!published && 0 <= start && start < exit && exit <= n_layer && output < n_layer);
  }
});

test('the embedding is that of a float64 pass in which the last token writes to the placeholder', async () => {
  const result = await embedPrepended(model, 'a cat', { ...settings, normalize: false });
  const { tokens, placeholder } = result;
  const last = tokens.length - 1;
  const vector = Float64Array.from(normalVector(model.info.n_embd, 1));
  const truth = referenceRun(bytes, tokens, 256, {
    residuals(boundary, xs) {
      if (boundary === 0) xs[placeholder] = vector.slice();
      if (boundary >= 1 && boundary < 4) xs[placeholder] = xs[last].slice();
    },
  });
  near(result.vector, truth.residuals[4][last]);
  assert.deepEqual(result.settings, settings);
  const scaled = await embedPrepended(model, 'a cat', settings);
  const length = Math.hypot(...result.vector);
  near(
    scaled.vector,
    Array.from(result.vector, (x) => x / length),
  );
});

test('the copies are there at every boundary, and without copies it is the plain prompt', async () => {
  const { tokens, placeholder, vector } = await embedPrepended(model, 'a cat', {
    ...{ start: 2, exit: 2, output: -2, normalize: false },
  });
  const last = tokens.length - 1;
  const edits = [
    {
      type: 'residual',
      layer: 0,
      position: placeholder,
      values: normalVector(model.info.n_embd, 1),
    },
  ];
  const plain = await model.observe(tokens, {
    edits,
    residuals: { layers: [4], positions: [last] },
  });
  assert.deepEqual(vector, plain.residuals.values);
  edits.push({ type: 'copy_residual', layers: [1, 2, 3], from: last, to: placeholder });
  const seen = await model.observe(tokens, {
    edits,
    residuals: { layers: [1, 2, 3], positions: [placeholder, last] },
  });
  const n = model.info.n_embd;
  for (const i of range(3)) {
    const rows = seen.residuals.values.subarray(2 * i * n, 2 * (i + 1) * n);
    assert.deepEqual(rows.subarray(0, n), rows.subarray(n));
  }
});

test('wrong options are refused by name', async () => {
  const refused = (options, message, code = 'INVALID_ARGUMENT', text = 'a') =>
    assert.rejects(embedPrepended(model, text, options), { code, message });
  await refused({ start: 3, exit: 2 }, /exit is 2/);
  await refused({ template: '{text} {placeholder}' }, /the template must name/);
  await refused({ template: '{placeholder}' }, /the template must name/);
  await refused({ output: -1 }, /after the last norm/, 'OPTION_UNSUPPORTED');
  await refused({ output: 9 }, /output is 9/);
  await refused({}, /at most 127/, 'OPTION_UNSUPPORTED', 'a cat '.repeat(60));
});

test('the tokens of a vector are the best rows of the output matrix', async () => {
  const { n_vocab, n_embd } = model.info;
  const rows = await model.outputRows(range(n_vocab));
  const score = (vector, token) =>
    vector.reduce((sum, x, d) => sum + x * rows[token * n_embd + d], 0);
  for (const pooling of ['last', 'mean']) {
    const vector = await model.embed('a cat', { pooling, normalize: false });
    const found = await tokensOfVector(model, 'a cat', { pooling, top_n: 7 });
    assert.deepEqual(found, await tokensOfVector(model, vector, { top_n: 7 }));
    const order = range(n_vocab).sort((a, b) => score(vector, b) - score(vector, a) || a - b);
    assert.deepEqual(
      found.map(({ token }) => token),
      order.slice(0, 7),
    );
    for (const { token, text, score: ours } of found) {
      assert.equal(text, await model.tokenText(token));
      assert.ok(Math.abs(ours - score(vector, token)) < 1e-3);
    }
  }
  // of the last token they are the most probable next tokens
  const best = await tokensOfVector(model, 'a cat', { top_n: 1 });
  const session = model.createSession();
  await session.sync(await model.tokenize('a cat'));
  const logits = await session.logits();
  assert.equal(best[0].token, logits.indexOf(Math.max(...logits)));
  await assert.rejects(tokensOfVector(model, new Float32Array(3)), { code: 'INVALID_ARGUMENT' });
});
