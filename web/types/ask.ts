/** Calls functions of the caller's. */
import { invalid } from './arguments.js';
import { TokenglassError, shown } from './errors.js';

/** What a call of the caller's function gives. Its exception becomes INVALID_ARGUMENT. */
export async function ask<T>(what: string, call: () => T | PromiseLike<T>): Promise<T> {
  try {
    return await call();
  } catch (error) {
    if (error instanceof TokenglassError) throw error;
    throw invalid(`${what} failed: ${shown(error)}`, error);
  }
}
