// The list of lenses: its rows are complete, every lens loads when it is called and refuses wrong
// options by name. The lens pawn against a recomputation from logits.
import assert from 'node:assert/strict';
import { existsSync } from 'node:fs';
import { test } from 'node:test';
import { lenses } from '../../dist/node-lenses.js';
import { moduleOf } from '../support/module.mjs';
import { writeGguf } from '../support/gguf-writer.mjs';
import { freshLogits, inTree, withModel } from '../support/support.mjs';
import { tinyLlama } from '../support/tiny-llama.mjs';

const { pawnSummary, pawnToken } = await moduleOf('lenses/pawn.ts');

const built = (use) => withModel('storybook', { worker: false }, use);
const near = (a, b, limit = 1e-6) => assert.ok(Math.abs(a - b) <= limit, `${a} is not ${b}`);

test('every row names a file, a source, an example and options with defaults in range', () => {
  assert.ok(lenses.length > 0);
  assert.equal(new Set(lenses.map(({ name }) => name)).size, lenses.length);
  for (const { name, file, source, example, summary, cost, options } of lenses) {
    assert.ok(existsSync(inTree(`web/lenses/${file}`)), name);
    assert.ok(existsSync(inTree(`web/types/lenses/${file}`)), name);
    assert.ok(source.title && source.authors && source.year > 1900, name);
    assert.ok(example.join('\n').includes(`model.lens.${name}(`), name);
    assert.ok(summary.endsWith('.') && cost.endsWith('.'), name);
    assert.equal(new Set(options.map((option) => option.name)).size, options.length);
    for (const option of options) {
      assert.match(option.name, /^[a-z][a-z0-9]*(_[a-z0-9]+)*$/);
      assert.ok(option.meaning.length > 10, option.name);
      if (option.type === 'number')
        assert.ok(option.default >= option.min && option.default <= option.max, option.name);
      if (option.type === 'choice') assert.ok(option.values.includes(option.default), option.name);
    }
  }
});

test('every lens refuses options that it does not know or whose value is wrong, by name', () =>
  built(async (model) => {
    for (const { name, argument, options } of lenses) {
      const first = argument?.value.startsWith('readonly') ? [] : 'The cat';
      const call = (given) => model.lens[name](...(argument ? [first] : []), given);
      const refused = (given, message) =>
        assert.rejects(() => call(given), { code: 'INVALID_ARGUMENT', message });
      await refused({ nothing: 1 }, RegExp(`: lens\\.${name} has no option "nothing"`));
      await refused({ signal: 5 }, /signal is 5/);
      await assert.rejects(() => call({ signal: AbortSignal.abort('stop') }), /^stop$/);
      for (const option of options) {
        const wrong = { number: [option.max + 1, '1'], choice: ['none of them'], flag: [1] };
        for (const value of wrong[option.type] ?? [Symbol('wrong')])
          await refused({ [option.name]: value }, RegExp(`${option.name}`));
      }
    }
  }));

test('model.lens has the lenses of the list, and only these', () =>
  built(async (model) => {
    assert.equal(model.lens, model.lens);
    assert.equal(await model.lens, model.lens);
    await assert.rejects(() => model.lens.pawm('x'), {
      code: 'INVALID_ARGUMENT',
      message: /there is no lens "pawm"; did you mean pawn\?/,
    });
    await assert.rejects(() => model.lens.constructor('x'), { code: 'INVALID_ARGUMENT' });
    await model.dispose();
    await assert.rejects(() => model.lens.pawn('x'), { code: 'DISPOSED' });
  }));

