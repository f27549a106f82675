// A small model of the llama architecture with random weights, for the golden files and for the
// tests of sources and errors. It takes the sizes that differ from the defaults and returns keys
// and tensors for writeGguf. The same sizes give the same weights.
import { BYTE_TOKENS, spmKeys } from './byte-tokens.mjs';
import { encodeTensor, generator, writeGguf } from './gguf-writer.mjs';

/** <unk>, <s>, </s>, the 256 bytes, then text pieces. */
export function tinyVocabulary(n_vocab) {
  const tokens = ['<unk>', '<s>', '</s>', ...BYTE_TOKENS];
  const pieces = [
    '\u2581',
    'e',
    't',
    'a',
    'o',
    'n',
    'h',
    'he',
    'th',
    'the',
    '\u2581the',
    '\u2581a',
    'an',
    '\u2581an',
  ];
  for (let i = tokens.length; i < n_vocab; i++) tokens.push(pieces[i - 259] ?? `\u2581w${i}`);
  return spmKeys(tokens);
}

export function tinyLlama({
  type = 'F32',
  tied = true,
  n_vocab = 275,
  n_embd = 32,
  n_head = 2,
  n_head_kv = 1,
  n_ff = 32,
  n_layer = 1,
  seed = 1,
} = {}) {
  const random = generator(seed);
  const kv = (n_embd / n_head) * n_head_kv;
  const values = (n, scale, mean) =>
    Array.from({ length: n }, () => mean + (2 * random() - 1) * scale);
  const vector = (name) => ({
    name,
    type: 'F32',
    dims: [n_embd],
    bytes: encodeTensor('F32', values(n_embd, 0.5, 1)),
  });
  const matrix = (name, rows, columns) => ({
    ...{ name, type, dims: [columns, rows] },
    bytes: encodeTensor(type, values(rows * columns, Math.sqrt(3 / columns), 0)),
  });
  const layers = Array.from({ length: n_layer }, (_, i) => [
    vector(`blk.${i}.attn_norm.weight`),
    matrix(`blk.${i}.attn_q.weight`, n_embd, n_embd),
    matrix(`blk.${i}.attn_k.weight`, kv, n_embd),
    matrix(`blk.${i}.attn_v.weight`, kv, n_embd),
    matrix(`blk.${i}.attn_output.weight`, n_embd, n_embd),
    vector(`blk.${i}.ffn_norm.weight`),
    matrix(`blk.${i}.ffn_gate.weight`, n_ff, n_embd),
    matrix(`blk.${i}.ffn_up.weight`, n_ff, n_embd),
    matrix(`blk.${i}.ffn_down.weight`, n_embd, n_ff),
  ]).flat();
  return {
    metadata: [
      ['general.architecture', 'string', 'llama'],
      ['llama.block_count', 'u32', n_layer],
      ['llama.context_length', 'u32', 64],
      ['llama.embedding_length', 'u32', n_embd],
      ['llama.feed_forward_length', 'u32', n_ff],
      ['llama.attention.head_count', 'u32', n_head],
      ['llama.attention.head_count_kv', 'u32', n_head_kv],
      ['llama.attention.layer_norm_rms_epsilon', 'f32', 1e-5],
      ...tinyVocabulary(n_vocab),
    ],
    tensors: [
      matrix('token_embd.weight', n_vocab, n_embd),
      vector('output_norm.weight'),
      ...layers,
      ...(tied ? [] : [matrix('output.weight', n_vocab, n_embd)]),
    ],
  };
}

/** The file of such a model with a chat template. */
export function chatModel(template, sizes) {
  const { metadata, tensors } = tinyLlama(sizes);
  return writeGguf({
    metadata: [...metadata, ['tokenizer.chat_template', 'string', template]],
    tensors,
  });
}

/** The file of such a model with a context of 1024 tokens. extra: metadata. */
export function tinyFile(seed, extra = [], name = `tiny ${seed}`) {
  const { metadata, tensors } = tinyLlama({ seed });
  const longer = metadata.map((entry) =>
    entry[0] === 'llama.context_length' ? [entry[0], 'u32', 1024] : entry,
  );
  return writeGguf({ metadata: [...longer, ['general.name', 'string', name], ...extra], tensors });
}
