// model.observe and edits: what happens inside the model, and every way to change it, compared with
// a float64 forward pass on small random models of unlike architectures; and that observing, empty
// edits, batches and company change no bit.
import assert from 'node:assert/strict';
import { after, before, test } from 'node:test';
import { loadModel } from '../../dist/node.js';
import { referenceRun } from '../peers/reference.mjs';
import { tinyModel } from '../support/architectures.mjs';
import { writeGguf } from '../support/gguf-writer.mjs';

const N_EMBD = 64;
const SHAPE = {
  N_EMBD,
  N_HEAD: 4,
  N_HEAD_KV: 2,
  HEAD_DIM: 16,
  N_FF: 64,
  N_VOCAB: 301,
  EXPERTS: 4,
  PER_LAYER: 32,
};
const OPTIONS = { worker: false, n_ctx: 256, cache_type_k: 'f32', cache_type_v: 'f32' };
const N = 14;
const ids = Array.from({ length: N }, (_, i) => 3 + ((i * 37) % 290));
const long = Array.from({ length: 200 }, (_, i) => 3 + ((i * 41) % 290));
const range = (n) => Array.from({ length: n }, (_, i) => i);

const bytesOf = (name) => writeGguf(tinyModel(name, { type: 'F32', shape: SHAPE }));

/** The numbers of a tensor at these indexes of its first dimensions. */
function at({ values, shape }, ...indexes) {
  const size = shape.slice(indexes.length).reduce((a, b) => a * b, 1);
  const index = indexes.reduce((sum, i, d) => sum * shape[d] + i, 0);
  return values.subarray(index * size, (index + 1) * size);
}

/** Whether our numbers are within `tolerance` of the true ones, relative to the largest. */
function near(ours, truth, what, tolerance = 2e-4) {
  assert.equal(ours.length, truth.length, what);
  let size = 1;
  for (const x of truth) size = Math.max(size, Math.abs(x));
  for (let i = 0; i < ours.length; i++)
    if (!(Math.abs(ours[i] - truth[i]) <= tolerance * size))
      assert.fail(`${what} [${i}]: ${ours[i]}, not ${truth[i]}`);
}

function logSumExp(x) {
  const max = Math.max(...x);
  return max + Math.log(x.reduce((sum, value) => sum + Math.exp(value - max), 0));
}

/** A row that keeps its `keep` largest weights, the first and the last positions, and itself. */
function keepTop(row, query, { keep, first = 0, recent = 0 }) {
  const order = range(query + 1).sort((a, b) => row[b] - row[a] || a - b);
  const kept = new Set(order.slice(0, keep));
  for (const key of range(query + 1))
    if (key < first || key > query - recent || key === query) kept.add(key);
  const cut = row.map((weight, key) => (kept.has(key) ? weight : 0));
  const total = cut.reduce((a, b) => a + b, 0);
  return cut.map((weight) => weight / total);
}

const vector = (seed) => Float32Array.from({ length: N_EMBD }, (_, i) => Math.sin(seed + i * 1.7));
const mask = Uint8Array.from({ length: 100 }, (_, i) => ((i * 7) % 5 < 2 ? 1 : 0));

