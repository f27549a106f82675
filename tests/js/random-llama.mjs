/** Small llama-architecture models with random weights: a shape comes in, the bytes of a GGUF file go out, the same for the same shape. */
import { writeGguf } from '../golden/gguf-writer.mjs';

const SHAPE = {
  type: 'F32',
  tied: true,
  n_vocab: 301,
  n_head: 4,
  n_head_kv: 2,
  head_dim: 32,
  rope_dim: 0,
  n_ff: 96,
  n_layer: 2,
  n_ctx: 64,
};

/**
 * Fields of SHAPE to change: type (of the matrices; norms are F32), tied (no output.weight), counts of elements; rope_dim 0 turns whole heads;
 * n_embd is n_head * head_dim.
 */
export function randomLlama(changes = {}) {
  const shape = { ...SHAPE, ...changes };
  const { type, n_vocab, n_head, n_head_kv, head_dim, n_ff, n_layer } = shape;
  const n_embd = n_head * head_dim;
  const random = generator(1);
  const norm = (name) => ({ name, type: 'F32', dims: [n_embd], bytes: encode('F32', 1, n_embd, () => 0.5 + random()) });
  // Uniform weights of this width keep the scale of what they are multiplied with: sums of K products stay near 1.
  const matrix = (name, rows, columns, scale = 1) => {
    const bytes = encode(type, rows, columns, () => (2 * random() - 1) * scale * Math.sqrt(3 / columns));
    return { name, type, dims: [columns, rows], bytes };
  };
  const layer = (i) => [
    norm(`blk.${i}.attn_norm.weight`),
    matrix(`blk.${i}.attn_q.weight`, n_embd, n_embd, 2), // sharper scores: attention that is no mere average
    matrix(`blk.${i}.attn_k.weight`, n_head_kv * head_dim, n_embd),
    matrix(`blk.${i}.attn_v.weight`, n_head_kv * head_dim, n_embd),
    matrix(`blk.${i}.attn_output.weight`, n_embd, n_embd),
    norm(`blk.${i}.ffn_norm.weight`),
    matrix(`blk.${i}.ffn_gate.weight`, n_ff, n_embd, 2),
    matrix(`blk.${i}.ffn_up.weight`, n_ff, n_embd),
    matrix(`blk.${i}.ffn_down.weight`, n_embd, n_ff),
  ];
  return writeGguf({
    metadata: metadata(shape, n_embd),
    tensors: [
      matrix('token_embd.weight', n_vocab, n_embd, 2),
      ...Array.from({ length: n_layer }, (_, i) => layer(i)).flat(),
      norm('output_norm.weight'),
      ...(shape.tied ? [] : [matrix('output.weight', n_vocab, n_embd, 2)]),
    ],
  });
}

function metadata({ n_vocab, n_head, n_head_kv, head_dim, rope_dim, n_ff, n_layer, n_ctx }, n_embd) {
  const tokens = ['<unk>', '<s>', '</s>'];
  for (let byte = 0; byte < 256; byte++) tokens.push(`<0x${byte.toString(16).toUpperCase().padStart(2, '0')}>`);
  for (let i = tokens.length; i < n_vocab; i++) tokens.push(`\u2581w${i}`);
  const kind = (i) => (i === 0 ? 2 : i < 3 ? 3 : i < 259 ? 6 : 1); // unknown, control, byte, normal
  return [
    ['general.architecture', 'string', 'llama'],
    ['general.name', 'string', 'random'],
    ['llama.block_count', 'u32', n_layer],
    ['llama.context_length', 'u32', n_ctx],
    ['llama.embedding_length', 'u32', n_embd],
    ['llama.feed_forward_length', 'u32', n_ff],
    ['llama.attention.head_count', 'u32', n_head],
    ['llama.attention.head_count_kv', 'u32', n_head_kv],
    ['llama.rope.dimension_count', 'u32', rope_dim || head_dim],
    ['llama.rope.freq_base', 'f32', 10000],
    ['llama.attention.layer_norm_rms_epsilon', 'f32', 1e-5],
    ['llama.vocab_size', 'u32', n_vocab],
    ['tokenizer.ggml.model', 'string', 'llama'],
    ['tokenizer.ggml.tokens', 'array<string>', tokens],
    ['tokenizer.ggml.scores', 'array<f32>', tokens.map((_, i) => -i)],
    ['tokenizer.ggml.token_type', 'array<i32>', tokens.map((_, i) => kind(i))],
    ['tokenizer.ggml.bos_token_id', 'u32', 1],
    ['tokenizer.ggml.eos_token_id', 'u32', 2],
    ['tokenizer.ggml.unknown_token_id', 'u32', 0],
  ];
}

/** mulberry32 by Tommy Ettinger: numbers of [0, 1). */
function generator(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let x = Math.imul(state ^ (state >>> 15), state | 1);
    x ^= x + Math.imul(x ^ (x >>> 7), x | 61);
    return ((x ^ (x >>> 14)) >>> 0) / 2 ** 32;
  };
}
