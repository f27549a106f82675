/** Runs side by side: sessions that are freed together, and calls that the first failure ends. */
import { throwIfAborted } from './errors.js';
import { followersOf } from './followers.js';
import type { Session } from './session.js';
import { follow } from './signals.js';

/** The sessions that a method or a lens made. */
export class Sessions {
  readonly #open = new Set<Session>();
  #ended = false;

  add(session: Session): Session {
    this.#open.add(session);
    return session;
  }

  async fork(session: Session): Promise<Session> {
    const fork = this.add(await session.fork());
    if (this.#ended) await this.free(fork); // an abort came before the fork
    return fork;
  }

  async free(session: Session): Promise<void> {
    this.#open.delete(session);
    await session.dispose();
  }

  async freeAll(): Promise<void> {
    this.#ended = true;
    await Promise.all([...this.#open].map((session) => this.free(session)));
  }
}

/**
 * Calls run(0) to run(n - 1), at most `limit` of them at the same time. When one fails, the signals
 * of the others are aborted; the first error is thrown after all of them have ended. Each has a
 * signal of its own, because Node warns of a signal that many calls listen to.
 */
export async function runAll(
  n: number,
  limit: number,
  given: AbortSignal,
  run: (index: number, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const group = new AbortController();
  const release = follow(given, group);
  const signals = followersOf(group.signal)(n);
  let next = 0;
  let failed = false;
  let failure: unknown;
  const worker = async () => {
    while (next < n && !group.signal.aborted) {
      const index = next++;
      try {
        await run(index, signals[index]!);
      } catch (error) {
        if (!failed) failure = error;
        failed = true;
        group.abort(error);
      }
    }
  };
  try {
    await Promise.all(Array.from({ length: Math.min(n, limit) }, worker));
  } finally {
    release();
  }
  throwIfAborted(given);
  if (failed) throw failure;
}
