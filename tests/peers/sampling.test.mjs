// Feeds llama.cpp's logits to our sampler chain and compares the final probabilities with those of
// llama.cpp's samplers: total variation, step by step, on the built-in model.
import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';
import { test } from 'node:test';
import { loadModel } from '../../dist/node.js';
import { STORY } from '../support/story.mjs';
import { openPeer, preparePeer } from './llamacpp.mjs';

const STORYBOOK = fileURLToPath(new URL('../../demo/model/storybook-q8_0.gguf', import.meta.url));
const POSITIONS = 48;
const DOUBT = 1e-5; // a candidate this near to a threshold is kept or removed by rounding
const LIMIT = 1e-4;
const skip = preparePeer() || false;

const plain = { topK: 0, topP: 1, minP: 0, temperature: 1 };
/** Pairs of the library's options and our options with the same meaning. */
const CHAINS = [
  [{ ...plain }, { top_k: 0, top_p: 1, min_p: 0, temperature: 1 }],
  [
    { ...plain, temperature: 0.3 },
    { top_k: 0, top_p: 1, min_p: 0, temperature: 0.3 },
  ],
  [
    { ...plain, temperature: 2.5, topK: 7 },
    { top_k: 7, top_p: 1, min_p: 0, temperature: 2.5 },
  ],
  [
    { ...plain, topP: 0.8 },
    { top_k: 0, top_p: 0.8, min_p: 0, temperature: 1 },
  ],
  [
    { ...plain, minP: 0.03, temperature: 1.4 },
    { top_k: 0, top_p: 1, min_p: 0.03, temperature: 1.4 },
  ],
  [{ topK: 40, topP: 0.95, minP: 0.05, temperature: 0.8 }, {}],
  [
    { topK: 40, topP: 0.95, minP: 0.05, temperature: 0.8, penalty: { penalty: 1.3 } },
    { penalty_repeat: 1.3 },
  ],
  [
    { ...plain, topK: 100, penalty: { penalty: 1, frequencyPenalty: 0.4, presencePenalty: -0.3 } },
    { top_k: 100, top_p: 1, min_p: 0, temperature: 1, penalty_freq: 0.4, penalty_present: -0.3 },
  ],
];

/** A logit bias that changes our logits to the peer's. */
const difference = (theirs, ours) => new Map(Array.from(theirs, (x, id) => [id, x - ours[id]]));

/**
 * Whether rounding can decide if a candidate passes a threshold of the chain. Takes the trace of
 * the chain's final step.
 */
function doubtful({ candidates, stages }, { top_p = 0.95, min_p = 0.05, top_k = 40 }) {
  const at = (name) => stages.findIndex((stage) => stage.name === name);
  const alive = (name) => {
    const before = stages.slice(0, at(name)).map((stage) => stage.name);
    return candidates.filter(({ removed_by }) => !before.includes(removed_by));
  };
  // The probabilities that the stage saw. The final probabilities are renormalized, so these are
  // computed again from the logits that the chain received.
  const shares = (list) => {
    const max = Math.max(...list.map(({ fed }) => fed));
    const weights = list.map(({ fed }) => Math.exp(fed - max)).sort((a, b) => b - a);
    const sum = weights.reduce((a, b) => a + b, 0);
    return weights.map((x) => x / sum);
  };
  if (top_k > 0) {
    const sorted = alive('top_k')
      .map(({ fed }) => fed)
      .sort((a, b) => b - a);
    if (sorted.length > top_k && sorted[top_k - 1] - sorted[top_k] < DOUBT) return true;
  }
  if (top_p < 1) {
    let mass = 0;
    for (const share of shares(alive('top_p')))
      if (Math.abs((mass += share) - top_p) < DOUBT) return true;
  }
  if (min_p > 0) {
    const list = shares(alive('min_p'));
    if (list.some((share) => Math.abs(share / list[0] - min_p) < DOUBT)) return true;
  }
  return false;
}

/**
 * Total variation between the peer's final probabilities and ours on its logits; undefined where
 * rounding decides.
 */
async function variation(session, logits, theirs, options, raise) {
  const ours = await session.logits();
  const trace = await session.candidates({
    ...options,
    logit_bias: difference(logits, ours),
    top_n: logits.length,
  });
  const raised = raise ? raise(logits) : logits;
  for (const candidate of trace.candidates) candidate.fed = raised[candidate.token];
  if (doubtful(trace, options)) return undefined;
  const final = new Map(
    trace.candidates
      .filter(({ p_final }) => p_final > 0)
      .map(({ token, p_final }) => [token, p_final]),
  );
  const tokens = new Set([...final.keys(), ...theirs.map(([token]) => token)]);
  const peer = new Map(theirs);
  let sum = 0;
  for (const token of tokens) sum += Math.abs((final.get(token) ?? 0) - (peer.get(token) ?? 0));
  return sum / 2;
}

