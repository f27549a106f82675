// A model that recites a text: the shape and the cost of a real model, and a known output. It is a
// GPT-2 whose position vectors are unit vectors and whose output matrix maps the position of a
// token to the text's next token; the layers are random and too weak to change that. So it
// measures how methods of speculation do on texts of any kind, without a model that can write them.
import { BYTE_TOKENS, spmKeys } from '../support/byte-tokens.mjs';
import { generator, writeGguf } from '../support/gguf-writer.mjs';
import { toHalf } from '../support/types.mjs';
import { TEXTS } from './texts.mjs';

const N_EMBD = 576; // as many positions as dimensions
const N_FF = 2048;
const N_VOCAB = 49152;
const BLOCK = 34; // bytes of 32 weights in Q8_0

/** Words with the space before them, numbers of up to 3 digits, runs of spaces, single marks. */
const PIECES = / ?[A-Za-z]+| ?[0-9]{1,3}|\n *| {2,}|[^A-Za-z0-9]/g;
const piecesOf = (text) => text.match(PIECES) ?? [];

const tokens = ['<unk>', '<s>', '</s>', ...BYTE_TOKENS];
const idOf = new Map();
for (const { prompt, answer } of Object.values(TEXTS)) {
  for (const piece of piecesOf(prompt + answer)) {
    if (idOf.has(piece)) continue;
    idOf.set(piece, tokens.length);
    tokens.push(piece.replaceAll(' ', '\u2581'));
  }
}
while (tokens.length < N_VOCAB) tokens.push(`\u2581filler${tokens.length}`);

/** The ids of a text's prompt and answer. */
export function recital(name) {
  const ids = ['prompt', 'answer'].map((part) =>
    piecesOf(TEXTS[name][part]).map((piece) => idOf.get(piece)),
  );
  if (ids.flat().length > N_EMBD) throw new Error(`${name} has ${ids.flat().length} tokens`);
  return { prompt: ids[0], answer: ids[1] };
}

const keys = (n_layer) => [
  ['general.architecture', 'string', 'gpt2'],
  ['gpt2.block_count', 'u32', n_layer],
  ['gpt2.context_length', 'u32', N_EMBD],
  ['gpt2.embedding_length', 'u32', N_EMBD],
  ['gpt2.feed_forward_length', 'u32', N_FF],
  ['gpt2.attention.head_count', 'u32', 9],
  ['gpt2.attention.layer_norm_epsilon', 'f32', 1e-5],
  ...spmKeys(tokens),
  ['tokenizer.ggml.add_bos_token', 'bool', false],
  ['tokenizer.ggml.add_space_prefix', 'bool', false],
];

const floats = (name, dims, values) => ({
  ...{ name, type: 'F32', dims },
  bytes: Buffer.from(Float32Array.from(values).buffer),
});
const same = (name, n, value) => floats(name, [n], new Float32Array(n).fill(value));

/** Weak random weights in Q4_0: blocks of a scale and 16 bytes of codes. */
function weak(name, columns, rows, random) {
  const bytes = Buffer.alloc(((columns * rows) / 32) * 18);
  for (let i = 0; i < bytes.length; i++) bytes[i] = random() * 256;
  const scale = toHalf(0.02 / Math.sqrt(columns));
  for (let at = 0; at < bytes.length; at += 18) bytes.writeUInt16LE(scale, at);
  return { name, type: 'Q4_0', dims: [columns, rows], bytes };
}

/** Position vectors: each has one large element. */
function positions() {
  const values = new Float32Array(N_EMBD * N_EMBD);
  for (let i = 0; i < N_EMBD; i++) values[i * N_EMBD + i] = 100;
  return floats('position_embd.weight', [N_EMBD, N_EMBD], values);
}

/** The output matrix: 1 where a position's next token is the row's. */
function output(next) {
  const bytes = Buffer.alloc((N_EMBD / 32) * BLOCK * N_VOCAB);
  next.forEach((token, position) => {
    const block = (token * (N_EMBD / 32) + (position >> 5)) * BLOCK;
    bytes.writeUInt16LE(toHalf(1 / 127), block);
    bytes[block + 2 + (position & 31)] = 127;
  });
  return { name: 'output.weight', type: 'Q8_0', dims: [N_EMBD, N_VOCAB], bytes };
}

/**
 * The file of a model that recites one of the texts. wrong: the share of positions at which the
 * model says another token, as a draft model does.
 */
export function reciter(name, { n_layer = 30, wrong = 0 } = {}) {
  const random = generator(7);
  const { prompt, answer } = recital(name);
  const text = [...prompt, ...answer];
  const next = text.slice(1).map((token) => (random() < wrong ? 259 + (token % 90) : token));
  const layers = Array.from({ length: n_layer }, (_, i) => {
    const layer = `blk.${i}`;
    return [
      same(`${layer}.attn_norm.weight`, N_EMBD, 1),
      same(`${layer}.attn_norm.bias`, N_EMBD, 0),
      weak(`${layer}.attn_qkv.weight`, N_EMBD, 3 * N_EMBD, random),
      same(`${layer}.attn_qkv.bias`, 3 * N_EMBD, 0),
      weak(`${layer}.attn_output.weight`, N_EMBD, N_EMBD, random),
      same(`${layer}.attn_output.bias`, N_EMBD, 0),
      same(`${layer}.ffn_norm.weight`, N_EMBD, 1),
      same(`${layer}.ffn_norm.bias`, N_EMBD, 0),
      weak(`${layer}.ffn_up.weight`, N_EMBD, N_FF, random),
      same(`${layer}.ffn_up.bias`, N_FF, 0),
      weak(`${layer}.ffn_down.weight`, N_FF, N_EMBD, random),
      same(`${layer}.ffn_down.bias`, N_EMBD, 0),
    ];
  }).flat();
  return writeGguf({
    metadata: keys(n_layer),
    tensors: [
      {
        ...{ name: 'token_embd.weight', type: 'Q8_0', dims: [N_EMBD, N_VOCAB] },
        bytes: Buffer.alloc((N_EMBD / 32) * BLOCK * N_VOCAB),
      },
      positions(),
      same('output_norm.weight', N_EMBD, 1),
      same('output_norm.bias', N_EMBD, 0),
      ...layers,
      output(next),
    ],
  });
}
