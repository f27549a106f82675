/** Waiting with a limit, and waiting that an abort ends. */

/** A source gave no byte for too long. */
export class StallError extends Error {
  override readonly name = 'TimeoutError';
}

/**
 * The result of the promise; rejects with a StallError when the promise takes longer. 0: no limit.
 */
export function within<T>(promise: Promise<T>, milliseconds: number, what: string): Promise<T> {
  if (!milliseconds) return promise;
  return new Promise<T>((resolve, reject) => {
    const late = () => reject(new StallError(what));
    const timer = setTimeout(late, milliseconds);
    promise.then(resolve, reject).finally(() => clearTimeout(timer));
  });
}

/** What a source may take. */
export interface TimeLimits {
  signal: AbortSignal;
  /** How long a server may give no byte, in milliseconds; 0: without a limit. */
  timeout_ms: number;
}

/** The server's answer. Rejects with a StallError when there is none in time. */
export const answerWithin = (request: Promise<Response>, timeout_ms: number): Promise<Response> =>
  within(request, timeout_ms, `the server did not answer for ${seconds(timeout_ms)}`);

/** Uses the server's answer. Rejects with a StallError when there is none in time. */
export async function withAnswer<T>(
  url: string,
  { signal, timeout_ms }: TimeLimits,
  use: (response: Response) => Promise<T>,
): Promise<T> {
  const controller = new AbortController();
  const abort = () => controller.abort(signal.reason);
  signal.addEventListener('abort', abort);
  try {
    return await use(await answerWithin(fetch(url, { signal: controller.signal }), timeout_ms));
  } catch (error) {
    controller.abort();
    throw error;
  } finally {
    signal.removeEventListener('abort', abort);
  }
}

/** Resolves after that time, or when the signal is aborted. */
export function pause(milliseconds: number, signal?: AbortSignal): Promise<void> {
  return new Promise((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal?.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, milliseconds);
    signal?.addEventListener('abort', done);
    if (signal?.aborted) done();
  });
}

/** "30 s", "0.25 s". */
export const seconds = (milliseconds: number): string => `${milliseconds / 1000} s`;
