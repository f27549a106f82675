// Measures several sessions at once, in a page or in Node.

const ids = (n, seed) =>
  Array.from({ length: n }, (_, i) => ((i * 37 + 5 + seed * 11) % 1500) + 300);

async function run(session, prompt, max_tokens) {
  const options = { max_tokens, temperature: 0, ignore_eos: true, trace: false };
  for await (const step of session.generate(prompt, options)) void step;
}

/** Tokens a second of n sessions that each generate `generate` tokens at the same time. */
async function together(model, n, { prompt, generate }) {
  const sessions = Array.from({ length: n }, () => model.createSession({ seed: 1 }));
  await Promise.all(sessions.map((session, i) => run(session, ids(prompt, i), 1)));
  const start = performance.now();
  await Promise.all(sessions.map((session) => run(session, undefined, generate)));
  const rate = (n * generate * 1000) / (performance.now() - start);
  for (const session of sessions) await session.dispose();
  return rate;
}

/** Tokens a second of a text that is read n tokens at a time, each followed by one choice. */
async function inBatches(model, n, { prompt, generate }) {
  const session = model.createSession({ seed: 1 });
  const text = ids(prompt + n * generate, 1);
  await run(session, text.slice(0, prompt), 1);
  const start = performance.now();
  for (let end = prompt + n; end <= text.length; end += n)
    await run(session, text.slice(0, end), 1);
  const rate = (n * generate * 1000) / (performance.now() - start);
  await session.dispose();
  return rate;
}

/**
 * Tokens a second of one session, of `sessions` sessions at once and of a text in batches of as
 * many, a list each. Rounds alternate between them; the first one only warms up the compiler.
 */
export async function many(model, plan) {
  const result = { one: [], many: [], batches: [] };
  for (let round = 0; round <= plan.rounds; round++) {
    const rates = {
      one: await together(model, 1, plan),
      many: await together(model, plan.sessions, plan),
      batches: await inBatches(model, plan.sessions, plan),
    };
    for (const [name, rate] of Object.entries(rates)) if (round > 0) result[name].push(rate);
  }
  return result;
}
