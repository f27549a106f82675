/** The option timeout_ms. A module of its own: loadModel does without the sampler's options. */
import { MAX_INT32, wholeNumber } from '../types/arguments.js';
import type { FetchOptions } from '../types/types.js';

const DEFAULT_TIMEOUT_MS = 30_000;

/** How long a source may give no byte, in milliseconds. */
export const timeoutOf = ({ timeout_ms = DEFAULT_TIMEOUT_MS }: FetchOptions): number =>
  wholeNumber(timeout_ms, 'timeout_ms', 0, MAX_INT32);
