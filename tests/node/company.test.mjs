// Sessions that generate at the same time while others are aborted, disposed, rewound and forked in
// between: those that stay have the tokens and traces of runs alone, and nothing hangs.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadModel } from '../../dist/node.js';
import { collect } from '../support/support.mjs';

const REPETITIVE = 'Tom had a red ball. Tom had a red ball. Tom had a red ball. Tom had';
const OWN = { max_tokens: 40, ignore_eos: true, trace: { top_n: 3 } };
const STAYING = [
  ['Once upon a time', { temperature: 0, speculate: 'recycling' }],
  [REPETITIVE, { speculate: 'ngram' }],
  ['One day a little bird could not find its nest. It asked', { mirostat: 2 }],
  ['A', { penalty_repeat: 1.3, speculate: 'auto', overflow: 'shift', max_tokens: 110 }],
];
const ROUNDS = 6; // of each disturbance

const withoutDraft = ({ draft: _, ...step }) => step;

/** The steps and tokens of a new session. between: is called with the session after each step. */
async function generated(model, [prompt, given], seed, between) {
  const session = model.createSession({ seed });
  const steps = [];
  for await (const step of session.generate(prompt, { ...OWN, ...given })) {
    steps.push(withoutDraft(step));
    await between?.(session, steps);
  }
  const { tokens } = session;
  await session.dispose();
  return { steps, tokens };
}

/** Ends of generations, each in the middle of the batches of others. */
const disturbances = {
  async abort(model, round) {
    const session = model.createSession();
    const abort = new AbortController();
    const given = { signal: abort.signal, ignore_eos: true, speculate: 'ngram' };
    const steps = collect(session.generate(REPETITIVE, given));
    setTimeout(() => abort.abort(new Error('enough')), 3 * round);
    await assert.rejects(steps, /enough/);
    await collect(session.generate('The fox', { max_tokens: 2 })); // it is free again
    await session.dispose();
  },
  async dispose(model, round) {
    const session = model.createSession();
    const steps = collect(session.generate(REPETITIVE, { ignore_eos: true, speculate: 'auto' }));
    setTimeout(() => void session.dispose(), 4 * round);
    await assert.rejects(steps, { code: 'DISPOSED' });
  },
  async rewind(model) {
    const session = model.createSession({ seed: 5 });
    const given = { ...OWN, max_tokens: 12, speculate: 'ngram' };
    const steps = await collect(session.generate(REPETITIVE, given));
    const choices = [session.candidates(), session.candidates()]; // they wait for a batch
    await session.rewind(session.tokens.length - 8);
    const again = await collect(session.generate(undefined, { ...given, max_tokens: 8 }));
    assert.deepEqual(again.map(withoutDraft), steps.slice(4).map(withoutDraft));
    await Promise.all(choices);
    await session.dispose();
  },
};

for (const worker of [true, false])
  for (const n_kv of [1024, 288])
    test(`in the company of others, worker ${worker}, ${n_kv} positions`, async () => {
      const model = await loadModel('storybook', { worker, n_ctx: 128, n_kv });
      const alone = [];
      for (const [i, staying] of STAYING.entries()) alone.push(await generated(model, staying, i));
      const forks = [];
      const forking =
        (i) =>
        async (session, { length }) => {
          if (length % 13 !== 5 || length > 30) return;
          const fork = await session.fork(); // in the middle of a generation, perhaps of a draft
          const given = { ...OWN, ...STAYING[i][1], max_tokens: 6, speculate: 'ngram' };
          const rest = collect(fork.generate(undefined, given)).then(async (steps) => {
            assert.deepEqual(steps.map(withoutDraft), alone[i].steps.slice(length, length + 6));
            await fork.dispose();
          });
          forks.push(rest);
        };
      const staying = STAYING.map((given, i) => generated(model, given, i, forking(i)));
      const disturbing = Object.values(disturbances).map(async (disturb) => {
        for (let round = 0; round < ROUNDS; round++) await disturb(model, round);
      });
      const together = await Promise.all(staying);
      await Promise.all([...disturbing, ...forks]);
      assert.deepEqual(together, alone);
      assert.ok(forks.length >= 6);
      await model.dispose();
    });

test('a cache that is too full for a session is an error of that session alone', async () => {
  const model = await loadModel('storybook', { worker: false, n_ctx: 128, n_kv: 32 });
  const [long, short] = [model.createSession(), model.createSession()];
  await long.sync(Array(100).fill(5));
  for (let turns = 0; turns < 6; turns++) {
    await short.sync([1]);
    const results = [short.logits(), long.logits()].map((logits) => logits.catch((error) => error));
    for (let i = 0; i < turns; i++) await null; // the rewind comes at one moment or another
    await short.rewind(0);
    const [ofShort, ofLong] = await Promise.all(results);
    assert.equal(ofLong.code, 'KV_FULL');
    assert.ok(ofShort.length === model.info.n_vocab || ofShort.code === 'SESSION_EMPTY', ofShort);
  }
  await model.dispose();
});
