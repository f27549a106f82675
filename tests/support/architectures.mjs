// Small models of every architecture with random weights. tinyModel takes the name of a case, a
// weight type for the matrices and a seed, and returns keys and tensors for writeGguf. The same
// seed gives the same weights. Keys and tensor names follow llama.cpp's loader. Rows are long
// enough for the blocks of every weight type.
import { encodeTensor, generator } from './gguf-writer.mjs';
import { tinyVocabulary } from './tiny-llama.mjs';
import { TYPES } from './types.mjs';

/** The default sizes. Rows of 256 fit the blocks of every weight type. */
const WIDE = {
  N_EMBD: 256,
  N_HEAD: 4,
  N_HEAD_KV: 2,
  HEAD_DIM: 64,
  N_FF: 512,
  N_VOCAB: 320,
  EXPERTS: 4,
  PER_LAYER: 256,
};
const N_CTX = 512;

/**
 * The cases by name. Fields of a case:
 * - arch: the architecture, if the case's name is not its name.
 * - keys: the keys that are needed besides the sizes.
 * - tensors outside of the layers, and the tensors of a layer or a function from the layer's index
 *   to them.
 * - layers: the number of layers, if not 3.
 * - embedding: the scale of the embedding's values, for architectures that multiply the embedding.
 *   With the usual scale, the embedding would drown what the layers add to it.
 * - headNorms: the mean of the weights of the query and key norms.
 */
