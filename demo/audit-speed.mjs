// How fast the page feels, for `npm run audit`: tokens a second of a run beside the package in the
// same browser, and how soon the page answers input with a long text and with a large vocabulary.
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { browsers, open } from '../tests/browser/browsers.mjs';
import { quiet, shown } from '../tests/browser/page.mjs';
import { writeGguf } from '../tests/support/gguf-writer.mjs';
import { tinyLlama } from '../tests/support/tiny-llama.mjs';
import { serve } from './serve.mjs';

const SEEDS = [5, 6, 7];
const N_TOKENS = 230; // of a run: nearly the whole context of the built-in model
const N_INPUTS = 9;
const LONG_TEXT = 2000; // tokens
const LARGE_VOCABULARY = 151_936;

/** A random model, as a file. */
function randomModel({ n_ctx, ...sizes }) {
  const { metadata, tensors } = tinyLlama(sizes);
  const set = ([key, type, value]) => [key, type, key.endsWith('context_length') ? n_ctx : value];
  return writeGguf({ metadata: metadata.map(set), tensors });
}

/** Writes the models of the measurements into a folder. */
export function writeModels(folder) {
  writeFileSync(
    join(folder, 'long.gguf'),
    randomModel({ n_ctx: 4096, n_vocab: 3000, n_embd: 64, n_layer: 2 }),
  );
  writeFileSync(
    join(folder, 'large.gguf'),
    randomModel({ n_ctx: 256, n_vocab: LARGE_VOCABULARY, n_embd: 32 }),
  );
}

/** Tokens a second of the package: no traces, the page's settings. */
const packageRate = async ([seeds, n]) => {
  const { loadModel } = await import('/index.js');
  const model = await loadModel('/storybook-q8_0.gguf');
  const session = model.createSession();
  let tokens = 0;
  let ms = 0;
  for (const seed of seeds) {
    const begin = performance.now();
    for await (const step of session.generate('The old man', {
      seed,
      max_tokens: n,
      trace: false,
    }))
      tokens += step ? 1 : 0;
    ms += performance.now() - begin;
  }
  await model.dispose();
  return (1000 * tokens) / ms;
};

/** Follows a run that a click starts, frame by frame, to its end or to n tokens. Returns the number
 *  of tokens and the milliseconds in which they appeared. */
const followRun = async (n) => {
  const made = () => document.querySelectorAll('.text [data-id]').length;
  const frame = () => new Promise((resolve) => requestAnimationFrame(resolve));
  const begin = performance.now();
  document.querySelector('[data-testid="run"]').click();
  const isRunning = () => document.querySelector('main').classList.contains('running');
  while (!isRunning()) await frame();
  while (isRunning() && made() < n) await frame();
  const ms = performance.now() - begin;
  const tokens = made();
  if (isRunning()) document.querySelector('[data-testid="pause"]').click();
  return { tokens, ms };
};

async function runRate(page) {
  let tokens = 0;
  let ms = 0;
  for (const seed of SEEDS) {
    await page.set('editor', 'The old man');
    await page.set('seed', seed);
    await page.wait(quiet);
    const run = await page.run(followRun, N_TOKENS);
    await page.wait(quiet);
    tokens += run.tokens;
    ms += run.ms;
  }
  return (1000 * tokens) / ms;
}

/** Milliseconds from an input to the frame that shows its effect. kind: 'slider', the ledger's
 *  numbers change; 'key', the letter is in the text. */
const answerTime = async (kind) => {
  const frame = () => new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
  const setValue = (element, value) => {
    const { set } = Object.getOwnPropertyDescriptor(Object.getPrototypeOf(element), 'value');
    set.call(element, value);
    element.dispatchEvent(new Event('input', { bubbles: true }));
  };
  const byId = (id) => document.querySelector(`[data-testid="${id}"]`);
  const shown = () =>
    kind === 'slider'
      ? [...document.querySelectorAll('[data-testid="candidate"]')]
          .map(({ dataset }) => dataset.p_final)
          .join(' ')
      : document.querySelector('.text').textContent;
  const before = shown();
  const begin = performance.now();
  if (kind === 'slider')
    setValue(byId('temperature'), byId('temperature').value === '1.3' ? 0.7 : 1.3);
  else setValue(byId('editor'), `${byId('editor').value}x`);
  while (shown() === before) await frame();
  await frame();
  return performance.now() - begin;
};

/** The median of some inputs: other programs share the machine. */
const medianTime = async (page, kind) => {
  const times = [];
  for (let i = 0; i < N_INPUTS; i++) {
    times.push(await page.run(answerTime, kind));
    await page.wait(quiet, undefined, 60_000);
  }
  return times.sort((a, b) => a - b)[N_INPUTS >> 1];
};

/** Loads the model of an address into the page. */
export async function openModel(page, url) {
  await page.click('models');
  await page.wait(() => document.querySelector('[data-testid="address"]') !== null);
  await page.set('address', url);
  await page.click('fetch');
  await page.wait(() => document.querySelector('dialog[open]') === null, undefined, 60_000);
  await page.wait(quiet, undefined, 60_000);
}

/** Reports the speed in each browser. report(label, value, limits, unit). */
export async function auditSpeed(root, models, report) {
  writeModels(models);
  const folders = ['dist/demo', 'dist', 'tests/browser/pages'].map((path) => join(root, path));
  const server = await serve({ port: 0, roots: [...folders, models] });
  try {
    for (const { name, needs } of browsers) {
      if (needs.skip) continue;
      console.log(`speed in ${name}`);
      const blank = await open(name);
      await blank.goto(`${server.url}blank.html`);
      const byPackage = await blank.run(packageRate, [SEEDS, N_TOKENS]);
      await blank.close();
      const page = await open(name, { width: 1440, height: 900 });
      await page.goto(server.url);
      await page.wait(shown, 0);
      await page.wait(quiet);
      const felt = await runRate(page);
      report('the package, no traces', byPackage, {}, ' tokens/s');
      report('a run on the page', felt, {}, ' tokens/s');
      report('share', felt / byPackage, { min: 0.3 });
      await openModel(page, `${server.url}long.gguf`);
      await page.set('editor', 'the an '.repeat(LONG_TEXT / 2));
      await page.wait(quiet, undefined, 120_000);
      report('slider, 2,000 tokens', await medianTime(page, 'slider'), { max: 100 }, ' ms');
      report('letter, 2,000 tokens', await medianTime(page, 'key'), { max: 100 }, ' ms');
      await page.set('editor', 'the an');
      await openModel(page, `${server.url}large.gguf`);
      report('slider, 151,936 tokens known', await medianTime(page, 'slider'), { max: 100 }, ' ms');
      report('letter, 151,936 tokens known', await medianTime(page, 'key'), { max: 100 }, ' ms');
      await page.set('search', 'w1');
      await page.wait(quiet, undefined, 60_000);
      report('slider, with a search', await medianTime(page, 'slider'), { max: 100 }, ' ms');
      await page.close();
    }
  } finally {
    await server.close();
  }
}
