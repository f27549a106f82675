// Headers as other programs write them: numbers in other integer types, one number for all layers
// as a list, patterns of layers as lists, and keys of models that were split and joined.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { loadModel } from '../../dist/node.js';
import { tinyModel } from '../support/architectures.mjs';
import { writeGguf } from '../support/gguf-writer.mjs';
import { freshLogits, withModel } from '../support/support.mjs';
import { tinyLlama } from '../support/tiny-llama.mjs';

const SHAPE = {
  ...{ N_EMBD: 64, N_HEAD: 2, N_HEAD_KV: 1, HEAD_DIM: 32, N_FF: 64, N_VOCAB: 301, EXPERTS: 3 },
  PER_LAYER: 32,
};
const IDS = Array.from({ length: 40 }, (_, i) => 3 + ((i * 37) % 250));
const tiny = (name, more) => tinyModel(name, { type: 'Q8_0', shape: SHAPE, more });
const logitsOf = (file) =>
  withModel(writeGguf(file), { worker: false, n_ctx: 64 }, (model) => freshLogits(model, IDS));

/** The file with its keys of `arch` changed by a function from [key, type, value] to the same. */
const withKeys = ({ metadata, tensors }, change) => ({
  tensors,
  metadata: metadata.map(([key, ...rest]) =>
    /^(general|tokenizer)\./.test(key) ? [key, ...rest] : [key, ...change(key, ...rest)],
  ),
});

/** Keys that describe layers: all other keys have one value for the whole model. */
const OF_LAYERS =
  /\.(feed_forward_length|head_count|head_count_kv|key_length|value_length|dimension_count|layer_norm\w*|freq_base|expert\w*count|l_cache|residual_scale|clamp_kqv)$/;
const NAMES = [
  'llama',
  'qwen2',
  'gemma2',
  'gemma4',
  'phi3',
  'gpt2',
  'olmo',
  'lfm2',
  'qwen35',
  'granitemoe',
];

for (const name of NAMES) {
  test(`${name}: the same bits with numbers as lists of equal numbers, and in other types`, async () => {
    const model = tiny(name);
    const n_layer = model.metadata.find(([key]) => key.endsWith('.block_count'))[2];
    const expected = await logitsOf(model);
    for (const type of ['u16', 'i32', 'u64', 'i64']) {
      const other = withKeys(model, (key, own, value) =>
        own === 'u32' ? [type, value] : own === 'f32' ? ['f64', value] : [own, value],
      );
      assert.deepEqual(await logitsOf(other), expected, type);
      const lists = withKeys(model, (key, own, value) => {
        if (!OF_LAYERS.test(key) || !/^[uf]32$/.test(own)) return [own, value];
        return [`array<${own === 'u32' ? type : 'f32'}>`, Array(n_layer).fill(value)];
      });
      assert.ok(lists.metadata.some(([key, own]) => OF_LAYERS.test(key) && /^array/.test(own)));
      assert.deepEqual(await logitsOf(lists), expected, `lists of ${type}`);
    }
  });
}

test('a whole number serves where a float is expected, 0 and 1 where a boolean is', async () => {
  const base = tiny('llama', [['rope.freq_base', 'f32', 10000]]);
  const expected = await logitsOf(base);
  assert.deepEqual(await logitsOf(tiny('llama', [['rope.freq_base', 'u32', 10000]])), expected);
  assert.deepEqual(await logitsOf(tiny('llama', [['rope.freq_base', 'i64', 10000]])), expected);
  const neox = await logitsOf(tiny('gptneox', [['use_parallel_residual', 'bool', false]]));
  assert.deepEqual(await logitsOf(tiny('gptneox', [['use_parallel_residual', 'u8', 0]])), neox);
  assert.notDeepEqual(await logitsOf(tiny('gptneox', [['use_parallel_residual', 'u32', 1]])), neox);
});

test('numbers out of range are refused in every type, with the number', async () => {
  for (const [type, value] of [
    ['u64', 2n ** 63n],
    ['i64', -5n],
    ['i8', -1],
    ['u16', 0],
  ]) {
    const file = writeGguf(tiny('llama', [['attention.head_count', type, value]]));
    await assert.rejects(loadModel(file, { worker: false }), (error) => {
      assert.equal(error.code, 'MODEL_KEY_BAD');
      assert.match(error.message, new RegExp(`llama.attention.head_count is ${value};`));
      return true;
    });
  }
});

