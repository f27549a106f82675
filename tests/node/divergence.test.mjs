// The divergence of two sessions against sums over all candidates.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadModel } from '../../dist/node.js';
import { writeGguf } from '../support/gguf-writer.mjs';
import { withModel } from '../support/support.mjs';
import { tinyLlama } from '../support/tiny-llama.mjs';

const LIMIT = 1e-12;
const near = (a, b, what) =>
  assert.ok(
    a === b || Math.abs(a - b) <= LIMIT * Math.max(1, Math.abs(b)),
    `${what}: ${a}, not ${b}`,
  );

async function sessionOf(model, text, seed = 1) {
  const session = model.createSession({ seed });
  await session.sync(text);
  return session;
}

/** Both numbers from the candidates of the two sessions. */
async function expected(a, b, optionsA, optionsB, n_vocab) {
  const list = async (session, options) => {
    const { candidates } = await session.candidates({ ...options, top_n: n_vocab });
    return candidates.toSorted((x, y) => x.token - y.token);
  };
  const [left, right] = [await list(a, optionsA), await list(b, optionsB)];
  const sum = (key) =>
    left.reduce(
      (total, one, id) =>
        one[key] > 0 ? total + one[key] * (Math.log(one[key]) - Math.log(right[id][key])) : total,
      0,
    );
  return { model: sum('p'), final: sum('p_final') };
}

async function check(a, b, optionsA, optionsB, n_vocab) {
  const truth = await expected(a, b, optionsA, optionsB, n_vocab);
  const found = await a.divergence(b, { a: optionsA, b: optionsB });
  assert.deepEqual(Object.keys(found), ['model', 'final']);
  near(found.model, Math.max(0, truth.model), 'model');
  near(found.final, Math.max(0, truth.final), 'final');
  return found;
}

const OPTIONS = [
  {},
  { temperature: 2, top_k: 0, top_p: 1, min_p: 0 },
  { temperature: 0.7, top_k: 0, top_p: 1, min_p: 0 },
  { temperature: 0 },
  { typical_p: 0.5, samplers: ['typ_p'] },
  { xtc_probability: 0.5, seed: 4, sample_index: 3 },
  { penalty_repeat: 1.5, banned_tokens: [300] },
];

for (const worker of [false, true])
  test(`two sessions of one model ${worker ? 'in a worker' : 'in this thread'}`, () =>
    withModel('storybook', { worker }, async (model) => {
      const { n_vocab } = model.info;
      const a = await sessionOf(model, 'Once upon a time there was a little girl who');
      const b = await sessionOf(model, 'Once upon a time there was an old king who', 7);
      let infinite = 0;
      for (const [i, optionsA] of OPTIONS.entries())
        for (const optionsB of [OPTIONS[i], OPTIONS[(i + 1) % OPTIONS.length]]) {
          const { final } = await check(a, b, optionsA, optionsB, n_vocab);
          infinite += final === Infinity;
          await check(a, a, optionsA, optionsB, n_vocab);
        }
      assert.ok(infinite > 2 && infinite < 12, `${infinite} are infinite`);
      assert.deepEqual(await a.divergence(a), { model: 0, final: 0 });
      const fork = await a.fork();
      assert.deepEqual(await a.divergence(fork), { model: 0, final: 0 });
      await fork.append(300);
      assert.ok((await a.divergence(fork)).model > 0, 'pending tokens are run');
      assert.equal(a.tokens.length + 1, fork.tokens.length);
    }));

test('grammars of the two sides', () =>
  withModel('storybook', { worker: false }, async (model) => {
    const a = await sessionOf(model, 'The answer is');
    const grammar = await model.createGrammar({ type: 'ebnf', grammar: 'root ::= "yes" | "no"' });
    const cut = { grammar, samplers: ['grammar'] };
    const { final } = await check(a, a, cut, { samplers: [] }, model.info.n_vocab);
    assert.ok(final > 0 && final < Infinity);
    assert.equal((await a.divergence(a, { a: { samplers: [] }, b: cut })).final, Infinity);
  }));

for (const workers of [
  [false, false],
  [true, false],
  [false, true],
  [true, true],
])
  test(`two models, in workers: ${workers.join(', ')}`, async () => {
    const models = await Promise.all(
      workers.map((worker, i) => {
        const { metadata, tensors } = tinyLlama({ n_vocab: 900, seed: 3 + i });
        return loadModel(writeGguf({ metadata, tensors }), { worker });
      }),
    );
    const [a, b] = await Promise.all(models.map((model) => sessionOf(model, [1, 270, 300])));
    for (const options of OPTIONS) {
      await check(a, b, options, options, 900);
      await check(b, a, options, {}, 900);
    }
    assert.ok((await a.divergence(b)).model > 0.001);
    await models[1].dispose();
    await assert.rejects(a.divergence(b), { code: 'DISPOSED' });
    await models[0].dispose();
  });

test('wrong arguments are refused by name', () =>
  withModel('storybook', { worker: false }, async (model) => {
    const session = await sessionOf(model, 'Once');
    const refused = (other, options, error) =>
      assert.rejects(session.divergence(other, options), error);
    for (const other of [undefined, null, {}, model, new Proxy(session, {})])
      await refused(other, {}, { code: 'INVALID_ARGUMENT' });
    await refused(session, { a: { top_n: 5 } }, /divergence \(a\) has no option "top_n"/);
    await refused(session, { top_k: 5 }, { code: 'INVALID_ARGUMENT' });
    await refused(session, { b: { top_k: -1 } }, { code: 'SAMPLER_BAD_OPTION' });
    await refused(model.createSession(), {}, { code: 'SESSION_EMPTY' });
    const { metadata, tensors } = tinyLlama({ n_vocab: 600 });
    await withModel(writeGguf({ metadata, tensors }), { worker: false }, async (small) => {
      const other = await sessionOf(small, [1]);
      await refused(other, {}, { code: 'INVALID_ARGUMENT', message: /3072 and 600 tokens/ });
    });
    const disposed = await sessionOf(model, 'Once');
    await disposed.dispose();
    await refused(disposed, {}, { code: 'DISPOSED' });
  }));
