/**
 * Our logits, from each kernel variant that this Node can run, against the float64 forward pass: trained models and small random ones in every
 * weight type and shape that the layers treat differently.
 */
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { loadModel } from '../../dist/node.js';
import { randomLlama } from './random-llama.mjs';
import { argmax, compareRuns, comparisonTable, maxAbsDiff } from './measures.mjs';
import { loadReference, referenceLogits, referenceSequence } from './reference-forward.mjs';
import { logitRows } from './rows.mjs';
import { readGguf } from '../golden/gguf-reader.mjs';

const inTree = (path) => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const STORIES = inTree('../shared/models/stories260K.gguf');
const STORIES_NOTES = inTree('../shared/models/stories260K.md');
const STORYBOOK = inTree('demo/model/storybook-q8_0.gguf');
const noStories = !existsSync(STORIES) && `${STORIES} is absent`;

/** Set in the child that a newer Node runs: these tests with this variant alone, which then has to work. */
const ONLY = process.env.TOKENGLASS_TEST_KERNELS;

/** Why a variant cannot run in this Node, or ''. */
async function whyNot(kernels) {
  try {
    await (await loadModel(randomLlama({ type: 'F32' }), { worker: false, kernels })).dispose();
    return '';
  } catch (error) {
    if (ONLY || error.code !== 'ENGINE_UNSUPPORTED') throw error;
    return `node ${process.version}: ${error.message}`;
  }
}

const variants = ONLY ? [ONLY] : ['simd128', 'relaxed'];
const reasons = Object.fromEntries(await Promise.all(variants.map(async (kernels) => [kernels, await whyNot(kernels)])));

/** A test for each variant, with a function that opens a model in it (and closes it in the end). */
function forEachVariant(name, work, skip = false) {
  for (const kernels of variants) {
    test(`${kernels}: ${name}`, { skip: reasons[kernels] || skip }, async (t) => {
      const open = async (source, options = {}) => {
        const model = await loadModel(source, { worker: false, kernels, ...options });
        t.after(() => model.dispose());
        assert.equal(model.info.kernel_variant, kernels);
        return model;
      };
      await work(t, open, kernels);
    });
  }
}

/** Ids that wander over the vocabulary. */
const someIds = (n, n_vocab) => Array.from({ length: n }, (_, i) => (i * 37 + 5) % n_vocab);

test('the reference tells the published greedy story', { skip: noStories }, () => {
  const bytes = readFileSync(STORIES);
  const { metadata } = readGguf(bytes);
  const sequence = referenceSequence(loadReference(bytes));
  let text = '';
  for (let id = metadata['tokenizer.ggml.bos_token_id'], i = 0; i < 200; i++) {
    id = argmax(sequence.next(id));
    const piece = metadata['tokenizer.ggml.tokens'][id];
    const byte = /^<0x(..)>$/.exec(piece);
    text += byte ? String.fromCharCode(parseInt(byte[1], 16)) : piece.replaceAll('\u2581', ' ');
  }
  const notes = readFileSync(STORIES_NOTES, 'utf8');
  const story = notes.slice(notes.indexOf('Once upon a time')).split('\n```')[0];
  assert.ok(text.length > 400 && story.startsWith(text.trimStart()), text);
});

forEachVariant(
  'stories260K, F32: within 1e-4 on 64 positions',
  async (t, open) => {
    const model = await open(STORIES);
    const ids = [model.info.bos, ...someIds(63, model.info.n_vocab)];
    const comparison = compareRuns(referenceLogits(loadReference(readFileSync(STORIES)), ids), await logitRows(model, ids));
    for (const line of comparisonTable({ 'float64 -> tokenglass': comparison })) t.diagnostic(line);
    assert.ok(comparison.maxDiff <= 1e-4, `${comparison.maxDiff}`);
  },
  noStories,
);
