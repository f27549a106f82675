// Compares our logits, tokens and greedy runs with llama.cpp's on the same files, and both with the
// float64 forward pass. Tests whose model in ../shared is absent are skipped, and so are all tests
// if the peer cannot be installed.
import assert from 'node:assert/strict';
import { existsSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { loadModel } from '../../dist/node.js';
import { argmax, compareRuns, comparisonTable, maxAbsDiff, softmax } from '../support/measures.mjs';
import { loadReference, referenceLogits } from '../support/reference-forward.mjs';
import { logitRows } from '../support/rows.mjs';
import { convertGguf } from '../support/convert.mjs';
import { openPeer, preparePeer } from './llamacpp.mjs';
import { sampleStrings } from './strings.mjs';
import { SMALL_TYPES } from '../support/types.mjs';
import { STORY } from '../support/story.mjs';

const inTree = (path) => fileURLToPath(new URL(`../../${path}`, import.meta.url));
const STORIES = inTree('../shared/models/stories260K.gguf');
const STORYBOOK = inTree('demo/model/storybook-q8_0.gguf');
const VOCABULARY = inTree('../shared/tokenizers/ggml-vocab-llama-spm.gguf');

const reason = preparePeer();
const folder = mkdtempSync(join(tmpdir(), 'tokenglass-peers-'));
after(() => rmSync(folder, { recursive: true }));

/**
 * A test with our model and the peer's open on the same file. It is skipped, with the reason, if
 * one of them cannot be opened.
 */
function compared(name, path, work, options = {}) {
  const skip = reason || (path !== STORYBOOK && !existsSync(path) && `${path} is absent`);
  test(name, { skip, timeout: 300_000 }, async (t) => {
    const peer = await openPeer(path, { vocabOnly: options.vocab_only });
    try {
      const model = await loadModel(path, {
        worker: false,
        cache_type_k: 'f32',
        cache_type_v: 'f32',
        ...options,
      });
      try {
        await work(t, model, peer);
      } finally {
        await model.dispose();
      }
    } finally {
      await peer.close();
    }
  });
}

/**
 * Compares llama.cpp, tokenglass and the truth on the first n positions of the story, and prints
 * the table.
 */
async function compareStory(t, path, model, peer, n) {
  const ids = (await model.tokenize(STORY)).slice(0, n);
  assert.equal(ids.length, n, 'the text is long enough');
  assert.deepEqual(
    ids,
    [model.info.bos, ...(await peer.tokenize([STORY]))[0]].slice(0, n),
    'the same tokens',
  );
  const theirs = await peer.logits(ids, true);
  for (const { logits, probabilities } of theirs)
    assert.ok(maxAbsDiff(softmax(logits), probabilities) < 1e-4, 'these are the raw logits');
  const llamacpp = theirs.map(({ logits }) => logits);
  const ours = await logitRows(model, ids);
  const truth = referenceLogits(loadReference(readFileSync(path)), ids);
  const comparisons = {
    'llama.cpp -> tokenglass': compareRuns(llamacpp, ours),
    'float64 -> tokenglass': compareRuns(truth, ours),
    'float64 -> llama.cpp': compareRuns(truth, llamacpp),
  };
  t.diagnostic(
    `${model.info.name}, kernels: ${model.info.kernel_variant}; llama.cpp: ${peer.instructions}`,
  );
  for (const line of comparisonTable(comparisons)) t.diagnostic(line);
  return comparisons;
}

/**
 * Compares n greedy tokens after BOS. At the first token that differs, the two tokens must be the
 * best of llama.cpp, and their logits within `tie` of each other. These logits come from one batch:
 * on some processors llama.cpp rounds a batch differently from token after token, so that a tie may
 * fall to our token.
 */
async function compareGreedy(t, model, peer, n, tie) {
  const start = [model.info.bos];
  const session = model.createSession();
  const ours = [];
  for await (const step of session.generate(start, {
    temperature: 0,
    max_tokens: n,
    ignore_eos: true,
    trace: false,
  }))
    ours.push(step.token);
  await session.dispose();
  const theirs = await peer.greedy(start, n);
  assert.equal(ours.length, n);
  const parting = ours.findIndex((token, i) => token !== theirs[i]);
  if (parting < 0) return t.diagnostic(`${model.info.name}: ${n} of ${n} greedy tokens are equal`);
  const logits = (await peer.logits([...start, ...theirs.slice(0, parting)])).at(-1).logits;
  const lead = logits[theirs[parting]] - logits[ours[parting]];
  t.diagnostic(
    `${model.info.name}: the greedy runs part after ${parting} of ${n} tokens, where llama.cpp's two best are ${lead} apart`,
  );
  assert.ok([theirs[parting], ours[parting]].includes(argmax(logits)));
  assert.ok(Math.abs(lead) <= tie, `a lead of ${lead} is not a tie within ${tie}`);
}

compared('stories260K, F32: logits on 64 positions', STORIES, async (t, model, peer) => {
  const comparisons = await compareStory(t, STORIES, model, peer, 64);
  assert.ok(
    comparisons['llama.cpp -> tokenglass'].maxDiff <= 2e-4,
    'both are within 1e-4 of the truth',
  );
});

compared('storybook, Q8_0: distributions on 256 positions', STORYBOOK, async (t, model, peer) => {
  const { 'llama.cpp -> tokenglass': between } = await compareStory(t, STORYBOOK, model, peer, 256);
  assert.ok(between.meanKl <= 1e-3, `mean KL(llama.cpp || tokenglass) ${between.meanKl}`);
  assert.ok(
    between.topEqual >= 0.98,
    `the top token is equal on ${100 * between.topEqual} % of the positions`,
  );
});

/**
 * Quantized weights are multiplied by activations of 8 bits. Our codes and scales are llama.cpp's,
 * so the logits of a single token are equal up to the order of float additions. Exception: if one
 * of some thousand codes is so near a tie that the order of additions decides it, all later values
 * differ by as much as rounding does.
 */
async function compareAlone(t, model, peer) {
  const [asked, minEqual, limit] = [64, 48, 2e-5];
  const distances = [];
  for (let i = 0; i < asked; i++) {
    const ids = [3 + Math.floor((i * (peer.n_vocab - 3)) / asked)];
    distances.push(
      maxAbsDiff((await peer.logits(ids))[0].logits, (await logitRows(model, ids))[0]),
    );
  }
  const equal = distances.filter((distance) => distance <= limit);
  t.diagnostic(
    `${equal.length} of ${asked} tokens have the same logits within ${Math.max(...equal).toExponential(1)}`,
  );
  assert.ok(
    equal.length >= minEqual,
    `of ${asked} tokens only ${equal.length} have llama.cpp's logits within ${limit}`,
  );
}

// Both models in the float types and all types with blocks of 32, written by the tests. In a long
// run with quantized weights some code rounds the other way sooner or later. From then on logits
// differ by 0.03 (RMS), as they do between llama.cpp's own kernels for different processors. So a
// tie is wider for quantized weights.
const TIES = { F32: 1e-3, F16: 1e-3, BF16: 1e-3, coded: 0.15 };
for (const [name, path] of Object.entries({ stories260K: STORIES, storybook: STORYBOOK }))
  for (const type of SMALL_TYPES) {
    const file = join(folder, `${name}-${type}.gguf`);
    if (!reason && existsSync(path)) writeFileSync(file, convertGguf(readFileSync(path), type));
    if (!TIES[type]) compared(`${name} as ${type}: logits of single tokens`, file, compareAlone);
    compared(`${name} as ${type}: 200 greedy tokens`, file, (t, model, peer) =>
      compareGreedy(t, model, peer, 200, TIES[type] ?? TIES.coded),
    );
  }

async function compareTokens(t, model, peer) {
  const texts = sampleStrings(300);
  const theirs = await peer.tokenize(texts);
  for (const [i, text] of texts.entries())
    assert.deepEqual(
      await model.tokenize(text, { add_special: false }),
      theirs[i],
      JSON.stringify(text),
    );
  t.diagnostic(
    `${texts.length} strings, ${theirs.flat().length} tokens, vocabulary of ${peer.n_vocab}`,
  );
}

compared('stories260K: tokens of 300 strings', STORIES, compareTokens);
compared('storybook: tokens of 300 strings', STORYBOOK, compareTokens);
compared('the 32,000-token vocabulary: tokens of 300 strings', VOCABULARY, compareTokens, {
  vocab_only: true,
});

compared('the last hidden state is llama.cpp’s embedding', STORYBOOK, async (t, model, peer) => {
  const text = 'The old man opened the door and';
  const theirs = await peer.embed(text);
  const ours = await model.embed(text, { pooling: 'last', normalize: false });
  assert.equal(ours.length, theirs.length);
  const product = (a, b) => a.reduce((sum, x, i) => sum + x * b[i], 0);
  const cosine = product(ours, theirs) / Math.sqrt(product(ours, ours) * product(theirs, theirs));
  t.diagnostic(`cosine ${cosine.toFixed(6)}`);
  assert.ok(cosine > 0.9995, `cosine ${cosine}`);
  assert.ok(
    Math.abs(Math.sqrt(product(ours, ours) / product(theirs, theirs)) - 1) < 0.01,
    'of the same length',
  );
});
