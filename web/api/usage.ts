/** Counts the tokens and the time of a completion. */
import type { Timings, Usage } from '../types/types.js';

export class UsageCounter {
  #n_prompt = 0;
  #n_cached = 0;
  #n_predicted = 0;
  #prompt_ms = 0;
  #predicted_ms = 0;
  #n_waiting = 0; // answers that wait for a token
  #waitingSince = 0; // ms, when the first of them began to wait

  /** n_cached: tokens of the prompt that did not have to run. */
  addPrompt(n: number, n_cached: number, ms: number): void {
    this.#n_prompt += n;
    this.#n_cached += n_cached;
    this.#prompt_ms += ms;
  }

  /** An answer begins to wait for a token. Time in which several answers wait counts once. */
  beginWait(): void {
    if (this.#n_waiting++ === 0) this.#waitingSince = performance.now();
  }

  endWait(): void {
    if (--this.#n_waiting === 0) this.#predicted_ms += performance.now() - this.#waitingSince;
  }

  addToken(): void {
    this.#n_predicted++;
  }

  totals(): { usage: Usage; timings: Timings } {
    const n_run = this.#n_prompt - this.#n_cached;
    const perSecond = (n: number, ms: number) => (ms > 0 ? (1000 * n) / ms : 0);
    return {
      usage: {
        prompt_tokens: this.#n_prompt,
        completion_tokens: this.#n_predicted,
        total_tokens: this.#n_prompt + this.#n_predicted,
        prompt_tokens_details: { cached_tokens: this.#n_cached },
      },
      timings: {
        cache_n: this.#n_cached,
        prompt_n: n_run,
        prompt_ms: this.#prompt_ms,
        prompt_per_second: perSecond(n_run, this.#prompt_ms),
        predicted_n: this.#n_predicted,
        predicted_ms: this.#predicted_ms,
        predicted_per_second: perSecond(this.#n_predicted, this.#predicted_ms),
      },
    };
  }
}
