/**
 * Lets as many answers of a model's completions run at the same time as the caches can hold.
 * Sessions that do not fit together take the cache from each other: then every step runs a whole
 * text again. An answer that does not fit waits until one that was there before has ended.
 */
import { continuationsInStates } from '../types/capacity.js';
import { untilAborted } from '../types/signals.js';
import type { ModelInfo } from '../types/types.js';
import { Changes } from './changes.js';

const MAX_PARALLEL = 32; // answers of a completion
/** Positions that an answer takes beside its tokens: a copy of the prompt's last page, a rest. */
const SLACK = 64;
/** How long an answer counts after a step: its reader may never ask for the next one. */
const IDLE_MS = 50;
/** How long a step counts: it may wait for a caller's grammar for ever. */
const STEP_MS = 5000;

/** A completion. */
interface Call {
  /** Tokens of the prompt, which its answers share. */
  n_prompt: number;
}

/** An answer, from its beginning to its end. */
export interface Place {
  call: Call;
  /** Tokens of the answer. */
  n: number;
  /** When the answer stops to count, as performance.now(). */
  until: number;
}

const delay = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms));

/** How many answers of one completion run at the same time, at most. */
export const maxParallel = (info: ModelInfo): number =>
  Math.min(MAX_PARALLEL, continuationsInStates(info));

export class CacheRoom {
  readonly #n_kv: number;
  readonly #maxAnswers: number;
  readonly #places = new Set<Place>(); // in the order of their beginnings
  readonly #changes = new Changes();

  constructor(info: ModelInfo) {
    this.#n_kv = info.n_kv;
    this.#maxAnswers = continuationsInStates(info);
  }

  /** A place behind all others. */
  join(call: Call): Place {
    const place = { call, n: 0, until: 0 };
    this.#places.add(place);
    return place;
  }

  /** Waits until an answer of n tokens may take a step. */
  async enter(place: Place, n: number, signal: AbortSignal): Promise<void> {
    place.n = n;
    place.until = Infinity;
    while (!this.#fits(place))
      await untilAborted(Promise.race([this.#changes.next, delay(IDLE_MS)]), [signal]);
    place.until = performance.now() + STEP_MS;
  }

  /** The answer has taken a step. */
  pause(place: Place): void {
    place.until = performance.now() + IDLE_MS;
  }

  leave(place: Place): void {
    this.#places.delete(place);
    this.#changes.report();
  }

  /** Whether an answer fits together with those before it. The first one always does. */
  #fits(place: Place): boolean {
    const now = performance.now();
    const calls = new Set<Call>();
    let n_answers = 0;
    let sum = 0;
    for (const other of this.#places) {
      if (other !== place && other.until < now) continue;
      n_answers++;
      sum += other.n + SLACK + (calls.has(other.call) ? 0 : other.call.n_prompt);
      calls.add(other.call);
      if (other === place) break;
    }
    return n_answers === 1 || (n_answers <= this.#maxAnswers && sum <= this.#n_kv);
  }
}