/** Each edit, in layers that have attention, and the same change of the reference. */
const edits = (layers) => {
  const [layer] = layers;
  const inLayers = (i) => layers.includes(i);
  const sees = (which, rule) => ({
    sees: (i, head, query, key) => !which(i) || query === key || rule(query, key),
  });
  return {
    residual: [
      [
        { type: 'residual', layer: 1, position: 4, values: vector(1) },
        { type: 'residual', layer: 2, position: 13, values: vector(2), add: true },
        { type: 'residual', layer: 3, position: 13, values: vector(3), add: true },
      ],
      {
        residuals(boundary, xs) {
          if (boundary === 1) xs[4] = Float64Array.from(vector(1));
          if (boundary === 2) xs[13] = xs[13].map((x, i) => x + vector(2)[i]);
          if (boundary === 3) xs[13] = xs[13].map((x, i) => x + vector(3)[i]);
        },
      },
    ],
    'copy_residual forward': [
      [{ type: 'copy_residual', layers: [0, 2], from: 3, to: 9 }],
      {
        residuals(boundary, xs) {
          if (boundary === 0 || boundary === 2) xs[9] = xs[3].slice();
        },
      },
    ],
    'copy_residual backward': [
      [{ type: 'copy_residual', layers: 'all', from: 12, to: 1 }],
      { residuals: (boundary, xs) => void (xs[1] = xs[12].slice()) },
    ],
    head: [
      [
        { type: 'head', layer, heads: [1, 3], scale: 0 },
        { type: 'head', layer, heads: [0], scale: -1.5 },
      ],
      { headScale: (i, head) => (i !== layer ? 1 : head === 0 ? -1.5 : head === 2 ? 1 : 0) },
    ],
    feed_forward: [
      [{ type: 'feed_forward', layer: 1, scale: 0.25 }],
      { ffnScale: (i) => (i === 1 ? 0.25 : 1) },
    ],
    'visible self': [[{ type: 'visible', layers, sees: 'self' }], sees(inLayers, () => false)],
    'visible self_and_first': [
      [{ type: 'visible', layers: [layer], sees: 'self_and_first' }],
      sees(
        (i) => i === layer,
        (query, key) => key === 0,
      ),
    ],
    'visible last_sees_all': [
      [{ type: 'visible', layers, sees: 'last_sees_all' }],
      sees(inLayers, (query, key) => key === 0 || query === N - 1),
    ],
    'visible mask': [
      [{ type: 'visible', layers, sees: mask }],
      sees(inLayers, (query, key) => query >= 10 || mask[query * 10 + key] === 1),
    ],
    hide: [
      [{ type: 'hide', layers, positions: [0, 5] }],
      sees(inLayers, (q, key) => key % 5 > 0 || key > 5),
    ],
    keep_top: [
      [{ type: 'keep_top', layers, heads: [0, 2], keep: 2, first: 1, recent: 2 }],
      {
        row: (i, head, query, row) =>
          inLayers(i) && head % 2 === 0
            ? keepTop(row, query, { keep: 2, first: 1, recent: 2 })
            : row,
      },
    ],
  };
};

const ARCHITECTURES = {
  llama: [0, 1, 2],
  gpt2: [0, 1, 2],
  gemma2: [0, 1, 2],
  olmoe: [0, 1, 2],
  phi2: [0, 1, 2],
  lfm2: undefined,
  qwen35: undefined,
  gemma4: undefined,
};

/** Compares everything that an observation holds with the reference. */
function compare(seen, truth, name) {
  for (const [l, boundary] of seen.residuals.layers.entries())
    for (const p of range(N))
      near(
        at(seen.residuals, l, p),
        truth.residuals[boundary][p],
        `${name}: residual ${boundary} ${p}`,
      );
  for (const p of range(N)) near(at(seen.logits, p), truth.logits[p], `${name}: logits ${p}`);
  for (const [l, layer] of seen.attention.layers.entries())
    for (const head of range(4))
      for (const p of range(N)) {
        const row = truth.rows[layer][head][p];
        const padded = [...row, ...Array(N - row.length).fill(0)];
        near(at(seen.attention, l, head, p), padded, `${name}: row ${layer} ${head} ${p}`);
        if (seen.head_outputs)
          near(
            at(seen.head_outputs, l, head, p),
            truth.outputs[layer][head][p],
            `${name}: output ${layer} ${head} ${p}`,
          );
      }
}

