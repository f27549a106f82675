/**
 * Stop texts. A stop text may begin in one token and end in another, so Stops holds back the end of
 * the text while it could be the beginning of a stop text.
 */

/** Text that can be shown, and whether a stop text ended the answer. */
export interface SafeText {
  text: string;
  stopped: boolean;
}

export class Stops {
  readonly #stops: readonly string[];
  #held = '';

  constructor(stops: readonly string[]) {
    this.#stops = stops;
  }

  /** Adds text; returns the text that can be shown now. */
  push(text: string): SafeText {
    const all = this.#held + text;
    const indexes = this.#stops.map((stop) => all.indexOf(stop)).filter((index) => index >= 0);
    if (indexes.length > 0) {
      this.#held = '';
      return { text: all.slice(0, Math.min(...indexes)), stopped: true };
    }
    const end = all.length - this.#possibleStart(all);
    this.#held = all.slice(end);
    return { text: all.slice(0, end), stopped: false };
  }

  /** The text that was held back, after the last token. */
  end(): string {
    const text = this.#held;
    this.#held = '';
    return text;
  }

  /** How many of the last characters could be the beginning of a stop text. */
  #possibleStart(text: string): number {
    const longest = Math.max(0, ...this.#stops.map((stop) => stop.length - 1));
    for (let n = Math.min(longest, text.length); n > 0; n--) {
      const end = text.slice(text.length - n);
      if (this.#stops.some((stop) => stop.startsWith(end))) return n;
    }
    return 0;
  }
}
