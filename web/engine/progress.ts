/** Reports how far a load is, at most 20 times a second. */
import type { Progress, ProgressListener } from '../types/types.js';

const INTERVAL_MS = 50;

export class ProgressReporter {
  readonly #listener: ProgressListener;
  readonly #onFailure: () => void;
  #reportedAt = -Infinity;
  #waiting: Progress | undefined; // the newest progress that the listener does not know of
  #timer: ReturnType<typeof setTimeout> | undefined;
  #failure: { error: unknown } | undefined;

  /** onFailure: called when the listener throws while nothing else of the load runs. */
  constructor(listener: ProgressListener, onFailure: () => void) {
    this.#listener = listener;
    this.#onFailure = onFailure;
  }

  /** Calls the listener now or, after a recent call, later. Throws what the listener throws. */
  report(progress: Progress): void {
    this.throwFailure();
    this.#waiting = progress;
    const wait = this.#reportedAt + INTERVAL_MS - performance.now();
    if (wait <= 0) this.flush();
    else this.#timer ??= setTimeout(() => this.#reportLate(), wait); // also when the source stalls
  }

  #reportLate(): void {
    this.#timer = undefined;
    try {
      this.report(this.#waiting!); // a timer may be early
    } catch (error) {
      this.#failure = { error };
      this.#onFailure();
    }
  }

  /** Calls the listener now unless the listener knows everything. */
  flush(): void {
    const progress = this.#waiting;
    this.stop();
    if (!progress) return;
    this.#reportedAt = performance.now();
    this.#listener(progress);
  }

  /** Throws what the listener threw in a late call. */
  throwFailure(): void {
    if (this.#failure) throw this.#failure.error;
  }

  /** Ends all waiting. */
  stop(): void {
    clearTimeout(this.#timer);
    this.#timer = undefined;
    this.#waiting = undefined;
  }
}