for (const arch of Object.keys(ARCHITECTURES)) {
  test(`${arch}: residuals, rows, outputs and lens are those of the float64 pass, with each edit, too`, async (t) => {
    const bytes = bytesOf(arch);
    const model = await loadModel(bytes, OPTIONS);
    t.after(() => model.dispose());
    const targets = [7, 250];
    const all = { logits: 'all', residuals: {}, attention: {} };
    // gemma4: layers with windows have heads of another width
    const widths = arch === 'gemma4' ? { layers: [0] } : {};
    const seen = await model.observe(ids, {
      ...all,
      head_outputs: widths,
      lens: { top_n: 3, targets },
    });
    const truth = referenceRun(bytes, ids, 256);
    compare(arch === 'gemma4' ? { ...seen, head_outputs: undefined } : seen, truth, arch);
    for (const [l, boundary] of seen.lens.layers.entries())
      for (const p of [0, 6, N - 1]) {
        const logits = truth.lens(boundary, p);
        const total = logSumExp(logits);
        const logprobs = logits.map((x) => x - total);
        const size = Math.max(1, ...logits.map(Math.abs));
        const close = (ours, x, what) =>
          assert.ok(
            Math.abs(ours - x) < 2e-4 * size,
            `${arch}: ${what} ${boundary} ${p}: ${ours}, not ${x}`,
          );
        const entropy = -logprobs.reduce((sum, lp) => sum + (lp > -700 ? Math.exp(lp) * lp : 0), 0);
        close(at(seen.lens.entropy, l, p)[0], entropy, 'entropy');
        const top = at({ values: seen.lens.top.tokens, shape: seen.lens.top.shape }, l, p);
        const best = [...logprobs.keys()].sort((a, b) => logprobs[b] - logprobs[a]);
        top.forEach((token, k) => {
          close(logprobs[token], logprobs[best[k]], `top ${k}`);
          close(
            at({ values: seen.lens.top.logprobs, shape: seen.lens.top.shape }, l, p)[k],
            logprobs[token],
            'logprob',
          );
        });
        targets.forEach((token, k) => {
          const index = (l * N + p) * 2 + k;
          close(seen.lens.target.logprobs[index], logprobs[token], 'target');
          const rank = seen.lens.target.ranks[index];
          if (rank > 0) assert.ok(logprobs[best[rank - 1]] > logprobs[token] - 2e-4 * size);
          if (rank < 300) assert.ok(logprobs[best[rank]] < logprobs[token] + 2e-4 * size);
        });
      }
    for (const [name, [list, change]] of Object.entries(edits(seen.attention.layers)))
      compare(
        await model.observe(ids, { ...all, edits: list }),
        referenceRun(bytes, ids, 256, change),
        `${arch}: ${name}`,
      );
  });
}

/** The bits of every array of an observation. */
const bits = (seen) =>
  JSON.stringify(seen, (_, value) => (ArrayBuffer.isView(value) ? [...value] : value));

let model;
let stock; // logits at all positions of `long`
before(async () => {
  model = await loadModel(bytesOf('gemma2'), OPTIONS);
  stock = await model.observe(long, { logits: 'all' });
});
after(() => model.dispose());

/** The logits after these tokens in a session with these edits. */
async function logitsOf(tokens, given, on = model) {
  const session = on.createSession({ edits: given });
  await session.sync(tokens);
  const logits = await session.logits();
  await session.dispose();
  return logits;
}

test('observing, and edits that change nothing, keep the bits of a stock run', async () => {
  const everything = { residuals: {}, attention: {}, head_outputs: {}, lens: { top_n: 1 } };
  const seen = await model.observe(long, { logits: 'all', ...everything });
  assert.deepEqual(seen.logits, stock.logits);
  assert.deepEqual(await logitsOf(long), at(stock.logits, 199));
  const full = new Uint8Array(40_000).fill(1);
  const nothing = [
    [],
    [{ type: 'visible', layers: 'all', sees: 'causal' }],
    [{ type: 'visible', layers: 'all', sees: full }],
    [{ type: 'hide', positions: [] }],
    [{ type: 'keep_top', layers: 'all', keep: 200 }],
    [{ type: 'keep_top', layers: [1], keep: 0, recent: 200 }],
    [{ type: 'head', layer: 0, heads: 'all', scale: 1 }],
    [{ type: 'feed_forward', layer: 2, scale: 1 }],
    [{ type: 'residual', layer: 1, position: 3, values: new Float32Array(N_EMBD), add: true }],
    [{ type: 'copy_residual', layers: 'all', from: 8, to: 8 }],
  ];
  for (const list of nothing) {
    const { logits } = await model.observe(long, { logits: 'all', edits: list });
    assert.deepEqual(logits, stock.logits, JSON.stringify(list[0])?.slice(0, 60));
  }
});

const CHANGES = [
  { type: 'residual', layer: 1, position: 150, values: vector(5), add: true },
  { type: 'copy_residual', layers: [0, 1], from: 20, to: 190 },
  { type: 'copy_residual', layers: 'all', from: 140, to: 120 },
  { type: 'head', layer: 1, heads: [2], scale: 0.5 },
  { type: 'feed_forward', layer: 0, scale: 0.5 },
  { type: 'visible', layers: [0], sees: mask },
  { type: 'hide', positions: [3, 100] },
  { type: 'keep_top', layers: [1, 2], keep: 9, first: 1 },
];

