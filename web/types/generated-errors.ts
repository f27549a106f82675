/**
 * Written by wasm/toolchain/generate.mjs from the lists of src/ and wasm/ (*.def). Change the
 * lists, not this file.
 */

/** The codes of all errors (status.def). They are stable. */
export type ErrorCode =
  | 'OUT_OF_MEMORY'
  | 'INVALID_ARGUMENT'
  | 'GGUF_BAD_MAGIC'
  | 'GGUF_BAD_VERSION'
  | 'GGUF_BIG_ENDIAN'
  | 'GGUF_TRUNCATED'
  | 'GGUF_COUNT_LIMIT'
  | 'GGUF_STRING_LIMIT'
  | 'GGUF_BAD_KEY'
  | 'GGUF_BAD_VALUE_TYPE'
  | 'GGUF_BAD_ALIGNMENT'
  | 'GGUF_BAD_DIMENSIONS'
  | 'GGUF_TENSOR_TYPE'
  | 'GGUF_TENSOR_OUTSIDE'
  | 'GGUF_TENSOR_OVERLAP'
  | 'GGUF_TENSOR_MISALIGNED'
  | 'GGUF_BAD_TENSOR_NAME'
  | 'GGUF_HEADER_LIMIT'
  | 'MODEL_ARCH_UNSUPPORTED'
  | 'MODEL_KEY_MISSING'
  | 'MODEL_KEY_BAD'
  | 'MODEL_TENSOR_MISSING'
  | 'MODEL_TENSOR_SHAPE'
  | 'MODEL_TENSOR_UNEXPECTED'
  | 'MODEL_OPTION_UNSUPPORTED'
  | 'MODEL_NOT_READY'
  | 'MODEL_TOO_LARGE'
  | 'MODEL_TENSOR_NOT_FINITE'
  | 'MODEL_SPLIT'
  | 'TOKENIZER_UNSUPPORTED'
  | 'TOKENIZER_BAD'
  | 'TOKEN_OUT_OF_RANGE'
  | 'CONTEXT_FULL'
  | 'KV_FULL'
  | 'SESSION_EMPTY'
  | 'POSITION_OUT_OF_RANGE'
  | 'THREAD_LOST'
  | 'SESSION_FOREIGN'
  | 'SESSION_DAMAGED'
  | 'SAMPLER_BAD_OPTION'
  | 'LOGITS_NOT_FINITE'
  | 'NO_CANDIDATES'
  | 'ENGINE_UNSUPPORTED'
  | 'ENGINE_LOAD_FAILED'
  | 'ENGINE_CRASHED'
  | 'WORKER_FAILED'
  | 'SOURCE_UNSUPPORTED'
  | 'SOURCE_NOT_FOUND'
  | 'SOURCE_FAILED'
  | 'DISPOSED'
  | 'SESSION_BUSY'
  | 'TRACE_INVALID'
  | 'OPTION_UNSUPPORTED'
  | 'TEMPLATE_MISSING'
  | 'TEMPLATE_FAILED'
  | 'GRAMMAR_INVALID';

/** An error of the package. */
export interface ErrorInfo {
  /** The code of TokenglassError. */
  name: ErrorCode;
  /** The number in C. */
  number: number;
  /** The meaning, for people. */
  meaning: string;
}

