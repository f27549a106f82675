// The public API on the built-in model, in a worker and in the caller's thread: generation,
// branching, stopping, disposal.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadModel } from '../../dist/node.js';
import {
  collect,
  freshLogits,
  published,
  shared,
  tokensOf,
  withModel,
} from '../support/support.mjs';
import { STORY } from '../support/story.mjs';

const GREEDY = { temperature: 0, trace: false };
const PROMPT = 'Once upon a time there was';
const stories = shared('models/stories260K.gguf');

for (const worker of [true, false]) {
  const where = worker ? 'in a worker' : "in the caller's thread";
  const built = (use) => withModel('storybook', { worker }, use);

  test(`stories260K tells its published story ${where}`, stories.needs, () =>
    withModel(stories.path, { worker }, async (model) => {
      const session = model.createSession();
      const steps = await collect(session.generate([1], { ...GREEDY, max_tokens: 200 }));
      const text = steps.map(({ text }) => text).join('');
      assert.equal(steps.length, 200);
      assert.ok(published().startsWith(text) && text.length > 450, text);
      assert.equal(await model.detokenize(session.tokens), text);
    }),
  );

  test(
    `a prompt in one batch, in batches of 7 or token by token gives the same bits ${where}`,
    stories.needs,
    () =>
      withModel(stories.path, { worker }, async (model) => {
        const ids = await model.tokenize(STORY.slice(0, 300));
        const whole = await freshLogits(model, ids);
        for (const batch of [7, 1])
          assert.deepEqual(await freshLogits(model, ids, batch), whole, `batches of ${batch}`);
      }),
  );

  test(`the same seed gives the same tokens, traced or not, looked at or not ${where}`, () =>
    built(async (model) => {
      const options = { max_tokens: 40, temperature: 1.1, seed: 7 };
      const plain = tokensOf(
        await collect(model.createSession().generate(PROMPT, { ...options, trace: false })),
      );
      for (const top_n of [0, 1, 50, 3072]) {
        const session = model.createSession();
        const tokens = [];
        for await (const step of session.generate(PROMPT, { ...options, trace: { top_n } })) {
          tokens.push(step.token);
          await session.candidates({ top_n: 5, temperature: 0.3, seed: 99 });
        }
        assert.deepEqual(tokens, plain, `top_n ${top_n}`);
      }
      const other = tokensOf(
        await collect(
          model.createSession({ seed: 8 }).generate(PROMPT, { ...options, seed: undefined }),
        ),
      );
      assert.notDeepEqual(other, plain);
      const again = tokensOf(
        await collect(
          model.createSession({ seed: 7n }).generate(PROMPT, { ...options, seed: undefined }),
        ),
      );
      assert.deepEqual(again, plain, "the session's seed is the default");
    }));

  test(`rewind, fork and force give the bits of a fresh run ${where}`, () =>
    built(async (model) => {
      const session = model.createSession({ seed: 3 });
      await collect(session.generate(PROMPT, { max_tokens: 30 }));
      const fork = await session.fork();
      await session.rewind(12);
      await session.append(300);
      await session.append(301);
      assert.equal(session.tokens.length, 14);
      assert.deepEqual(await session.logits(), await freshLogits(model, session.tokens));
      assert.deepEqual(await fork.logits(), await freshLogits(model, fork.tokens));
      const [one, other] = await Promise.all([
        collect(session.generate(undefined, { max_tokens: 20, seed: 1 })),
        collect(fork.generate(undefined, { max_tokens: 20, seed: 1 })),
      ]);
      const apart = async (tokens) =>
        tokensOf(
          await collect(model.createSession().generate(tokens, { max_tokens: 20, seed: 1 })),
        );
      assert.deepEqual(
        tokensOf(one),
        await apart(session.tokens.slice(0, 14)),
        'two at once take turns',
      );
      assert.deepEqual(tokensOf(other), await apart(fork.tokens.slice(0, -20)));
      const before = (await model.stats()).decoded_tokens;
      await session.sync(session.tokens.slice(0, 20));
      await session.logits();
      assert.equal(
        (await model.stats()).decoded_tokens,
        before + 1,
        'of a cached prefix only the last token runs again',
      );
    }));

  test(`candidates show the choice that generate then makes, and run nothing ${where}`, () =>
    built(async (model) => {
      const session = model.createSession({ seed: 11 });
      await session.sync(PROMPT);
      const options = {
        temperature: 1.2,
        top_k: 100,
        top_p: 0.9,
        min_p: 0.01,
        samplers: ['min_p', 'temperature', 'top_k'],
      };
      for (let i = 0; i < 10; i++) {
        const shown = await session.candidates(options);
        const { decoded_tokens } = await model.stats();
        for (let t = 1; t < 20; t++) await session.candidates({ ...options, temperature: t / 10 });
        assert.equal((await model.stats()).decoded_tokens, decoded_tokens);
        const [step] = await collect(session.generate(undefined, { ...options, max_tokens: 1 }));
        assert.deepEqual(step.trace, shown);
        assert.equal(step.token, shown.draw.token);
        assert.equal(step.position, shown.position);
        assert.deepEqual(
          shown.stages.map(({ name }) => name),
          options.samplers,
        );
      }
    }));

  test(`break, an aborted signal and a stop in a long prompt leave the session usable ${where}`, () =>
    built(async (model) => {
      const session = model.createSession();
      for await (const step of session.generate(PROMPT, { max_tokens: 50 }))
        if (step.position > 10) break;
      const { length } = session.tokens;
      assert.ok(length < 20);
      const controller = new AbortController();
      await assert.rejects(
        async () => {
          for await (const step of session.generate(undefined, { signal: controller.signal }))
            if (step.position > 15) controller.abort();
        },
        { name: 'AbortError' },
      );
      await assert.rejects(collect(session.generate('x', { signal: AbortSignal.abort() })), {
        name: 'AbortError',
      });
      const long = Array(250).fill(300);
      await session.sync(long);
      const late = new AbortController();
      const waiting = collect(session.generate(undefined, { signal: late.signal }));
      late.abort();
      await assert.rejects(waiting, { name: 'AbortError' });
      assert.deepEqual(await session.logits(), await freshLogits(model, session.tokens));
    }));

  test(`the end of a generation stops a long prefill that is under way ${where}`, () =>
    withModel('storybook', { worker, n_ctx: 6000 }, async (model) => {
      const session = model.createSession();
      const generation = session.generate(Array(5900).fill(300), { trace: false });
      const first = generation.next();
      const { done } = await generation.return();
      assert.equal(done, true);
      assert.deepEqual(await first, { done: true, value: undefined }, 'the step was cut short');
      const controller = new AbortController();
      const other = session.generate(undefined, { signal: controller.signal }).next();
      controller.abort();
      await assert.rejects(other, { name: 'AbortError' });
      assert.ok((await model.stats()).decoded_tokens < 5900, 'the rest of the prompt was not run');
      await session.rewind(20);
      assert.deepEqual(await session.logits(), await freshLogits(model, session.tokens));
    }));

  test(`a model that goes while it works ends what it does ${where}`, async () => {
    const model = await loadModel('storybook', { worker, n_ctx: 4000 });
    const session = model.createSession();
    await session.sync(Array(3900).fill(300));
    const waiting = [session.logits(), model.score(Array(3900).fill(301))];
    const outcomes = Promise.allSettled(waiting);
    await model.dispose();
    for (const { reason } of await outcomes) assert.equal(reason?.code, 'DISPOSED');
  });

  test(`one session does one thing at a time; what is disposed says so ${where}`, () =>
    built(async (model) => {
      const session = model.createSession();
      const generation = session.generate(PROMPT);
      await generation.next();
      await assert.rejects(session.rewind(1), { code: 'SESSION_BUSY' });
      await assert.rejects(collect(session.generate('x')), { code: 'SESSION_BUSY' });
      await generation.return();
      await session.rewind(1);
      await session.dispose();
      await session.dispose();
      await assert.rejects(session.logits(), { code: 'DISPOSED' });
      await model.dispose();
      await assert.rejects(model.tokenize('x'), { code: 'DISPOSED' });
      assert.throws(() => model.createSession(), { code: 'DISPOSED' });
    }));

  test(`the context's end is quiet without max_tokens and an error with it ${where}`, () =>
    withModel('storybook', { worker, n_ctx: 32 }, async (model) => {
      const session = model.createSession({ seed: 1 });
      const steps = await collect(session.generate(PROMPT, { ignore_eos: true }));
      assert.equal(session.tokens.length, 32);
      assert.ok(steps.length > 10);
      await assert.rejects(collect(session.generate(undefined, { max_tokens: 1 })), {
        code: 'CONTEXT_FULL',
      });
      await assert.rejects(session.sync(Array(33).fill(5)), { code: 'CONTEXT_FULL' });
    }));
}