function casesOf({ N_EMBD, N_HEAD, N_HEAD_KV, HEAD_DIM, N_FF, N_VOCAB, EXPERTS, PER_LAYER }) {
  const Q = N_HEAD * HEAD_DIM;
  const KV = N_HEAD_KV * HEAD_DIM;

  /**
   * Tensors of a layer by name, without blk.N.: [rows, columns], or [length] for a vector. With
   * `F32` first, the tensor is F32 whatever the type of the matrices is.
   */
  const vector = (...names) => Object.fromEntries(names.map((name) => [name, [N_EMBD]]));
  const norms = vector('attn_norm.weight', 'ffn_norm.weight');
  const normBiases = vector('attn_norm.bias', 'ffn_norm.bias');
  const postNorms = vector('post_attention_norm.weight', 'post_ffw_norm.weight');
  const headNorms = { 'attn_q_norm.weight': [HEAD_DIM], 'attn_k_norm.weight': [HEAD_DIM] };
  const wideNorms = { 'attn_q_norm.weight': [Q], 'attn_k_norm.weight': [KV] };
  const qkv = {
    'attn_q.weight': [Q, N_EMBD],
    'attn_k.weight': [KV, N_EMBD],
    'attn_v.weight': [KV, N_EMBD],
  };
  const qkvBiases = { 'attn_q.bias': [Q], 'attn_k.bias': [KV], 'attn_v.bias': [KV] };
  const fusedQkv = { 'attn_qkv.weight': [Q + 2 * KV, N_EMBD] };
  const fusedQkvBias = { 'attn_qkv.bias': [Q + 2 * KV] };
  const output = { 'attn_output.weight': [N_EMBD, Q] };
  const outputBias = vector('attn_output.bias');
  const plainFfn = { 'ffn_up.weight': [N_FF, N_EMBD], 'ffn_down.weight': [N_EMBD, N_FF] };
  const gatedFfn = { 'ffn_gate.weight': [N_FF, N_EMBD], ...plainFfn };
  const ffnBiases = { 'ffn_up.bias': [N_FF], 'ffn_down.bias': [N_EMBD] };
  const experts = {
    'ffn_gate_inp.weight': ['F32', EXPERTS, N_EMBD],
    'ffn_gate_exps.weight': [EXPERTS, N_FF, N_EMBD],
    'ffn_up_exps.weight': [EXPERTS, N_FF, N_EMBD],
    'ffn_down_exps.weight': [EXPERTS, N_EMBD, N_FF],
  };
  const sharedExpert = {
    'ffn_gate_shexp.weight': [N_FF / 2, N_EMBD],
    'ffn_up_shexp.weight': [N_FF / 2, N_EMBD],
    'ffn_down_shexp.weight': [N_EMBD, N_FF / 2],
  };
  const convolution = {
    'shortconv.in_proj.weight': [3 * N_EMBD, N_EMBD],
    'shortconv.conv.weight': ['F32', N_EMBD, 3],
    'shortconv.out_proj.weight': [N_EMBD, N_EMBD],
  };
  const DELTA_HEADS = N_EMBD / HEAD_DIM;
  const DELTA_KEYS = Math.ceil(DELTA_HEADS / 2);
  const DELTA_CHANNELS = 2 * DELTA_KEYS * HEAD_DIM + N_EMBD;
  const deltaNet = {
    'attn_qkv.weight': [DELTA_CHANNELS, N_EMBD],
    'attn_gate.weight': [N_EMBD, N_EMBD],
    'ssm_conv1d.weight': ['F32', DELTA_CHANNELS, 4],
    'ssm_alpha.weight': [DELTA_HEADS, N_EMBD],
    'ssm_beta.weight': [DELTA_HEADS, N_EMBD],
    'ssm_dt.bias': [DELTA_HEADS],
    ssm_a: [DELTA_HEADS],
    'ssm_norm.weight': [HEAD_DIM],
    'ssm_out.weight': [N_EMBD, N_EMBD],
  };
  const PAIRS = HEAD_DIM / 4; // the pairs of a head that rotates half of its dimensions
  const llama = { ...norms, ...qkv, ...output, ...gatedFfn };

  const rms = [['attention.layer_norm_rms_epsilon', 'f32', 1e-5]];
  const layerNorm = [['attention.layer_norm_epsilon', 'f32', 1e-5]];
  const outputNorm = { 'output_norm.weight': [N_EMBD] };
  const outputNormBias = { 'output_norm.bias': [N_EMBD] };
  const untied = { 'output.weight': [N_VOCAB, N_EMBD] };
  const partial = [['rope.dimension_count', 'u32', HEAD_DIM / 2]];
  const window = [['attention.sliding_window', 'u32', 24]];
  const scales = [
    ['embedding_scale', 'f32', 6],
    ['residual_scale', 'f32', 0.4],
    ['attention.scale', 'f32', 0.05],
    ['logit_scale', 'f32', 3],
  ];
  const moe = [
    ['expert_count', 'u32', EXPERTS],
    ['expert_used_count', 'u32', 2],
  ];
  const factors = (name) => ({ [name]: [HEAD_DIM / 2] });
  const longFactors = {
    ...factors('rope_factors_long.weight'),
    ...factors('rope_factors_short.weight'),
  };
  const scaling = (type, factor, original) => [
    ['rope.scaling.type', 'string', type],
    ...(factor ? [['rope.scaling.factor', 'f32', factor]] : []),
    ...(original ? [['rope.scaling.original_context_length', 'u32', original]] : []),
  ];

  // the order of the tensors decides their random weights
  const fusedPlain = {
    ...norms,
    ...normBiases,
    ...fusedQkv,
    ...fusedQkvBias,
    ...output,
    ...outputBias,
    ...plainFfn,
    ...ffnBiases,
  };
  const phi3 = {
    ...norms,
    ...fusedQkv,
    ...output,
    'ffn_up.weight': [2 * N_FF, N_EMBD],
    'ffn_down.weight': [N_EMBD, N_FF],
  };
  const olmo2 = { ...qkv, ...output, ...wideNorms, ...postNorms, ...gatedFfn };
  return {
    llama: { keys: rms, top: outputNorm, layer: llama },
    'llama, biases, output': {
      arch: 'llama',
      keys: rms,
      top: { ...outputNorm, ...untied },
      layer: { ...llama, ...qkvBiases, ...outputBias },
    },
    'llama, linear': {
      arch: 'llama',
      keys: [...rms, ...scaling('linear', 4)],
      top: outputNorm,
      layer: llama,
    },
    'llama, YaRN': {
      arch: 'llama',
      keys: [...rms, ...scaling('yarn', 4, 64)],
      top: outputNorm,
      layer: llama,
    },
    'llama, llama 3 factors': {
      arch: 'llama',
      keys: rms,
      top: { ...outputNorm, ...factors('rope_freqs.weight') },
      layer: llama,
    },
    'llama, long-rope': {
      arch: 'llama',
      keys: [...rms, ...scaling('longrope', 0, 64), ['rope.scaling.attn_factor', 'f32', 1.19]],
      top: { ...outputNorm, ...longFactors },
      layer: llama,
    },
    qwen2: { keys: rms, top: outputNorm, layer: { ...llama, ...qkvBiases } },
    qwen3: { keys: rms, top: outputNorm, layer: { ...llama, ...headNorms } },
    gemma: { keys: rms, top: outputNorm, layer: llama, embedding: 0.5 },
    gemma2: {
      keys: [...rms, ...window],
      top: outputNorm,
      layer: { ...llama, ...postNorms },
      layers: 4,
      embedding: 0.5,
    },
    gemma3: {
      embedding: 0.5,
      keys: [...rms, ...window, ['rope.freq_base', 'f32', 1e6], ...scaling('linear', 8)],
      top: outputNorm,
      layer: { ...llama, ...postNorms, ...headNorms },
      layers: 7,
    },
    gemma4: {
      embedding: 0.5,
      headNorms: 0.3, // this architecture does not scale its attention scores
      keys: [
        ...[...rms, ...window, ['rope.freq_base', 'f32', 1e6], ['rope.freq_base_swa', 'f32', 1e4]],
        [
          'attention.sliding_window_pattern',
          'array<bool>',
          [true, false, true, false, true, false],
        ],
        ['attention.shared_kv_layers', 'u32', 2],
        ['attention.key_length', 'u32', 2 * HEAD_DIM],
        ['attention.value_length', 'u32', 2 * HEAD_DIM],
        ['attention.key_length_swa', 'u32', HEAD_DIM],
        ['attention.value_length_swa', 'u32', HEAD_DIM],
        ['rope.dimension_count', 'u32', 2 * HEAD_DIM],
        ['rope.dimension_count_swa', 'u32', HEAD_DIM],
        ['attention.head_count_kv', 'array<i32>', [N_HEAD_KV, 1, N_HEAD_KV, 1, N_HEAD_KV, 1]],
        ['feed_forward_length', 'array<i32>', [N_FF, N_FF, N_FF, N_FF, 2 * N_FF, 2 * N_FF]],
        ['embedding_length_per_layer_input', 'u32', PER_LAYER],
        ['final_logit_softcapping', 'f32', 30],
      ],
      top: {
        ...{ ...outputNorm, 'rope_freqs.weight': [HEAD_DIM] },
        ...{
          'per_layer_token_embd.weight': [N_VOCAB, 6 * PER_LAYER],
          'per_layer_model_proj.weight': [6 * PER_LAYER, N_EMBD],
        },
        'per_layer_proj_norm.weight': [PER_LAYER],
      },
      layer(i) {
        const dim = i % 2 ? 2 * HEAD_DIM : HEAD_DIM;
        const ff = i < 4 ? N_FF : 2 * N_FF;
        const kv = (i % 2 ? 1 : N_HEAD_KV) * dim;
        const kvTensors = {
          'attn_k.weight': [kv, N_EMBD],
          'attn_k_norm.weight': [dim],
          ...(i % 2 ? {} : { 'attn_v.weight': [kv, N_EMBD] }),
        };
        return {
          ...{ ...norms, ...postNorms, ...vector('post_norm.weight') },
          ...{
            'attn_q.weight': [N_HEAD * dim, N_EMBD],
            'attn_q_norm.weight': [dim],
            'attn_output.weight': [N_EMBD, N_HEAD * dim],
          },
          ...(i < 4 ? kvTensors : {}),
          ...{
            'ffn_gate.weight': [ff, N_EMBD],
            'ffn_up.weight': [ff, N_EMBD],
            'ffn_down.weight': [N_EMBD, ff],
          },
          ...{ 'inp_gate.weight': [PER_LAYER, N_EMBD], 'proj.weight': [N_EMBD, PER_LAYER] },
          ...(i === 2 ? {} : { 'layer_output_scale.weight': [1] }),
        };
      },
      layers: 6,
    },
    phi2: {
      keys: [...layerNorm, ...partial],
      top: { ...outputNorm, ...outputNormBias, ...untied, 'output.bias': [N_VOCAB] },
      layer: {
        ...vector('attn_norm.weight', 'attn_norm.bias'),
        ...qkv,
        ...qkvBiases,
        ...output,
        ...outputBias,
        ...plainFfn,
        ...ffnBiases,
      },
    },
    phi3: {
      keys: [...rms, ...scaling('longrope', 0, 64), ['rope.scaling.attn_factor', 'f32', 1.19]],
      top: { ...outputNorm, ...longFactors },
      layer: phi3,
    },
    'phi3, short': {
      arch: 'phi3',
      keys: [...rms, ...scaling('longrope', 0, 4096)],
      top: { ...outputNorm, ...longFactors },
      layer: phi3,
    },
    gpt2: {
      keys: layerNorm,
      top: { ...outputNorm, ...outputNormBias, 'position_embd.weight': ['F32', N_CTX, N_EMBD] },
      layer: fusedPlain,
    },
    gptneox: {
      keys: [...layerNorm, ...partial, ['use_parallel_residual', 'bool', true]],
      top: { ...outputNorm, ...outputNormBias, ...untied },
      layer: fusedPlain,
    },
    'gptneox, in turn': {
      arch: 'gptneox',
      keys: [...layerNorm, ...partial, ['use_parallel_residual', 'bool', false]],
      top: { ...outputNorm, ...outputNormBias, ...untied },
      layer: fusedPlain,
    },
    olmo: {
      keys: [...layerNorm, ['attention.clamp_kqv', 'f32', 1.5]],
      top: {},
      layer: { ...qkv, ...output, ...gatedFfn },
    },
    olmo2: {
      keys: rms,
      top: { ...outputNorm, ...untied },
      layer: olmo2,
    },
    'olmo2, windows': {
      arch: 'olmo2',
      keys: [...rms, ...window, ...scaling('yarn', 4, 64)],
      top: { ...outputNorm, ...untied },
      layer: olmo2,
      layers: 4,
    },
    smollm3: { keys: rms, top: outputNorm, layer: llama, layers: 4 },
    stablelm: {
      keys: [...layerNorm, ...partial],
      top: { ...outputNorm, ...outputNormBias, ...untied },
      layer: { ...llama, ...normBiases, ...qkvBiases },
    },
    starcoder2: {
      keys: layerNorm,
      top: { ...outputNorm, ...outputNormBias },
      layer: {
        ...norms,
        ...normBiases,
        ...qkv,
        ...qkvBiases,
        ...output,
        ...outputBias,
        ...plainFfn,
        ...ffnBiases,
      },
    },
    granite: { keys: [...rms, ...scales], top: outputNorm, layer: llama, embedding: 0.5 },
    lfm2: {
      keys: [
        ...rms,
        ['shortconv.l_cache', 'u32', 3],
        ['attention.head_count_kv', 'array<i32>', [0, N_HEAD_KV, 0, N_HEAD_KV]],
      ],
      top: { 'token_embd_norm.weight': [N_EMBD] },
      layer: (i) => ({
        ...norms,
        ...gatedFfn,
        ...(i % 2 ? { ...qkv, ...output, ...headNorms } : convolution),
      }),
      layers: 4,
    },
    qwen35: {
      keys: [
        ...[...rms, ...partial],
        [
          'rope.dimension_sections',
          'array<i32>',
          [Math.ceil(PAIRS / 3), Math.ceil((PAIRS - 1) / 3), Math.ceil((PAIRS - 2) / 3), 0],
        ],
        ['full_attention_interval', 'u32', 2],
        ['ssm.conv_kernel', 'u32', 4],
        ['ssm.inner_size', 'u32', N_EMBD],
        ['ssm.state_size', 'u32', HEAD_DIM],
        ['ssm.time_step_rank', 'u32', DELTA_HEADS],
        ['ssm.group_count', 'u32', DELTA_KEYS],
      ],
      top: outputNorm,
      layer: (i) => ({
        ...{ ...vector('attn_norm.weight', 'post_attention_norm.weight'), ...gatedFfn },
        ...(i % 2
          ? { ...qkv, 'attn_q.weight': [2 * Q, N_EMBD], ...output, ...headNorms }
          : deltaNet),
      }),
      layers: 4,
    },
    ernie4_5: { keys: rms, top: outputNorm, layer: { ...llama, ...qkvBiases } },
    granitemoe: {
      embedding: 0.5,
      keys: [...rms, ...scales, ...moe],
      top: outputNorm,
      layer: { ...norms, ...qkv, ...output, ...experts },
    },
    'granitemoe, shared': {
      arch: 'granitemoe',
      embedding: 0.5,
      keys: [...rms, ...scales, ...moe, ['expert_shared_feed_forward_length', 'u32', N_FF / 2]],
      top: outputNorm,
      layer: { ...norms, ...qkv, ...output, ...experts, ...sharedExpert },
    },
    olmoe: {
      // Norms are as wide as the model, so there must be as many key-value heads as query heads.
      keys: [...rms, ...moe, ['attention.head_count_kv', 'u32', N_HEAD]],
      top: { ...outputNorm, ...untied },
      layer: {
        ...{ ...norms, ...qkv, ...output, ...experts },
        ...{
          'attn_k.weight': [Q, N_EMBD],
          'attn_v.weight': [Q, N_EMBD],
          'attn_q_norm.weight': [Q],
          'attn_k_norm.weight': [Q],
        },
      },
    },
  };
}

