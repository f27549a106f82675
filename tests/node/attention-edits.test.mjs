// The methods on attention as edits of a session (recycled, spatten, act): compared with a float64
// forward pass that does what the papers say in plain code; and settings that are the plain run.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { loadModel } from '../../dist/node.js';
import { searchActHeads, spattenSchedule } from '../../dist/node-methods.js';
import { referenceRun } from '../peers/reference.mjs';
import { tinyModel } from '../support/architectures.mjs';
import { writeGguf } from '../support/gguf-writer.mjs';

const N_HEAD = 4;
const GROUP = 2; // query heads that share keys
const SHAPE = {
  ...{ N_EMBD: 64, N_HEAD, N_HEAD_KV: N_HEAD / GROUP, HEAD_DIM: 16, N_FF: 64, N_VOCAB: 301 },
  ...{ EXPERTS: 4, PER_LAYER: 32 },
};
const OPTIONS = {
  ...{ worker: false, n_ctx: 256, cache_type_k: 'f32', cache_type_v: 'f32' },
};
const PROMPT = 14;
const N = 26;
const ids = Array.from({ length: N }, (_, i) => 3 + ((i * 37) % 290));
const range = (n) => Array.from({ length: n }, (_, i) => i);
const sum = (list) => list.reduce((a, b) => a + b, 0);
const bytesOf = (name) => writeGguf(tinyModel(name, { type: 'F32', shape: SHAPE }));

/** The indexes of the k largest numbers, ascending; of equal ones the first. */
const largest = (values, k) =>
  range(values.length)
    .sort((a, b) => values[b] - values[a] || a - b)
    .slice(0, k)
    .sort((a, b) => a - b);

/** A row with the weights of these keys only. */
const only = (row, keys) => row.map((weight, j) => (keys.has(j) ? weight : 0));
const normalized = (row) => row.map((weight) => weight / sum(row));

/** Whether logits are within a small part of the largest of the true ones. */
function near(ours, truth, what) {
  const size = Math.max(1, ...Array.from(truth, Math.abs));
  const worst = Math.max(...Array.from(truth, (x, i) => Math.abs(x - ours[i])));
  assert.ok(worst <= 3e-4 * size, `${what}: off by ${worst} of ${size}`);
}

/** The logits of every position under edits, the text given at once. */
async function logitsUnder(model, edits) {
  const { logits } = await model.observe(ids, { edits, logits: 'all' });
  return range(N).map((p) => logits.values.subarray(p * SHAPE.N_VOCAB, (p + 1) * SHAPE.N_VOCAB));
}

// ---- recycled attention ----

/** The change of the reference that recycles k keys with one full step in `every`. */
function recycledReference({ k, every, max }) {
  const state = new Map();
  return {
    row(layer, head, p, row) {
      const key = `${layer} ${Math.floor(head / GROUP)}`;
      if (p < PROMPT - 1) return row;
      const now = state.get(key) ?? { set: [], since: 0, rows: [] };
      state.set(key, now);
      if (now.rows.length === 0) now.since = p < PROMPT ? 0 : now.since + 1;
      const full = p < PROMPT || now.since >= every;
      const seen = full ? row : normalized(only(row, new Set([...now.set, p])));
      now.rows.push(seen);
      if (now.rows.length === GROUP) {
        const join = (j) => {
          const weights = now.rows.map((one) => one[j]);
          return max ? Math.max(...weights) : sum(weights);
        };
        const weights = row.map((_, j) => join(j));
        if (full) {
          now.set = largest(weights, k);
          now.since = 0;
        } else {
          now.set.push(p);
          if (now.set.length > k) {
            const least = now.set.reduce((a, b) => (weights[b] < weights[a] ? b : a));
            now.set = now.set.filter((j) => j !== least);
          }
        }
        now.rows = [];
      }
      return seen;
    },
  };
}

// ---- SpAtten ----

