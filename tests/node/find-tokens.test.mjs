// The search in the vocabulary against a naive one over the listed candidates.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { writeGguf } from '../support/gguf-writer.mjs';
import { withModel } from '../support/support.mjs';
import { tinyLlama } from '../support/tiny-llama.mjs';

const TEXT = 'Once upon a time there was a little girl who';
const MARKS = { '␣': ' ', '⏎': '\n', '⇥': '\t', '␍': '\r' };
const built = (use) => withModel('storybook', { worker: false }, use);

/** All tokens that match, most probable first. */
async function matches(session, query, n_vocab) {
  const { candidates } = await session.candidates({ top_n: n_vocab });
  const lower = query.toLowerCase();
  const unmarked = lower.replaceAll(/[␣⏎⇥␍]/g, (mark) => MARKS[mark]);
  return candidates
    .map(({ token, text, bytes, logit, p }) => ({
      ...{ token, text, bytes, logit, p },
      rank: candidates.filter((other) => other.logit > logit).length,
    }))
    .filter(
      ({ token, text }) =>
        String(token) === query ||
        text.toLowerCase().includes(lower) ||
        text.toLowerCase().includes(unmarked),
    );
}

for (const worker of [false, true])
  test(`finds by text, marks and id ${worker ? 'in a worker' : 'in this thread'}`, () =>
    withModel('storybook', { worker }, async (model) => {
      const session = model.createSession();
      await session.sync(TEXT);
      const { n_vocab } = model.info;
      const queries = ['the', 'THE', '␣The', ' the', '⏎', '\n', '⇥', '7', '300', '<s>', '\ufffd'];
      for (const query of [...queries, 'é', 'no token has this', '03', '3072', '-1', '']) {
        const expected = await matches(session, query, n_vocab);
        for (const limit of [n_vocab, 7]) {
          const found = await session.findTokens(query, { limit });
          // the token that is named by its id is there, however improbable
          const listed = expected.slice(0, limit);
          const named = expected.find(({ token }) => String(token) === query);
          if (named && !listed.includes(named)) listed[limit - 1] = named;
          assert.deepEqual(found, listed, `${query}, ${limit}`);
        }
      }
      assert.ok((await matches(session, '␣the', n_vocab)).length > 3, 'the marks matter');
      assert.equal((await session.findTokens('e')).length, 30);
      assert.deepEqual(await session.findTokens('e', { limit: 0 }), []);
    }));

test('tokens with the same logit come by id', async () => {
  const { metadata, tensors } = tinyLlama({ n_vocab: 600 });
  for (const { name, bytes } of tensors) if (name === 'token_embd.weight') bytes.fill(0);
  await withModel(writeGguf({ metadata, tensors }), { worker: false }, async (model) => {
    const session = model.createSession();
    await session.sync([1]);
    const found = await session.findTokens('w', { limit: 100 });
    const ids = found.map(({ token }) => token);
    assert.deepEqual(ids.length, 100);
    assert.deepEqual(
      ids,
      [...ids].sort((a, b) => a - b),
    );
    assert.ok(found.every(({ rank, p }) => rank === 0 && Math.abs(p - 1 / 600) < 1e-12));
  });
});

test('the session does not change, nor what explain() tells', () =>
  built(async (model) => {
    const session = model.createSession({ seed: 4 });
    await session.sync(TEXT);
    await session.candidates({ top_k: 1 });
    const tokens = [...session.tokens];
    await session.findTokens('a');
    assert.deepEqual(session.tokens, tokens);
    assert.equal((await session.explain(5)).fate.stage, 'top_k');
  }));

test('a table takes what was found', () =>
  built(async (model) => {
    const session = model.createSession({ seed: 4 });
    await session.sync(TEXT);
    const found = await session.findTokens('cat', { limit: 5 });
    assert.ok(found.length > 1);
    const { rows } = await session.stageTable({ tokens: found.map(({ token }) => token) });
    for (const { token, p, logit, rank } of found) {
      const row = rows.find((one) => one.token === token);
      assert.deepEqual({ p: row.p, logit: row.logit, rank: row.rank }, { p, logit, rank });
    }
  }));

test('wrong arguments are refused by name', () =>
  built(async (model) => {
    const session = model.createSession();
    await assert.rejects(session.findTokens('a'), { code: 'SESSION_EMPTY' });
    await session.sync('Once');
    await assert.rejects(session.findTokens(7), { code: 'INVALID_ARGUMENT' });
    await assert.rejects(session.findTokens('a', { limit: 1.5 }), { code: 'INVALID_ARGUMENT' });
    await assert.rejects(session.findTokens('a', { top_k: 5 }), { code: 'INVALID_ARGUMENT' });
  }));
