// The scores that a session makes while it takes tokens: those of Model.score, and each token runs
// once.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { collect, freshLogits, tokensOf, withModel } from '../support/support.mjs';

const TEXT = 'Once upon a time there was a little girl who went to the river with her old cat.';
const decoded = async (model) => (await model.stats()).decoded_tokens;
const longText = Array.from({ length: 3500 }, (_, i) => (i ? 300 + ((i * 7) % 500) : 1));

for (const worker of [false, true]) {
  const where = worker ? 'in a worker' : 'in this thread';
  const built = (use, options) => withModel('storybook', { worker, ...options }, use);

  test(`the scores of the model, in any division, ${where}`, () =>
    built(async (model) => {
      const ids = await model.tokenize(TEXT);
      const whole = await model.score(ids, { top_n: 3 });
      assert.ok(Number.isNaN(whole[0].logprob));
      const fresh = await freshLogits(model, ids);
      for (const cut of [0, 1, 9, ids.length]) {
        const session = model.createSession({ seed: 2 });
        const before = await decoded(model);
        const scores = [
          ...(await session.score(ids.slice(0, cut), { top_n: 3 })),
          ...(await session.score(ids.slice(cut), { top_n: 3 })),
        ];
        assert.deepEqual(scores, whole);
        assert.deepEqual(session.tokens, ids);
        assert.deepEqual(await session.logits(), fresh);
        assert.equal((await decoded(model)) - before, ids.length, 'each token runs once');
        await session.dispose();
      }
      // after tokens that have not run yet, and after a rewind
      const session = model.createSession({ seed: 2 });
      await session.sync(ids.slice(0, 7));
      assert.deepEqual(await session.score(ids.slice(7), { top_n: 3 }), whole.slice(7));
      await session.rewind(4);
      assert.deepEqual(
        await session.score(ids.slice(4)),
        await model.score(ids).then((all) => all.slice(4)),
      );
      const other = model.createSession({ seed: 2 });
      await other.sync(ids);
      assert.deepEqual(await session.candidates(), await other.candidates());
      const options = { max_tokens: 5 };
      assert.deepEqual(
        tokensOf(await collect(session.generate(undefined, options))),
        tokensOf(await collect(other.generate(undefined, options))),
      );
      assert.deepEqual(session.tokens, other.tokens);
    }));

  test(`an abort in the middle leaves the tokens that were scored ${where}`, () =>
    built(
      async (model) => {
        const session = model.createSession();
        const controller = new AbortController();
        const reason = new Error('enough');
        const before = await decoded(model);
        const scoring = session.score(longText, { signal: controller.signal });
        scoring.catch(() => undefined);
        while ((await decoded(model)) - before < 100)
          await new Promise((resolve) => setTimeout(resolve));
        controller.abort(reason);
        await assert.rejects(scoring, (error) => error === reason);
        const { length } = session.tokens;
        assert.ok(length >= 100 && length < longText.length, `${length} tokens`);
        assert.deepEqual(session.tokens, longText.slice(0, length));
        assert.equal((await decoded(model)) - before, length);
        assert.deepEqual(await session.logits(), await freshLogits(model, session.tokens));
        // the session goes on from there
        const rest = longText.slice(length, length + 200);
        const whole = await model.score(longText.slice(0, length + 200));
        assert.deepEqual(await session.score(rest), whole.slice(length));
        await session.rewind(3);
        assert.deepEqual(session.tokens, longText.slice(0, 3));
      },
      { n_ctx: 4000, n_kv: 12000 },
    ));

  test(`other calls that change the tokens wait for the scores ${where}`, () =>
    built(
      async (model) => {
        const session = model.createSession();
        const scoring = session.score(longText.slice(0, 600));
        const busy = { code: 'SESSION_BUSY' };
        await assert.rejects(session.append(5), busy);
        await assert.rejects(session.rewind(0), busy);
        await assert.rejects(session.sync('Once'), busy);
        await assert.rejects(session.save(), busy);
        await assert.rejects(session.score([5]), busy);
        await assert.rejects(collect(session.generate('Once')), busy);
        assert.equal((await scoring).length, 600);
        await session.append(5);
        assert.equal(session.tokens.length, 601);
        for await (const _ of session.generate(undefined, { max_tokens: 2 }))
          await assert.rejects(session.score([5]), busy);
        // the end of a session is the end of its scores
        const other = model.createSession();
        const lost = other.score(longText);
        await Promise.all([other.dispose(), assert.rejects(lost, { code: 'DISPOSED' })]);
      },
      { n_ctx: 4000 },
    ));
}

test('wrong arguments are refused by name, and nothing is added', () =>
  withModel('storybook', { worker: false, n_ctx: 256 }, async (model) => {
    const session = model.createSession();
    await session.sync([1, 300]);
    const refused = (ids, options, error) => assert.rejects(session.score(ids, options), error);
    await refused([...longText.slice(0, 200), 3072], {}, { code: 'TOKEN_OUT_OF_RANGE' });
    await refused([-1], {}, { code: 'TOKEN_OUT_OF_RANGE' });
    await refused(longText.slice(0, 255), {}, { code: 'CONTEXT_FULL', message: /2 of 256/ });
    await refused('Once', {}, { code: 'INVALID_ARGUMENT' });
    await refused([5], { top_n: 4000 }, { code: 'INVALID_ARGUMENT' });
    await refused([5], { stride: 1 }, { code: 'INVALID_ARGUMENT' });
    await refused(longText.slice(0, 250), { top_n: 3000 }, { code: 'INVALID_ARGUMENT' });
    assert.deepEqual(session.tokens, [1, 300]);
    assert.deepEqual(await session.score([]), []);
    assert.equal((await session.score(longText.slice(0, 254))).length, 254);
    assert.equal(session.tokens.length, 256);
    await assert.rejects(session.score([5]), { code: 'CONTEXT_FULL' });
  }));
