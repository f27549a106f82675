// What sessions promise, as functions of loadModel that throw when a promise is broken. They run in
// Node (tests/node/sessions.test.mjs) and in pages (tests/browser/api.test.mjs).

function check(holds, message) {
  if (!holds) throw new Error(message);
}

const same = (a, b) => a.length === b.length && a.every((x, i) => Object.is(x, b[i]));
const near = (a, b, by) => Math.abs(a - b) <= by;

/** Logits after ids in a new session. */
async function fresh(model, ids) {
  const session = model.createSession();
  await session.sync(ids);
  const logits = await session.logits();
  await session.dispose();
  return logits;
}

async function steps(generator) {
  const list = [];
  for await (const step of generator) list.push(step);
  return list;
}

async function refused(promise, code) {
  const actual = await Promise.resolve(promise).then(
    () => 'nothing',
    (error) => error.code ?? String(error),
  );
  check(actual === code, `expected ${code}, got ${actual}`);
}

async function using(loadModel, options, work) {
  const model = await loadModel('storybook', options);
  try {
    await work(model);
  } finally {
    await model.dispose();
  }
}

const PROMPT = 'One day a little bird could not find';
const EVERYTHING = {
  ...{
    logit_bias: { 5: -2, 300: 1.5, 301: -Infinity },
    banned_tokens: [263, 264],
    penalty_repeat: 1.2,
    penalty_freq: 0.1,
  },
  ...{
    dry_multiplier: 0.8,
    top_n_sigma: 3,
    top_k: 200,
    typical_p: 0.95,
    top_p: 0.97,
    min_p: 0.001,
  },
  ...{ xtc_probability: 0.7, xtc_threshold: 0.05, temperature: 1.1, dynatemp_range: 0.4 },
};

/** mulberry32 by Tommy Ettinger. */
function generator(seed) {
  let state = seed;
  return (n) => {
    state = (state + 0x6d2b79f5) | 0;
    let x = Math.imul(state ^ (state >>> 15), state | 1);
    x ^= x + Math.imul(x ^ (x >>> 7), x | 61);
    return Math.floor((((x ^ (x >>> 14)) >>> 0) / 2 ** 32) * n);
  };
}

