// The table of a choice: every column is a distribution, and the columns are those of shorter
// chains of stages.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stages } from '../../dist/node.js';
import { generator, writeGguf } from '../support/gguf-writer.mjs';
import { DEFAULT_CHAIN, withModel } from '../support/support.mjs';
import { tinyLlama } from '../support/tiny-llama.mjs';

const TEXT = 'One day the old woman went to the river. One day the old man went to the';
const LIMIT = 1e-12;
const built = (use) => withModel('storybook', { worker: false }, use);
const near = (a, b, what) => assert.ok(Math.abs(a - b) <= LIMIT, `${what}: ${a}, not ${b}`);

/** Options with which every stage changes the candidates, lists included. */
const ALL_ON = {
  logit_bias: { 300: 2, 301: -3, 302: -Infinity },
  allowed_tokens: Array.from({ length: 2500 }, (_, id) => id + 259),
  banned_tokens: [310, 311, 312],
  penalty_repeat: 1.3,
  penalty_freq: 0.1,
  dry_multiplier: 0.8,
  dry_allowed_length: 1,
  top_n_sigma: 4,
  top_k: 60,
  typical_p: 0.98,
  top_p: 0.97,
  min_p: 0.01,
  xtc_probability: 1,
  xtc_threshold: 0.05,
  temperature: 1.2,
  dynatemp_range: 0.3,
  mirostat: 2,
  mirostat_tau: 4,
};

const drawKeys = ({ draw, position, entropy }) => ({ draw, position, entropy });
/** What both a table and a trace say of a stage; removed_tokens depends on what is listed. */
const stageNumbers = ({ stages: list }) => list.map(({ removed_tokens: _, ...rest }) => rest);

/** The options for the first stages of a chain only: a list or mirostat would run unnamed. */
function prefixOf(options, samplers) {
  const prefix = { ...options, samplers };
  for (const name of ['logit_bias', 'allowed_tokens', 'banned_tokens', 'grammar', 'mirostat'])
    if (!samplers.includes(name)) delete prefix[name];
  return prefix;
}

/** Checks a table against candidates() with the same options. Returns the table. */
async function checkTable(session, { max_rows = 15, tokens = [], ...options }, n_vocab) {
  const table = await session.stageTable({ ...options, max_rows, tokens });
  const trace = await session.candidates({ ...options, top_n: n_vocab });
  const truth = new Map(trace.candidates.map((candidate) => [candidate.token, candidate]));
  assert.deepEqual(drawKeys(table), drawKeys(trace), 'the same draw');
  assert.deepEqual(stageNumbers(table), stageNumbers(trace));
  assert.equal(table.n_vocab, n_vocab);

  // the columns
  const columns = [
    ({ p }) => p,
    ...table.stages.map(
      (_, i) =>
        ({ after }) =>
          after[i],
    ),
  ];
  for (const [i, column] of columns.entries())
    near(
      [...table.rows, ...table.groups].reduce((sum, part) => sum + column(part), 0),
      1,
      `column ${i} of ${table.stages.map(({ name }) => name).join()}`,
    );
  for (const [i] of table.stages.entries()) {
    const samplers = table.stages.slice(0, i + 1).map(({ name }) => name);
    const prefix = await session.candidates({ ...prefixOf(options, samplers), top_n: n_vocab });
    const p_final = new Map(prefix.candidates.map((c) => [c.token, c.p_final]));
    for (const { token, after } of table.rows)
      near(after[i], p_final.get(token), `token ${token} after ${samplers.join()}`);
    for (const { removed_by, after } of table.groups) {
      const rows = new Set(table.rows.map(({ token }) => token));
      const sum = trace.candidates.reduce(
        (total, c) =>
          c.removed_by === removed_by && !rows.has(c.token) ? total + p_final.get(c.token) : total,
        0,
      );
      near(after[i], sum, `group ${removed_by} after ${samplers.join()}`);
    }
  }

  // the rows
  for (const { rank, after, ...candidate } of table.rows) {
    assert.deepEqual(candidate, truth.get(candidate.token));
    assert.equal(rank, trace.candidates.filter(({ logit }) => logit > candidate.logit).length);
    assert.equal(after.length, table.stages.length);
    if (after.length > 0) near(after.at(-1), candidate.p_final, 'the last column is p_final');
  }
  const compare = (a, b) => b.p_final - a.p_final || b.logit - a.logit || a.token - b.token;
  const expected = new Set(trace.candidates.toSorted(compare).slice(0, max_rows));
  for (const token of [trace.draw.token, ...tokens]) expected.add(truth.get(token));
  assert.deepEqual(
    table.rows.map(({ token }) => token),
    [...expected].sort(compare).map(({ token }) => token),
  );
  for (const { name, removed_tokens } of table.stages)
    assert.deepEqual(
      removed_tokens,
      table.rows.filter(({ removed_by }) => removed_by === name).map(({ token }) => token),
    );

  // the groups
  const names = [...table.stages.map(({ name }) => name), undefined];
  const order = table.groups.map(({ removed_by }) => names.indexOf(removed_by));
  assert.deepEqual(
    order,
    [...new Set(order)].sort((a, b) => a - b),
    'in the order of the stages',
  );
  for (const { removed_by, n, p } of table.groups) {
    const others = trace.candidates.filter(
      (candidate) => candidate.removed_by === removed_by && !expected.has(candidate),
    );
    assert.equal(n, others.length);
    near(
      p,
      others.reduce((sum, candidate) => sum + candidate.p, 0),
      'p of a group',
    );
  }
  assert.equal(
    table.groups.reduce((sum, { n }) => sum + n, table.rows.length),
    n_vocab,
  );
  near(
    table.entropy_final,
    trace.candidates.reduce(
      (sum, c) => (c.p_final ? sum - c.p_final * Math.log(c.p_final) : sum),
      0,
    ),
    'entropy_final',
  );
  return table;
}

