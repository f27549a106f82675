/** The options that a session's calls know, and the check of those of preview(). */
import {
  MAX_INT32,
  arrayType,
  flag,
  readOptions,
  unsupported,
  wholeNumber,
} from '../types/arguments.js';
import type { PreviewRequest } from '../methods/preview.js';
import type { ModelInfo, PreviewOptions } from '../types/types.js';
import { samplerOptionNames } from './options.js';

/** How many sessions one call makes. */
export const MAX_FORKS = 1024;

export const CALL_OPTIONS = ['signal'];
export const CANDIDATES_OPTIONS = [
  ...samplerOptionNames,
  ...CALL_OPTIONS,
  'top_n',
  'all_removed',
  'sample_index',
];
export const EXPLAIN_OPTIONS = [...samplerOptionNames, ...CALL_OPTIONS, 'position', 'sample_index'];
export const PREVIEW_OPTIONS = [
  ...samplerOptionNames,
  ...CALL_OPTIONS,
  'tokens',
  'max_tokens',
  'ignore_eos',
  'sample_index',
];
export const TABLE_OPTIONS = [
  ...samplerOptionNames,
  ...CALL_OPTIONS,
  'max_rows',
  'tokens',
  'sample_index',
];
export const DISTRIBUTION_OPTIONS = [...samplerOptionNames, 'sample_index'];

/** The checked options of preview(). */
export function previewRequest(
  given: PreviewOptions | undefined,
  info: ModelInfo,
): PreviewRequest & Pick<PreviewOptions, 'signal'> {
  const read = readOptions(given, PREVIEW_OPTIONS, 'preview');
  const { signal, tokens = 5, max_tokens = 8, ignore_eos, ...options } = read;
  if (options.grammar !== undefined && !arrayType(options.grammar))
    throw unsupported('preview cannot follow a grammar, whose text began before the session');
  return {
    signal,
    tokens: wholeNumber(tokens, 'tokens', 1, Math.min(info.n_vocab, MAX_FORKS)),
    max_tokens: wholeNumber(max_tokens, 'max_tokens', 0, MAX_INT32),
    ignore_eos: flag(ignore_eos, 'ignore_eos', false),
    // greedy when the caller says nothing about the sampler
    options: Object.keys(options).length > 0 ? options : { temperature: 0 },
    info,
  };
}