/** For each step and layer what is alive, found by runs of the reference over growing texts. */
function spattenReference(bytes, { tokens, heads, values, first, recent }, n_layer) {
  const scores = { tokens: Array(N).fill(0), heads: Array(N_HEAD).fill(0) };
  const alive = []; // [position][layer] of the steps so far
  let raw; // [layer][position][head] the rows of the latest run before values are pruned
  const change = {
    row(layer, head, p, row) {
      const step = alive[p]?.[layer];
      const seen = step ? normalized(only(row, step.tokens)) : row;
      ((raw[layer] ??= [])[p] ??= [])[head] = seen;
      if (!step) return seen;
      if (!step.heads.has(head)) return seen.map(() => 0);
      const n = step.tokens.size;
      const kept = largest(seen, Math.floor(n * values + 1e-9));
      return only(seen, new Set(kept.length > 0 ? kept : largest(seen, 1)));
    },
  };
  /** Adds what a layer shows at these positions. */
  const add = (run, layer, positions) => {
    for (const p of positions)
      for (const head of range(N_HEAD)) {
        if (alive[p]?.[layer]?.heads.has(head) === false) continue;
        raw[layer][p][head].forEach((weight, j) => (scores.tokens[j] += weight));
        scores.heads[head] += sum(Array.from(run.outputs[layer][head][p], Math.abs));
      }
  };
  const run = (n) => {
    raw = [];
    return referenceRun(bytes, ids.slice(0, n), 256, change);
  };
  const prompt = run(PROMPT);
  for (const layer of range(n_layer)) add(prompt, layer, range(PROMPT));
  for (let p = PROMPT; p < N; p++) {
    let left = { tokens: range(p + 1), heads: range(N_HEAD) };
    alive[p] = [];
    for (const layer of range(n_layer)) {
      const n = Math.floor((p + 1) * tokens[layer] + 1e-9);
      if (p > PROMPT && tokens[layer] < 1) {
        const must = left.tokens.filter((j) => j < first || p - j < recent);
        const free = left.tokens.filter((j) => j >= first && p - j >= recent);
        const kept = largest(
          free.map((j) => scores.tokens[j]),
          Math.max(0, n - must.length),
        ).map((i) => free[i]);
        left.tokens = [...must, ...kept].sort((a, b) => a - b);
      }
      const n_groups = Math.max(1, Math.floor((N_HEAD * heads[layer] + 1e-9) / GROUP));
      const groups = [...new Set(left.heads.map((h) => Math.floor(h / GROUP)))];
      const weights = groups.map((g) => sum(range(GROUP).map((i) => scores.heads[g * GROUP + i])));
      const kept = new Set(largest(weights, n_groups).map((i) => groups[i]));
      left.heads = left.heads.filter((h) => kept.has(Math.floor(h / GROUP)));
      alive[p][layer] = { tokens: new Set(left.tokens), heads: new Set(left.heads) };
      left = { tokens: [...left.tokens], heads: [...left.heads] };
      add(run(p + 1), layer, [p]); // later layers do not change what this one shows
    }
  }
  return { alive, logits: run(N).logits };
}

// ---- attention calibration ----

/** A row whose sinks give weight to the other keys. */
function calibrated(row, sinks, beta) {
  const freed = (1 - beta) * sum(row.filter((_, j) => sinks.has(j)));
  const others = sum(row.filter((_, j) => !sinks.has(j)));
  if (row.length < 2 || !freed || !others) return row;
  return row.map((w, j) => (sinks.has(j) ? beta * w : w + (freed * w) / others));
}

/** The columns, of rows 0 to n - 1, whose mean is above theta, without the first of them. */
const sinksOf = (rows, theta) =>
  new Set(
    range(rows.length)
      .filter((j) => sum(rows.slice(j).map((row) => row[j])) / (rows.length - j) > theta)
      .slice(1),
  );