test('wrong options and arguments are named', async () => {
  await assert.rejects(loadModel('storybook', { n_ctxx: 1 }), {
    code: 'INVALID_ARGUMENT',
    message: /n_ctxx/,
  });
  await assert.rejects(loadModel('storybook', { n_ctx: 1.5 }), {
    code: 'INVALID_ARGUMENT',
    message: /n_ctx is 1.5/,
  });
  await assert.rejects(loadModel('storybook', { cache_type_k: 'q9' }), {
    code: 'INVALID_ARGUMENT',
    message: /cache_type_k.*f32, f16/,
  });
  await assert.rejects(loadModel('storybook', { kernels: 'mmx' }), {
    code: 'INVALID_ARGUMENT',
    message: /simd128, relaxed/,
  });
  await assert.rejects(loadModel(42), { code: 'SOURCE_UNSUPPORTED' });
  await withModel('storybook', { worker: false }, async (model) => {
    const session = model.createSession();
    const bad = (options, code, message) =>
      assert.rejects(collect(session.generate('x', options)), { code, message });
    await bad({ temprature: 1 }, 'INVALID_ARGUMENT', /temprature/);
    await bad({ temperature: -1 }, 'SAMPLER_BAD_OPTION', /temperature is -1/);
    await bad({ temperature: '1' }, 'SAMPLER_BAD_OPTION', /temperature/);
    await bad({ top_k: 1.5 }, 'SAMPLER_BAD_OPTION', /top_k/);
    await bad({ top_p: NaN }, 'SAMPLER_BAD_OPTION', /top_p/);
    await bad({ samplers: ['top_q'] }, 'SAMPLER_BAD_OPTION', /top_q/);
    await bad({ samplers: ['top_k', 'top_k'] }, 'SAMPLER_BAD_OPTION', /twice/);
    await bad({ seed: -1 }, 'INVALID_ARGUMENT', /seed/);
    await bad({ seed: 2 ** 53 }, 'INVALID_ARGUMENT', /seed/);
    await bad({ max_tokens: -1 }, 'INVALID_ARGUMENT', /max_tokens/);
    await assert.rejects(session.append(3072), { code: 'TOKEN_OUT_OF_RANGE' });
    await assert.rejects(session.append(1.5), { code: 'TOKEN_OUT_OF_RANGE' });
    await assert.rejects(session.sync([1, -1]), { code: 'TOKEN_OUT_OF_RANGE' });
    await assert.rejects(session.rewind(5), { code: 'POSITION_OUT_OF_RANGE' });
    await assert.rejects(model.tokenBytes(99999), { code: 'TOKEN_OUT_OF_RANGE' });
    await assert.rejects(model.createSession().logits(), { code: 'SESSION_EMPTY' });
  });
});

test('a session that the cache is too small for is refused, and nothing is lost', () =>
  withModel('storybook', { worker: false, n_ctx: 64, n_kv: 32 }, async (model) => {
    const [one, two] = [model.createSession(), model.createSession()];
    await one.sync(Array(20).fill(5));
    const logits = await one.logits();
    await two.sync(Array(64).fill(6));
    await assert.rejects(two.logits(), { code: 'KV_FULL' });
    assert.deepEqual(two.tokens.length, 64);
    await two.rewind(20);
    await two.logits();
    assert.deepEqual(await one.logits(), logits);
  }));
