// Speculation: with every setting, tokens and traces are those of the plain run.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, test } from 'node:test';
import { loadModel } from '../../dist/node.js';
import { all, collect } from '../support/support.mjs';

const N = all ? 10_000 : 300; // tokens of each setting
const PROMPTS = [
  'Tom had a red ball. Tom had a red ball. Tom had a red ball. Tom had',
  'Once upon a time',
];
const SETTINGS = ['ngram', 'recycling', 'auto', { recycling: 'paper' }];

const options = { worker: false, n_ctx: 256 };
const model = await loadModel('storybook', options);
const second = await loadModel('storybook', options);
after(() => Promise.all([model.dispose(), second.dispose()]));

const withoutDraft = ({ draft: _, ...step }) => step;

/** The steps of a generation in a new session, whose window slides. */
async function generated(prompt, given, on = model) {
  const session = on.createSession({ seed: 3 });
  const ended = { ignore_eos: true, overflow: 'shift' };
  const steps = await collect(session.generate(prompt, { ...ended, ...given }));
  const { tokens } = session;
  await session.dispose();
  return { steps, tokens };
}

function sumOf(steps, source) {
  const sum = { proposed: 0, accepted: 0 };
  for (const { draft } of steps) {
    if (!draft) continue;
    if (source) assert.equal(draft.source, source);
    sum.proposed += draft.proposed;
    sum.accepted += draft.accepted;
  }
  return sum;
}

const sourceOf = (setting) =>
  typeof setting === 'object' ? Object.keys(setting)[0] : setting.replace('auto', 'ngram');

test('tokens and traces of every setting are those of the plain run, greedy and sampled', async () => {
  const samplings = [{ temperature: 0 }, { temperature: 1, top_k: 0, top_p: 1, min_p: 0 }, {}];
  const max_tokens = Math.ceil(N / PROMPTS.length / samplings.length);
  const accepted = new Map();
  for (const prompt of PROMPTS)
    for (const sampling of samplings) {
      const request = { ...sampling, max_tokens, trace: { top_n: 5 } };
      const plain = await generated(prompt, { ...request, speculate: false });
      assert.equal(sumOf(plain.steps).proposed, 0);
      for (const speculate of [...SETTINGS, { draft: second }]) {
        const { steps, tokens } = await generated(prompt, { ...request, speculate });
        const name = typeof speculate === 'object' ? sourceOf(speculate) : speculate;
        assert.deepEqual(steps.map(withoutDraft), plain.steps.map(withoutDraft), name);
        assert.deepEqual(tokens, plain.tokens, name);
        const sum = sumOf(steps, sourceOf(speculate));
        accepted.set(name, (accepted.get(name) ?? 0) + sum.accepted);
        assert.ok(sum.accepted <= sum.proposed, name);
      }
    }
  for (const [name, n] of accepted) assert.ok(n > 0, `${name}: some tokens were accepted`);
});

test('penalties, mirostat and several sessions at once change nothing either', async () => {
  for (const given of [
    { penalty_repeat: 1.3, penalty_last_n: 64, dry_multiplier: 0.8 },
    { mirostat: 2, mirostat_tau: 3 },
    { xtc_probability: 0.5, xtc_threshold: 0.1, sample_index: 4 },
  ]) {
    const request = { ...given, max_tokens: 60, trace: { top_n: 3 } };
    const plain = await generated(PROMPTS[0], { ...request, speculate: false });
    const settings = ['ngram', 'recycling', 'auto', false];
    const together = await Promise.all(
      settings.map((speculate) => generated(PROMPTS[0], { ...request, speculate })),
    );
    for (const [i, { steps }] of together.entries())
      assert.deepEqual(steps.map(withoutDraft), plain.steps.map(withoutDraft), String(settings[i]));
  }
});

test('a second model with the same weights is always right', async () => {
  const { steps } = await generated(PROMPTS[1], {
    max_tokens: 60,
    overflow: 'error',
    speculate: { draft: second, max_tokens: 5 },
  });
  const { proposed, accepted } = sumOf(steps, 'draft');
  assert.ok(accepted >= 45, `${accepted} of ${proposed}`);
});

test('two vocabularies are compared once', async () => {
  const third = await loadModel('storybook', options);
  const { tokenTexts } = model;
  let calls = 0;
  model.tokenTexts = function () {
    calls++;
    return tokenTexts.call(this);
  };
  try {
    for (let i = 0; i < 3; i++)
      await generated('A', { max_tokens: 3, speculate: { draft: third } });
    assert.equal(calls, 2);
  } finally {
    delete model.tokenTexts;
    await third.dispose();
  }
});