test('patterns of layers as lists: windows of OLMo 3 and Gemma, recurrent layers of Qwen 3.5', async () => {
  for (const [name, key, own, other] of [
    ['olmo2, windows', 'attention.sliding_window_pattern', [1, 1, 1, 0], [0, 1, 1, 1]],
    ['gemma2', 'attention.sliding_window_pattern', [1, 0, 1, 0], [0, 1, 0, 1]],
    ['gemma3', 'attention.sliding_window_pattern', [1, 1, 1, 1, 1, 0, 1], [0, 1, 1, 1, 1, 1, 1]],
  ]) {
    const expected = await logitsOf(tiny(name));
    for (const type of ['bool', 'u8', 'i32', 'u64'])
      assert.deepEqual(
        await logitsOf(tiny(name, [[key, `array<${type}>`, own]])),
        expected,
        `${name}, ${type}`,
      );
    assert.notDeepEqual(await logitsOf(tiny(name, [[key, 'array<bool>', other]])), expected, name);
  }
  const list = (type) => [
    ['full_attention_interval', 'u32', 3],
    ['attention.recurrent_layers', `array<${type}>`, [1, 0, 1, 0]],
  ];
  const expected = await logitsOf(tiny('qwen35')); // full_attention_interval is 2
  for (const type of ['bool', 'u32', 'i64'])
    assert.deepEqual(await logitsOf(tiny('qwen35', list(type))), expected, type);
});

const split = (number, count, n_tensors) => [
  ['split.no', 'u16', number],
  ['split.count', 'u16', count],
  ['split.tensors.count', 'i32', n_tensors],
];

test('a model whose parts were joined loads; the first part alone gives its vocabulary', async () => {
  const { metadata, tensors } = tinyLlama({ type: 'Q8_0' });
  const expected = await logitsOf({ metadata, tensors });
  for (const keys of [
    split(0, 0, tensors.length), // as llama-gguf-split --merge leaves them
    split(0, 1, tensors.length),
    split(0, 5, tensors.length), // all tensors are there
    split(0, 0, tensors.length + 7), // tensors were left out after joining
  ])
    assert.deepEqual(await logitsOf({ metadata: [...metadata, ...keys], tensors }), expected);
  const first = writeGguf({ metadata: [...metadata, ...split(0, 3, 99)], tensors });
  await assert.rejects(loadModel(first, { worker: false }), { code: 'MODEL_SPLIT' });
  const model = await loadModel(first, { worker: false, vocab_only: true });
  assert.deepEqual(await model.tokenize('the'), [1, 269]);
  await model.dispose();
  const second = writeGguf({ metadata: split(1, 3, 99), tensors: tensors.slice(0, 2) });
  await assert.rejects(loadModel(second, { worker: false, vocab_only: true }), {
    code: 'MODEL_SPLIT',
    message: /part 2 of 3 of a split model, with 2 of its 99 tensors/,
  });
});

test('tensors that a layer with a shared cache does not read change neither plan nor logits', async () => {
  const model = tiny('gemma4');
  const donor = Object.fromEntries(model.tensors.map((tensor) => [tensor.name, tensor]));
  const unread = [4, 5].flatMap((layer) =>
    ['attn_k.weight', 'attn_k_norm.weight', 'attn_v.weight'].map((tensor) => {
      // of an earlier layer with heads of the same shape; layers without a window have no attn_v
      const from = donor[`blk.${layer - 2}.${tensor}`] ?? donor[`blk.${layer - 2}.attn_k.weight`];
      return { ...from, name: `blk.${layer}.${tensor}` };
    }),
  );
  const both = [model, { ...model, tensors: [...model.tensors, ...unread] }];
  const [plain, larger] = await Promise.all(
    both.map((file) =>
      withModel(writeGguf(file), { worker: false, n_ctx: 64 }, async (loaded) => ({
        logits: await freshLogits(loaded, IDS),
        memory: loaded.info.memory,
      })),
    ),
  );
  assert.deepEqual(larger.logits, plain.logits);
  for (const part of ['weights', 'kv', 'scratch'])
    assert.equal(larger.memory[part], plain.memory[part], part);
});
