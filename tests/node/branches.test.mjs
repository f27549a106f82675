// Several branches of a session at once: fork(n), and preview(), which must give what forks give
// one after the other.
import assert from 'node:assert/strict';
import { after, test } from 'node:test';
import { loadModel } from '../../dist/node.js';
import { collect, freshLogits } from '../support/support.mjs';

const model = await loadModel('storybook', { worker: false, n_ctx: 256, n_kv: 2048 });
after(() => model.dispose());

const PROMPT = 'The old man opened the door and';

async function prompted(prompt = PROMPT) {
  const session = model.createSession({ seed: 3 });
  await session.sync(prompt);
  return session;
}

test('fork(n) gives n sessions that share the cache; fork() gives one', async () => {
  const session = await prompted();
  const expected = await session.logits();
  const { decoded_tokens } = await model.stats();
  const branches = await session.fork(8);
  assert.equal(branches.length, 8);
  const one = await session.fork();
  for (const branch of [...branches, one]) {
    assert.deepEqual(branch.tokens, session.tokens);
    assert.equal(branch.seed, session.seed);
    assert.deepEqual(await branch.logits(), expected);
  }
  assert.equal((await model.stats()).decoded_tokens, decoded_tokens);
  await Promise.all(branches.map((branch, i) => branch.append(300 + i)));
  const ids = session.tokens;
  const logits = await Promise.all(branches.map((branch) => branch.logits()));
  for (const [i, own] of logits.entries())
    assert.deepEqual(own, await freshLogits(model, [...ids, 300 + i]));
  assert.equal((await session.fork(1)).length, 1);
});

test('fork(n) refuses what is no number of sessions, and a session that was disposed', async () => {
  const session = await prompted();
  for (const n of [0, -1, 1.5, 1025, '2', null, NaN])
    await assert.rejects(session.fork(n), {
      code: 'INVALID_ARGUMENT',
      message: /n is .*1 to 1024/,
    });
  await session.dispose();
  await assert.rejects(session.fork(2), { code: 'DISPOSED' });
});

/** What preview() must give: fork, append and generate, one after the other. */
async function oneByOne(session, { tokens, max_tokens, ...options }) {
  const sampler = Object.keys(options).length > 0 ? options : { temperature: 0 };
  const { candidates } = await session.candidates({ ...sampler, top_n: tokens });
  const previews = [];
  for (const { token, text, p, p_final } of candidates) {
    const branch = await session.fork();
    await branch.append(token);
    const before = (await model.detokenize(session.tokens)).length;
    const steps = await collect(branch.generate(undefined, { ...sampler, max_tokens }));
    previews.push({
      token,
      token_text: text,
      p,
      p_final,
      text: (await model.detokenize(branch.tokens)).slice(before),
      steps: steps.map((step) => ({ token: step.token, text: step.text, logprob: step.logprob })),
      ended: steps.at(-1)?.eog ? 'eog' : 'max_tokens',
    });
    await branch.dispose();
  }
  return previews;
}

for (const options of [
  { tokens: 4, max_tokens: 6 },
  { tokens: 3, max_tokens: 5, temperature: 1.2 },
  { tokens: 3, max_tokens: 5, seed: 9, sample_index: 2, top_k: 30 },
  { tokens: 2, max_tokens: 4, mirostat: 2 },
  { tokens: 12, max_tokens: 0 },
])
  test(`preview is fork, append and generate: ${JSON.stringify(options)}`, async () => {
    const session = await prompted();
    const ids = session.tokens;
    const previews = await session.preview(options);
    assert.equal(previews.length, options.tokens);
    assert.deepEqual(session.tokens, ids);
    assert.deepEqual(previews, await oneByOne(session, options));
    await session.dispose();
  });

test('preview runs the prompt once, and has defaults', async () => {
  const session = await prompted();
  const { decoded_tokens } = await model.stats();
  const previews = await session.preview();
  assert.deepEqual(previews, await oneByOne(session, { tokens: 5, max_tokens: 8 }));
  const fresh = await prompted();
  const before = (await model.stats()).decoded_tokens;
  await fresh.preview({ tokens: 5, max_tokens: 8 });
  const runs = previews.reduce((n, { steps }) => n + steps.length, 0);
  assert.equal((await model.stats()).decoded_tokens - before, fresh.tokens.length + runs);
  assert.ok(before > decoded_tokens);
});

test('a preview ends at an end token, and where the context is full', async () => {
  const session = await prompted();
  const { eos } = model.info;
  const ends = await session.preview({ tokens: 1, logit_bias: { [eos]: 100 }, temperature: 0 });
  // the candidates are those of the model; the bias makes the next token the end
  assert.equal(ends[0].ended, 'eog');
  assert.deepEqual(
    ends[0].steps.map(({ token }) => token),
    [eos],
  );
  await session.sync('They lived happily ever after.');
  const all = await session.preview({ max_tokens: 3 });
  const end = all.find(({ token }) => token === eos);
  assert.deepEqual([end?.ended, end?.steps], ['eog', []]);
  await session.sync(Array(254).fill(300));
  const [full] = await session.preview({ tokens: 1, max_tokens: 5, ignore_eos: true });
  assert.deepEqual([full.ended, full.steps.length], ['context', 1]);
  await session.append(300);
  const [last] = await session.preview({ tokens: 1, ignore_eos: true });
  assert.deepEqual([last.ended, last.steps.length], ['context', 0]);
  await session.append(300);
  await assert.rejects(session.preview(), { code: 'CONTEXT_FULL' });
});

test('preview frees its branches, hears a signal and refuses wrong options', async () => {
  const own = await loadModel('storybook', { worker: false, n_ctx: 256, n_kv: 2048 });
  const session = own.createSession();
  await session.sync(PROMPT);
  const run = () => session.preview({ tokens: 40, max_tokens: 2 });
  await run();
  const { memory } = await own.stats();
  for (let i = 0; i < 4; i++) await run();
  const controller = new AbortController();
  const aborted = session.preview({ tokens: 40, max_tokens: 100, signal: controller.signal });
  setTimeout(() => controller.abort(), 1);
  await assert.rejects(aborted, { name: 'AbortError' });
  assert.equal((await own.stats()).memory.total, memory.total);
  const refused = (options, code, message) =>
    assert.rejects(session.preview(options), { code, message });
  await refused({ tokens: 0 }, 'INVALID_ARGUMENT', /tokens is 0; .*1 to 1024/);
  await refused({ max_tokens: -1 }, 'INVALID_ARGUMENT', /max_tokens is -1/);
  await refused({ top_n: 3 }, 'INVALID_ARGUMENT', /preview has no option "top_n"/);
  await refused({ temperature: -1 }, 'SAMPLER_BAD_OPTION', /temperature/);
  const grammar = await own.createGrammar({ type: 'json' });
  await refused({ grammar }, 'OPTION_UNSUPPORTED', /grammar/);
  await session.sync([]);
  await refused({}, 'SESSION_EMPTY', /no token/);
  await own.dispose();
});

test('preview gives the same where the cache holds fewer texts at a time', async () => {
  const previews = [];
  for (const n_kv of [2048, 256]) {
    const own = await loadModel('storybook', { worker: false, n_ctx: 256, n_kv });
    const session = own.createSession({ seed: 4 });
    await session.sync(PROMPT);
    previews.push(await session.preview({ tokens: 12, max_tokens: 20, temperature: 1 }));
    await own.dispose();
  }
  assert.equal(previews[0].length, 12);
  assert.deepEqual(previews[1], previews[0]);
});
