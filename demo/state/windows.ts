/** What the model sees of a text that is longer than its context. The text is read in windows: the
 *  window of a token depends on the token's index only, so that each choice is the same whenever
 *  the page comes back to it, on every machine. */

/** What the sampler's request for one position of a text needs. */
export interface Window {
  /** Number of the window: 0 begins with the text. */
  readonly number: number;
  /** The tokens that the model sees. */
  readonly ids: readonly number[];
}

/** Reads texts in windows of n_ctx tokens. Each window begins half a context later than the one
 *  before, and keeps the text's BOS. */
export class Windows {
  readonly #n_ctx: number;
  readonly #bos: number | undefined;

  constructor({ n_ctx, bos }: { n_ctx: number; bos: number | undefined }) {
    this.#n_ctx = n_ctx;
    this.#bos = bos;
  }

  /** Number of tokens from the beginning of one window to the beginning of the next. */
  get #step(): number {
    return Math.ceil(this.#n_ctx / 2);
  }

  /** The number of the window that decides the token with this index. */
  numberOf(index: number): number {
    return index < this.#n_ctx ? 0 : Math.floor((index - this.#n_ctx) / this.#step) + 1;
  }

  /** The index of the first token that the window after this one decides. */
  endOf(number: number): number {
    return this.#n_ctx + number * this.#step;
  }

  /** The window that decides the token with this index. */
  at(ids: readonly number[], index: number): Window {
    const number = this.numberOf(index);
    const before = ids.slice(number * this.#step, index);
    if (number > 0 && ids[0] === this.#bos && before.length > 0) before[0] = ids[0]!;
    return { number, ids: before };
  }
}
