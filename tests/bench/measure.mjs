// Measures tokenglass, in the same way in a page and in Node. Takes loadModel, a source, load
// options and a plan; returns milliseconds and tokens a second.
import { many } from './many.mjs';

const ids = (n, seed) =>
  Array.from({ length: n }, (_, i) => ((i * 37 + 5 + seed * 11) % 1500) + 300);

/** Milliseconds for a generation of max_tokens tokens. */
async function timed(session, prompt, max_tokens) {
  const start = performance.now();
  for await (const step of session.generate(prompt, {
    max_tokens,
    temperature: 0,
    ignore_eos: true,
    trace: false,
  }))
    void step;
  return performance.now() - start;
}

/**
 * Measures `repeats` times: tokens a second for a prompt of `prompt` tokens (until the first token
 * is sampled), then for `generate` further tokens.
 */
async function rates(model, { prompt, generate, repeats }) {
  const results = [];
  for (let i = -1; i < repeats; i++) {
    const session = model.createSession({ seed: 1 });
    const prefill = await timed(session, ids(prompt, i + 2), 1);
    const decode = await timed(session, undefined, generate);
    await session.dispose();
    if (i >= 0)
      // The first run only warms up the compiler.
      results.push({ prefill: (prompt * 1000) / prefill, decode: (generate * 1000) / decode });
  }
  return results;
}

const median = (values) => values.sort((a, b) => a - b)[values.length >> 1];

/**
 * Milliseconds for a token at each of these context lengths, and tokens a second for a prompt of
 * each of these lengths. Rounds alternate between the lengths.
 */
async function growth(model, contexts, prompts) {
  const sessions = [];
  for (const n of contexts) {
    const session = model.createSession({ seed: 1 });
    await timed(session, ids(n, 1), 1);
    sessions.push({ n, session, times: [] });
  }
  for (let round = 0; round < 5; round++) {
    for (const { n, session, times } of sessions) {
      times.push((await timed(session, undefined, 12)) / 12);
      await session.rewind(n);
    }
  }
  for (const { session } of sessions) await session.dispose();
  const rate = {};
  for (let round = 0; round < 3; round++) {
    for (const n of prompts) {
      const session = model.createSession({ seed: 1 });
      (rate[n] ??= []).push((n * 1000) / (await timed(session, ids(n, round + 3), 1)));
      await session.dispose();
    }
  }
  return {
    ms_per_token: Object.fromEntries(sessions.map(({ n, times }) => [n, median(times)])),
    prefill: Object.fromEntries(prompts.map((n) => [n, median(rate[n])])),
  };
}

export async function measure(loadModel, source, options, plan) {
  const start = performance.now();
  let firstProgress = 0;
  let last = 0;
  const on_progress = ({ loaded, total }) => {
    firstProgress ||= performance.now();
    if (loaded === total) last ||= performance.now();
  };
  const model = await loadModel(source, { ...options, profile: true, on_progress });
  const loaded = performance.now();
  const first = model.createSession();
  await timed(first, ids(32, 0), 1);
  const logits = performance.now();
  await first.dispose();
  const result = {
    instantiated_ms: firstProgress - start,
    load_ms: loaded - start,
    first_logits_ms: logits - last,
    n_threads: model.info.n_threads,
    threads_note: model.info.threads_note,
    kernel_variant: model.info.kernel_variant,
    kernel_dot: model.info.kernel_dot,
    cache: `${model.info.cache_type_k}/${model.info.cache_type_v}`,
  };
  if (plan.repeats) {
    result.runs = await rates(model, plan);
    const session = model.createSession({ seed: 1 });
    await timed(session, ids(plan.prompt, 1), 1);
    const before = (await model.stats()).profile;
    const ms = await timed(session, undefined, plan.generate);
    const after = (await model.stats()).profile;
    result.token_ms = ms / plan.generate;
    result.steps = after.map(({ step, ms }, i) => ({
      step,
      ms: (ms - before[i].ms) / plan.generate,
    }));
    await session.dispose();
  }
  if (plan.contexts) Object.assign(result, await growth(model, plan.contexts, plan.prompts));
  if (plan.sessions) result.many = await many(model, plan);
  const { memory } = model.info;
  result.memory_above_mb = (memory.peak - memory.kv - 1.07 * memory.file) / 2 ** 20;
  await model.dispose();
  return result;
}
