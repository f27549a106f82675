/** Several generators that run at the same time, as one generator. */
import { throwIfAborted } from '../types/errors.js';
import { followersOf } from '../types/followers.js';
import { Changes } from './changes.js';

/** How to interleave generators. */
export interface Interleaving<T> {
  /** Number of generators. */
  n: number;
  /** How many run at the same time; the others begin when one of them has ended. */
  n_parallel: number;
  /** Items that wait for the reader; when there are as many, the generators pause. */
  max_unread: number;
  /** Begins a generator. It must end soon after its signal is aborted. */
  begin(index: number, signal: AbortSignal): AsyncIterable<T>;
  /** Aborted by the caller, when a generator fails, and when the reader ends. */
  end: AbortController;
}

/**
 * The items of all generators as they come. An error of one generator ends the others; the reader
 * gets the error after the items that came before. An abort by the caller ends all at once. The
 * end of the result comes after the end of all generators.
 */
export async function* interleaved<T extends object>({
  n,
  n_parallel,
  max_unread,
  begin,
  end,
}: Interleaving<T>): AsyncGenerator<T, void, undefined> {
  const unread: T[] = [];
  const changes = new Changes();
  const signals = followersOf(end.signal)(n);
  let failure: { error: unknown } | undefined; // of a generator, before anybody aborted
  let n_begun = 0;
  let n_running = 0;

  /** Runs generators, one after the other, until none is left. */
  const run = async () => {
    n_running++;
    try {
      while (n_begun < n && !end.signal.aborted) {
        const index = n_begun++;
        for await (const item of begin(index, signals[index]!)) {
          unread.push(item);
          changes.report();
          while (unread.length >= max_unread && !end.signal.aborted) await changes.next;
          throwIfAborted(end.signal);
        }
      }
    } catch (error) {
      if (!end.signal.aborted) {
        failure = { error };
        end.abort(error);
      }
    } finally {
      n_running--;
      changes.report();
    }
  };

  const abort = () => changes.report(); // for generators that wait for the reader
  end.signal.addEventListener('abort', abort);
  const runs = Array.from({ length: Math.min(n, n_parallel) }, run);
  try {
    for (;;) {
      if (!failure) throwIfAborted(end.signal);
      const item = unread.shift();
      if (item) {
        changes.report();
        yield item;
      } else if (failure) throw (failure as { error: unknown }).error;
      else if (n_running === 0) return;
      else await changes.next;
    }
  } finally {
    end.abort();
    await Promise.all(runs);
    end.signal.removeEventListener('abort', abort);
  }
}