/** The logits after penalties, which the stages after them see. */
const penalized =
  (window, { penalty_repeat = 1, penalty_freq = 0, penalty_present = 0 }) =>
  (logits) => {
    const out = Float64Array.from(logits);
    for (const id of new Set(window)) {
      const count = window.filter((other) => other === id).length;
      out[id] =
        (out[id] > 0 ? out[id] / penalty_repeat : out[id] * penalty_repeat) -
        count * penalty_freq -
        penalty_present;
    }
    return out;
  };

async function opened(work) {
  const peer = await openPeer(STORYBOOK);
  const model = await loadModel(STORYBOOK, {
    worker: false,
    cache_type_k: 'f32',
    cache_type_v: 'f32',
  });
  try {
    await work(model, peer);
  } finally {
    await model.dispose();
    await peer.close();
  }
}

test('the final distribution is llama.cpp’s, for its logits', { skip, timeout: 300_000 }, (t) =>
  opened(async (model, peer) => {
    const ids = (await model.tokenize(STORY)).slice(0, POSITIONS);
    const rows = await peer.logits(ids);
    for (const [{ penalty, ...theirOptions }, options] of CHAINS) {
      const given = ids.map((_, i) => ({
        ...theirOptions,
        ...(penalty && {
          repeatPenalty: { ...penalty, punishTokens: ids.slice(Math.max(0, i - 63), i + 1) },
        }),
      }));
      const finals = await peer.chain(ids, given);
      const session = model.createSession();
      let worst = 0;
      let compared = 0;
      for (let i = 0; i < ids.length; i++) {
        await session.sync(ids.slice(0, i + 1));
        const window = penalty ? ids.slice(Math.max(0, i - 63), i + 1) : [];
        const distance = await variation(
          session,
          rows[i].logits,
          finals[i],
          options,
          penalized(window, options),
        );
        if (distance === undefined) continue;
        compared++;
        worst = Math.max(worst, distance);
        assert.ok(
          distance < LIMIT,
          `${JSON.stringify(options)}, position ${i}: total variation ${distance}`,
        );
      }
      await session.dispose();
      assert.ok(compared > POSITIONS * 0.8, `${compared} of ${POSITIONS} steps could be compared`);
      t.diagnostic(
        `${JSON.stringify(options)}: at most ${worst.toExponential(1)}, ${compared} of ${POSITIONS} steps`,
      );
    }
  }),
);

test('dry lowers what llama.cpp’s lowers', { skip, timeout: 300_000 }, (t) =>
  opened(async (model, peer) => {
    const dry = {
      strength: 0.4,
      base: 1.6,
      allowedLength: 1,
      sequenceBreakers: ['.', 'he'],
      lastTokens: 256,
    }; // in the library, -1 means fewer tokens
    const options = {
      top_k: 0,
      top_p: 1,
      min_p: 0,
      temperature: 0.8,
      dry_multiplier: 0.4,
      dry_base: 1.6,
      dry_allowed_length: 1,
    };
    const beginning = [model.info.bos];
    const all = await peer.generate(beginning, 200, {
      ...plain,
      temperature: 0.8,
      seed: 3,
      dryRepeatPenalty: dry,
    });
    // BOS is in our context but not in the peer's: a second BOS would count as a repetition
    const end = all.findIndex(({ token }) => token === model.info.eos || token === model.info.bos);
    const made = end < 0 ? all : all.slice(0, end + 1);
    const ids = [...beginning, ...made.map(({ token }) => token)];
    // one by one, as they were generated
    const rows = await peer.logits(ids.slice(0, -1), false, 'F32', 1);
    const session = model.createSession();
    let worst = 0;
    let lowered = 0;
    for (let i = 0; i + 1 < ids.length; i++) {
      await session.sync(ids.slice(0, i + 1));
      const with_dry = { ...options, dry_sequence_breakers: ['.', 'he'] };
      const distance = await variation(session, rows[i].logits, made[i].probabilities, with_dry);
      const without = await variation(session, rows[i].logits, made[i].probabilities, {
        ...options,
        dry_multiplier: 0,
      });
      worst = Math.max(worst, distance);
      if (without > 10 * LIMIT) lowered++;
      assert.ok(distance < LIMIT, `position ${i}: total variation ${distance}`);
    }
    await session.dispose();
    assert.ok(lowered > 10, `dry mattered at ${lowered} steps only`);
    t.diagnostic(
      `at most ${worst.toExponential(1)}; dry mattered at ${lowered} of ${made.length} steps`,
    );
  }),
);
