/** Errors in words. The sentence says what happened and what helps. The details, which the page
 *  folds, have the stable code and the engine's own message. */
import type { ErrorCode, TokenglassError } from 'tokenglass';
import type { Message } from '../format.js';
import { messageOf } from '../format.js';

/** What a message is about: the name of a file or an address, or undefined. */
type Subject = string | undefined;
type Words = (subject: Subject, reason: string) => string;

const cut: Words = (file = 'The file') => `${file} is damaged or incomplete.`;
const damaged: Words = (file = 'The file') => `${file} is damaged.`;
const cannotRun =
  (why: string): Words =>
  (file = 'this model') =>
    `This page cannot run ${file}: ${why}.`;
const incomplete: Words = (file = 'The file') =>
  `${file} is not a complete model: a part that its architecture needs is missing or wrong.`;
const reload: Words = () => 'The engine stopped. Load the model again.';

/** What a file that is no model is, by what the engine's message says of it. */
const NOT_MODELS: readonly [pattern: RegExp, what: string][] = [
  [/web page/, 'a web page'],
  [/LFS/, 'a Git LFS pointer, not the file itself'],
  [/compressed|gzip|zip/, 'compressed'],
];

function noModel(file: Subject, reason: string): string {
  const [, what] = NOT_MODELS.find(([pattern]) => pattern.test(reason)) ?? [];
  return `${file ?? 'The file'} is not a GGUF model${what ? `: it is ${what}` : ''}.`;
}

function notTrace(_: Subject, reason: string): string {
  const missing = /^the trace must have the property (\w+)/.exec(reason)?.[1];
  if (missing) return `This is not a tokenglass trace (it has no '${missing}').`;
  if (/not JSON/.test(reason)) return 'This is not a tokenglass trace (it is not JSON).';
  if (/^the trace must be object/.test(reason))
    return 'This is not a tokenglass trace (it is not an object).';
  return 'This trace is damaged or was changed.';
}

const WORDS: Readonly<Record<ErrorCode, Words>> = {
  OUT_OF_MEMORY: (file) =>
    `There is not enough memory${file ? ` for ${file}` : ''}. Close other tabs, or use a smaller model.`,
  INVALID_ARGUMENT: (_, reason) => `A value cannot be used: ${reason}.`,

  GGUF_BAD_MAGIC: noModel,
  GGUF_BAD_VERSION: cannotRun('its file has an old or unknown version of the GGUF format'),
  GGUF_BIG_ENDIAN: cannotRun('its file was made for big-endian computers'),
  GGUF_TRUNCATED: (file = 'The file') => `${file} is incomplete: its end is missing.`,
  GGUF_COUNT_LIMIT: cut,
  GGUF_STRING_LIMIT: cut,
  GGUF_BAD_KEY: damaged,
  GGUF_BAD_VALUE_TYPE: damaged,
  GGUF_BAD_ALIGNMENT: damaged,
  GGUF_BAD_DIMENSIONS: damaged,
  GGUF_TENSOR_TYPE: cannotRun('it has weights of a type that the engine does not know'),
  GGUF_TENSOR_OUTSIDE: (file = 'The file') => `${file} is incomplete: its end is missing.`,
  GGUF_TENSOR_OVERLAP: damaged,
  GGUF_TENSOR_MISALIGNED: damaged,
  GGUF_BAD_TENSOR_NAME: damaged,
  GGUF_HEADER_LIMIT: damaged,

  MODEL_ARCH_UNSUPPORTED: cannotRun('the engine does not know its architecture'),
  MODEL_KEY_MISSING: incomplete,
  MODEL_KEY_BAD: incomplete,
  MODEL_TENSOR_MISSING: incomplete,
  MODEL_TENSOR_SHAPE: incomplete,
  MODEL_TENSOR_UNEXPECTED: cannotRun('it has a part that its architecture does not have'),
  MODEL_OPTION_UNSUPPORTED: cannotRun('it needs something that the engine does not have'),
  MODEL_NOT_READY: () => 'The model is not ready yet.',
  MODEL_TOO_LARGE: (file = 'This model') =>
    `${file} is too large: a model and its cache can have 2 GB in a browser.`,
  MODEL_TENSOR_NOT_FINITE: damaged,
  MODEL_SPLIT: (file = 'This file') =>
    `${file} is one part of a model that was split into several files. Use a model in one file.`,

  TOKENIZER_UNSUPPORTED: cannotRun('the engine does not know its tokenizer'),
  TOKENIZER_BAD: (file = 'The file') => `${file} has a damaged vocabulary.`,
  TOKEN_OUT_OF_RANGE: () => 'A token does not belong to this model.',

  CONTEXT_FULL: () => 'The text is too long for this model.',
  KV_FULL: () => 'The text is too long for the model’s cache.',
  SESSION_EMPTY: () => 'The text is empty, and this model needs at least one token.',
  POSITION_OUT_OF_RANGE: () => 'This position is after the end of the text.',
  THREAD_LOST: reload,
  SESSION_FOREIGN: () => 'The saved session belongs to another model.',
  SESSION_DAMAGED: () => 'The saved session is damaged.',

  SAMPLER_BAD_OPTION: () => 'A setting of the sampler is out of range.',
  LOGITS_NOT_FINITE: () =>
    'The model computed scores that are not numbers. Its file is probably damaged.',
  NO_CANDIDATES: () => 'The settings remove every token, so there is nothing to pick.',

  ENGINE_UNSUPPORTED: () =>
    'This browser cannot run the model: WebAssembly SIMD is missing or switched off.',
  ENGINE_LOAD_FAILED: () =>
    'The engine could not be loaded. Check the connection and load the page again.',
  ENGINE_CRASHED: reload,
  WORKER_FAILED: reload,
  SOURCE_UNSUPPORTED: (file = 'The file') => `${file} cannot be read by this browser.`,
  SOURCE_NOT_FOUND: (file = 'The file') => `${file} was not found.`,
  SOURCE_FAILED: (file = 'The file') =>
    `${file} could not be loaded: the server or the connection failed.`,
  DISPOSED: () => 'The model was closed.',
  SESSION_BUSY: () => 'The model is busy.',
  TRACE_INVALID: notTrace,
  OPTION_UNSUPPORTED: () => 'This option is not supported.',
  TEMPLATE_MISSING: () => 'This model has no chat template.',
  TEMPLATE_FAILED: () =>
    'The model’s chat template refuses this conversation. Some templates allow no system prompt.',
  GRAMMAR_INVALID: (schema = 'This format', reason) => `${schema} cannot be used: ${reason}.`,
};

const isOurs = (error: unknown): error is TokenglassError =>
  error instanceof Error && error.name === 'TokenglassError';

/** The message of an error. subject: the file or the address that the error is about. */
export function wordsOf(error: unknown, subject?: string): Message {
  if (error instanceof SyntaxError)
    return { text: `${subject ?? 'This'} is not JSON.`, details: error.message };
  if (!isOurs(error)) return messageOf(error);
  const { code, message } = error;
  const reason = message.slice(code.length + 2);
  const words = WORDS[code];
  return words ? { text: words(subject, reason), details: `${code}: ${reason}` } : message;
}