test('a text that a grammar forces runs as one batch, and its steps say so', async () => {
  const schema = {
    type: 'object',
    properties: {
      a_property_with_a_long_name: { type: 'boolean' },
      another_property_with_a_long_name: { const: 'a fixed text that never changes' },
    },
    required: ['a_property_with_a_long_name', 'another_property_with_a_long_name'],
    additionalProperties: false,
  };
  const grammar = await model.createGrammar({ type: 'json_schema', schema });
  const request = { grammar, max_tokens: 150, ignore_eos: false, trace: { top_n: 3 } };
  const before = (await model.stats()).decoded_tokens;
  const plain = await generated('A', { ...request, speculate: false });
  const plainRows = (await model.stats()).decoded_tokens - before;
  for (const speculate of [undefined, 'ngram', 'auto']) {
    const { steps } = await generated('A', { ...request, ...(speculate && { speculate }) });
    assert.deepEqual(steps.map(withoutDraft), plain.steps.map(withoutDraft));
    const forced = steps.filter(({ draft }) => draft?.source === 'grammar');
    const { proposed, accepted } = sumOf(forced, 'grammar');
    assert.ok(accepted > 10, `${accepted} of ${proposed} forced tokens, of ${steps.length}`);
  }
  assert.ok(plainRows >= plain.steps.length);
});

test('a loop that ends within a draft leaves the tokens of its steps', async () => {
  const plain = await generated(PROMPTS[0], { temperature: 0, max_tokens: 40, overflow: 'error' });
  const session = model.createSession({ seed: 3 });
  const seen = [];
  const given = { temperature: 0, ignore_eos: true, speculate: 'ngram' };
  for await (const step of session.generate(PROMPTS[0], given)) {
    seen.push(withoutDraft(step));
    if (seen.length > 4 && step.draft?.accepted) break;
  }
  const n = seen.length;
  assert.deepEqual(seen, plain.steps.slice(0, n).map(withoutDraft));
  assert.equal(session.tokens.length, plain.tokens.length - 40 + n);
  // it goes on as if nothing had been proposed
  const rest = await collect(session.generate(undefined, { ...given, max_tokens: 40 - n }));
  assert.deepEqual(rest.map(withoutDraft), plain.steps.slice(n).map(withoutDraft));
  await session.dispose();
});

test('recurrent states: speculation is refused by name, and left out where nobody asked', async () => {
  const bytes = readFileSync(new URL('../golden/valid/qwen35.gguf', import.meta.url));
  const recurrent = await loadModel(new Uint8Array(bytes), { worker: false, n_ctx: 64 });
  try {
    const request = { max_tokens: 12, ignore_eos: true, trace: { top_n: 3 } };
    const prompt = [1, 2, 3, 1, 2, 3, 1, 2];
    const run = async (speculate) => {
      const session = recurrent.createSession({ seed: 3 });
      return collect(session.generate(prompt, { ...request, ...speculate }));
    };
    const plain = await run({});
    assert.deepEqual(await run({ speculate: 'auto' }), plain);
    for (const speculate of ['ngram', 'recycling'])
      await assert.rejects(run({ speculate }), (error) => {
        assert.equal(error.code, 'OPTION_UNSUPPORTED');
        return /qwen35.*recurrent/.test(error.message);
      });
  } finally {
    await recurrent.dispose();
  }
});

test('wrong settings are named', async () => {
  const bytes = readFileSync(new URL('../golden/valid/gemma2.gguf', import.meta.url));
  const other = await loadModel(new Uint8Array(bytes), { worker: false, n_ctx: 64 });
  const refused = async (given, code, message) => {
    const session = model.createSession();
    await assert.rejects(collect(session.generate('A', { max_tokens: 2, ...given })), (error) => {
      assert.equal(error.code, code, error.message);
      return message.test(error.message);
    });
    // the session is free for another generation
    await collect(session.generate('A', { max_tokens: 1 }));
  };
  await refused({ speculate: 'ngrams' }, 'INVALID_ARGUMENT', /speculate.*ngram/);
  for (const value of [7, 0, '', null, true])
    await refused({ speculate: value }, 'INVALID_ARGUMENT', RegExp(`speculate is "?${value}"?`));
  await refused({ speculate: { recycling: 'gpu' } }, 'INVALID_ARGUMENT', /speculate\.recycling/);
  for (const draft of [{}, undefined, new Proxy(second, {}), { createSession: () => ({}) }])
    await refused({ speculate: { draft } }, 'INVALID_ARGUMENT', /speculate\.draft is/);
  const many = { draft: second, max_tokens: 99 };
  await refused({ speculate: many }, 'INVALID_ARGUMENT', /speculate\.max_tokens/);
  await refused({ speculate: { draft: other } }, 'INVALID_ARGUMENT', /another vocabulary/);
  await refused({ speculate: { drafts: 1 } }, 'INVALID_ARGUMENT', /drafts/);
  const method = { name: 'cntp' };
  await refused({ speculate: 'ngram', method }, 'OPTION_UNSUPPORTED', /speculate.*method/);
  await other.dispose();
});