/** Every error: code, number in C, meaning. */
export const errorCodes: readonly ErrorInfo[] = [
  {
    name: 'OUT_OF_MEMORY',
    number: 1,
    meaning: 'there is not enough memory for what the message names',
  },
  {
    name: 'INVALID_ARGUMENT',
    number: 2,
    meaning: 'an argument is out of range; the message names it',
  },
  { name: 'GGUF_BAD_MAGIC', number: 10, meaning: 'the file does not start with GGUF' },
  { name: 'GGUF_BAD_VERSION', number: 11, meaning: 'the GGUF version is not 2 or 3' },
  { name: 'GGUF_BIG_ENDIAN', number: 12, meaning: 'the file is a big-endian GGUF file' },
  {
    name: 'GGUF_TRUNCATED',
    number: 13,
    meaning: 'the file ends before the end that its header gives',
  },
  {
    name: 'GGUF_COUNT_LIMIT',
    number: 14,
    meaning: 'there are more keys, tensors or array elements than the limit',
  },
  {
    name: 'GGUF_STRING_LIMIT',
    number: 15,
    meaning: 'a string is longer than the limit or than the file',
  },
  { name: 'GGUF_BAD_KEY', number: 16, meaning: 'a metadata key is empty or appears twice' },
  {
    name: 'GGUF_BAD_VALUE_TYPE',
    number: 17,
    meaning: 'a metadata value has an unknown type or is an array of arrays',
  },
  {
    name: 'GGUF_BAD_ALIGNMENT',
    number: 18,
    meaning: 'general.alignment is not a power of two from 8 to 65536',
  },
  {
    name: 'GGUF_BAD_DIMENSIONS',
    number: 19,
    meaning:
      'a tensor has no, too many, zero or too large dimensions, or rows that are no whole blocks',
  },
  {
    name: 'GGUF_TENSOR_TYPE',
    number: 20,
    meaning: 'a tensor has a type that is unknown or not supported',
  },
  { name: 'GGUF_TENSOR_OUTSIDE', number: 21, meaning: 'a tensor reaches past the end of the file' },
  { name: 'GGUF_TENSOR_OVERLAP', number: 22, meaning: 'two tensors share bytes' },
  {
    name: 'GGUF_TENSOR_MISALIGNED',
    number: 23,
    meaning: 'the offset of a tensor is not a multiple of the alignment',
  },
  {
    name: 'GGUF_BAD_TENSOR_NAME',
    number: 24,
    meaning: 'a tensor name is empty, too long or appears twice',
  },
  { name: 'GGUF_HEADER_LIMIT', number: 25, meaning: 'the header is larger than the limit' },
  {
    name: 'MODEL_ARCH_UNSUPPORTED',
    number: 40,
    meaning: 'the architecture is not supported; the message lists those that are',
  },
  {
    name: 'MODEL_KEY_MISSING',
    number: 41,
    meaning: 'a metadata key that the architecture needs is missing',
  },
  {
    name: 'MODEL_KEY_BAD',
    number: 42,
    meaning: 'a metadata key has the wrong type or a value out of range',
  },
  {
    name: 'MODEL_TENSOR_MISSING',
    number: 43,
    meaning: 'a tensor that the architecture needs is missing',
  },
  {
    name: 'MODEL_TENSOR_SHAPE',
    number: 44,
    meaning: 'a tensor does not have the shape that the metadata gives',
  },
  {
    name: 'MODEL_TENSOR_UNEXPECTED',
    number: 45,
    meaning: 'a tensor does not belong to the architecture',
  },
  {
    name: 'MODEL_OPTION_UNSUPPORTED',
    number: 46,
    meaning: 'the file uses an option of the architecture that is not supported',
  },
  {
    name: 'MODEL_NOT_READY',
    number: 47,
    meaning: 'the call came too early: the model is not loaded, or tokens have not been run',
  },
  {
    name: 'MODEL_TOO_LARGE',
    number: 48,
    meaning: 'the model and its cache do not fit into WebAssembly memory',
  },
  {
    name: 'MODEL_TENSOR_NOT_FINITE',
    number: 49,
    meaning: 'a weight or the scale of a block of weights is infinite or not a number',
  },
  {
    name: 'MODEL_SPLIT',
    number: 50,
    meaning: 'the file is one part of a split model; the message says which',
  },
  {
    name: 'TOKENIZER_UNSUPPORTED',
    number: 60,
    meaning: 'the tokenizer or pre-tokenizer is not supported',
  },
  {
    name: 'TOKENIZER_BAD',
    number: 61,
    meaning: 'the vocabulary is missing, contradictory or damaged',
  },
  { name: 'TOKEN_OUT_OF_RANGE', number: 62, meaning: 'a token id is not in the vocabulary' },
  { name: 'CONTEXT_FULL', number: 80, meaning: "the session's context has no position left" },
  {
    name: 'KV_FULL',
    number: 81,
    meaning: "the model's cache is too small for this session alone; load with a larger n_kv",
  },
  {
    name: 'SESSION_EMPTY',
    number: 82,
    meaning: 'the session has no token yet, so there are no logits',
  },
  { name: 'POSITION_OUT_OF_RANGE', number: 83, meaning: "a position is past the session's tokens" },
  {
    name: 'THREAD_LOST',
    number: 84,
    meaning:
      'a thread of the model died or stopped while it worked; the model must be loaded again',
  },
  {
    name: 'SESSION_FOREIGN',
    number: 85,
    meaning: 'the saved session has another model, cache type or kernel variant',
  },
  {
    name: 'SESSION_DAMAGED',
    number: 86,
    meaning: 'the saved session is truncated, changed, or no saved session',
  },
  {
    name: 'SAMPLER_BAD_OPTION',
    number: 100,
    meaning: 'a sampler option is out of range, or a stage is unknown or repeated',
  },
  {
    name: 'LOGITS_NOT_FINITE',
    number: 101,
    meaning:
      'a logit is NaN or +infinity, or a hidden state is not finite; the message names the token',
  },
  {
    name: 'NO_CANDIDATES',
    number: 102,
    meaning: 'every token is removed, by its logit or by the stage that the message names',
  },
  {
    name: 'ENGINE_UNSUPPORTED',
    number: 200,
    meaning: 'this browser or runtime does not have WebAssembly SIMD, which every build needs',
  },
  {
    name: 'ENGINE_LOAD_FAILED',
    number: 201,
    meaning: 'the WebAssembly file could not be fetched or compiled',
  },
  {
    name: 'ENGINE_CRASHED',
    number: 202,
    meaning: 'the engine trapped; the model must be loaded again',
  },
  { name: 'WORKER_FAILED', number: 203, meaning: 'the worker could not start, or ended by itself' },
  {
    name: 'SOURCE_UNSUPPORTED',
    number: 210,
    meaning: 'this runtime cannot read a model source of this kind, or it was read before',
  },
  { name: 'SOURCE_NOT_FOUND', number: 211, meaning: "the model's file or URL does not exist" },
  {
    name: 'SOURCE_FAILED',
    number: 212,
    meaning: 'reading the model failed; the message says why and, after the first bytes, where',
  },
  { name: 'DISPOSED', number: 220, meaning: 'the model or session was disposed' },
  { name: 'SESSION_BUSY', number: 221, meaning: 'the session is generating or scoring' },
  {
    name: 'TRACE_INVALID',
    number: 222,
    meaning: 'an imported trace does not match the schema; the message says where',
  },
  {
    name: 'OPTION_UNSUPPORTED',
    number: 223,
    meaning: 'an option is known but not supported, or not with this model; the message names it',
  },
  { name: 'TEMPLATE_MISSING', number: 230, meaning: "the model's file has no chat template" },
  {
    name: 'TEMPLATE_FAILED',
    number: 231,
    meaning:
      'the chat template is broken, rejects the messages, or exceeds its limits; the message quotes it',
  },
  {
    name: 'GRAMMAR_INVALID',
    number: 240,
    meaning:
      'a grammar or JSON schema cannot be compiled, a token is not allowed, or a text is beyond the limits; the message says what and where',
  },
];