test('edits give the same bits in parts, with a cache, in forks, after a rewind and with others', async () => {
  const seen = await model.observe(long, { logits: 'all', edits: CHANGES });
  const last = at(seen.logits, 199);
  assert.notDeepEqual(last, at(stock.logits, 199));
  assert.deepEqual(await logitsOf(long, CHANGES), last);
  const session = model.createSession({ edits: CHANGES });
  await session.sync(long.slice(0, 110));
  await session.logits();
  for (const token of long.slice(110, 118)) {
    await session.append(token); // one by one
    await session.logits();
  }
  const fork = await session.fork();
  const parts = await session.observe(long.slice(118), { logits: [118, 150, 199] });
  assert.deepEqual([parts.first, parts.logits.positions], [118, [118, 150, 199]]);
  for (const [i, position] of parts.logits.positions.entries())
    assert.deepEqual(at(parts.logits, i), at(seen.logits, position), `position ${position}`);
  await session.rewind(119);
  await session.sync(long);
  const others = [model.createSession(), model.createSession({ edits: CHANGES.slice(3, 5) })];
  const alone = [await logitsOf(long), await logitsOf(long, CHANGES.slice(3, 5))];
  await Promise.all([...others.map((other) => other.sync(long)), fork.sync(long)]);
  const together = await Promise.all([session, fork, ...others].map((each) => each.logits()));
  assert.deepEqual(together, [last, last, ...alone]);
  for (const each of [session, fork, ...others]) await each.dispose();
});

test('a worker, two threads and the quantized cache give the same observations', async () => {
  const wanted = { logits: [199], lens: { positions: [5, 199] }, attention: { queries: [130] } };
  for (const options of [{ cache_type_k: 'f32', cache_type_v: 'f32' }, {}]) {
    const seen = new Set();
    for (const where of [{ worker: false }, { worker: true }, { worker: true, n_threads: 2 }]) {
      const on = await loadModel(bytesOf('llama'), { n_ctx: 256, ...options, ...where });
      seen.add(bits(await on.observe(long, { ...wanted, edits: CHANGES })));
      await on.dispose();
    }
    assert.equal(seen.size, 1);
  }
});

test('rows sum to 1, and keys that are hidden or outside of the window have no weight', async () => {
  const { attention } = await model.observe(long, {
    attention: { layers: [0, 1], heads: [1], queries: [0, 60, 199] },
    edits: [{ type: 'hide', positions: [55] }],
  });
  assert.deepEqual(attention.shape, [2, 1, 3, 200]);
  for (const l of [0, 1])
    for (const q of [0, 1, 2]) {
      const row = at(attention, l, 0, q);
      assert.ok(Math.abs(row.reduce((a, b) => a + b) - 1) < 1e-5);
      assert.equal(row[55], 0);
    }
  // layer 0 has a window of 24 positions
  const row = at(attention, 0, 0, 2);
  assert.ok(row.subarray(0, 200 - 24).every((weight) => weight === 0));
  assert.ok(row[200 - 24] > 0 && at(attention, 1, 0, 2)[0] > 0);
});

