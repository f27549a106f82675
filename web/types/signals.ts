/**
 * Abort signals. A caller's signal may come from another realm or from other code that has only the
 * name in common with an AbortSignal. Calls follow it with a controller of their own, so that all
 * code below them has a signal that works, and nothing stays on the caller's signal.
 */
import { TokenglassError, shown, throwIfAborted, typed } from './errors.js';

/**
 * Aborts the controller with the caller's signal, for the same reason. Returns a function that ends
 * this. Throws INVALID_ARGUMENT for what is no signal.
 */
export function follow(given: unknown, controller: AbortController): () => void {
  if (given === undefined) return () => undefined;
  const signal = given as AbortSignal;
  const abort = () => {
    let reason: unknown;
    try {
      reason = signal.reason;
    } catch {
      // the controller has a reason of its own
    }
    controller.abort(reason);
  };
  let problem: unknown;
  try {
    if (typeof signal.aborted === 'boolean' && typeof signal.addEventListener === 'function') {
      if (signal.aborted) abort();
      else signal.addEventListener('abort', abort);
      return () => {
        try {
          signal.removeEventListener('abort', abort);
        } catch {
          // a signal that cannot forget the listener: to abort twice does nothing
        }
      };
    }
  } catch (error) {
    problem = error;
  }
  const why = problem === undefined ? '' : ` (${shown(problem)})`;
  throw new TokenglassError(
    'INVALID_ARGUMENT',
    `signal is ${typed(given)}; it must be an AbortSignal${why}`,
    { cause: problem },
  );
}

/** Calls `use` with a signal that follows the caller's until `use` has ended. */
export async function withSignal<T>(
  given: unknown,
  use: (signal: AbortSignal) => Promise<T> | T,
): Promise<T> {
  const controller = new AbortController();
  const release = follow(given, controller);
  try {
    throwIfAborted(controller.signal);
    return await use(controller.signal);
  } finally {
    release();
  }
}

/** The value that is awaited, unless one of the signals is aborted before: then its reason. */
export function untilAborted<T>(
  value: PromiseLike<T>,
  signals: readonly AbortSignal[],
): Promise<T> {
  return new Promise((resolve, reject) => {
    const end = () => {
      for (const signal of signals) signal.removeEventListener('abort', abort);
    };
    const abort = () => {
      const aborted = signals.find((signal) => signal.aborted);
      if (!aborted) return;
      end();
      reject(aborted.reason);
    };
    for (const signal of signals) signal.addEventListener('abort', abort);
    value.then(resolve, reject).then(end, end);
    abort();
  });
}

/** Stops a generator. */
export class Stop extends AbortController {
  /** The reason when the generator's user ended it. */
  readonly returned = new Error('the generator was ended');
}

/**
 * A generator whose return() and throw() stop the step that runs. By itself, a generator hears them
 * only between two steps. `begin` makes the generator, which ends quietly for stop.returned.
 */
export function endedAtOnce<T>(
  begin: (stop: Stop) => AsyncGenerator<T, void, undefined>,
): AsyncGenerator<T, void, undefined> {
  const stop = new Stop();
  const steps = begin(stop);
  const { return: finish, throw: fail } = steps;
  steps.return = (value) => {
    stop.abort(stop.returned);
    return finish.call(steps, value);
  };
  steps.throw = (error) => {
    stop.abort(stop.returned);
    return fail.call(steps, error);
  };
  return steps;
}
