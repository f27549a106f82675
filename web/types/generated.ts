/**
 * Written by wasm/toolchain/generate.mjs from the lists of src/ and wasm/ (*.def). Change the
 * lists, not this file.
 */

/** The weight types that can be read (quant.def). */
export type QuantName =
  | 'F32'
  | 'F16'
  | 'BF16'
  | 'Q8_0'
  | 'Q4_0'
  | 'Q4_1'
  | 'Q5_0'
  | 'Q5_1'
  | 'Q2_K'
  | 'Q3_K'
  | 'Q4_K'
  | 'Q5_K'
  | 'Q6_K'
  | 'IQ4_NL'
  | 'IQ4_XS'
  | 'TQ1_0'
  | 'TQ2_0'
  | 'Q1_0'
  | 'MXFP4'
  | 'IQ3_XXS'
  | 'IQ3_S'
  | 'IQ2_XXS'
  | 'IQ2_XS'
  | 'IQ2_S'
  | 'IQ1_S'
  | 'IQ1_M';

/** Every weight type: name and number in GGUF files. The index is the number in C. */
export const quants: readonly { name: QuantName; ggml: number }[] = [
  { name: 'F32', ggml: 0 },
  { name: 'F16', ggml: 1 },
  { name: 'BF16', ggml: 30 },
  { name: 'Q8_0', ggml: 8 },
  { name: 'Q4_0', ggml: 2 },
  { name: 'Q4_1', ggml: 3 },
  { name: 'Q5_0', ggml: 6 },
  { name: 'Q5_1', ggml: 7 },
  { name: 'Q2_K', ggml: 10 },
  { name: 'Q3_K', ggml: 11 },
  { name: 'Q4_K', ggml: 12 },
  { name: 'Q5_K', ggml: 13 },
  { name: 'Q6_K', ggml: 14 },
  { name: 'IQ4_NL', ggml: 20 },
  { name: 'IQ4_XS', ggml: 23 },
  { name: 'TQ1_0', ggml: 34 },
  { name: 'TQ2_0', ggml: 35 },
  { name: 'Q1_0', ggml: 41 },
  { name: 'MXFP4', ggml: 39 },
  { name: 'IQ3_XXS', ggml: 18 },
  { name: 'IQ3_S', ggml: 21 },
  { name: 'IQ2_XXS', ggml: 16 },
  { name: 'IQ2_XS', ggml: 17 },
  { name: 'IQ2_S', ggml: 22 },
  { name: 'IQ1_S', ggml: 19 },
  { name: 'IQ1_M', ggml: 29 },
];

/** The architectures that can be run (arch.def), by their name in general.architecture. */
export type ArchitectureName =
  | 'llama'
  | 'qwen2'
  | 'qwen3'
  | 'gemma'
  | 'gemma2'
  | 'gemma3'
  | 'gemma4'
  | 'phi2'
  | 'phi3'
  | 'gpt2'
  | 'gptneox'
  | 'olmo'
  | 'olmo2'
  | 'olmoe'
  | 'smollm3'
  | 'stablelm'
  | 'starcoder2'
  | 'granite'
  | 'granitemoe'
  | 'lfm2'
  | 'qwen35'
  | 'ernie4_5';

/**
 * How the CPU takes bytes above 127 in the second operand of the relaxed dot product
 * (dot_kinds.def).
 */
export type KernelDotName = 'none' | 'unsigned' | 'signed' | '7-bit';

/** The steps whose time is measured with the option profile (profile.def). */
export type ProfileStepName =
  | 'embed'
  | 'norm'
  | 'quantize'
  | 'matmul'
  | 'rope'
  | 'attention'
  | 'conv'
  | 'delta_net'
  | 'activation'
  | 'add'
  | 'logits';

/** The trees of Token Recycling (trees.def). The index is the number in C. */
export type RecyclingTreeName = 'cpu' | 'paper';

