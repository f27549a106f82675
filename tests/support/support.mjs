// Shared by the tests of the JavaScript API: models, greedy runs, and skipping when a model file is
// absent.
import { existsSync, readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { loadModel, stages } from '../../dist/node.js';

export const inTree = (path) => fileURLToPath(new URL(`../../${path}`, import.meta.url));

/** Whether the long forms run, too: `npm run test:all`. */
export const all = Boolean(process.env.TOKENGLASS_ALL);

/** The C compiler of the native tests, or the machine's compiler. */
export const compiler = () =>
  process.env.CC ??
  (existsSync(inTree('build/cc')) ? readFileSync(inTree('build/cc'), 'utf8').trim() : 'cc');

/** The stages that run when no order is given. */
export const DEFAULT_CHAIN = stages
  .filter(({ chain }) => chain === 'USUAL' || chain === 'ALWAYS')
  .map(({ name }) => name);

/** The path of a shared file, and the options of a test that needs the file. */
export function shared(name) {
  const path = inTree(`../shared/${name}`);
  return {
    path,
    needs: existsSync(path)
      ? {}
      : { skip: `${name} is not part of the project: it lies beside it where it is developed` },
  };
}

/**
 * The greedy story in the model card of stories260K: its first listing without the command line.
 */
export function published() {
  const card = readFileSync(shared('models/stories260K.md').path, 'utf8');
  return card.match(/\$ \.\/run [^\n]* -t 0\.0\n([^`]*)```/)[1];
}

/** Loads a model, calls a function with it, and closes the model. */
export async function withModel(source, options, use) {
  const model = await loadModel(source, options);
  try {
    return await use(model);
  } finally {
    await model.dispose();
  }
}

/**
 * Logits after ids, in a new session. The ids run in growing prefixes of `batch` tokens (default:
 * all at once).
 */
export async function freshLogits(model, ids, batch = ids.length) {
  const session = model.createSession();
  for (let n = batch; n < ids.length; n += batch) {
    await session.sync(ids.slice(0, n));
    await session.logits();
  }
  await session.sync(ids);
  const logits = await session.logits();
  await session.dispose();
  return logits;
}

export async function collect(generator) {
  const steps = [];
  for await (const step of generator) steps.push(step);
  return steps;
}

export const tokensOf = (steps) => steps.map(({ token }) => token);

/** Twelve greedy tokens after a prompt: a model that a test has not harmed gives the same again. */
export async function greedy(model, prompt) {
  const options = { temperature: 0, max_tokens: 12, trace: false };
  return tokensOf(await collect(model.createSession().generate(prompt, options)));
}
