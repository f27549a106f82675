/** Downloads a model's file in the calling thread. */
import { throwIfAborted, typed } from '../types/errors.js';
import { follow } from '../types/signals.js';
import type { FetchOptions } from '../types/types.js';
import { invalid, readOptions, reading, tagOf } from '../types/arguments.js';
import { timeoutOf } from './timeout.js';

/**
 * Fetches a model's file in the calling thread and returns a Response for loadModel. When the
 * connection breaks or stalls, the body asks the server for the missing bytes and continues. Pages
 * with a service worker need this: in Firefox, a worker of such a page cannot stop a download.
 *
 * Rejects with INVALID_ARGUMENT, SOURCE_UNSUPPORTED, SOURCE_NOT_FOUND or SOURCE_FAILED, or with the
 * signal's reason.
 *
 * @example
 * const response = await fetchModel('https://example.org/model.gguf');
 * const downloaded = await loadModel(response);
 */
export async function fetchModel(url: string | URL, options?: FetchOptions): Promise<Response> {
  const read = readOptions(options, ['signal', 'timeout_ms'], 'fetchModel');
  const timeout_ms = timeoutOf(read);
  const address = reading('the address', () => {
    if (typeof url !== 'string' && tagOf(url) !== 'URL')
      throw invalid(`the address is ${typed(url)}; it must be a text or a URL`);
    return String(url);
  });
  const controller = new AbortController();
  const release = follow(read.signal, controller);
  try {
    throwIfAborted(controller.signal);
    const { downloadResponse } = await import('../platform/download.js');
    return await downloadResponse(address, { signal: controller.signal, timeout_ms }, release);
  } catch (error) {
    release();
    throw error;
  }
}
