// Measures the methods of speculation in this process: `node speculate.mjs ROUNDS SHAPE`. Prints
// JSON for each text and method: { text, method, n, ms, proposed, accepted,
// speedup }, n being the tokens. Each
// run has a new model, so that nothing is learnt from the run before. Rounds go through all
// methods, so that other load on the machine affects all of them. A run whose tokens differ from
// those without speculation is an error.
import { loadModel } from '../../dist/node.js';
import { modelFile } from './model.mjs';
import { recital, reciter } from './reciter.mjs';
import { TEXTS } from './texts.mjs';

const [rounds, shape] = [Number(process.argv[2]), process.argv[3]];
const OPTIONS = { kernels: 'relaxed', n_threads: 1, worker: false };
/** What each method sets; a draft model is loaded for its run. */
const METHODS = {
  none: { speculate: false },
  'forced text': {}, // what a grammar forces; the others use that, too
  ngram: { speculate: 'ngram' },
  recycling: { speculate: 'recycling' },
  auto: { speculate: 'auto' },
  'draft model': {},
};
const DRAFT = { n_layer: 4, wrong: 0.25 }; // of a draft model: its layers, its share of errors

const READ = {
  code: 'code, recited',
  json: 'JSON by schema, recited',
  quote: 'quotations from the prompt, recited',
  prose: 'a story that repeats little, recited',
  numbers: 'random numbers, recited',
};

/** The texts: a name, what to load, and what to generate. */
function* cases() {
  for (const [name, { schema }] of Object.entries(TEXTS)) {
    const { prompt, answer } = recital(name);
    const generate = { max_tokens: answer.length, temperature: 0 };
    const model = reciter(name);
    yield { text: READ[name], name, model, prompt, schema, answer, generate };
  }
  for (const temperature of [0, 0.8])
    yield {
      text: `a story by the built-in model, temperature ${temperature}`,
      ...{ model: 'storybook', prompt: 'Once upon a time, there was a little goat' },
      generate: { max_tokens: 220, temperature },
    };
  yield {
    text: 'random weights, temperature 1',
    ...{ model: modelFile(shape, 'Q4_0'), prompt: [300, 301, 302, 303] },
    generate: { max_tokens: 100, temperature: 1 },
  };
}

/** Generates once with a new model. */
async function run({ model: source, name, prompt, schema, generate }, method) {
  const model = await loadModel(source, OPTIONS);
  const draft =
    method === 'draft model' ? await loadModel(reciter(name, DRAFT), OPTIONS) : undefined;
  try {
    const options = { ...generate, ...METHODS[method], ignore_eos: true, trace: false };
    if (schema) options.grammar = await model.createGrammar({ type: 'json_schema', schema });
    if (draft) options.speculate = { draft };
    const warm = model.createSession({ seed: 2 });
    for await (const step of warm.generate([1, 2, 3], { max_tokens: 8, trace: false })) void step;
    const session = model.createSession({ seed: 1 });
    const result = { tokens: [], proposed: 0, accepted: 0 };
    let start = 0; // at the first token, after the prompt
    for await (const { token, draft: tried } of session.generate(prompt, options)) {
      start ||= performance.now();
      result.tokens.push(token);
      result.proposed += tried?.proposed ?? 0;
      result.accepted += tried?.accepted ?? 0;
    }
    return { ...result, ms: performance.now() - start };
  } finally {
    await model.dispose();
    await draft?.dispose();
  }
}

const median = (list) => [...list].sort((a, b) => a - b)[list.length >> 1];

for (const one of cases()) {
  const left = [one.schema ? '' : 'forced text', one.answer ? '' : 'draft model'];
  const methods = Object.keys(METHODS).filter((method) => !left.includes(method));
  const runs = new Map(methods.map((method) => [method, []]));
  let plain;
  for (let round = 0; round < rounds; round++) {
    for (const [method, list] of runs) {
      const got = await run(one, method);
      plain ??= one.answer ?? got.tokens;
      if (got.tokens.join() !== plain.join())
        throw new Error(`${one.text}, ${method}: the tokens are not those without speculation`);
      list.push(got);
    }
  }
  for (const [method, list] of runs) {
    const { tokens, proposed, accepted } = list[0];
    const ms = median(list.map((got) => got.ms));
    const speedup = median(list.map((got, i) => runs.get('none')[i].ms / got.ms));
    const n = tokens.length;
    console.log(JSON.stringify({ text: one.text, method, n, ms, proposed, accepted, speedup }));
  }
}
