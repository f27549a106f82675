/** Something that changes from time to time, for those who wait for it. */
export class Changes {
  #resolve: () => void = () => undefined;
  #next = this.#promise();

  #promise(): Promise<void> {
    return new Promise((resolve) => (this.#resolve = resolve));
  }

  /** Resolves at the next change. */
  get next(): Promise<void> {
    return this.#next;
  }

  /** Reports a change. */
  report(): void {
    const resolve = this.#resolve;
    this.#next = this.#promise();
    resolve();
  }
}
