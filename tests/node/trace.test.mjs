// The invariants of traces: probabilities sum to 1, every removed token has a reason, bytes are
// exact, random draws are addressable; and scores.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { stages } from '../../dist/node.js';
import { softmax } from '../support/measures.mjs';
import { collect, freshLogits, withModel } from '../support/support.mjs';

const TEXT =
  'One day the old woman went to the river to fetch water, and there she met a small green frog.';
const built = (use) => withModel('storybook', { worker: false }, use);

test('listed probabilities and the rest are the softmax of the logits, and sum to 1', () =>
  built(async (model) => {
    const session = model.createSession();
    await session.sync(TEXT);
    const truth = softmax(await session.logits());
    for (const top_n of [1, 50, 3072]) {
      const { candidates, other, entropy } = await session.candidates({ top_n, temperature: 0.5 });
      assert.equal(candidates.length, top_n);
      for (const { token, p } of candidates) assert.ok(Math.abs(p - truth[token]) < 1e-6);
      assert.ok(Math.abs(candidates.reduce((sum, { p }) => sum + p, other) - 1) < 1e-9);
      assert.ok(
        candidates.every(({ p }, i) => i === 0 || p <= candidates[i - 1].p),
        'most probable first',
      );
      const nats = truth.reduce((sum, p) => sum - (p > 0 ? p * Math.log(p) : 0), 0);
      assert.ok(Math.abs(entropy - nats) < 1e-6);
    }
  }));

test('every removal is accounted for at every stage, in any order', () =>
  built(async (model) => {
    const session = model.createSession({ seed: 2 });
    await session.sync(TEXT);
    const orders = [
      stages.map(({ name }) => name),
      ['temperature', 'min_p', 'top_p', 'top_k'],
      ['top_p'],
      [],
    ];
    for (const samplers of orders) {
      const trace = await session.candidates({
        top_n: 3072,
        samplers,
        top_k: 60,
        top_p: 0.9,
        min_p: 0.02,
        temperature: 1.3,
      });
      let alive = new Set(trace.candidates.map(({ token }) => token));
      for (const stage of trace.stages) {
        const removed = new Set(
          trace.candidates
            .filter(({ removed_by }) => removed_by === stage.name)
            .map(({ token }) => token),
        );
        assert.deepEqual(new Set(stage.removed_tokens), removed);
        assert.equal(removed.size, stage.removed);
        for (const token of removed)
          assert.ok(alive.delete(token), `${stage.name} removed ${token}, which was gone`);
        assert.equal(alive.size, stage.kept);
        const mass = trace.candidates.reduce(
          (sum, { token, p }) => sum + (alive.has(token) ? p : 0),
          0,
        );
        assert.ok(Math.abs(stage.mass_after - mass) < 1e-9);
        assert.match(stage.reason, new RegExp(`^${stage.name}: `));
        const { options } = stages.find(({ name }) => name === stage.name);
        assert.deepEqual(
          Object.keys(stage.params),
          options.map(({ name }) => name),
        );
      }
      const survivors = trace.candidates.filter(({ p_final }) => p_final > 0);
      assert.deepEqual(new Set(survivors.map(({ token }) => token)), alive);
      assert.ok(Math.abs(survivors.reduce((sum, { p_final }) => sum + p_final, 0) - 1) < 1e-9);
      const { u, low, high, token } = trace.draw;
      assert.ok(low <= u && u < high && alive.has(token));
      const before = survivors
        .toSorted((a, b) => b.p_final - a.p_final || a.token - b.token)
        .slice(
          0,
          survivors
            .toSorted((a, b) => b.p_final - a.p_final || a.token - b.token)
            .findIndex((c) => c.token === token),
        )
        .reduce((sum, { p_final }) => sum + p_final, 0);
      assert.ok(
        Math.abs(before - low) < 1e-9,
        'the interval is the cumulated mass before the token',
      );
    }
  }));

test("the tokens' bytes joined are the text, also through half characters", () =>
  built(async (model) => {
    const text = 'A 😀 smile — naïve café, 漢字, \u0000\u0007 tab\t and lines\n\n end';
    const ids = await model.tokenize(text);
    const bytes = await Promise.all(ids.map((id) => model.tokenBytes(id)));
    assert.equal(
      Buffer.concat(bytes).toString(),
      ` ${text}`,
      'with the space that this tokenizer puts before a text',
    );
    assert.equal(await model.detokenize(ids), text);
    // appended halves of a character: bytes at once, text only for the complete character
    const session = model.createSession();
    const smile = (await model.tokenize('😀')).slice(-4);
    assert.deepEqual(
      Buffer.concat(await Promise.all(smile.map((id) => model.tokenBytes(id)))),
      Buffer.from('😀'),
    );
    await session.sync([1, ...smile.slice(0, 2)]);
    const trace = await session.candidates({ top_n: 3072 });
    const byte = trace.candidates.find(({ token }) => token === smile[2]);
    assert.equal(byte.text, '\ufffd');
    assert.equal(byte.bytes.length, 1);
  }));