test('pawn: the features of a distribution with equal probabilities', () => {
  // probabilities 0.5, 0.2, 0.2, 0.1; the text has the third token
  const score = { token: 2, text: 'c', logprob: Math.log(0.2), rank: 1, tied: 1, top_mass: 0.5 };
  const entropy = -(0.5 * Math.log(0.5) + 0.4 * Math.log(0.2) + 0.1 * Math.log(0.1));
  const features = pawnToken({ ...score, entropy, top: [{ logprob: Math.log(0.5) }] }, 4);
  near(features.logprob, -1.609438);
  near(features.entropy, 1.220607);
  near(features.max_logprob, -0.693147);
  assert.equal(features.rank_share, 0.5);
  near(features.top_p, 0.9);
  const first = { ...features, logprob: Math.log(0.5), rank_share: 0.25 };
  const summary = pawnSummary([features, first], 4);
  near(summary.mean_logprob, Math.log(0.1) / 2);
  near(summary.mean_log_rank, Math.log(2) / 2);
  near(summary.ratio, Math.log(10) / Math.log(2));
  near(summary.mean_entropy, 1.220607);
  near(summary.mean_surplus, 1.220607 + Math.log(0.1) / 2);
  assert.ok(Number.isNaN(pawnSummary([], 4).mean_logprob));
});

test('pawn: rows of the output matrix that are equal give equal probabilities', async () => {
  const { metadata, tensors } = tinyLlama({ n_vocab: 275 });
  const rows = tensors.find(({ name }) => name === 'token_embd.weight'); // and the output matrix
  const size = rows.bytes.length / 275;
  for (const copy of [266, 270]) rows.bytes.copyWithin(copy * size, 260 * size, 261 * size);
  await withModel(writeGguf({ metadata, tensors }), { worker: false }, async (model) => {
    const ids = [1, 260, 265, 266, 270, 271];
    const scores = await model.score(ids, { top_n: 1 });
    assert.deepEqual(
      scores.slice(1).map(({ tied }) => tied),
      [2, 0, 2, 2, 0],
    );
    const { tokens } = await model.lens.pawn(ids);
    for (const [i, { top_p, logprob }] of tokens.entries())
      near(top_p, scores[i + 1].top_mass + (scores[i + 1].tied + 1) * Math.exp(logprob));
  });
});

test('pawn: each feature equals a count over the logits', () =>
  built(async (model) => {
    const text = 'The old man opened the door and saw a bear.';
    const ids = await model.tokenize(text);
    const { tokens, summary } = await model.lens.pawn(text);
    assert.deepEqual(
      tokens.map(({ token }) => token),
      ids.slice(1),
    );
    for (const [i, features] of tokens.entries()) {
      const logits = await freshLogits(model, ids.slice(0, i + 1));
      const total = logits.reduce((sum, x) => sum + Math.exp(x), 0);
      const p = Array.from(logits, (x) => Math.exp(x) / total);
      const own = p[ids[i + 1]];
      near(features.logprob, Math.log(own), 1e-4);
      near(
        features.entropy,
        p.reduce((sum, q) => sum - q * Math.log(q), 0),
        1e-4,
      );
      near(features.max_logprob, Math.log(Math.max(...p)), 1e-4);
      assert.equal(features.rank_share, (p.filter((q) => q > own).length + 1) / p.length);
      near(
        features.top_p,
        p.filter((q) => q >= own).reduce((sum, q) => sum + q, 0),
        1e-4,
      );
    }
    const mean = (name) => tokens.reduce((sum, token) => sum + token[name], 0) / tokens.length;
    near(summary.mean_logprob, mean('logprob'), 1e-9);
    near(summary.mean_surplus, mean('logprob') + mean('entropy'), 1e-9);
    // real text is more surprising to the model than what the model writes greedily
    const session = model.createSession();
    const steps = session.generate(text, { temperature: 0, max_tokens: 24, trace: false });
    for await (const step of steps) void step;
    const written = await model.lens.pawn(session.tokens);
    assert.ok(written.summary.mean_log_rank < summary.mean_log_rank);
    assert.ok(
      written.tokens.slice(-24).every(({ rank_share }) => rank_share === 1 / model.info.n_vocab),
    );
  }));