export const scenarios = {
  'explain tells of every token what the trace tells': (loadModel, options) =>
    using(loadModel, options, async (model) => {
      const session = model.createSession({ seed: 3 });
      const [step] = await steps(
        session.generate(PROMPT, {
          ...EVERYTHING,
          max_tokens: 1,
          trace: { top_n: 3072, all_removed: true },
        }),
      );
      const { trace } = step;
      const names = trace.stages.map(({ name }) => name);
      check(
        names[0] === 'logit_bias' && names[1] === 'banned_tokens' && names[2] === 'penalties',
        names.join(),
      );
      const removed = trace.stages.reduce((sum, stage) => sum + stage.removed_tokens.length, 0);
      check(
        removed === trace.stages.reduce((sum, stage) => sum + stage.removed, 0),
        'all removed tokens are listed',
      );
      check(
        new Set(trace.stages.flatMap((stage) => stage.removed_tokens)).size === removed,
        'each once',
      );
      for (let i = 0; i < 3072; i += 97) {
        const { token, logit, p, p_final, removed_by, text } = trace.candidates[i];
        const explanation = await session.explain(token);
        check(
          explanation.token === token &&
            explanation.text === text &&
            Object.is(explanation.logit, logit),
          `token ${token}`,
        );
        check(
          Object.is(explanation.p, p) &&
            Object.is(explanation.p_final, p_final) &&
            explanation.fate.stage === removed_by,
          `fate of ${token}`,
        );
        check(
          (explanation.fate.type === 'drawn') === (token === trace.draw.token) &&
            explanation.position === trace.position,
          `draw of ${token}`,
        );
        check(
          explanation.rank <= i &&
            (removed_by === undefined || explanation.fate.reason.startsWith(`${removed_by}: `)),
          explanation.fate.reason,
        );
      }
      check(
        (await session.explain(301)).fate.stage === 'logit_bias',
        'a bias of -Infinity removes',
      );
      check((await session.explain(263)).fate.stage === 'banned_tokens', 'a banned token');
      // the session has gone on; earlier choices can still be explained
      await steps(session.generate(undefined, { max_tokens: 5, trace: false }));
      const again = await session.explain(trace.candidates[7].token, {
        ...EVERYTHING,
        position: trace.position,
      });
      check(
        Object.is(again.p_final, trace.candidates[7].p_final) &&
          Object.is(again.p, trace.candidates[7].p),
        'an earlier choice',
      );
      check(
        (await session.explain(5, { temperature: 0 })).fate.stage === 'top_k',
        'the choice to come, with other options',
      );
      await session.rewind(4);
      check(
        (await session.explain(5)).position === 4,
        'a choice that was taken back is not the last one any more',
      );
      await steps(session.generate(undefined, { max_tokens: 5, ignore_eos: true }));
      const other = await model.tokenize(
        'The old man opened the door and saw a big dog in the garden',
      );
      await session.sync(other);
      check((await session.explain(5)).position === other.length, 'nor is one of another text');
      await refused(session.explain(99999), 'TOKEN_OUT_OF_RANGE');
      await refused(session.explain(5, { position: 999 }), 'POSITION_OUT_OF_RANGE');
    }),

  'sampler lists do what they say, and refuse nonsense': (loadModel, options) =>
    using(loadModel, options, async (model) => {
      const session = model.createSession({ seed: 1 });
      await session.sync(PROMPT);
      const allowed = [300, 301, 302, 310];
      const trace = await session.candidates({
        allowed_tokens: allowed,
        top_k: 0,
        top_p: 1,
        min_p: 0,
        top_n: 3072,
      });
      const left = trace.candidates.filter(({ p_final }) => p_final > 0).map(({ token }) => token);
      check(
        left.every((id) => allowed.includes(id)) && allowed.includes(trace.draw.token),
        left.join(),
      );
      check(
        trace.stages[0].name === 'allowed_tokens' && trace.stages[0].kept === 4,
        trace.stages[0].reason,
      );
      const biased = await session.candidates({
        logit_bias: new Map([[300, 100]]),
        temperature: 0,
      });
      check(biased.draw.token === 300, 'a bias of 100');
      check(Object.is(biased.candidates[0].p, trace.candidates[0].p), 'raw probabilities stay raw');
      const ordered = await session.candidates({
        samplers: ['top_k', 'banned_tokens'],
        top_k: 2,
        banned_tokens: [trace.candidates[0].token],
      });
      check(
        ordered.stages.map(({ name }) => name).join() === 'top_k,banned_tokens' &&
          ordered.stages[1].kept === 1,
        'a given order',
      );
      await refused(
        session.candidates({ allowed_tokens: [300], banned_tokens: [300] }),
        'NO_CANDIDATES',
      );
      await refused(session.candidates({ allowed_tokens: [] }), 'SAMPLER_BAD_OPTION');
      await refused(session.candidates({ banned_tokens: [3072] }), 'SAMPLER_BAD_OPTION');
      await refused(session.candidates({ logit_bias: { 5: NaN } }), 'SAMPLER_BAD_OPTION');
      await refused(session.candidates({ logit_bias: { 5: Infinity } }), 'SAMPLER_BAD_OPTION');
      await refused(session.candidates({ logit_bias: { x: 1 } }), 'TOKEN_OUT_OF_RANGE');
      await refused(
        session.candidates({ dry_multiplier: 1, dry_sequence_breakers: [''] }),
        'SAMPLER_BAD_OPTION',
      );
      await refused(session.candidates({ samplers: ['top_k'], mirostat: 2 }), 'SAMPLER_BAD_OPTION');
      await refused(session.candidates({ mirostat: 1.5 }), 'SAMPLER_BAD_OPTION');
      await refused(session.candidates({ samplers: ['top_q'] }), 'SAMPLER_BAD_OPTION');
    }),

  'coins: xtc has its own, each stream has others, looking changes nothing': (loadModel, options) =>
    using(loadModel, options, async (model) => {
      const texts = [];
      for (const trace of [false, { top_n: 0 }, { top_n: 3072, all_removed: true }]) {
        const session = model.createSession({ seed: 9 });
        texts.push(
          (await steps(session.generate(PROMPT, { ...EVERYTHING, max_tokens: 25, trace })))
            .map(({ token }) => token)
            .join(),
        );
        await session.dispose();
      }
      check(texts[0] === texts[1] && texts[1] === texts[2], texts.join('\n'));
      const session = model.createSession({ seed: 9 });
      await session.sync(PROMPT);
      const coin = async (more) => {
        const { draw, stages } = await session.candidates({ xtc_probability: 0.5, ...more });
        return [draw.u, stages.find(({ name }) => name === 'xtc').coin];
      };
      const [u, xtc] = await coin({});
      check(u !== xtc && xtc >= 0 && xtc < 1, 'a separate coin');
      check(same(await coin({ temperature: 2, top_k: 3 }), [u, xtc]), 'whatever the options');
      const [u1, xtc1] = await coin({ sample_index: 1 });
      check(u1 !== u && xtc1 !== xtc && u1 !== xtc, 'another stream');
    }),

  'mirostat keeps its state with the tokens': (loadModel, options) =>
    using(loadModel, options, async (model) => {
      for (const mirostat of [1, 2]) {
        const session = model.createSession({ seed: 4 });
        const wanted = { mirostat, mirostat_tau: 3, max_tokens: 30, ignore_eos: true };
        const first = await steps(session.generate(PROMPT, wanted));
        check(
          first[0].trace.stages.map(({ name }) => name).join() === 'temperature,mirostat',
          'the chain',
        );
        check(
          first.every(({ trace }) => Number.isFinite(trace.mu)),
          'mu is reported',
        );
        const n = session.tokens.length - 20;
        await session.rewind(n);
        const again = await steps(session.generate(undefined, { ...wanted, max_tokens: 20 }));
        check(
          same(
            again.map(({ trace }) => trace.mu),
            first.slice(10).map(({ trace }) => trace.mu),
          ),
          'the same after a rewind',
        );
        await session.dispose();
      }
    }),

  'a saved session goes on as it would have': (loadModel, options) =>
    using(loadModel, options, async (model) => {
      const session = model.createSession({ seed: 12345678901234567n });
      await steps(session.generate(PROMPT, { max_tokens: 12, mirostat: 2 }));
      const saved = await session.save();
      const { decoded_tokens } = await model.stats();
      const [a, b] = [await model.loadSession(saved), await model.loadSession(new Blob([saved]))];
      check(a.seed === 12345678901234567n && same(a.tokens, session.tokens), 'seed and tokens');
      const tell = async (s) =>
        (await steps(s.generate(undefined, { max_tokens: 10, mirostat: 2 })))
          .map(({ token, trace }) => [token, trace.mu])
          .join();
      const went = [await tell(session), await tell(a), await tell(b)];
      check(went[0] === went[1] && went[1] === went[2], went.join('\n'));
      check((await model.stats()).decoded_tokens - decoded_tokens === 30, 'nothing ran twice');
      const broken = saved.slice();
      broken[saved.length >> 1] ^= 4;
      await refused(model.loadSession(broken), 'SESSION_DAMAGED');
      await refused(model.loadSession(saved.slice(0, -1)), 'SESSION_DAMAGED');
      await refused(model.loadSession(new Uint8Array([...saved, 0])), 'SESSION_DAMAGED');
      await refused(model.loadSession(new Uint8Array(3)), 'SESSION_DAMAGED');
      await refused(model.loadSession('no'), 'INVALID_ARGUMENT');
      await using(loadModel, { ...options, cache_type_k: 'f32' }, (other) =>
        refused(other.loadSession(saved), 'SESSION_FOREIGN'),
      );
    }),

  'a full context slides when it is asked to': (loadModel, options) =>
    using(loadModel, { ...options, n_ctx: 64 }, async (model) => {
      const session = model.createSession({ seed: 2 });
      await refused(
        steps(session.generate(PROMPT, { max_tokens: 100, ignore_eos: true })),
        'CONTEXT_FULL',
      );
      check(session.tokens.length === 64, 'what was made stays');
      const made = [];
      for await (const step of session.generate(undefined, {
        max_tokens: 100,
        ignore_eos: true,
        overflow: 'shift',
      })) {
        made.push(step);
        const explanation = await session.explain(step.token);
        const chosen = step.trace.candidates.find(({ token }) => token === step.token);
        check(
          explanation.fate.type === 'drawn' && explanation.position === step.position,
          'the choice is explained as it was made,',
        );
        check(
          !chosen || (explanation.p === chosen.p && explanation.p_final === chosen.p_final),
          'from the window that it was made from',
        );
      }
      const last = made.findLast(({ shifted }) => shifted > 0);
      await refused(
        session.explain(5, { position: last.position - last.shifted }),
        'POSITION_OUT_OF_RANGE',
      );
      await refused(
        session.explain(5, { position: last.position - last.shifted + 1 - 64 }),
        'POSITION_OUT_OF_RANGE',
      );
      check(made.length === 100, 'it goes on');
      const slid = made.filter(({ shifted }) => shifted > 0);
      check(slid.length >= 3 && made[0].shifted > 0, `${slid.length} times`);
      check(
        made.every(({ position }, i) => position === 64 + i),
        'positions go on',
      );
      check(session.tokens[0] === model.info.bos, 'BOS stays');
      check(
        same(await session.logits(), await fresh(model, session.tokens)),
        'what is left is a fresh run',
      );
      const again = await (await session.fork()).candidates({ temperature: 0 });
      check(again.position === 164, 'in a fork, too');
      await refused(steps(session.generate(undefined, { overflow: 'slide' })), 'INVALID_ARGUMENT');
    }),

  'more sessions than the cache holds keep their bits': (loadModel, options) =>
    using(loadModel, { ...options, n_ctx: 128, n_kv: 256 }, async (model) => {
      const sessions = Array.from({ length: 6 }, (_, seed) => model.createSession({ seed }));
      for (let round = 0; round < 3; round++)
        await Promise.all(
          sessions.map((session, i) =>
            steps(
              session.generate(round ? undefined : `${PROMPT} ${i}`, {
                max_tokens: 20,
                ignore_eos: true,
                trace: false,
              }),
            ),
          ),
        );
      for (const session of sessions)
        check(same(await session.logits(), await fresh(model, session.tokens)), 'bit for bit');
    }),

  'scores list alternatives, and long texts go through windows': (loadModel, options) =>
    using(loadModel, { ...options, n_ctx: 32 }, async (model) => {
      const ids = (
        await model.tokenize(
          `${PROMPT} its nest. It asked the old tree, and the tree said that the wind had taken it. `.repeat(
            2,
          ),
        )
      ).slice(0, 75);
      const softmax = (logits) => {
        const max = Math.max(...logits);
        const weights = Array.from(logits, (x) => Math.exp(x - max));
        const sum = weights.reduce((a, b) => a + b);
        return weights.map((x) => x / sum);
      };
      const scores = await model.score(ids, { top_n: 3, stride: 10 });
      check(
        same(
          scores.map(({ token }) => token),
          ids,
        ),
        'every token once',
      );
      for (let i = 1; i < ids.length; i += 1) {
        const end = i < 32 ? 32 : Math.min(32 + 10 * Math.ceil((i - 31) / 10), ids.length);
        const given = i < 32 ? ids.slice(0, i) : [ids[0], ...ids.slice(end - 31, i)];
        const logits = await fresh(model, given);
        const p = softmax(logits);
        const { logprob, rank, entropy, top_mass, top } = scores[i];
        check(
          near(logprob, Math.log(p[ids[i]]), 1e-5),
          `log-probability of token ${i}: ${logprob}, ${Math.log(p[ids[i]])}`,
        );
        check(rank === p.filter((x) => x > p[ids[i]]).length, `rank of token ${i}`);
        check(
          near(
            entropy,
            p.reduce((sum, x) => sum - (x > 0 ? x * Math.log(x) : 0), 0),
            1e-5,
          ),
          `entropy at token ${i}`,
        );
        check(
          near(
            top_mass,
            p.reduce((sum, x) => sum + (x > p[ids[i]] ? x : 0), 0),
            1e-5,
          ),
          `mass above token ${i}`,
        );
        const order = p.map((x, id) => [x, id]).sort((a, b) => b[0] - a[0] || a[1] - b[1]);
        check(
          same(
            top.map(({ token }) => token),
            order.slice(0, 3).map(([, id]) => id),
          ),
          `alternatives at ${i}`,
        );
        check(
          top.every(({ logprob }, k) => near(logprob, Math.log(order[k][0]), 1e-5)),
          `their log-probabilities at ${i}`,
        );
      }
      check(
        scores[0].top.length === 0 && Number.isNaN(scores[0].logprob),
        'the first token has no score',
      );
      await refused(model.score(ids, { stride: 0 }), 'INVALID_ARGUMENT');
      await refused(
        model
          .score([])
          .then((list) => check(list.length === 0, 'an empty text'))
          .then(() => Promise.reject({ code: 'fine' })),
        'fine',
      );
    }),

  'tables, searches and divergences agree with the candidates': (loadModel, options) =>
    using(loadModel, options, async (model) => {
      const session = model.createSession({ seed: 3 });
      await session.score(await model.tokenize(PROMPT));
      const { candidates, draw } = await session.candidates({ ...EVERYTHING, top_n: 3072 });
      const found = await session.findTokens('an', { limit: 5 });
      const tokens = found.map(({ token }) => token);
      const table = await session.stageTable({ ...EVERYTHING, tokens });
      check(JSON.stringify(table.draw) === JSON.stringify(draw), 'the same draw');
      check(
        tokens.length === 5 && tokens.every((id) => table.rows.some((r) => r.token === id)),
        'found',
      );
      for (const { token, p, p_final } of table.rows) {
        const truth = candidates.find((candidate) => candidate.token === token);
        check(Object.is(p, truth.p) && Object.is(p_final, truth.p_final), `token ${token}`);
      }
      table.stages.forEach((_, i) => {
        const sum = [...table.rows, ...table.groups].reduce((all, { after }) => all + after[i], 0);
        check(near(sum, 1, 1e-12), `stage ${i} has ${sum}`);
      });
      // another engine: the numbers of one side move between the threads
      await using(loadModel, options, async (other) => {
        const branch = other.createSession({ seed: 3 });
        await branch.sync(session.tokens);
        const none = await session.divergence(branch);
        check(none.model === 0 && none.final === 0, JSON.stringify(none));
        const uncut = { top_k: 0, top_p: 1, min_p: 0 };
        const sides = { a: uncut, b: { ...uncut, temperature: 2 } };
        const apart = await session.divergence(branch, sides);
        const together = await session.divergence(session, sides);
        check(apart.final > 0 && Object.is(apart.final, together.final), JSON.stringify(apart));
      });
    }),

  'embeddings are the last hidden states': (loadModel, options) =>
    using(loadModel, options, async (model) => {
      const length = (v) => Math.sqrt(v.reduce((sum, x) => sum + x * x, 0));
      const mean = await model.embed(PROMPT);
      check(mean.length === model.info.n_embd && near(length(mean), 1, 1e-6), 'of length 1');
      const ids = await model.tokenize(PROMPT);
      const last = await model.embed(ids, { pooling: 'last', normalize: false });
      const raw = await model.embed(ids, { normalize: false });
      const states = [];
      for (let n = 1; n <= ids.length; n++)
        states.push(await model.embed(ids.slice(0, n), { pooling: 'last', normalize: false }));
      check(same(states.at(-1), last), 'the last one');
      check(
        raw.every((x, i) =>
          near(x, states.reduce((sum, state) => sum + state[i], 0) / ids.length, 1e-5),
        ),
        'the mean of all',
      );
      check(
        mean.every((x, i) => near(x, raw[i] / length(raw), 1e-6)),
        'normalized',
      );
      await refused(model.embed([]), 'SESSION_EMPTY');
      const { decoded_tokens } = await model.stats();
      await refused(model.embed(Array(model.info.n_ctx + 1).fill(300)), 'CONTEXT_FULL');
      check(
        (await model.stats()).decoded_tokens === decoded_tokens,
        'an input that does not fit is not started',
      );
      await refused(model.embed('a', { pooling: 'max' }), 'INVALID_ARGUMENT');
    }),
  'forks, previews and trials at the same time give what each alone gives': (loadModel, options) =>
    using(loadModel, { ...options, n_kv: 1024 }, async (model) => {
      const session = model.createSession({ seed: 3 });
      await session.sync(PROMPT);
      const own = { max_tokens: 6, temperature: 1.1, ignore_eos: true };
      const alone = async (sample_index, first) => {
        const fork = await session.fork();
        if (first !== undefined) await fork.append(first);
        const made = await steps(fork.generate(undefined, { ...own, sample_index }));
        await fork.dispose();
        return made.map(({ token }) => token);
      };
      const forks = await session.fork(5);
      const together = await Promise.all(
        forks.map((fork, sample_index) =>
          steps(fork.generate(undefined, { ...own, sample_index })),
        ),
      );
      for (const [i, made] of together.entries())
        check(
          same(
            await alone(i),
            made.map(({ token }) => token),
          ),
          `fork ${i}`,
        );
      for (const { token, steps: made } of await session.preview({ tokens: 4, ...own }))
        check(
          same(
            await alone(0, token),
            made.map((step) => step.token),
          ),
          `preview of ${token}`,
        );
      const method = { name: 'cntp', n_min: 3, n_max: 3 };
      const base = await session.fork();
      const [first] = await steps(base.generate(undefined, { ...own, max_tokens: 1, method }));
      for (const { sample_index, tokens } of first.method.trials) {
        const expected = (await alone(sample_index)).slice(0, tokens.length);
        check(same(expected, tokens), `trial of sample ${sample_index}`);
      }
    }),
};