/** Frozen sinks, layer by layer: a layer's rows follow from those below, which are known. */
function frozenReference(bytes, { theta, beta, layers, heads }, n_layer) {
  const sinks = range(n_layer).map(() => []);
  const works = (layer, head) => layers.includes(layer) && heads.includes(head);
  const run = (until) => {
    const rows = [];
    const change = {
      row(layer, head, p, row) {
        ((rows[layer] ??= [])[head] ??= [])[p] = row;
        return works(layer, head) && layer < until
          ? calibrated(row, sinks[layer][head], beta)
          : row;
      },
    };
    return { rows, ...referenceLogits(bytes, change) };
  };
  const referenceLogits = (file, change) => ({
    logits: referenceRun(file, ids, 256, change).logits,
  });
  for (const layer of layers) {
    const { rows } = run(layer);
    for (const head of heads)
      sinks[layer][head] = sinksOf(rows[layer][head].slice(0, PROMPT), theta);
  }
  return { sinks, logits: run(n_layer).logits };
}

/** Running sinks: those of the rows so far. */
function runningReference({ theta, beta, layers, heads }) {
  const rows = {};
  return {
    row(layer, head, p, row) {
      if (!layers.includes(layer) || !heads.includes(head)) return row;
      const so_far = (rows[`${layer} ${head}`] ??= []);
      so_far.push(row);
      return calibrated(row, sinksOf(so_far, theta), beta);
    },
  };
}

for (const arch of ['llama', 'gemma2', 'gpt2'])
  describe(arch, () => {
    const group = arch === 'gpt2' ? 1 : GROUP;
    let bytes, model, n_layer, plain;
    before(async () => {
      bytes = bytesOf(arch);
      model = await loadModel(bytes, OPTIONS);
      ({ n_layer } = model.info);
      plain = await logitsUnder(model, []);
    });
    after(() => model.dispose());

    /** Compares every position with the reference. */
    async function compare(edits, truth, what) {
      const ours = await logitsUnder(model, edits);
      for (const p of range(N)) near(ours[p], truth[p], `${what}, position ${p}`);
      const worst = Math.max(...ours[N - 1].map((x, i) => Math.abs(x - plain[N - 1][i])));
      assert.ok(worst > 1e-3, `${what} changes the logits`);
    }

    test('settings that change nothing give the bits of the plain run', async () => {
      const ones = Array(n_layer).fill(1);
      for (const edit of [
        { type: 'recycled', k: 5, every: 1 },
        { type: 'recycled', k: 5, dynamic: { check: 1, threshold: 2 } },
        { type: 'recycled', k: N },
        { type: 'spatten', tokens: ones, heads: ones, values: 1, key_bits: { high: 3, tau: 1 } },
        { type: 'act', layers: 'all', theta: 0.01, beta: 1 },
      ])
        assert.deepEqual(
          await logitsUnder(model, [{ ...edit, prompt: PROMPT }]),
          plain,
          JSON.stringify(edit),
        );
    });

    test('recycled attention equals the float64 pass', { skip: group !== GROUP }, async () => {
      for (const [k, every, max] of [
        [5, 4, false],
        [8, 3, true],
      ]) {
        const { logits } = referenceRun(bytes, ids, 256, recycledReference({ k, every, max }));
        const edit = { type: 'recycled', k, every, group: max ? 'max' : 'sum', prompt: PROMPT };
        await compare([edit], logits, `k ${k}`);
        // a schedule whose queries never ask for a full step is one without full steps
        const never = referenceRun(bytes, ids, 256, recycledReference({ k, every: N, max }));
        const dynamic = { check: 1, threshold: -2 };
        await compare([{ ...edit, every: undefined, dynamic }], never.logits, `dynamic, k ${k}`);
      }
    });

    test('SpAtten equals the float64 pass', { skip: group !== GROUP }, async () => {
      const tokens = range(n_layer).map((i) => 1 - 0.3 * i);
      const heads = range(n_layer).map((i) => (i < n_layer - 1 ? 1 : 0.5));
      const schedule = { tokens, heads, values: 0.5, first: 2, recent: 3 };
      const { alive, logits } = spattenReference(bytes, schedule, n_layer);
      await compare([{ type: 'spatten', ...schedule, prompt: PROMPT }], logits, 'spatten');
      const last = alive[N - 1];
      assert.equal(last[n_layer - 1].heads.size, GROUP);
      for (const layer of range(n_layer).slice(1))
        for (const j of last[layer].tokens) assert.ok(last[layer - 1].tokens.has(j), 'nested');
    });

    test('attention calibration equals the float64 pass', async () => {
      const settings = { theta: 0.12, beta: 0.3, layers: range(n_layer), heads: [0, 1, 3] };
      const edit = { type: 'act', ...settings };
      const { logits, sinks } = frozenReference(bytes, settings, n_layer);
      assert.ok(sinks.flat().some((set) => set.size > 0));
      await compare([{ ...edit, prompt: PROMPT }], logits, 'sinks of the prompt');
      const running = referenceRun(bytes, ids, 256, runningReference(settings));
      await compare([{ ...edit, sinks: 'running' }], running.logits, 'running sinks');
    });
  });

