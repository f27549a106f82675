// Measures the methods on attention in this process: `node attention.mjs WHAT SHAPE ROUNDS`. Prints
// JSON for each setting. WHAT is:
//
// quality: { method, setting, kept, nll, increase }: the mean negative log-likelihood in nats of
//   the second half of windows over a held-out story, at the longest context that the built-in
//   model knows. The first half is the prompt.
// time: { method, setting, n, kept, ms, speedup }: milliseconds a token of a model with random
//   weights of a real shape, after n tokens. The settings take turns, so that other load on the
//   machine affects all of them; the median counts.
//
// kept: of the keys that full attention reads, the share that was read in the steps. Of `act`: the
// share of rows that were calibrated.
import { loadModel } from '../../dist/node.js';
import { modelFile } from './model.mjs';
import { STORY } from '../support/story.mjs';

const [what, shape] = process.argv.slice(2);
const rounds = Number(process.argv[4] ?? 3);
const CONTEXTS = [2048, 3800]; // positions of the prompt, for the time
const STRIDE = 16; // tokens from one window to the next, for the quality
const STEPS = 8; // tokens of a turn, for the time
const TURNS = 3; // of a round
const OPTIONS = { n_threads: 1, worker: false };
const same = (n_layer, share) => Array(n_layer).fill(share);

/** The settings, from what the plain run reads down. n: positions of the context. */
const settings = (n, n_layer) => [
  { method: 'none', setting: '', edits: [] },
  ...[2, 4, 8, 16].map((part) => ({
    method: 'recycled',
    setting: `K = context / ${part}, every 16th step full`,
    edits: [{ type: 'recycled', k: Math.floor(n / part), every: 16 }],
  })),
  {
    method: 'recycled',
    setting: 'K = context / 8, dynamic',
    edits: [{ type: 'recycled', k: Math.floor(n / 8), dynamic: {} }],
  },
  ...[0.75, 0.5, 0.25, 0.1].map((share) => ({
    method: 'spatten',
    setting: `${share} of the tokens from layer 1 on`,
    edits: [
      {
        ...{ type: 'spatten', values: 1, heads: same(n_layer, 1) },
        tokens: [1, ...same(n_layer - 1, share)],
      },
    ],
  })),
  ...[0.5, 0.25].map((share) => ({
    method: 'spatten',
    setting: `${share} of the tokens from layer 1 on, with the last context / 16`,
    edits: [
      {
        ...{ type: 'spatten', values: 1, heads: same(n_layer, 1), recent: Math.floor(n / 16) },
        tokens: [1, ...same(n_layer - 1, share)],
      },
    ],
  })),
  { method: 'spatten', setting: 'published shares', edits: [{ type: 'spatten' }] },
  {
    method: 'spatten',
    setting: 'keys of 6 bits, tau 0.05',
    edits: [
      {
        ...{ type: 'spatten', values: 1, heads: same(n_layer, 1), tokens: same(n_layer, 1) },
        key_bits: { high: 6 },
      },
    ],
  },
  { method: 'act', setting: 'sinks of the prompt', edits: [{ type: 'act' }] },
  { method: 'act', setting: 'running sinks', edits: [{ type: 'act', sinks: 'running' }] },
];

/** The counts of an edit as figures of the table. */
function figures([counts]) {
  if (!counts) return { kept: 1 };
  const { type, keys, all_keys, overlap, rows, all_rows, low_bit_rows, key_bit_rows, passes } =
    counts;
  return {
    kept: type === 'act' ? rows / all_rows : keys / all_keys,
    ...(overlap >= 0 && { overlap }),
    ...(key_bit_rows > 0 && { low_bits: low_bit_rows / key_bit_rows }),
    ...(passes > 0 && { passes }),
  };
}

const print = (row) => console.log(JSON.stringify(row));
const mean = (list) => list.reduce((a, b) => a + b, 0) / list.length;

/** The mean of what the edits counted in several sessions. */
const meanFigures = (all) =>
  Object.fromEntries(Object.keys(all[0]).map((name) => [name, mean(all.map((one) => one[name]))]));

async function quality() {
  const model = await loadModel('storybook', OPTIONS);
  const n = model.info.n_ctx_train;
  const [bos, ...ids] = await model.tokenize(STORY);
  const texts = Array.from({ length: Math.floor((ids.length - n + 1) / STRIDE) + 1 }, (_, i) => [
    bos,
    ...ids.slice(i * STRIDE, i * STRIDE + n - 1),
  ]);
  const prompt = n / 2;
  let plain;
  for (const { method, setting, edits } of settings(n, model.info.n_layer)) {
    const nll = [];
    const counted = [];
    for (const text of texts) {
      const session = model.createSession({ edits: edits.map((edit) => ({ ...edit, prompt })) });
      const scores = await session.score(text);
      nll.push(...scores.slice(prompt).map(({ logprob }) => -logprob));
      counted.push(figures(await session.editCounts()));
      await session.dispose();
    }
    plain ??= mean(nll);
    const increase = mean(nll) - plain;
    print({ method, setting, n, nll: mean(nll), increase, ...meanFigures(counted) });
  }
  await model.dispose();
}

/** Generates STEPS tokens after those of the session; returns milliseconds a token. */
async function timeOf(session) {
  const start = performance.now();
  for await (const step of session.generate(undefined, {
    ...{ max_tokens: STEPS, ignore_eos: true, temperature: 1, trace: false },
  }))
    void step;
  return (performance.now() - start) / STEPS;
}

const median = (list) => [...list].sort((a, b) => a - b)[list.length >> 1];

/** All sessions run their prompt first. Then they generate in turns. */
async function time() {
  for (const n of CONTEXTS) {
    const list = (n_layer) =>
      settings(n, n_layer).filter(
        // calibration only adds work: one setting; the bits of keys are not read apart
        ({ edits: [edit] }) => !edit?.key_bits && (edit?.type !== 'act' || edit.sinks),
      );
    const n_ctx = n + (TURNS * rounds + 1) * STEPS + 32;
    const n_kv = n_ctx * list(1).length;
    const model = await loadModel(modelFile(shape, 'Q4_0'), { ...OPTIONS, n_ctx, n_kv });
    const { n_layer, n_vocab } = model.info;
    const ids = Array.from({ length: n }, (_, i) => 300 + ((i * 7919) % (n_vocab - 600)));
    const all = [];
    for (const { edits, ...row } of list(n_layer)) {
      const session = model.createSession({ seed: 1, edits });
      await session.sync(ids);
      await timeOf(session); // also runs the prompt
      all.push({ row, session, times: [] });
    }
    for (let turn = 0; turn < TURNS * rounds; turn++)
      for (const { session, times } of all) times.push(await timeOf(session));
    const plain = median(all[0].times);
    for (const { row, session, times } of all) {
      const ms = median(times);
      print({ ...row, n, ...figures(await session.editCounts()), ms, speedup: plain / ms });
    }
    await model.dispose();
  }
}

await { quality, time }[what]();
