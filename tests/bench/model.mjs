// Random weights in the shape of a real model, for measuring speed only. Takes a shape and a weight
// type; returns the path of a GGUF file in build/bench, which is written if it does not exist. The
// bytes are the same each time.
import { BYTE_TOKENS, spmKeys } from '../support/byte-tokens.mjs';
import { existsSync, mkdirSync, renameSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { generator as unitGenerator, randomBlock, writeGguf } from '../support/gguf-writer.mjs';
import { TYPES, toHalf } from '../support/types.mjs';

const folder = fileURLToPath(new URL('../../build/bench/', import.meta.url));
const VERSION = 3; // of the file's content; a file with another version is written again

export const SHAPES = {
  tiny: {
    n_embd: 256,
    n_layer: 4,
    n_head: 4,
    n_head_kv: 2,
    n_ff: 768,
    n_vocab: 2048,
    n_ctx: 4096,
    rope_base: 10000,
  },
  '135m': {
    n_embd: 576,
    n_layer: 30,
    n_head: 9,
    n_head_kv: 3,
    n_ff: 1536,
    n_vocab: 49152,
    n_ctx: 4096,
    rope_base: 100000,
  }, // like SmolLM2-135M
  '115m': {
    n_embd: 768,
    n_layer: 12,
    n_head: 12,
    n_head_kv: 4,
    n_ff: 2048,
    n_vocab: 32000,
    n_ctx: 4096,
    rope_base: 10000,
  }, // rows are whole blocks of 256
};

const CHAT_TEMPLATE = '{% for m in messages %}<{{ m.role }}>{{ m.content }}{% endfor %}<assistant>';

/** The embedding's type, as the usual quantizers choose it. */
const embeddingType = (type) =>
  type === 'Q4_0' || type === 'IQ4_NL' ? 'Q8_0' : TYPES[type].elements > 32 ? 'Q6_K' : type;

/** xorshift32 by George Marsaglia: whole numbers of 32 bits. */
function generator(seed) {
  let state = seed;
  return () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return state >>> 0;
  };
}

/**
 * Single characters that never merge, so that a prompt has as many tokens as characters; then
 * fillers.
 */
function vocabulary(n) {
  const tokens = ['<unk>', '<s>', '</s>', ...BYTE_TOKENS];
  for (let code = 33; code < 127; code++) tokens.push(String.fromCharCode(code));
  while (tokens.length < n) tokens.push(`\u2581filler${tokens.length}`);
  return [
    ...spmKeys(tokens),
    ['tokenizer.ggml.add_bos_token', 'bool', false],
    ['tokenizer.ggml.add_space_prefix', 'bool', false],
    ['tokenizer.chat_template', 'string', CHAT_TEMPLATE],
  ];
}

/**
 * n weights with about this standard deviation: blocks of random codes with similar scales, or
 * elements.
 */
function weights(random, type, n, deviation) {
  const { elements, bytes } = TYPES[type];
  const out = Buffer.alloc((n / elements) * bytes);
  const spread = (random() / 2 ** 32 - 0.5) * 0.4 + 1;
  if (elements === 1) {
    const uniform = () => (random() / 2 ** 31 - 1) * deviation * Math.sqrt(3);
    const upperHalf = (x) => new Uint32Array(Float32Array.of(x).buffer)[0] >>> 16;
    const halves = Uint16Array.from({ length: 65536 }, () =>
      (type === 'BF16' ? upperHalf : toHalf)(uniform()),
    );
    for (let i = 0; i < n; i++) {
      if (type === 'F32') out.writeFloatLE(uniform(), 4 * i);
      else out.writeUInt16LE(halves[random() >>> 16], 2 * i);
    }
    return out;
  }
  if (type !== 'Q8_0' && type !== 'Q4_0') {
    const unit = unitGenerator(n);
    const blocks = Array.from({ length: 1021 }, () => randomBlock(type, unit, deviation * spread));
    for (let at = 0; at < out.length; at += bytes) out.set(blocks[random() % blocks.length], at);
    return out;
  }
  const words = new Uint32Array(out.buffer, out.byteOffset, out.length >> 2);
  for (let i = 0; i < words.length; i++) words[i] = random();
  const scale = toHalf((deviation / (type === 'Q8_0' ? 74 : 4.6)) * spread);
  for (let at = 0; at < out.length; at += bytes) out.writeUInt16LE(scale + (random() & 63), at);
  return out;
}

export function modelFile(shapeName, type) {
  const path = join(folder, `${shapeName}-${type.toLowerCase()}.${VERSION}.gguf`);
  if (existsSync(path)) return path;
  const { n_embd, n_layer, n_head, n_head_kv, n_ff, n_vocab, n_ctx, rope_base } = SHAPES[shapeName];
  const random = generator(0x9e3779b9);
  const kv = (n_embd / n_head) * n_head_kv;
  const vector = (name) => ({
    name,
    type: 'F32',
    dims: [n_embd],
    bytes: Buffer.from(new Float32Array(n_embd).fill(1).buffer),
  });
  const matrix = (name, columns, rows, t = type, deviation = 1 / Math.sqrt(columns)) => ({
    ...{ name, type: t, dims: [columns, rows] },
    bytes: weights(random, t, columns * rows, deviation),
  });
  const layers = Array.from({ length: n_layer }, (_, i) => [
    vector(`blk.${i}.attn_norm.weight`),
    matrix(`blk.${i}.attn_q.weight`, n_embd, n_embd),
    matrix(`blk.${i}.attn_k.weight`, n_embd, kv),
    matrix(`blk.${i}.attn_v.weight`, n_embd, kv),
    matrix(`blk.${i}.attn_output.weight`, n_embd, n_embd),
    vector(`blk.${i}.ffn_norm.weight`),
    matrix(`blk.${i}.ffn_gate.weight`, n_embd, n_ff),
    matrix(`blk.${i}.ffn_up.weight`, n_embd, n_ff),
    matrix(`blk.${i}.ffn_down.weight`, n_ff, n_embd),
  ]).flat();
  const bytes = writeGguf({
    metadata: [
      ['general.architecture', 'string', 'llama'],
      ['general.name', 'string', `random-${shapeName}-${type}`],
      ['llama.block_count', 'u32', n_layer],
      ['llama.context_length', 'u32', n_ctx],
      ['llama.embedding_length', 'u32', n_embd],
      ['llama.feed_forward_length', 'u32', n_ff],
      ['llama.attention.head_count', 'u32', n_head],
      ['llama.attention.head_count_kv', 'u32', n_head_kv],
      ['llama.attention.layer_norm_rms_epsilon', 'f32', 1e-5],
      ['llama.rope.freq_base', 'f32', rope_base],
      ['llama.rope.dimension_count', 'u32', n_embd / n_head],
      ...vocabulary(n_vocab),
    ],
    tensors: [
      matrix('token_embd.weight', n_embd, n_vocab, embeddingType(type), 0.05),
      vector('output_norm.weight'),
      ...layers,
    ],
  });
  mkdirSync(folder, { recursive: true });
  writeFileSync(`${path}.new`, bytes);
  renameSync(`${path}.new`, path);
  return path;
}
