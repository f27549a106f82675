/** A queue of asynchronous jobs. All jobs of the page work on one text, so they run one at a time,
 *  in the order in which they were added. */
import { computed, signal } from '@preact/signals';

export class Queue {
  /** Number of jobs that wait or run, plus the number of holds. */
  readonly #pending = signal(0);
  /** True while the page is about to change what it shows. */
  readonly busy = computed(() => this.#pending.value > 0);
  readonly #onError: (error: unknown) => void;
  #last: Promise<void> = Promise.resolve();

  constructor(onError: (error: unknown) => void) {
    this.#onError = onError;
  }

  /** Adds a job. Resolves when the job ends. An error goes to the queue's onError. */
  add(job: () => Promise<void>): Promise<void> {
    const release = this.hold();
    this.#last = this.#last.then(job).catch(this.#onError).finally(release);
    return this.#last;
  }

  /** Adds a job and returns its result. An error rejects the promise and does not reach onError. */
  async run<T>(job: () => Promise<T>): Promise<T> {
    let result!: Promise<T>;
    await this.add(async () => {
      result = job();
      await result.catch(() => undefined);
    });
    return result;
  }

  /** Makes the queue busy without a job, until the caller calls the returned function. */
  hold(): () => void {
    this.#pending.value++;
    let held = true;
    return () => {
      if (held) this.#pending.value--;
      held = false;
    };
  }
}