test('a generated text comes in whole characters and equals the bytes of its tokens', () =>
  built(async (model) => {
    let halves = 0;
    for (let seed = 1; seed <= 6; seed++) {
      const session = model.createSession({ seed });
      // at this temperature all tokens, bytes included, are about equally probable
      const options = {
        max_tokens: 200,
        temperature: 50,
        top_k: 0,
        top_p: 1,
        min_p: 0,
        ignore_eos: true,
        trace: false,
      };
      const steps = await collect(session.generate([1], options));
      halves += steps.filter(({ text, bytes }) => text === '' && bytes.length > 0).length;
      const joined = Buffer.concat(steps.map(({ bytes }) => bytes));
      const whole = new TextDecoder('utf-8', { ignoreBOM: true }).decode(joined, { stream: true });
      // the tokenizer's leading space is not part of the text
      assert.equal(steps.map(({ text }) => text).join(''), whole.replace(/^ /, ''));
      await session.dispose();
    }
    assert.ok(halves > 0, 'half characters came up');
  }));

test('a step has the rank and the entropy of its token, with a trace or without', () =>
  built(async (model) => {
    const generate = (options) => {
      const session = model.createSession({ seed: 4 });
      return collect(
        session.generate(TEXT, { max_tokens: 12, temperature: 2, top_k: 0, min_p: 0, ...options }),
      );
    };
    const steps = await generate({ trace: { top_n: 3072 } });
    const bare = await generate({ trace: false });
    let unlikely = 0;
    for (const [i, { token, rank, entropy, trace }] of steps.entries()) {
      const { logit } = trace.candidates.find((candidate) => candidate.token === token);
      assert.equal(rank, trace.candidates.filter((other) => other.logit > logit).length);
      assert.equal(entropy, trace.entropy);
      assert.deepEqual([bare[i].token, bare[i].rank, bare[i].entropy], [token, rank, entropy]);
      unlikely += rank > 50;
    }
    assert.ok(unlikely > 0, 'ranks beyond the usual list are met, too');
    const scores = await model.score([
      ...(await model.tokenize(TEXT)),
      ...steps.map(({ token }) => token),
    ]);
    assert.deepEqual(
      scores.slice(-steps.length).map(({ rank }) => rank),
      steps.map(({ rank }) => rank),
    );
  }));

test('a coin depends on seed and position alone', () =>
  built(async (model) => {
    const u = async (ids, seed, options) => {
      const session = model.createSession();
      await session.sync(ids);
      return (await session.candidates({ seed, ...options })).draw.u;
    };
    const base = await u([1, 300, 301], 5);
    assert.equal(await u([1, 17, 18], 5), base);
    assert.equal(await u([1, 17, 18], 5, { temperature: 0.1, top_k: 3, top_n: 1 }), base);
    assert.notEqual(await u([1, 17], 5), base);
    assert.notEqual(await u([1, 17, 18], 6), base);
    assert.notEqual(await u([1, 17, 18], 5n + (1n << 40n)), base, 'all 64 bits of a seed count');
  }));

test('scores equal a recomputation from exported logits', () =>
  built(async (model) => {
    const ids = await model.tokenize(TEXT);
    const scores = await model.score(TEXT);
    assert.deepEqual(
      scores.map(({ token }) => token),
      ids,
    );
    assert.ok(Number.isNaN(scores[0].logprob));
    for (let i = 1; i < ids.length; i++) {
      const logits = await freshLogits(model, ids.slice(0, i));
      const p = softmax(logits);
      const { logprob, rank, entropy, top_mass, tied } = scores[i];
      assert.ok(Math.abs(logprob - Math.log(p[ids[i]])) < 1e-5);
      assert.equal(rank, p.filter((q) => q > p[ids[i]]).length);
      assert.equal(tied, logits.filter((x) => x === logits[ids[i]]).length - 1);
      assert.ok(
        Math.abs(entropy - p.reduce((sum, q) => sum - (q > 0 ? q * Math.log(q) : 0), 0)) < 1e-5,
      );
      assert.ok(Math.abs(top_mass - p.reduce((sum, q) => sum + (q > p[ids[i]] ? q : 0), 0)) < 1e-5);
    }
    assert.equal(scores.map(({ text }) => text).join(''), `<s> ${TEXT}`);
  }));
