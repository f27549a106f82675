// What each app of tests/packages does with the package; a copy of this file lies in each app.

const GREEDY = { temperature: 0, max_tokens: 10 };
const SCHEMA = {
  type: 'object',
  properties: { kind: { enum: ['cat', 'dog', 'fish'] }, name: { type: 'string', maxLength: 8 } },
  required: ['kind', 'name'],
  additionalProperties: false,
};

/** Ten greedy tokens, with the first candidate of each trace. */
async function generate(model, prompt) {
  const tokens = [];
  const best = [];
  for await (const { token, trace } of model.createSession().generate(prompt, GREEDY)) {
    tokens.push(token);
    best.push(trace.candidates[0].token);
  }
  return { tokens, best, text: await model.detokenize(tokens) };
}

/**
 * Ten tokens with traces from the built-in model and from a GGUF file by URL, one JSON grammar and
 * one chat call. `more` has more options of loadModel.
 */
export async function exercise({ loadModel, storybook = 'storybook', modelUrl, ...more }) {
  const story = await loadModel(storybook, more);
  const builtIn = await generate(story, 'Once upon a time');
  const grammar = await story.createGrammar({ type: 'json_schema', schema: SCHEMA });
  const options = { ...GREEDY, max_tokens: 60, grammar, trace: false };
  let json = '';
  for await (const { text } of story.createSession().generate('Her pet was', options)) json += text;
  const { n_threads, kernels, worker_note } = story.info;
  await story.dispose();

  const model = await loadModel(modelUrl, more);
  const byUrl = await generate(model, 'the');
  const messages = [{ role: 'user', content: 'Hi' }];
  const { choices } = await model.createChatCompletion({ ...GREEDY, messages });
  await model.dispose();
  const chat = choices[0].message.content;
  return { builtIn, json, byUrl, chat, info: { n_threads, kernels, worker_note } };
}

/** An error as plain data, with its causes. */
const failure = (error) => ({
  error: error?.stack ?? String(error),
  code: error?.code,
  cause: error?.cause && String(error.cause.stack ?? error.cause),
});

/**
 * Runs `exercise` and says how it ended: a page in `globalThis.result`, Node on standard output.
 * The model's address comes from the page's address (`?model=`) or from the environment.
 */
export async function main(given) {
  const { location, process } = globalThis;
  const modelUrl = location
    ? new URL(location.href).searchParams.get('model')
    : process.env.MODEL_URL;
  const result = await exercise({ modelUrl, ...given }).catch(failure);
  globalThis.result = result;
  if (globalThis.document) document.title = result.error ? 'failed' : 'done';
  else console.log(JSON.stringify(result));
  return result;
}