/** All values of RecyclingTreeName, in the order of the list. */
export const recyclingTrees: readonly RecyclingTreeName[] = ['cpu', 'paper'];

/** The edits of a session (edits.def). The index is the number in C. */
export type EditName =
  | 'residual'
  | 'copy_residual'
  | 'head'
  | 'feed_forward'
  | 'visible'
  | 'hide'
  | 'keep_top'
  | 'recycled'
  | 'spatten'
  | 'act';

/** All values of EditName, in the order of the list. */
export const editNames: readonly EditName[] = [
  'residual',
  'copy_residual',
  'head',
  'feed_forward',
  'visible',
  'hide',
  'keep_top',
  'recycled',
  'spatten',
  'act',
];

/** A number of an edit. */
export interface EditOptionInfo {
  /** The edit. */
  edit: EditName;
  /** The name. */
  name: string;
  /** The default value. */
  default: number;
  /** The smallest value. */
  min: number;
  /** The greatest value. */
  max: number;
  /** Whether only whole numbers are accepted. */
  whole: boolean;
}

/** The numbers of all edits. The index is the number in C. */
export const editOptions: readonly EditOptionInfo[] = [
  { edit: 'residual', name: 'add', default: 0, min: 0, max: 1, whole: true },
  { edit: 'head', name: 'scale', default: 1, min: -1000000, max: 1000000, whole: false },
  { edit: 'feed_forward', name: 'scale', default: 1, min: -1000000, max: 1000000, whole: false },
  { edit: 'visible', name: 'sees', default: 0, min: 0, max: 4, whole: true },
  { edit: 'keep_top', name: 'keep', default: 2147483647, min: 0, max: 2147483647, whole: true },
  { edit: 'keep_top', name: 'first', default: 0, min: 0, max: 2147483647, whole: true },
  { edit: 'keep_top', name: 'recent', default: 0, min: 0, max: 2147483647, whole: true },
  { edit: 'recycled', name: 'k', default: 0, min: 0, max: 2147483647, whole: true },
  { edit: 'recycled', name: 'every', default: 16, min: 0, max: 2147483647, whole: true },
  { edit: 'recycled', name: 'check', default: 5, min: 1, max: 2147483647, whole: true },
  { edit: 'recycled', name: 'threshold', default: 0.8, min: -2, max: 2, whole: false },
  { edit: 'recycled', name: 'largest', default: 0, min: 0, max: 1, whole: true },
  { edit: 'recycled', name: 'prompt', default: 0, min: 0, max: 2147483647, whole: true },
  { edit: 'spatten', name: 'first', default: 1, min: 0, max: 2147483647, whole: true },
  { edit: 'spatten', name: 'recent', default: 1, min: 1, max: 2147483647, whole: true },
  { edit: 'spatten', name: 'values', default: 0.3, min: 0, max: 1, whole: false },
  { edit: 'spatten', name: 'high_bits', default: 0, min: 0, max: 16, whole: true },
  { edit: 'spatten', name: 'low_bits', default: 0, min: 0, max: 16, whole: true },
  { edit: 'spatten', name: 'tau', default: 0.05, min: 0, max: 1, whole: false },
  { edit: 'spatten', name: 'prompt', default: 0, min: 0, max: 2147483647, whole: true },
  { edit: 'act', name: 'beta', default: 0.4, min: 0, max: 1, whole: false },
  { edit: 'act', name: 'theta', default: 0.1, min: 0, max: 1, whole: false },
  { edit: 'act', name: 'running', default: 0, min: 0, max: 1, whole: true },
  { edit: 'act', name: 'prompt', default: 0, min: 0, max: 2147483647, whole: true },
];

/** TG_MODEL_PLANNED in C. */
export const MODEL_PLANNED = 1;

/** TG_BATCH in C. */
export const BATCH = 128;

/** TG_ADD_SPECIAL in C. */
export const ADD_SPECIAL = 1;

/** TG_PARSE_SPECIAL in C. */
export const PARSE_SPECIAL = 2;