export const caseNames = Object.keys(casesOf(WIDE));

/**
 * [mean, deviation] of a tensor's values. With these, logits spread by a few units at any depth.
 */
function spread(name, columns, embedding, headNorms) {
  if (/^rope_/.test(name)) return [2.5, 1.5];
  if (/^attn_[qk]_norm/.test(name)) return [headNorms, headNorms / 2];
  if (/^ssm_a$/.test(name)) return [-1, 0.9];
  if (/norm\.weight$|^layer_output_scale/.test(name)) return [1, 0.5];
  if (/\.bias$/.test(name)) return [0, 0.3];
  return [
    0,
    Math.sqrt(3 / columns) *
      (/^token_embd|^position_embd|^per_layer_token_embd/.test(name) ? embedding : 1),
  ];
}

/**
 * Keys and tensors of a case without weights: a tensor has name, type, dims, size in bytes, and the
 * mean and width of its values. `more`: keys that replace or follow the case's keys. `shape`: sizes
 * that replace those of WIDE. `layers` replaces the number of layers.
 */
export function tinyHeader(name, { type = 'F32', more = [], shape = {}, layers } = {}) {
  const sizes = { ...WIDE, ...shape };
  const { N_EMBD, N_HEAD, N_HEAD_KV, HEAD_DIM, N_FF, N_VOCAB } = sizes;
  const {
    arch = name,
    keys,
    top,
    layer,
    layers: ownLayers = 3,
    embedding = 4,
    headNorms = 1,
  } = casesOf(sizes)[name];
  const n_layer = layers ?? ownLayers;
  const tensor = (tensorName, shape) => {
    const own32 = shape[0] === 'F32' || shape.length === 1;
    const dims = shape.filter((n) => n !== 'F32').reverse();
    const [mean, width] = spread(
      tensorName.replace(/^blk\.\d+\./, ''),
      dims[0],
      embedding,
      headNorms,
    );
    const its = own32 ? 'F32' : type;
    const { elements, bytes } = TYPES[its];
    const size = Math.ceil(dims.reduce((a, b) => a * b) / elements) * bytes;
    return { name: tensorName, type: its, dims, size, mean, width };
  };
  const of = (prefix, list) =>
    Object.entries(list).map(([key, shape]) => tensor(prefix + key, shape));
  const sizeKeys = [
    ['block_count', 'u32', n_layer],
    ['context_length', 'u32', N_CTX],
    ['embedding_length', 'u32', N_EMBD],
    ['feed_forward_length', 'u32', N_FF],
    ['attention.head_count', 'u32', N_HEAD],
    ['attention.head_count_kv', 'u32', N_HEAD_KV],
    ['attention.key_length', 'u32', HEAD_DIM],
    ['attention.value_length', 'u32', HEAD_DIM],
    ['vocab_size', 'u32', N_VOCAB],
  ];
  const byKey = new Map([...sizeKeys, ...keys, ...more].map((entry) => [entry[0], entry]));
  return {
    metadata: [
      ['general.architecture', 'string', arch],
      ...[...byKey.values()].map(([key, ...value]) => [`${arch}.${key}`, ...value]),
      ...tinyVocabulary(N_VOCAB),
    ],
    tensors: [
      ...of('', { 'token_embd.weight': [N_VOCAB, N_EMBD], ...top }),
      ...Array.from({ length: n_layer }, (_, i) =>
        of(`blk.${i}.`, typeof layer === 'function' ? layer(i) : layer),
      ).flat(),
    ],
  };
}

/** Keys and tensors of a case, as tinyHeader gives them, with random weights. */
export function tinyModel(name, { seed = 1, ...options } = {}) {
  const random = generator(seed);
  const { metadata, tensors } = tinyHeader(name, options);
  return {
    metadata,
    tensors: tensors.map(({ name: tensorName, type, dims, mean, width }) => {
      const values = Array.from(
        { length: dims.reduce((a, b) => a * b) },
        () => mean + (2 * random() - 1) * width,
      );
      return { name: tensorName, type, dims, bytes: encodeTensor(type, values) };
    }),
  };
}