test('the default chain, with stages that are off, and chains without stages', () =>
  built(async (model) => {
    const session = model.createSession({ seed: 3 });
    await session.sync(TEXT);
    const { n_vocab } = model.info;
    const table = await checkTable(session, {}, n_vocab);
    assert.deepEqual(
      table.stages.map(({ name }) => name),
      DEFAULT_CHAIN,
    );
    assert.equal(table.rows.length, 15);
    for (const { p, after } of table.rows) near(after[0], p, 'penalties are off');
    await checkTable(session, { samplers: [] }, n_vocab);
    await checkTable(session, { temperature: 0 }, n_vocab);
    await checkTable(session, { top_k: 0, max_rows: 40, tokens: [0, 1, 2, 2, 3071] }, n_vocab);
    await checkTable(session, { top_k: 0, typical_p: 0.2, min_p: 0, top_p: 1 }, n_vocab);
    const alone = await checkTable(session, { max_rows: 0 }, n_vocab);
    assert.deepEqual(
      alone.rows.map(({ token }) => token),
      [alone.draw.token],
    );
    const all = await checkTable(session, { max_rows: 5000 }, n_vocab);
    assert.deepEqual([all.rows.length, all.groups.length], [n_vocab, 0]);
  }));

test('every stage, in the order of the list and in another', () =>
  built(async (model) => {
    const session = model.createSession({ seed: 5 });
    await session.sync(TEXT);
    const names = stages.map(({ name }) => name);
    const grammar = await model.createGrammar({ type: 'ebnf', grammar: 'root ::= [^x]+' });
    const options = { ...ALL_ON, grammar };
    for (const samplers of [names, names.toReversed()]) {
      const table = await checkTable(session, { ...options, samplers }, model.info.n_vocab);
      assert.deepEqual(
        table.stages.map(({ name }) => name),
        samplers,
      );
      const on = table.stages.filter(({ reason }) => !/: off/.test(reason));
      assert.ok(on.length >= names.length - 2, on.map(({ reason }) => reason).join('\n'));
    }
    await checkTable(session, { grammar, mirostat: 1 }, model.info.n_vocab);
  }));

test('the drawn token has a row in every sample, and the draws are those of candidates()', () =>
  built(async (model) => {
    const session = model.createSession({ seed: 1 });
    await session.sync(TEXT);
    const drawn = new Set();
    for (let sample_index = 0; sample_index < 60; sample_index++) {
      const options = { sample_index, top_k: 0, temperature: 1.5 };
      const { rows, draw } = await session.stageTable({ ...options, max_rows: 3 });
      const trace = await session.candidates(options);
      assert.deepEqual(draw, trace.draw);
      assert.ok(rows.some(({ token }) => token === draw.token));
      drawn.add(rows.length);
    }
    assert.deepEqual(drawn, new Set([3, 4]), 'the drawn token was among the first rows and not');
    // explain() takes a table for the last choice
    await session.stageTable({ top_k: 1 });
    const { fate } = await session.explain(5);
    assert.deepEqual([fate.type, fate.stage], ['removed', 'top_k']);
  }));

