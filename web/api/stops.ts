/** Stop strings across token borders: in, pieces of text; out, what can be shown, never a part of a stop string. */

export class Stops {
  readonly #stops: readonly string[];
  #held = '';

  constructor(stops: readonly string[]) {
    this.#stops = stops;
  }

  /** The text that is safe to show now, and whether a stop string has ended it. */
  push(text: string): { text: string; stopped: boolean } {
    const all = this.#held + text;
    let at = -1;
    for (const stop of this.#stops) {
      const found = all.indexOf(stop);
      if (found >= 0 && (at < 0 || found < at)) at = found;
    }
    if (at >= 0) {
      this.#held = '';
      return { text: all.slice(0, at), stopped: true };
    }
    const hold = this.#beginning(all);
    this.#held = all.slice(all.length - hold);
    return { text: all.slice(0, all.length - hold), stopped: false };
  }

  /** What was held back when nothing more comes. */
  end(): string {
    const text = this.#held;
    this.#held = '';
    return text;
  }

  /** How many of the last characters could be the beginning of a stop string. */
  #beginning(text: string): number {
    const longest = Math.max(0, ...this.#stops.map((stop) => stop.length - 1));
    for (let n = Math.min(longest, text.length); n > 0; n--) {
      const end = text.slice(text.length - n);
      if (this.#stops.some((stop) => stop.startsWith(end))) return n;
    }
    return 0;
  }
}
