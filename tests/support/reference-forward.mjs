// The llama architecture in plain float64, the truth for the tests. It takes a parsed GGUF file and
// token ids and returns logits for every position. It is slow on purpose: one position after the
// other, no batching, weights dequantized exactly.
//
// Sources: Touvron et al. 2023 (the architecture), Zhang and Sennrich 2019 (RMSNorm), Su et al.
// 2021 (RoPE), Ainslie et al. 2023 (grouped-query attention), Shazeer 2020 (SwiGLU); names of keys
// and tensors: the GGUF specification.
import { dot } from './dot.mjs';
import { readGguf } from './gguf-reader.mjs';
import { TYPES, fromHalf, toHalf } from './types.mjs';

/** Whether the engine multiplies weights of a type by activations of 8 bits. */
const isCoded = (type) => TYPES[type].elements > 1;

/** Keys that change the computation below. A file with one of them is not a plain llama. */
const NOT_PLAIN = [
  'llama.rope.scaling.type',
  'llama.expert_count',
  'llama.attention.sliding_window',
];

/**
 * Reads hyperparameters and all weights. Weights are Float64Arrays; a matrix of R rows and K
 * columns is R * K numbers in row order. With codedActivations, the input of a quantized matrix is
 * first rounded to 8-bit codes, as in the engine; the remaining difference to the engine is float
 * rounding.
 */
export function loadReference(bytes, { codedActivations = false } = {}) {
  const file = readGguf(bytes);
  const key = (name, fallback) => file.metadata[`llama.${name}`] ?? fallback;
  for (const name of NOT_PLAIN)
    if (file.metadata[name]) throw new Error(`${name} is not part of the reference`);
  const vector = (name) => Float64Array.from(file.tensor(name));
  const matrix = (name) =>
    codedActivations && isCoded(file.type(name))
      ? { values: vector(name), coded: true, mins: file.mins(name) }
      : { values: vector(name), coded: false };
  if (file.has('rope_freqs.weight'))
    throw new Error('rope_freqs.weight is not part of the reference');

  const n_embd = key('embedding_length');
  const n_head = key('attention.head_count');
  const head_dim = key('attention.key_length', n_embd / n_head);
  const token_embd = matrix('token_embd.weight');
  return {
    n_embd,
    n_head,
    n_head_kv: key('attention.head_count_kv', n_head),
    head_dim,
    rope_dim: key('rope.dimension_count', head_dim),
    freq_base: key('rope.freq_base', 10000),
    epsilon: key('attention.layer_norm_rms_epsilon'),
    n_vocab: token_embd.values.length / n_embd,
    token_embd,
    output_norm: vector('output_norm.weight'),
    // tied embeddings: the embedding is the output matrix, too
    output: file.has('output.weight') ? matrix('output.weight') : token_embd,
    layers: Array.from({ length: key('block_count') }, (_, i) => ({
      attn_norm: vector(`blk.${i}.attn_norm.weight`),
      attn_q: matrix(`blk.${i}.attn_q.weight`),
      attn_k: matrix(`blk.${i}.attn_k.weight`),
      attn_v: matrix(`blk.${i}.attn_v.weight`),
      attn_output: matrix(`blk.${i}.attn_output.weight`),
      ffn_norm: vector(`blk.${i}.ffn_norm.weight`),
      ffn_gate: matrix(`blk.${i}.ffn_gate.weight`),
      ffn_up: matrix(`blk.${i}.ffn_up.weight`),
      ffn_down: matrix(`blk.${i}.ffn_down.weight`),
    })),
  };
}

/** Rounds x to 11 significant bits, the precision of a binary16, at any magnitude. */
function elevenBits(x) {
  const power = x === 0 ? 1 : 2 ** Math.floor(Math.log2(Math.abs(x)));
  return fromHalf(toHalf(x / power)) * power;
}

/**
 * Rounds a vector as the engine's kernels for quantized weights do. Each block of 32 numbers
 * becomes 8-bit codes, round(x / d) with d = max|x| / 127, and then d is rounded to 11 bits.
 * values: codes times d. over: for each block, s minus the sum of its values. s is the sum of the
 * codes times the unrounded d, rounded to 11 bits (Q8_1 stores it).
 */
function throughCodes(vector) {
  const values = new Float64Array(vector.length);
  const over = [];
  for (let start = 0; start < vector.length; start += 32) {
    const block = vector.subarray(start, start + 32);
    const d = block.reduce((max, x) => Math.max(max, Math.abs(x)), 0) / 127;
    const codes = block.map((x) => (d > 0 ? Math.round(x / d) : 0));
    const sum = codes.reduce((a, b) => a + b, 0);
    codes.forEach((code, i) => (values[start + i] = code * elevenBits(d)));
    over.push(elevenBits(d * sum) - elevenBits(d) * sum);
  }
  return { values, over };
}

