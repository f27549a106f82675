/**
 * The sessions of one model. Callers name a session by a number above 0 that they choose; the
 * engine's temporary sessions have numbers below 0.
 */
import { TokenglassError } from '../types/errors.js';
import { Batches } from './batches.js';
import type { BatchReport } from './batches.js';
import { setEdits } from './edits.js';
import type { EditRequest } from './edits.js';
import type { Engine } from './engine.js';
import type { Scheduler } from './scheduler.js';

export class Sessions {
  readonly #engine: Engine;
  readonly #scheduler: Scheduler;
  readonly #batches: Batches;
  readonly #addresses = new Map<number, number>();
  readonly #edited = new Set<number>(); // addresses of sessions with edits
  #lastTemporary = 0;
  /** Is told what each batch with one token of one session took. */
  onBatch: (batch: BatchReport) => void = () => undefined;

  constructor(engine: Engine, scheduler: Scheduler, n_layer: number) {
    this.#engine = engine;
    this.#scheduler = scheduler;
    this.#batches = new Batches(engine, scheduler, this, n_layer, (batch) => this.onBatch(batch));
  }

  /** The address of a session. Throws DISPOSED. */
  address(number: number): number {
    const address = this.#addresses.get(number);
    if (address === undefined) throw new TokenglassError('DISPOSED', 'the session was disposed');
    return address;
  }

  /** Whether a batch with the session is between two layers. */
  isInBatch(number: number): boolean {
    return this.#batches.includes(number);
  }

  get size(): number {
    return this.#addresses.size;
  }

  has(number: number): boolean {
    return this.#addresses.has(number);
  }

  create(number: number, edits: readonly EditRequest[] = []): void {
    const address = this.#engine.sessionNew();
    try {
      if (edits.length > 0) setEdits(this.#engine, address, edits);
    } catch (error) {
      if (!this.#engine.crashed) this.#engine.sessionFree(address);
      throw error;
    }
    this.#addresses.set(number, address);
    if (edits.length > 0) this.#edited.add(address);
  }

  hasEdits(number: number): boolean {
    return this.#edited.has(this.address(number));
  }

  /** A fork of the session at an address. */
  #fork(from: number): number {
    const address = this.#engine.sessionFork(from);
    if (this.#edited.has(from)) this.#edited.add(address);
    return address;
  }

  /** Takes over a session that the engine has made. */
  add(number: number, address: number): void {
    this.#addresses.set(number, address);
  }

  /** Returns the tokens that both sessions have now. */
  fork(from: number, number: number): Int32Array {
    this.#addresses.set(number, this.#fork(this.address(from)));
    return this.tokens(number);
  }

  /**
   * Makes the first n tokens of session `from` the tokens of session `number`, with their cache.
   * With all of them the number takes over the session, and `from` names nothing afterwards.
   */
  adopt(number: number, from: number, n: number): void {
    const source = this.address(from);
    this.address(number); // throws when it was disposed
    let adopted = source;
    if (n < this.length(from)) {
      adopted = this.#fork(source);
      this.#engine.sessionRewind({ session: adopted, n });
    } else this.#addresses.delete(from);
    this.dispose(number);
    this.#addresses.set(number, adopted);
  }

  dispose(number: number): void {
    const address = this.#addresses.get(number);
    if (address === undefined) return;
    this.#addresses.delete(number);
    this.#edited.delete(address);
    this.#engine.sessionFree(address);
  }

  /** Forgets all sessions; the engine goes with them. */
  clear(): void {
    this.#addresses.clear();
  }

  newTemporaryNumber(): number {
    return --this.#lastTemporary;
  }

  /** Makes a temporary session by `begin` and disposes it after `use`. */
  async withTemporary<T>(
    begin: (number: number) => void,
    use: (number: number) => Promise<T>,
  ): Promise<T> {
    const number = this.newTemporaryNumber();
    begin(number);
    try {
      return await use(number);
    } finally {
      this.dispose(number);
    }
  }

  /** How many tokens the session has. */
  length(number: number): number {
    return this.#engine.sessionTokens(this.address(number)).n;
  }

  /** How many tokens must run before the session has logits. */
  pending(number: number): number {
    return this.#engine.sessionPending(this.address(number));
  }

  tokens(number: number): Int32Array {
    const { ids, n } = this.#engine.sessionTokens(this.address(number));
    return this.#engine.int32s(ids, n).slice();
  }

  /** How many tokens slid out of the session's window. */
  discarded(number: number): number {
    return this.#engine.sessionNDiscarded(this.address(number));
  }

  /** Makes `ids` the session's tokens. Returns how many of its first tokens stayed the same. */
  sync(number: number, ids: Int32Array): number {
    const session = this.address(number);
    const before = this.tokens(number);
    this.#engine.withMemory((memory) =>
      this.#engine.sessionSync({ session, tokens: memory.int32s(ids), n: ids.length }),
    );
    const firstDifference = ids.findIndex((id, i) => id !== before[i]);
    return firstDifference < 0 ? ids.length : firstDifference;
  }

  rewind(number: number, n: number): void {
    this.#engine.sessionRewind({ session: this.address(number), n });
  }

  append(number: number, token: number): void {
    this.#engine.sessionAppend({ session: this.address(number), token });
  }

  /**
   * Runs the last token, if it is the only one that has not been run. An error is that of the next
   * call that needs the token.
   */
  runLast(number: number): void {
    if (!this.has(number) || this.pending(number) !== 1) return;
    this.#batches.run(number, new AbortController().signal).catch(() => undefined);
  }

  /**
   * Runs the session's pending tokens and then, before anything else can happen to the session,
   * `use`, which finds its logits ready. Sessions that wait at the same time share batches.
   */
  async whenReady<T>(number: number, signal: AbortSignal, use: () => T): Promise<T> {
    for (;;) {
      await this.#scheduler.yieldIfDue(signal);
      if (this.pending(number) === 0) return use();
      await this.#batches.run(number, signal);
    }
  }
}
