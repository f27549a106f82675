// Writes the golden files: `node tests/golden/make.mjs`. valid/*.gguf must load. must-fail/*.gguf
// must fail as expect.json says: with a code and, where the error has them, a byte offset and words
// of the message. golden.test.mjs checks that the committed files are those that this program
// writes.
import { writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { tinyModel } from '../support/architectures.mjs';
import { BYTE_ALPHABET } from '../support/byte-tokens.mjs';
import { writeGguf } from '../support/gguf-writer.mjs';
import { tinyLlama, tinyVocabulary } from '../support/tiny-llama.mjs';
import { SMALL_TYPES, TYPES } from '../support/types.mjs';

const HUGE = 2n ** 63n;
const model = tinyLlama({ n_vocab: 260, n_embd: 2, n_head: 1, n_ff: 2 });

const u32 = (v) => Buffer.from(Uint32Array.of(v).buffer);
const u64 = (v) => Buffer.from(BigUint64Array.of(BigInt(v)).buffer);
const string = (s) => Buffer.concat([u64(s.length), Buffer.from(s)]);

/** A file with one key made of these bytes. */
const oneKey = (...bytes) => writeGguf({ n_kv: 1, raw: Buffer.concat([...bytes, Buffer.alloc(64)]) });
/** A file with only this tensor and a few bytes of data. */
const oneTensor = (tensor) => writeGguf({ tensors: [{ name: 'weird', type: 'F32', dims: [8], bytes: Buffer.alloc(32), ...tensor }] });
/**
 * The small model with some keys or tensors replaced by name (undefined: left out), and some added.
 */
function changed({ keys = {}, tensors = {}, more = [] } = {}) {
  const replace = (list, name, by) => list.flatMap((x) => (name(x) in by ? (by[name(x)] ? [by[name(x)]] : []) : [x]));
  const known = new Set(model.metadata.map(([key]) => key));
  const added = Object.values(keys).filter((entry) => entry && !known.has(entry[0]));
  return writeGguf({
    metadata: [...replace(model.metadata, ([key]) => key, keys), ...added],
    tensors: [...replace(model.tensors, ({ name }) => name, tensors), ...more],
  });
}
const key = (name, type, value) => changed({ keys: { [name]: [name, type, value] } });
/** A model with a byte-level vocabulary: the 256 bytes in GPT-2's alphabet, and "he". */
const byteKeys = [
  ['tokenizer.ggml.model', 'string', 'gpt2'],
  ['tokenizer.ggml.tokens', 'array<string>', ['<unk>', '<s>', '</s>', ...BYTE_ALPHABET, 'he']],
  ['tokenizer.ggml.token_type', 'array<i32>', [2, 3, 3, ...Array(257).fill(1)]],
];
const byteLevel = (...more) =>
  changed({ keys: Object.fromEntries([...byteKeys, ...more].map((entry) => [entry[0], entry])) });
const extra = { name: 'extra.weight', type: 'F32', dims: [8], bytes: Buffer.alloc(32) };
const patch = (bytes, at, ...values) => Uint8Array.from(bytes, (byte, i) => values[i - at] ?? byte);
const whole = changed();

/** A small model of another architecture. */
const small = (arch, ...more) =>
  tinyModel(arch, { more, type: 'Q8_0', shape: { N_EMBD: 64, N_HEAD: 2, N_HEAD_KV: 1, HEAD_DIM: 32, N_FF: 64, N_VOCAB: 301, EXPERTS: 3, PER_LAYER: 32 } });

/** The same with an additional layer for speculative decoding (next-token prediction). */
function guessing() {
  const { metadata, tensors } = small('qwen35', ['block_count', 'u32', 5], ['nextn_predict_layers', 'u32', 1]);
  return writeGguf({ metadata, tensors: [...tensors, { ...extra, name: 'blk.4.nextn.enorm.weight' }] });
}

/**
 * The keys of a small model, without tensors, with some replaced or added. Errors in keys are
 * reported before tensors are read.
 */
function keysOf(arch, ...more) {
  const names = more.map(([name]) => `${arch}.${name}`);
  const kept = small(arch).metadata.filter(([name]) => !names.includes(name));
  return writeGguf({ metadata: [...kept, ...more.map(([name, ...value]) => [`${arch}.${name}`, ...value])] });
}

/** The keys of a part of a split model, as llama-gguf-split writes them. */
const splitKeys = (number, count, tensors) => ({
  'split.no': ['split.no', 'u16', number],
  'split.count': ['split.count', 'u16', count],
  'split.tensors.count': ['split.tensors.count', 'i32', tensors],
});
/** A part with only these keys. */
const splitPart = (keys, tensors) => writeGguf({ metadata: Object.values(keys), tensors });

/**
 * A small model with an infinite value: the last weight of this tensor, or the scale of its last
 * block.
 */
function spoilt(type, name = 'blk.0.ffn_up.weight') {
  const { metadata, tensors } = tinyLlama({ type });
  const tensor = tensors.find((x) => x.name === name);
  const infinity = { F32: [0, 0, 0x80, 0x7f], BF16: [0x80, 0x7f], MXFP4: [0xff] }[tensor.type] ?? [0, 0x7c];
  tensor.bytes = patch(tensor.bytes, tensor.bytes.length - TYPES[tensor.type].bytes, ...infinity);
  return writeGguf({ metadata, tensors });
}

/** name: [bytes, code, words of the message, byte offset (null: not asserted)] */
const MUST_FAIL = {
  empty: [new Uint8Array(), 'GGUF_TRUNCATED', 'ends at byte 0', 0],
  'three-bytes': [whole.slice(0, 3), 'GGUF_TRUNCATED', 'ends at byte 3', 3],
  'bad-magic': [patch(whole, 0, 0x67), 'GGUF_BAD_MAGIC', '67 47 55 46', 0],
  'version-1': [patch(whole, 4, 1), 'GGUF_BAD_VERSION', 'version 1', 4],
  'version-99': [patch(whole, 4, 99), 'GGUF_BAD_VERSION', 'version 99', 4],
  'big-endian': [patch(whole, 4, 0, 0, 0, 3), 'GGUF_BIG_ENDIAN', 'big-endian', 4],
  'tensor-count-2-63': [writeGguf({ n_tensors: HUGE, raw: Buffer.alloc(64) }), 'GGUF_COUNT_LIMIT', '9223372036854775808 tensors', 8],
  'key-count-2-63': [writeGguf({ n_kv: HUGE, raw: Buffer.alloc(64) }), 'GGUF_COUNT_LIMIT', '9223372036854775808 keys', 16],
  'key-length-2-63': [oneKey(u64(HUGE)), 'GGUF_STRING_LIMIT', '9223372036854775808', 24],
  'key-past-the-end': [oneKey(u64(200)), 'GGUF_STRING_LIMIT', '200 bytes', 24],
  'key-empty': [oneKey(u64(0)), 'GGUF_BAD_KEY', 'empty', 24],
  'key-twice': [
    writeGguf({ metadata: [1, 2].map((v) => ['twice', 'u32', v]) }),
    'GGUF_BAD_KEY',
    'twice',
    45,
  ],
  'string-length-2-63': [oneKey(string('k'), u32(8), u64(HUGE)), 'GGUF_STRING_LIMIT', 'a string of key k has 9223372036854775808 bytes', 37],
  'string-past-the-end': [oneKey(string('k'), u32(8), u64(65)), 'GGUF_STRING_LIMIT', 'has 65 bytes; the bytes left in the file are 64', 37],
  'value-type-unknown': [oneKey(string('k'), u32(13)), 'GGUF_BAD_VALUE_TYPE', 'type 13', 33],
  'truth-of-two': [oneKey(string('k'), u32(7), Buffer.of(2)), 'GGUF_BAD_VALUE_TYPE', 'key k', 37],
  'array-count-2-63': [oneKey(string('k'), u32(9), u32(4), u64(HUGE)), 'GGUF_COUNT_LIMIT', '9223372036854775808', 41],
  'array-past-the-end': [oneKey(string('k'), u32(9), u32(4), u64(1000)), 'GGUF_COUNT_LIMIT', '1000 elements', 41],
  'array-of-arrays': [oneKey(string('k'), u32(9), u32(9), u64(1)), 'GGUF_BAD_VALUE_TYPE', 'key k', 37],
  'array-of-unknown': [oneKey(string('k'), u32(9), u32(77), u64(1)), 'GGUF_BAD_VALUE_TYPE', 'type 77', 37],
  'array-string-past-the-end': [oneKey(string('k'), u32(9), u32(8), u64(1), u64(100)), 'GGUF_STRING_LIMIT', 'key k', 49],
  'alignment-12': [writeGguf({ metadata: [['general.alignment', 'u32', 12]] }), 'GGUF_BAD_ALIGNMENT', 'general.alignment', 24],
  'alignment-0': [writeGguf({ metadata: [['general.alignment', 'u32', 0]] }), 'GGUF_BAD_ALIGNMENT', 'general.alignment', 24],
  'alignment-a-string': [writeGguf({ metadata: [['general.alignment', 'string', '32']] }), 'GGUF_BAD_ALIGNMENT', 'general.alignment', 24],
  'tensor-name-2-63': [writeGguf({ n_tensors: 1, raw: Buffer.concat([u64(HUGE), Buffer.alloc(64)]) }), 'GGUF_BAD_TENSOR_NAME', '9223372036854775808 bytes', 24],
  'tensor-name-long': [oneTensor({ name: 'n'.repeat(65) }), 'GGUF_BAD_TENSOR_NAME', '65 bytes', 24],
  'tensor-name-empty': [oneTensor({ name: '' }), 'GGUF_BAD_TENSOR_NAME', '0 bytes', 24],
  'tensor-twice': [writeGguf({ tensors: [extra, extra] }), 'GGUF_BAD_TENSOR_NAME', 'extra.weight', null],
  'tensor-no-dimensions': [oneTensor({ dims: [] }), 'GGUF_BAD_DIMENSIONS', 'weird', null],
  'tensor-five-dimensions': [oneTensor({ dims: [1, 1, 1, 1, 1] }), 'GGUF_BAD_DIMENSIONS', 'weird', null],
  'tensor-dimension-zero': [oneTensor({ dims: [8, 0] }), 'GGUF_BAD_DIMENSIONS', 'weird', 24],
  'tensor-dimension-2-63': [oneTensor({ dims: [HUGE] }), 'GGUF_BAD_DIMENSIONS', 'weird', 24],
  'tensor-dimensions-overflow': [oneTensor({ dims: [2 ** 31, 2 ** 31, 2 ** 31] }), 'GGUF_BAD_DIMENSIONS', 'weird', 24],
  'tensor-row-of-half-blocks': [oneTensor({ type: 'Q8_0', dims: [33] }), 'GGUF_BAD_DIMENSIONS', 'weird', 24],
  'tensor-type-unknown': [oneTensor({ ggml: 4242 }), 'GGUF_TENSOR_TYPE', '4242', 24],
  'tensor-type-we-lack': [oneTensor({ ggml: 15, dims: [256] }), 'GGUF_TENSOR_TYPE', 'type 15 (Q8_K); supported: F32', 24],
  'tensor-type-removed': [oneTensor({ ggml: 4 }), 'GGUF_TENSOR_TYPE', 'type 4', 24],
  'tensor-outside': [
    changed({ tensors: { 'output_norm.weight': { ...model.tensors[1], offset: 2 ** 20 } } }),
    'GGUF_TENSOR_OUTSIDE',
    'output_norm.weight',
    null,
  ],
  'tensor-outside-2-63': [oneTensor({ offset: HUGE }), 'GGUF_TENSOR_OUTSIDE', 'weird', 24],
  'tensor-misaligned': [oneTensor({ offset: 8 }), 'GGUF_TENSOR_MISALIGNED', 'weird', 24],
  'tensors-overlap': [
    writeGguf({ tensors: [extra, { ...extra, name: 'other.weight', offset: 0 }] }),
    'GGUF_TENSOR_OVERLAP',
    'other.weight',
    null,
  ],
  'architecture-missing': [changed({ keys: { 'general.architecture': undefined } }), 'MODEL_KEY_MISSING', 'general.architecture', null],
  'architecture-we-lack': [key('general.architecture', 'string', 'mamba'), 'MODEL_ARCH_UNSUPPORTED', '"mamba" is not supported; supported: llama, qwen2, ', null],
  'architecture-a-number': [key('general.architecture', 'u32', 1), 'MODEL_KEY_BAD', 'general.architecture', null],
  'key-missing': [changed({ keys: { 'llama.block_count': undefined } }), 'MODEL_KEY_MISSING', 'llama.block_count', null],
  'layers-2-31': [key('llama.block_count', 'u32', 2 ** 31), 'MODEL_KEY_BAD', 'llama.block_count is 2147483648', null],
  'heads-0': [key('llama.attention.head_count', 'u32', 0), 'MODEL_KEY_BAD', 'llama.attention.head_count is 0', null],
  'heads-negative': [key('llama.attention.head_count', 'i32', -1), 'MODEL_KEY_BAD', 'llama.attention.head_count is -1', null],
  'heads-not-divided': [key('llama.attention.head_count_kv', 'u32', 3), 'MODEL_KEY_BAD', 'llama.attention.head_count_kv', null],
  'width-a-string': [key('llama.embedding_length', 'string', '2'), 'MODEL_KEY_BAD', 'llama.embedding_length', null],
  'epsilon-nan': [key('llama.attention.layer_norm_rms_epsilon', 'f32', NaN), 'MODEL_KEY_BAD', 'layer_norm_rms_epsilon', null],
  'rope-base-0': [key('llama.rope.freq_base', 'f32', 0), 'MODEL_KEY_BAD', 'llama.rope.freq_base', null],
  'rope-odd': [key('llama.rope.dimension_count', 'u32', 1), 'MODEL_KEY_BAD', 'llama.rope.dimension_count', null],
  'rope-scaling-we-lack': [key('llama.rope.scaling.type', 'string', 'ntk'), 'MODEL_OPTION_UNSUPPORTED', '"ntk"; supported: none, linear', null],
  'rope-factor-negative': [key('llama.rope.scaling.factor', 'f32', -2), 'MODEL_KEY_BAD', 'llama.rope.scaling.factor is -2', null],
  'scores-capped': [key('llama.attn_logit_softcapping', 'f32', 50), 'MODEL_OPTION_UNSUPPORTED', 'llama.attn_logit_softcapping is 50', null],
  'logits-scaled': [key('llama.logit_scale', 'f32', 8), 'MODEL_OPTION_UNSUPPORTED', 'llama.logit_scale is 8', null],
  'not-causal': [key('llama.attention.causal', 'bool', false), 'MODEL_OPTION_UNSUPPORTED', 'llama.attention.causal', null],
  'heads-a-list': [key('llama.attention.head_count_kv', 'array<i32>', [1, 1]), 'MODEL_KEY_BAD', 'llama.attention.head_count_kv is a list of 2 values, but the model has 1 layers', null],
  'heads-a-list-of-none': [key('llama.attention.head_count', 'array<u32>', []), 'MODEL_KEY_BAD', 'llama.attention.head_count is a list of 0 values', null],
  'heads-a-list-of-texts': [key('llama.attention.head_count', 'array<string>', ['1']), 'MODEL_KEY_BAD', 'llama.attention.head_count', null],
  'heads-a-list-of-truths': [key('llama.attention.head_count_kv', 'array<bool>', [true]), 'MODEL_KEY_BAD', 'llama.attention.head_count_kv', null],
  'heads-a-list-of-floats': [key('llama.attention.head_count', 'array<f32>', [1]), 'MODEL_KEY_BAD', 'llama.attention.head_count', null],
  'heads-of-a-list-negative': [key('llama.attention.head_count', 'array<i64>', [-1]), 'MODEL_KEY_BAD', 'llama.attention.head_count is -1', null],
  'heads-of-different-numbers': [keysOf('qwen2', ['attention.head_count', 'array<u32>', [2, 1, 2]]), 'MODEL_OPTION_UNSUPPORTED', 'qwen2.attention.head_count is 2 for layer 0 and 1 for layer 1', null],
  'heads-kv-of-different-numbers': [keysOf('phi3', ['attention.head_count_kv', 'array<u32>', [1, 1, 2]]), 'MODEL_OPTION_UNSUPPORTED', 'phi3.attention.head_count_kv is 1 for layer 0 and 2 for layer 2', null],
  'feed-forward-of-different-widths': [keysOf('qwen3', ['feed_forward_length', 'array<u64>', [64, 64, 32]]), 'MODEL_OPTION_UNSUPPORTED', 'qwen3.feed_forward_length is 64 for layer 0 and 32 for layer 2', null],
  'layers-a-list': [key('llama.block_count', 'array<u32>', [1]), 'MODEL_KEY_BAD', 'llama.block_count', null],
  'windows-of-numbers': [keysOf('gemma4', ['attention.sliding_window_pattern', 'array<i32>', [1, 0, 1, 0, 1, 2]]), 'MODEL_KEY_BAD', 'gemma4.attention.sliding_window_pattern', null],
  'windows-of-other-length': [keysOf('gemma2', ['attention.sliding_window_pattern', 'array<bool>', [true, false]]), 'MODEL_KEY_BAD', 'gemma2.attention.sliding_window_pattern is a list of 2 values', null],
  'recurrent-too-few': [keysOf('qwen35', ['attention.recurrent_layers', 'array<bool>', [true]]), 'MODEL_KEY_BAD', 'qwen35.attention.recurrent_layers is a list of 1 values', null],
  'recurrent-a-number': [keysOf('qwen35', ['attention.recurrent_layers', 'u32', 3]), 'MODEL_OPTION_UNSUPPORTED', 'qwen35.attention.recurrent_layers is 3', null],
  'split-first': [changed({ keys: splitKeys(0, 5, 100) }), 'MODEL_SPLIT', 'part 1 of 5 of a split model, with 11 of its 100 tensors', null],
  'split-second': [splitPart(splitKeys(1, 5, 100), [extra]), 'MODEL_SPLIT', 'part 2 of 5 of a split model, with 1 of its 100 tensors', null],
  'split-first-without-tensors': [splitPart({ ...splitKeys(0, 2, 11), architecture: ['general.architecture', 'string', 'llama'] }, []), 'MODEL_SPLIT', 'part 1 of 2 of a split model, with 0 of its 11 tensors', null],
  'split-last-with-all-tensors': [splitPart(splitKeys(1, 2, 11), model.tensors), 'MODEL_SPLIT', 'part 2 of 2', null],
  'split-without-count': [splitPart({ number: ['split.no', 'u16', 3] }, [extra]), 'MODEL_SPLIT', 'the file is a part of a split model', null],
  'split-without-number': [changed({ keys: { 'split.count': ['split.count', 'u16', 3] } }), 'MODEL_SPLIT', 'one of 3 parts of a split model', null],
  'split-by-tensors': [changed({ keys: { 'split.tensors.count': ['split.tensors.count', 'i32', 12] } }), 'MODEL_SPLIT', 'a part of a split model, with 11 of its 12 tensors', null],
  'split-count-a-text': [changed({ keys: { 'split.count': ['split.count', 'string', '5'] } }), 'MODEL_KEY_BAD', 'split.count', null],
  'experts-more-used-than-there': [keysOf('granitemoe', ['expert_used_count', 'u32', 9]), 'MODEL_KEY_BAD', 'granitemoe.expert_used_count is 9', null],
  'experts-by-sigmoid': [keysOf('olmoe', ['expert_gating_func', 'u32', 2]), 'MODEL_OPTION_UNSUPPORTED', 'olmoe.expert_gating_func is 2', null],
  'heads-too-few-numbers': [keysOf('lfm2', ['attention.head_count_kv', 'array<i32>', [0, 1]]), 'MODEL_KEY_BAD', 'lfm2.attention.head_count_kv is a list of 2 values', null],
  'heads-in-no-layer': [keysOf('lfm2', ['attention.head_count_kv', 'array<i32>', [0, 0, 0, 0]]), 'MODEL_KEY_BAD', 'no layer has attention', null],
  'delta-heads-not-divided': [keysOf('qwen35', ['ssm.group_count', 'u32', 3]), 'MODEL_KEY_BAD', 'qwen35.ssm.group_count is 3', null],
  'delta-width-of-other-heads': [keysOf('qwen35', ['ssm.inner_size', 'u32', 8]), 'MODEL_KEY_BAD', 'qwen35.ssm.inner_size is 8', null],
  'delta-state-odd': [keysOf('qwen35', ['ssm.state_size', 'u32', 6]), 'MODEL_KEY_BAD', 'qwen35.ssm.state_size is 6', null],
  'rope-sections-of-two': [keysOf('qwen35', ['rope.dimension_sections', 'array<i32>', [1, 1]]), 'MODEL_KEY_BAD', 'rope.dimension_sections is 2', null],
  'rope-sections-too-short': [keysOf('qwen35', ['rope.dimension_sections', 'array<i32>', [0, 9, 9, 0]]), 'MODEL_OPTION_UNSUPPORTED', 'rope.dimension_sections is 0', null],
  'guessing-layers-only': [keysOf('qwen35', ['nextn_predict_layers', 'u32', 4]), 'MODEL_KEY_BAD', 'qwen35.nextn_predict_layers is 4', null],
  'windows-too-few': [keysOf('gemma4', ['attention.sliding_window_pattern', 'array<bool>', [true]]), 'MODEL_KEY_BAD', 'sliding_window_pattern is a list of 1 values', null],
  'windows-with-wider-heads': [keysOf('gemma4', ['attention.key_length_swa', 'u32', 128]), 'MODEL_KEY_BAD', 'gemma4.attention.key_length_swa is 128', null],
  'shared-caches-of-all': [keysOf('gemma4', ['attention.shared_kv_layers', 'u32', 5]), 'MODEL_KEY_BAD', 'gemma4.attention.shared_kv_layers is 5', null],
  'shared-cache-of-other-shape': [writeGguf(small('gemma4', ['attention.shared_kv_layers', 'u32', 3])), 'MODEL_OPTION_UNSUPPORTED', 'blk.3 has the cache of blk.2', null],
  'suppressed-outside': [
    writeGguf({ metadata: [...small('gemma4').metadata, ['tokenizer.ggml.suppress_tokens', 'array<i32>', [3, 301]]] }),
    'MODEL_KEY_BAD',
    'suppress_tokens names token 301 of 301',
    null,
  ],
  'feed-forward-of-0': [keysOf('gemma4', ['feed_forward_length', 'array<i32>', [64, 64, 64, 0, 64, 64]]), 'MODEL_KEY_BAD', 'gemma4.feed_forward_length is 0', null],
  'rope-base-of-windows-0': [keysOf('gemma3', ['rope.freq_base_swa', 'f32', 0]), 'MODEL_KEY_BAD', 'gemma3.rope.freq_base_swa is 0', null],
  'bias-missing': [
    writeGguf({ tensors: model.tensors, metadata: model.metadata.map(([k, t, v]) => [k.replace(/^llama\./, 'qwen2.'), t, v === 'llama' && !/^tok/.test(k) ? 'qwen2' : v]) }),
    'MODEL_TENSOR_MISSING',
    'blk.0.attn_q.bias',
    null,
  ],
  experts: [key('llama.expert_count', 'u32', 8), 'MODEL_OPTION_UNSUPPORTED', 'llama.expert_count', null],
  'tensor-missing': [changed({ tensors: { 'blk.0.ffn_up.weight': undefined } }), 'MODEL_TENSOR_MISSING', 'blk.0.ffn_up.weight', null],
  'tensor-of-other-shape': [
    changed({ tensors: { 'output_norm.weight': { ...extra, name: 'output_norm.weight' } } }),
    'MODEL_TENSOR_SHAPE',
    'output_norm.weight',
    null,
  ],
  ...Object.fromEntries(
    SMALL_TYPES.map((type) => [
      `weights-${type.toLowerCase()}-not-finite`,
      [
        spoilt(type),
        'MODEL_TENSOR_NOT_FINITE',
        `blk.0.ffn_up.weight: ${TYPES[type].elements > 1 ? 'the scale of block 31' : 'element 1023'}`,
        null,
      ],
    ]),
  ),
  'vector-not-finite': [spoilt('F32', 'output_norm.weight'), 'MODEL_TENSOR_NOT_FINITE', 'output_norm.weight: element 31', null],
  'tensor-unexpected': [changed({ more: [extra] }), 'MODEL_TENSOR_UNEXPECTED', 'extra.weight', null],
  'tokenizer-missing': [changed({ keys: { 'tokenizer.ggml.model': undefined } }), 'MODEL_KEY_MISSING', 'tokenizer.ggml.model', null],
  'tokenizer-we-lack': [key('tokenizer.ggml.model', 'string', 'rwkv'), 'TOKENIZER_UNSUPPORTED', '"rwkv" is not supported', null],
  'pre-tokenizer-we-lack': [byteLevel(['tokenizer.ggml.pre', 'string', 'of-tomorrow']), 'TOKENIZER_UNSUPPORTED', '"of-tomorrow" is not supported; supported: default, gpt-2', null],
  'merges-missing': [byteLevel(), 'MODEL_KEY_MISSING', 'tokenizer.ggml.merges', null],
  'merge-of-one': [byteLevel(['tokenizer.ggml.merges', 'array<string>', ['the']]), 'TOKENIZER_BAD', 'merge 0, "the", is no pair', null],
  'merge-of-no-token': [byteLevel(['tokenizer.ggml.merges', 'array<string>', ['h e', 'h q']]), 'TOKENIZER_BAD', 'merge 1, "h q"', null],
  'vocabulary-empty': [key('tokenizer.ggml.tokens', 'array<string>', []), 'TOKENIZER_BAD', 'empty', null],
  'vocabulary-of-numbers': [key('tokenizer.ggml.tokens', 'array<u32>', [1, 2]), 'MODEL_KEY_BAD', 'tokenizer.ggml.tokens', null],
  'scores-of-other-length': [key('tokenizer.ggml.scores', 'array<f32>', [0, 0]), 'TOKENIZER_BAD', 'scores', null],
  'token-types-of-other-length': [key('tokenizer.ggml.token_type', 'array<i32>', [1]), 'TOKENIZER_BAD', 'token_type', null],
  'token-type-unknown': [key('tokenizer.ggml.token_type', 'array<i32>', Array(260).fill(7)), 'TOKENIZER_BAD', 'kind 7', null],
  'byte-token-misspelt': [key('tokenizer.ggml.token_type', 'array<i32>', Array(260).fill(6)), 'TOKENIZER_BAD', '<unk>', null],
};

const VALID = {
  ...Object.fromEntries(['gemma2', 'gemma4', 'lfm2', 'qwen35', 'granitemoe'].map((arch) => [arch, writeGguf(small(arch))])),
  'guessing-layer': guessing(),
  v2: writeGguf({ version: 2, ...tinyLlama() }),
  ...Object.fromEntries(
    [8, 4096].map((alignment) => {
      const { metadata, tensors } = tinyLlama();
      return [`alignment-${alignment}`, writeGguf({ alignment, tensors, metadata: [...metadata, ['general.alignment', 'u32', alignment]] })];
    }),
  ),
  ...Object.fromEntries(SMALL_TYPES.map((type) => [type.toLowerCase(), writeGguf(tinyLlama({ type }))])),
  'own-output': writeGguf(tinyLlama({ type: 'Q8_0', tied: false, n_vocab: 277, n_head_kv: 2 })),
  'byte-level': (() => {
    const { metadata, tensors } = tinyLlama();
    const more = Array.from({ length: 15 }, (_, i) => (i ? `w${i}` : 'th'));
    const keys = [
      byteKeys[0],
      ['tokenizer.ggml.tokens', 'array<string>', [...byteKeys[1][2], ...more]],
      ['tokenizer.ggml.token_type', 'array<i32>', [...byteKeys[2][2], ...more.map(() => 1)]],
      ['tokenizer.ggml.pre', 'string', 'qwen2'],
      ['tokenizer.ggml.merges', 'array<string>', ['h e', 't h']],
    ];
    return writeGguf({ tensors, metadata: [...metadata.filter(([name]) => !keys.some(([other]) => other === name)), ...keys] });
  })(),
  vocabulary: writeGguf({ metadata: [['general.architecture', 'string', 'llama'], ...tinyVocabulary(275)] }),
};

/** Every golden file by its path in tests/golden. */
export function goldenFiles() {
  const expect = Object.entries(MUST_FAIL).map(([name, [, code, message, offset]]) => ({ file: `${name}.gguf`, code, message, offset }));
  return {
    ...Object.fromEntries(Object.entries(VALID).map(([name, bytes]) => [`valid/${name}.gguf`, bytes])),
    ...Object.fromEntries(Object.entries(MUST_FAIL).map(([name, [bytes]]) => [`must-fail/${name}.gguf`, bytes])),
    'must-fail/expect.json': Buffer.from(`${JSON.stringify(expect, null, 2)}\n`),
  };
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const [path, bytes] of Object.entries(goldenFiles())) writeFileSync(new URL(path, import.meta.url), bytes);
}