test('what cannot be done is refused by name, and what is too large before anything runs', async (t) => {
  const rejects = (promise, code, message) => assert.rejects(promise, { code, message });
  const decoded = (await model.stats()).decoded_tokens;
  await rejects(
    model.observe(long, { residuals: {}, max_bytes: 255_999 }),
    'OUT_OF_MEMORY',
    /256000 bytes \(residuals 256000\); max_bytes is 255999/,
  );
  await rejects(
    model.observe([5], { logits: [1] }),
    'POSITION_OUT_OF_RANGE',
    /1 is not among 0 to 0/,
  );
  await rejects(model.observe([], {}), 'SESSION_EMPTY', /without tokens/);
  await rejects(model.observe([999], {}), 'TOKEN_OUT_OF_RANGE', /999/);
  await rejects(model.observe([5], { lens: { targets: [301] } }), 'TOKEN_OUT_OF_RANGE', /301/);
  await rejects(model.observe([5], { attention: { heads: [4] } }), 'INVALID_ARGUMENT', /heads/);
  await rejects(model.observe([5], { edits: [{ type: 'hidden' }] }), 'INVALID_ARGUMENT', /hide/);
  await rejects(
    model.observe([5], { edits: [{ type: 'hide', position: [3] }] }),
    'INVALID_ARGUMENT',
    /no option "position"/,
  );
  const short = { type: 'residual', layer: 0, position: 0, values: new Float32Array(3) };
  await rejects(model.observe([5], { edits: [short] }), 'INVALID_ARGUMENT', /3 values.* 64/);
  assert.equal((await model.stats()).decoded_tokens, decoded);
  const far = { type: 'copy_residual', layers: [0], from: 128, to: 0 };
  await rejects(model.observe([5], { edits: [far] }), 'OPTION_UNSUPPORTED', /at most 127/);
  const later = { type: 'copy_residual', layers: [0], from: 5, to: 0 };
  await rejects(model.observe([5, 6], { edits: [later] }), 'POSITION_OUT_OF_RANGE', /position 5/);

  const session = model.createSession({ edits: CHANGES });
  await session.sync(long);
  await rejects(session.save(), 'OPTION_UNSUPPORTED', /saved/);
  const steps = session.generate(undefined, { speculate: 'ngram', max_tokens: 3 });
  await rejects(
    (async () => {
      for await (const step of steps) void step;
    })(),
    'OPTION_UNSUPPORTED',
    /session with edits/,
  );
  const shifting = session.generate(undefined, {
    overflow: 'shift',
    max_tokens: 100,
    ignore_eos: true,
  });
  await rejects(
    (async () => {
      for await (const step of shifting) void step;
    })(),
    'OPTION_UNSUPPORTED',
    /edits name positions/,
  );
  await session.dispose();

  const hybrid = await loadModel(bytesOf('lfm2'), OPTIONS);
  t.after(() => hybrid.dispose());
  const found = await hybrid.observe([5, 6], { attention: {} });
  const without = range(hybrid.info.n_layer).find((i) => !found.attention.layers.includes(i));
  for (const part of ['attention', 'head_outputs'])
    await rejects(
      hybrid.observe([5], { [part]: { layers: [without] } }),
      'OPTION_UNSUPPORTED',
      new RegExp(`${part}: layer ${without} is a convolution`),
    );
  for (const [edit, message] of [
    [{ type: 'hide', positions: [0] }, /short convolution.*must name its layers/],
    [{ type: 'visible', layers: 'all', sees: 'self' }, /must name its layers/],
    [{ type: 'head', layer: without, heads: [0], scale: 0 }, /short convolution/],
    [{ type: 'keep_top', layers: [without], keep: 1 }, /short convolution/],
  ])
    await rejects(hybrid.observe([5], { edits: [edit] }), 'OPTION_UNSUPPORTED', message);
});

test('an aborted or failed observation leaves the session as it was', async () => {
  const session = model.createSession();
  await session.observe(long.slice(0, 50));
  const before = [session.tokens, await session.logits()];
  const abort = new AbortController();
  const seen = session.observe(long.slice(50), { lens: {}, signal: abort.signal });
  await assert.rejects(session.append(5), { code: 'SESSION_BUSY' });
  abort.abort(new Error('enough'));
  await assert.rejects(seen, /enough/);
  await assert.rejects(session.observe([...long, ...ids], {}), { code: 'CONTEXT_FULL' });
  assert.deepEqual([session.tokens, await session.logits()], before);
  await assert.rejects(session.observe([5], { logits: [3] }), { code: 'POSITION_OUT_OF_RANGE' });
  await session.sync(long);
  assert.deepEqual(await session.logits(), at(stock.logits, 199));
  await session.dispose();
});

test('a generation under edits draws from the logits that observe gives', async () => {
  const session = model.createSession({ edits: CHANGES });
  const tokens = [];
  for await (const { token } of session.generate(long.slice(0, 150), {
    temperature: 0,
    max_tokens: 6,
    ignore_eos: true,
  }))
    tokens.push(token);
  const { logits } = await model.observe(session.tokens, {
    logits: range(6).map((i) => 149 + i),
    edits: CHANGES,
  });
  range(6).forEach((i) => {
    const row = at(logits, i);
    assert.equal(row.indexOf(Math.max(...row)), tokens[i]);
  });
});
