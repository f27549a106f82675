// Sessions that share batches, and speculation: what generations give, as plain data, so that Node
// and pages can be compared.

const REPETITIVE = 'Tom had a red ball. Tom had a red ball. Tom had a red ball. Tom had';
const OWN = { max_tokens: 24, ignore_eos: true, trace: { top_n: 5 } };

/** Six generations that differ in their prompts, their lengths and their samplers. */
const GENERATIONS = [
  ['Once upon a time', { temperature: 0 }],
  ['The fox said', { temperature: 1, top_k: 0, top_p: 1, min_p: 0 }],
  [REPETITIVE, { penalty_repeat: 1.3, dry_multiplier: 0.8 }],
  ['One day a little bird could not find its nest. It asked the old tree', { mirostat: 2 }],
  ['A', { temperature: 1.2, xtc_probability: 0.5, xtc_threshold: 0.1 }],
  ['The old man opened the door and', { max_tokens: 12 }],
];
const SAMPLINGS = [{ temperature: 0 }, { temperature: 0.7 }];

/** The settings of `speculate` that must propose something that is right. */
export const SETTINGS = ['ngram', 'recycling', 'auto', { recycling: 'paper' }];

async function stepsOf(session, prompt, options) {
  const steps = [];
  for await (const step of session.generate(prompt, { ...OWN, ...options })) steps.push(step);
  return steps;
}

/** Everything about steps but what speculation did. */
const plain = (steps) =>
  JSON.stringify(steps.map(({ draft: _, bytes, ...step }) => ({ ...step, bytes: [...bytes] })));

/** Runs the six generations, one after the other or at the same time. */
async function generated(model, atOnce) {
  const run = async ([prompt, options], i) => {
    const session = model.createSession({ seed: i });
    const steps = plain(await stepsOf(session, prompt, options));
    await session.dispose();
    return steps;
  };
  if (atOnce) return Promise.all(GENERATIONS.map(run));
  const results = [];
  for (const [i, generation] of GENERATIONS.entries()) results.push(await run(generation, i));
  return results;
}

/**
 * Counts the rows of each forward pass of the engines that are instantiated in this thread until
 * end() is called.
 */
function countPasses() {
  const { Instance } = WebAssembly;
  const passes = [];
  WebAssembly.Instance = function (module, imports) {
    const { exports } = new Instance(module, imports);
    let decoded = 0;
    const wrapped = {
      sessions_eval: (...args) => {
        const status = exports.sessions_eval(...args);
        const now = exports.model_n_decoded(wrapped.model);
        if (now > decoded) passes.push(now - decoded); // else only some layers have run
        decoded = now;
        return status;
      },
      model_n_decoded: (model) => {
        wrapped.model = model;
        return (decoded = exports.model_n_decoded(model));
      },
    };
    return { exports: { ...exports, ...wrapped } };
  };
  return { passes, end: () => (WebAssembly.Instance = Instance) };
}

/** The six generations alone and together in this thread, with the rows of each pass. */
export async function shared(loadModel, options) {
  const { passes, end } = countPasses();
  try {
    const model = await loadModel('storybook', { ...options, worker: false, n_kv: 1024 });
    const ways = {};
    for (const way of ['alone', 'together']) {
      const before = (await model.stats()).decoded_tokens;
      passes.length = 0;
      const steps = await generated(model, way === 'together');
      const decoded = (await model.stats()).decoded_tokens - before;
      ways[way] = { steps, decoded, passes: [...passes] };
    }
    await model.dispose();
    return ways;
  } finally {
    end();
  }
}

/** The six generations at the same time in a worker. */
export async function inWorker(loadModel, options) {
  const model = await loadModel('storybook', { ...options, n_kv: 1024 });
  const steps = await generated(model, true);
  await model.dispose();
  return steps;
}

/**
 * A repetitive text, greedy and drawn, without speculation and with each setting: the steps, and
 * how many tokens were proposed and accepted.
 */
export async function speculated(loadModel, options) {
  const model = await loadModel('storybook', { ...options, n_ctx: 256 });
  const results = [];
  for (const speculate of [false, ...SETTINGS]) {
    const result = { steps: [], proposed: 0, accepted: 0 };
    for (const sampling of SAMPLINGS) {
      const session = model.createSession({ seed: 3 });
      const given = { ...sampling, speculate, max_tokens: 60 };
      const steps = await stepsOf(session, REPETITIVE, given);
      await session.dispose();
      result.steps.push(plain(steps));
      for (const { draft } of steps) {
        result.proposed += draft?.proposed ?? 0;
        result.accepted += draft?.accepted ?? 0;
      }
    }
    results.push(result);
  }
  await model.dispose();
  return results;
}