/**
 * (R by K) times (K) -> (R). Types with one min for each block of 32 multiply it by the block's s,
 * as ggml does with Q8_1.
 */
function multiply({ values: matrix, coded, mins }, x) {
  const { values: vector, over } = coded ? throughCodes(x) : { values: x };
  const columns = vector.length;
  const out = new Float64Array(matrix.length / columns);
  for (let row = 0; row < out.length; row++) {
    let sum = dot(matrix, row * columns, vector);
    if (mins) over.forEach((rest, b) => (sum += mins[row * over.length + b] * rest));
    out[row] = sum;
  }
  return out;
}

/** x / sqrt(mean(x^2) + epsilon) * weight */
function rmsNorm(x, weight, epsilon) {
  let squares = 0;
  for (const value of x) squares += value * value;
  const scale = 1 / Math.sqrt(squares / x.length + epsilon);
  return x.map((value, i) => value * scale * weight[i]);
}

/**
 * RoPE in place: rotates each pair of neighbours among the first rope_dim numbers of every head.
 * The angle of pair i is position * base^(-2i / rope_dim).
 */
function rotate(heads, position, { head_dim, rope_dim, freq_base }) {
  for (let start = 0; start < heads.length; start += head_dim) {
    for (let i = 0; i < rope_dim; i += 2) {
      const angle = position * Math.pow(freq_base, -i / rope_dim);
      const [x, y] = [heads[start + i], heads[start + i + 1]];
      heads[start + i] = x * Math.cos(angle) - y * Math.sin(angle);
      heads[start + i + 1] = x * Math.sin(angle) + y * Math.cos(angle);
    }
  }
}

/**
 * Attention of one query position over all keys and values so far. Query head h reads key-value
 * head floor(h / (n_head / n_head_kv)).
 */
function attend(q, keys, values, { n_head, n_head_kv, head_dim }) {
  const out = new Float64Array(n_head * head_dim);
  for (let head = 0; head < n_head; head++) {
    const from = head * head_dim;
    const kv = Math.floor((head * n_head_kv) / n_head) * head_dim;
    const scores = keys.map((key) => {
      let dot = 0;
      for (let d = 0; d < head_dim; d++) dot += q[from + d] * key[kv + d];
      return dot / Math.sqrt(head_dim);
    });
    const max = Math.max(...scores);
    const weights = scores.map((score) => Math.exp(score - max));
    const sum = weights.reduce((a, b) => a + b, 0);
    values.forEach((value, t) => {
      for (let d = 0; d < head_dim; d++) out[from + d] += (weights[t] / sum) * value[kv + d];
    });
  }
  return out;
}

function addInto(x, delta) {
  for (let i = 0; i < x.length; i++) x[i] += delta[i];
}

/** A sequence that runs token by token: next(id) returns the n_vocab logits after that token. */
export function referenceSequence(model) {
  const caches = model.layers.map(() => ({ keys: [], values: [] }));
  let position = 0;
  return {
    next(id) {
      const x = model.token_embd.values.slice(id * model.n_embd, (id + 1) * model.n_embd);
      model.layers.forEach((layer, i) => {
        const { keys, values } = caches[i];
        const a = rmsNorm(x, layer.attn_norm, model.epsilon);
        const q = multiply(layer.attn_q, a);
        const k = multiply(layer.attn_k, a);
        rotate(q, position, model);
        rotate(k, position, model);
        keys.push(k);
        values.push(multiply(layer.attn_v, a));
        addInto(x, multiply(layer.attn_output, attend(q, keys, values, model)));

        const f = rmsNorm(x, layer.ffn_norm, model.epsilon);
        const up = multiply(layer.ffn_up, f);
        const gated = multiply(layer.ffn_gate, f).map(
          (gate, j) => (gate / (1 + Math.exp(-gate))) * up[j],
        );
        addInto(x, multiply(layer.ffn_down, gated));
      });
      position++;
      return multiply(model.output, rmsNorm(x, model.output_norm, model.epsilon));
    },
  };
}

/** Logits of every position of a sequence: ids.length Float64Arrays of n_vocab. */
export function referenceLogits(model, ids) {
  const sequence = referenceSequence(model);
  return Array.from(ids, (id) => sequence.next(id));
}
