/**
 * Divides the engine's work into portions of about PORTION_MS, so that this thread serves other
 * messages in between, and lets one batch run at a time. How work is divided changes no result.
 */
import { yieldToEventLoop } from '../platform/platform.js';
import { throwIfAborted } from '../types/errors.js';
import { BATCH } from '../types/generated.js';

const PORTION_MS = 60; // of work, after which other messages are served
const CONTENDED_MS = 1000; // batches stay short for this long after one had to wait for another
const MAX_SCORED = 64; // each scored token costs the logits of the whole vocabulary
// A matmul reads each weight once for this many tokens: they cost little more than one.
const TOKEN_GROUP = 4;

/** How much of the pending tokens of some sessions to run. */
export interface BatchSize {
  /** Of all sessions together. */
  n_tokens: number;
  /** How many layers to run before yielding. */
  n_layers: number;
}

export class Scheduler {
  #scorePortion = 8; // tokens whose scores take about PORTION_MS, measured
  #layerMs = 1; // that a token takes in a layer when a batch has many, measured
  #lastInQueue = Promise.resolve(); // resolves when the batch that was queued last has ended
  #queueLength = 0; // batches that are waiting or running
  #contendedAt = -Infinity; // when a batch last had to wait for another, ms
  #yieldedAt = 0; // ms

  /** Lets other work of this thread run if PORTION_MS have passed. Throws after an abort. */
  async yieldIfDue(signal: AbortSignal): Promise<void> {
    throwIfAborted(signal);
    if (performance.now() - this.#yieldedAt < PORTION_MS) return;
    await yieldToEventLoop();
    this.#yieldedAt = performance.now();
    throwIfAborted(signal);
  }

  /** Notes that a caller had to wait for a batch of others. */
  recordContention(): void {
    this.#contendedAt = performance.now();
  }

  /**
   * Runs a batch after those that were queued before it: a batch that starts in the middle of
   * another undoes the other's work.
   */
  async runBatch(signal: AbortSignal, run: () => Promise<void> | void): Promise<void> {
    const mustWait = this.#queueLength++ > 0;
    const before = this.#lastInQueue;
    let end = () => {};
    this.#lastInQueue = new Promise((resolve) => (end = resolve));
    let abort = () => {};
    const aborted = new Promise<void>((resolve) => (abort = resolve));
    try {
      signal.addEventListener('abort', abort);
      await Promise.race([before, aborted]);
      throwIfAborted(signal);
      if (mustWait) this.recordContention();
      await run();
    } finally {
      signal.removeEventListener('abort', abort);
      this.#queueLength--;
      void before.then(end); // an aborted batch may leave the queue before its turn has come
    }
  }

  /**
   * How much to run next: as many tokens as pass one layer in a portion, or all layers while there
   * is other work, and a token of each session; then as many layers at a time as take a portion.
   */
  batchSize(pending: number, n_sessions: number, n_layer: number): BatchSize {
    const contended = performance.now() - this.#contendedAt < CONTENDED_MS;
    const layersAtOnce = contended ? n_layer : 1;
    const fit = wholeGroups(PORTION_MS / (this.#layerMs * layersAtOnce));
    const n_tokens = Math.min(pending, BATCH, Math.max(fit, n_sessions));
    return { n_tokens, n_layers: Math.max(Math.floor(PORTION_MS / (n_tokens * this.#layerMs)), 1) };
  }

  /** Learns from what a batch took. Tokens of drafts count as well. */
  recordBatch(ms: number, { n_tokens, n_layers }: BatchSize): void {
    if (n_tokens < TOKEN_GROUP) return; // few tokens say nothing about many
    // at most twice as fast as before: a browser's clock may be so coarse that no time passed
    this.#layerMs = Math.max(ms / (n_tokens * n_layers), this.#layerMs / 2, 1e-4);
  }

  /** How many tokens to score next. */
  get scorePortion(): number {
    return Math.min(MAX_SCORED, this.#scorePortion);
  }

  /** Scores n tokens by `score`, and learns how many the next portion can have. */
  measureScoring(n: number, score: () => void): void {
    const start = performance.now();
    score();
    const ms = performance.now() - start;
    if (n < this.#scorePortion && ms <= PORTION_MS) return; // few tokens say nothing about many
    // at most twice as many as before: a browser's clock may be so coarse that no time passed
    const fit = Math.floor((n * PORTION_MS) / Math.max(ms, 0.001));
    this.#scorePortion = wholeGroups(Math.min(fit, 2 * this.#scorePortion, MAX_SCORED));
  }
}

/** n rounded down to groups of tokens, at least one group. */
const wholeGroups = (n: number) => Math.max(Math.floor(n / TOKEN_GROUP) * TOKEN_GROUP, TOKEN_GROUP);