/**
 * Random trees of rewinds, forks, appended tokens, generations and saves. The logits of every leaf
 * must equal those of a fresh run.
 */
export async function trees(loadModel, source, options, count, seed) {
  const model = await loadModel(source, options);
  const random = generator(seed);
  const { n_vocab, n_ctx } = model.info;
  try {
    for (let tree = 0; tree < count; tree++) {
      let leaves = [model.createSession({ seed: tree })];
      await leaves[0].sync([1 + random(n_vocab - 1)]);
      for (let act = 0; act < 8; act++) {
        const at = random(leaves.length);
        const leaf = leaves[at];
        const n = leaf.tokens.length;
        const kind = random(5);
        if (kind === 0) await leaf.rewind(1 + random(n));
        if (kind === 1 && leaves.length < 4) leaves.push(await leaf.fork());
        if (kind === 2)
          for (let k = random(Math.min(10, n_ctx - n)); k > 0; k--)
            await leaf.append(random(n_vocab));
        if (kind === 3)
          await steps(
            leaf.generate(undefined, {
              max_tokens: random(Math.min(8, n_ctx - n)),
              ignore_eos: true,
              trace: false,
            }),
          );
        if (kind === 4) {
          leaves[at] = await model.loadSession(await leaf.save());
          await leaf.dispose();
        }
      }
      for (const leaf of leaves) {
        const [logits, expected] = [await leaf.logits(), await fresh(model, leaf.tokens)];
        check(same(logits, expected), `tree ${tree}: ${leaf.tokens.length} tokens`);
        await leaf.dispose();
      }
    }
  } finally {
    await model.dispose();
  }
}