/** What a session generates, with log-probabilities, and what its edits counted. */
async function generated(model, edits, n = 12) {
  const session = model.createSession({ edits, seed: 5 });
  const tokens = [];
  const options = { max_tokens: n, temperature: 0.9, ignore_eos: true };
  for await (const { token, logprob } of session.generate(ids.slice(0, PROMPT), options))
    tokens.push([token, logprob]);
  const counts = await session.editCounts();
  await session.dispose();
  return { tokens, counts };
}

describe('generations', () => {
  const bytes = bytesOf('llama');
  const EDITS = {
    recycled: { type: 'recycled', k: 6, every: 4 },
    spatten: { type: 'spatten', key_bits: { high: 4, low: 3, tau: 0.2 } },
    act: { type: 'act', layers: 'all', theta: 0.12 },
  };
  let model;
  before(async () => void (model = await loadModel(bytes, OPTIONS)));
  after(() => model.dispose());

  test('run under the edits in this thread, in a worker, and several at once', async (t) => {
    const worker = await loadModel(bytes, { ...OPTIONS, worker: true });
    t.after(() => worker.dispose());
    const plain = await generated(model, []);
    assert.deepEqual(plain.counts, []);
    for (const [name, edit] of Object.entries(EDITS)) {
      const here = await generated(model, [edit]);
      assert.notDeepEqual(here.tokens, plain.tokens, name);
      assert.deepEqual(await generated(worker, [edit]), here, name);
      const company = await Promise.all([
        generated(model, [edit]),
        generated(model, []),
        generated(model, [edit]),
      ]);
      assert.deepEqual(company, [here, plain, here], name);
    }
  });

  test('the counts say what was read', async () => {
    const n_layer = model.info.n_layer;
    const heads = SHAPE.N_HEAD_KV;
    const steps = 11; // the first token comes from the prompt
    const [recycled] = (await generated(model, [EDITS.recycled])).counts;
    const all = heads * n_layer * sum(range(steps).map((i) => PROMPT + i + 1));
    assert.equal(recycled.all_keys, all);
    assert.equal(recycled.steps, heads * n_layer * steps);
    assert.equal(recycled.full_steps, heads * n_layer * 2); // steps 4 and 8
    const read = range(steps).map((i) => (i % 4 === 3 ? PROMPT + i + 1 : 7));
    assert.equal(recycled.keys, heads * n_layer * sum(read), 'a recycling step reads k + 1 keys');
    assert.ok(recycled.overlap > 0 && recycled.overlap <= 1);

    const tokens = range(n_layer).map((i) => (i === 0 ? 1 : 0.5));
    const ones = Array(n_layer).fill(1);
    const edit = { type: 'spatten', tokens, heads: ones, values: 0.25, key_bits: { high: 4 } };
    const [spatten] = (await generated(model, [edit])).counts;
    const lengths = range(steps).map((i) => PROMPT + i + 1);
    const alive = (n, i, layer) => (layer === 0 || i === 0 ? n : Math.floor(n / 2));
    const keys = lengths.flatMap((n, i) => range(n_layer).map((layer) => alive(n, i, layer)));
    assert.equal(spatten.all_keys, all);
    assert.equal(spatten.keys, heads * sum(keys));
    assert.equal(spatten.values, heads * sum(keys.map((n) => Math.max(1, Math.floor(n / 4)))));
    assert.equal(spatten.heads, spatten.all_heads);
    assert.equal(spatten.key_bit_rows, steps * n_layer * N_HEAD);

    const [act] = (await generated(model, [EDITS.act])).counts;
    assert.ok(act.passes >= 2 && act.passes <= n_layer + 1, `${act.passes} passes`);
    assert.equal(act.all_rows, n_layer * N_HEAD * (PROMPT + steps));
    assert.ok(act.rows > 0 && act.rows < act.all_rows);
  });

  test('edits that cannot be are refused by name', async () => {
    const refused = async (edit, message, code = 'INVALID_ARGUMENT') =>
      assert.rejects(model.createSession({ edits: [edit] }).sync([5]), { code, message });
    const { n_layer } = model.info;
    await refused({ type: 'recycled', every: 2, dynamic: {} }, /takes one of them/);
    await refused({ type: 'recycled', every: 0 }, /every is 0/);
    await refused({ type: 'recycled', k: '8' }, /k of the edit recycled is "?8/);
    await refused({ type: 'recycled', dynamic: { threshold: 3 } }, /threshold .* is 3/);
    await refused({ type: 'spatten', tokens: [1] }, /tokens has 1 numbers/);
    await refused({ type: 'spatten', heads: Array(n_layer).fill(2) }, /heads has 2/);
    await refused({ type: 'spatten', key_bits: { high: 1 } }, /key_bits.high is 1/);
    await refused({ type: 'act', theta: -1 }, /theta of the edit act is -1/);
    await refused({ type: 'act', sinks: 'none' }, /sinks is "none"/);
  });

  test('the published shares are those of the workload, stretched', () => {
    const { tokens, heads } = spattenSchedule(24);
    const kept = tokens.map((share) => Math.floor(share * 1024 + 1e-9));
    assert.deepEqual(kept.slice(0, 12), [1024, 1024, 921, 819, 819, ...Array(6).fill(614), 307]);
    assert.deepEqual(kept.slice(12), Array(12).fill(307));
    const kept_heads = heads.map((share) => share * 16);
    assert.deepEqual(kept_heads, [...Array(16).fill(16), ...Array(6).fill(13), 10, 10]);
    assert.deepEqual(spattenSchedule(6).tokens, [1, 0.8, 0.6, 0.3, 0.3, 0.3]);
  });

  test('the head search keeps the heads that get more examples right', async () => {
    const labels = [20, 21];
    const examples = range(12).map((i) => ({
      prompt: ids.slice(i, i + 10),
      labels,
      correct: i % 2,
    }));
    const settings = { theta: 0.1, beta: 0 };
    const seen = [];
    const found = await searchActHeads(model, examples, {
      ...{ ...settings, layers: [1, 2] },
      on_progress: (head, done, total) => seen.push([head.layer, head.head, done, total]),
    });
    assert.equal(found.heads.length, 2 * N_HEAD);
    assert.deepEqual(seen[5], [2, 1, 6, 8]);
    // each figure again, from sessions of our own
    const accuracy = async (edits) => {
      let correct = 0;
      for (const { prompt, correct: right } of examples) {
        const session = model.createSession({ edits });
        await session.sync(prompt);
        const logits = await session.logits();
        correct += (logits[21] > logits[20] ? 1 : 0) === right ? 1 : 0;
        await session.dispose();
      }
      return correct;
    };
    assert.equal(found.plain.correct, await accuracy([]));
    for (const { layer, head, correct, kept } of found.heads) {
      const edit = { type: 'act', layers: [layer], heads: [head], ...settings };
      assert.equal(correct, await accuracy([edit]), `${layer} ${head}`);
      assert.equal(kept, correct > found.plain.correct);
    }
    assert.equal(found.together.correct, await accuracy(found.edits));
    const kept = found.edits.flatMap(({ layers: [layer], heads }) => heads.map((h) => [layer, h]));
    assert.deepEqual(
      kept,
      found.heads.filter((head) => head.kept).map(({ layer, head }) => [layer, head]),
    );
    const wrong = [{ prompt: [5], labels: [7, 7], correct: 0 }];
    await assert.rejects(searchActHeads(model, wrong), { code: 'INVALID_ARGUMENT' });
  });
});
