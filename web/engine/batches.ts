/**
 * Runs the pending tokens of sessions. Sessions whose callers wait at the same time share a batch:
 * reading the weights from memory takes most of a step's time, and a batch reads them once for all.
 * The results do not depend on who shares a batch.
 */
import { yieldToEventLoop } from '../platform/platform.js';
import { BATCH } from '../types/generated.js';
import { TokenglassError } from '../types/errors.js';
import type { Engine } from './engine.js';
import type { Scheduler } from './scheduler.js';

// How long a batch waits for other sessions: a share of what the last batch took, within limits.
const GATHER_SHARE = 0.25;
const MIN_GATHER_MS = 1;
const MAX_GATHER_MS = 8;
const MAX_BACKOFF = 8; // at most 2^8 batches without a wait

const neverAborted = new AbortController().signal;

/** What a batch of one session took that had one token to run, perhaps with a draft. */
export interface BatchReport {
  ms: number;
  /** The token and those of the draft. */
  rows: number;
}

/** What Batches needs to know of the sessions. */
interface SessionTable {
  /** The number of sessions. */
  readonly size: number;
  has(number: number): boolean;
  /** Throws DISPOSED. */
  address(number: number): number;
  /** Tokens that have not been run. */
  pending(number: number): number;
}

/** A caller who waits for a session. */
interface Waiting {
  number: number;
  signal: AbortSignal;
  resolve(): void;
  reject(error: unknown): void;
}

export class Batches {
  readonly #engine: Engine;
  readonly #scheduler: Scheduler;
  readonly #sessions: SessionTable;
  readonly #n_layer: number;
  readonly #report: (batch: BatchReport) => void;
  readonly #waiting = new Set<Waiting>();
  #running = false; // whether batches are being run
  #inBatch: readonly number[] = []; // the sessions of the batch that is between two layers
  readonly #ranAt = new Map<number, number>(); // sessions: the number of their last batch
  #n_batches = 0;
  #lastMs = 0; // what the last batch took
  #n_vain = 0; // waits in a row in which no other session came
  #n_skip = 0; // batches before the next wait

  /** report: is told what each batch with one token of one session took. */
  constructor(
    engine: Engine,
    scheduler: Scheduler,
    sessions: SessionTable,
    n_layer: number,
    report: (batch: BatchReport) => void,
  ) {
    this.#report = report;
    this.#engine = engine;
    this.#scheduler = scheduler;
    this.#sessions = sessions;
    this.#n_layer = n_layer;
  }

