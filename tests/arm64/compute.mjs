// Prints, as JSON, what each build computes in this Node: the dot kind, the greedy tokens and the
// logits of the built-in model, and the logits of a small random model of each weight type.
import { loadModel } from '../../dist/node.js';
import { logitRows } from '../support/rows.mjs';
import { greedy } from '../support/support.mjs';
import { STORY } from '../support/story.mjs';
import { writeGguf } from '../support/gguf-writer.mjs';
import { tinyLlama } from '../support/tiny-llama.mjs';
import { TYPES } from '../support/types.mjs';

const PROMPTS = ['Once upon a time', 'The old man said', 'One day the cat saw a little'];
const POSITIONS = 64;
const RUNS = 16; // of two tokens for each weight type
const SIZES = { n_embd: 256, n_head: 4, n_head_kv: 2, n_ff: 256, n_layer: 1, n_vocab: 301 };

/** Rows of floats, so that no bit is lost. */
const encode = (rows) =>
  rows.map((row) => Buffer.from(Float32Array.from(row).buffer).toString('base64'));

async function compute(kernels, n_threads) {
  const options = { worker: false, kernels, n_threads, cache_type_k: 'f32', cache_type_v: 'f32' };
  const model = await loadModel('storybook', options);
  const { kernel_variant, kernel_dot, n_threads: threads } = model.info;
  const stories = [];
  for (const prompt of PROMPTS) stories.push(await greedy(model, prompt));
  const ids = (await model.tokenize(STORY)).slice(0, POSITIONS);
  const story = encode(await logitRows(model, ids));
  await model.dispose();
  return { kernel_variant, kernel_dot, n_threads: threads, stories, story };
}

/** Logits after two tokens, for several pairs of them. */
async function computeTypes(kernels) {
  const byType = {};
  for (const type of Object.keys(TYPES)) {
    const model = await loadModel(writeGguf(tinyLlama({ ...SIZES, type, tied: false })), {
      worker: false,
      kernels,
      cache_type_k: 'f32',
      cache_type_v: 'f32',
    });
    const rows = [];
    for (let i = 0; i < RUNS; i++)
      rows.push(
        (await logitRows(model, [(i * 37 + 5) % SIZES.n_vocab, (i * 53 + 11) % SIZES.n_vocab]))[1],
      );
    byType[type] = encode(rows);
    await model.dispose();
  }
  return byType;
}

const results = [];
for (const kernels of process.argv.slice(2)) {
  for (const n_threads of [1, 2]) results.push(await compute(kernels, n_threads));
  results.at(-2).types = await computeTypes(kernels);
}
process.stdout.write(JSON.stringify(results));