/** A random chain of stages. */
function randomOptions(random, n_vocab) {
  const pick = (...values) => values[Math.floor(random() * values.length)];
  const list = (n) => Array.from({ length: n }, () => Math.floor(random() * n_vocab));
  const samplers = stages.map(({ name }) => name).filter(() => random() < 0.6);
  for (let i = samplers.length - 1; i > 0; i--) {
    const j = Math.floor(random() * (i + 1));
    [samplers[i], samplers[j]] = [samplers[j], samplers[i]];
  }
  return {
    samplers,
    logit_bias: Object.fromEntries(list(5).map((id) => [id, pick(-Infinity, 2, -1)])),
    banned_tokens: list(4),
    penalty_repeat: pick(1, 1.5),
    penalty_present: pick(0, 0.5),
    dry_multiplier: pick(0, 1),
    top_n_sigma: pick(-1, 2),
    top_k: pick(0, 1, 30, 200),
    typical_p: pick(1, 0.7),
    top_p: pick(1, 0.9, 0.3),
    min_p: pick(0, 0.05),
    xtc_probability: pick(0, 1),
    xtc_threshold: 0.02,
    temperature: pick(0, 0.3, 1, 2.5),
    dynatemp_range: pick(0, 0.5),
    mirostat: samplers.includes('mirostat') ? pick(0, 1, 2) : 0,
    seed: Math.floor(random() * 1000),
    max_rows: pick(0, 1, 15, 100),
    tokens: list(pick(0, 3)),
  };
}

test('random chains over random logits', async () => {
  const random = generator(20);
  let compared = 0;
  for (const n_vocab of [275, 1500]) {
    const { metadata, tensors } = tinyLlama({ n_vocab, seed: 4 });
    await withModel(writeGguf({ metadata, tensors }), { worker: false }, async (model) => {
      const session = model.createSession();
      for (let i = 0; i < 40; i++) {
        const ids = Array.from({ length: 1 + (i % 9) }, () => Math.floor(random() * n_vocab));
        await session.sync(ids);
        const options = randomOptions(random, n_vocab);
        if (i % 2) {
          // the tiny model's distribution is flat: larger logits make it steep
          const factor = 20 * random();
          const logits = await session.logits();
          options.samplers = ['logit_bias', ...options.samplers.filter((s) => s !== 'logit_bias')];
          options.logit_bias = new Map(Array.from(logits, (x, id) => [id, x * factor]));
        }
        const { max_rows: _, tokens: __, ...sampler } = options;
        const empty = await session.candidates(sampler).then(
          () => false,
          ({ code }) => code === 'NO_CANDIDATES',
        );
        if (empty) {
          await assert.rejects(session.stageTable(options), { code: 'NO_CANDIDATES' });
          continue;
        }
        await checkTable(session, options, n_vocab);
        compared++;
      }
    });
  }
  assert.ok(compared > 70, `${compared} of 80 chains were compared`);
});

test('wrong arguments are refused by name', () =>
  built(async (model) => {
    const session = model.createSession();
    await assert.rejects(session.stageTable(), { code: 'SESSION_EMPTY' });
    await session.sync('Once');
    await assert.rejects(session.stageTable({ tokens: [3072] }), { code: 'TOKEN_OUT_OF_RANGE' });
    await assert.rejects(session.stageTable({ max_rows: -1 }), { code: 'INVALID_ARGUMENT' });
    await assert.rejects(session.stageTable({ max_row: 1 }), /did you mean max_rows/);
    await assert.rejects(session.stageTable({ top_k: 0.5 }), { code: 'SAMPLER_BAD_OPTION' });
    await assert.rejects(session.stageTable({ allowed_tokens: [5], banned_tokens: [5] }), {
      code: 'NO_CANDIDATES',
    });
  }));

test('a model in a worker gives the same table as one in this thread', async () => {
  const tables = [];
  for (const worker of [false, true])
    await withModel('storybook', { worker }, async (model) => {
      const session = model.createSession({ seed: 9 });
      await session.sync(TEXT);
      tables.push(await session.stageTable({ penalty_repeat: 1.2, tokens: [7] }));
    });
  assert.deepEqual(tables[1], tables[0]);
});