  /**
   * Resolves after a batch with some of the session's pending tokens. Rejects with the signal's
   * reason and with the engine's errors.
   */
  run(number: number, signal: AbortSignal): Promise<void> {
    if (this.#inBatch.length > 0) this.#scheduler.recordContention();
    return new Promise((resolve, reject) => {
      const leave = () => {
        signal.removeEventListener('abort', abort);
        this.#waiting.delete(waiting);
      };
      const waiting: Waiting = {
        number,
        signal,
        resolve: () => (leave(), resolve()),
        reject: (error) => (leave(), reject(error)),
      };
      const abort = () => waiting.reject(signal.reason);
      signal.addEventListener('abort', abort);
      this.#waiting.add(waiting);
      if (!this.#running) void this.#runAll();
    });
  }

  /** Runs batches until nobody waits. */
  async #runAll(): Promise<void> {
    this.#running = true;
    try {
      while (this.#waiting.size > 0) {
        await this.#gather();
        await this.#scheduler.runBatch(neverAborted, () => this.#runBatch());
      }
    } catch (error) {
      // the engine has failed outside of a batch
      for (const { reject } of [...this.#waiting]) reject(error);
    } finally {
      this.#running = false;
    }
  }

  /** The sessions that callers wait for, those that wait longest first. */
  #numbers(): number[] {
    return [...new Set(Array.from(this.#waiting, ({ number }) => number))].slice(0, BATCH);
  }

  /**
   * The sessions that are away: they ran after the last run of a session that waits now, and they
   * do not wait themselves.
   */
  #away(): number[] {
    const numbers = this.#numbers();
    const since = Math.min(...numbers.map((number) => this.#ranAt.get(number) ?? Infinity));
    for (const number of this.#ranAt.keys())
      if (!this.#sessions.has(number)) this.#ranAt.delete(number);
    const ran = [...this.#ranAt].filter(([, at]) => at >= since);
    return ran.map(([number]) => number).filter((number) => !numbers.includes(number));
  }

  /**
   * Waits a moment for sessions that run at the same time: the loops that generate on them ask for
   * the next token when they have received this one. Sessions may also run one after the other, so
   * that nobody comes: then the next waits become rare, until a single yield shows another caller.
   */
  async #gather(): Promise<void> {
    if (this.#sessions.size < 2) return;
    const start = performance.now();
    const share = Math.min(GATHER_SHARE * this.#lastMs, MAX_GATHER_MS);
    // also lets a session begin that waits for its turn in this thread
    await yieldToEventLoop();
    if (this.#away().length === 0) return;
    if (this.#numbers().length < 2 && this.#n_skip > 0) {
      this.#n_skip--;
      return;
    }
    while (this.#away().length > 0 && performance.now() - start < Math.max(share, MIN_GATHER_MS))
      await yieldToEventLoop();
    this.#n_vain = this.#numbers().length < 2 ? Math.min(this.#n_vain + 1, MAX_BACKOFF) : 0;
    this.#n_skip = this.#n_vain > 0 ? 2 ** this.#n_vain : 0;
  }

  /** Ends the wait for these sessions. */
  #settle(numbers: readonly number[], settle: (waiting: Waiting) => void): void {
    for (const waiting of [...this.#waiting]) if (numbers.includes(waiting.number)) settle(waiting);
  }

  /** Whether the session is there and has tokens to run. */
  #canRun(number: number): boolean {
    return this.#sessions.has(number) && this.#sessions.pending(number) > 0;
  }

  /** Runs one batch through all layers, unless all who wait for it leave. */
  async #runBatch(): Promise<void> {
    const waiting = this.#numbers();
    const numbers = waiting.filter((number) => this.#canRun(number));
    // the callers of sessions that are gone, or were rewound to nothing, find out
    const others = waiting.filter((number) => !numbers.includes(number));
    this.#settle(others, ({ resolve }) => resolve());
    if (numbers.length === 0) return;
    const addresses = numbers.map((number) => this.#sessions.address(number));
    this.#n_batches++;
    for (const number of numbers) this.#ranAt.set(number, this.#n_batches);
    this.#inBatch = numbers;
    const start = performance.now();
    try {
      if (await this.#runLayers(numbers, addresses))
        this.#settle(numbers, ({ resolve }) => resolve());
    } catch (error) {
      // of the cache's room an error names the first session; the others can go on without it
      const isOfFirst = error instanceof TokenglassError && error.code === 'KV_FULL';
      this.#settle(isOfFirst ? numbers.slice(0, 1) : numbers, ({ reject }) => reject(error));
    } finally {
      this.#inBatch = [];
      this.#lastMs = performance.now() - start;
    }
  }

  /** Whether a batch with the session is between two layers. */
  includes(number: number): boolean {
    return this.#inBatch.includes(number);
  }

  /** Returns whether the last layer has run; else sessions are gone, rewound or given up. */
  async #runLayers(numbers: readonly number[], addresses: readonly number[]): Promise<boolean> {
    const pending = numbers.reduce((sum, number) => sum + this.#sessions.pending(number), 0);
    const decoded = this.#engine.modelNDecoded();
    let ms = 0;
    const { n_tokens, n_layers } = this.#scheduler.batchSize(
      pending,
      numbers.length,
      this.#n_layer,
    );
    for (let remaining = this.#n_layer; remaining > 0; remaining -= n_layers) {
      if (remaining < this.#n_layer) {
        await this.#scheduler.yieldIfDue(neverAborted);
        const isLeft = (number: number, i: number) =>
          !this.#canRun(number) || this.#sessions.address(number) !== addresses[i];
        if (numbers.some(isLeft) || !this.#isWanted(numbers)) return false;
      }
      const start = performance.now();
      const unfinished = this.#engine.withMemory((memory) =>
        this.#engine.sessionsEval({
          sessions: memory.int32s(addresses),
          n: addresses.length,
          max_tokens: n_tokens,
          max_layers: n_layers,
        }),
      );
      ms += performance.now() - start;
      if (!unfinished) break;
    }
    // 0 rows: a session was changed in between, so that the batch began again
    const rows = this.#engine.modelNDecoded() - decoded;
    if (pending === 1 && rows > 0) this.#report({ ms, rows });
    this.#scheduler.recordBatch(ms, { n_tokens: rows, n_layers: this.#n_layer });
    return true;
  }

  #isWanted(numbers: readonly number[]): boolean {
    return Array.from(this.#waiting).some(({ number }) => numbers.includes(number));
  }
}
