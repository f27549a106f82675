/**
 * Speculation in the engine: proposes tokens for a session before its next batch. What a batch and
 * its further rows take is measured, so that a token is proposed only if it is likely enough.
 */
import { TokenglassError } from '../types/errors.js';
import type { DraftSource, StepDraft } from '../types/speculation.js';
import type { BatchReport } from './batches.js';
import type { Engine } from './engine.js';
import type { Grammars } from './grammars.js';
import type { Sessions } from './sessions.js';

/** What a step should propose. */
export interface SpeculateRequest {
  /** 'grammar': only what a grammar forces. The others propose that, too. */
  method: DraftSource | 'auto';
  /** An index into trees.def. */
  tree: number;
  /** The tokens that a second model proposes. */
  tokens: Int32Array | undefined;
}

const MAX_NODES = 16; // of an n-gram draft
const MAX_FORCED = 64; // tokens of a text that a grammar forces
const MAX_DRAFT = 80; // TG_MAX_DRAFT
const UNKNOWN_COST = 0.3; // of a further token, in batches with one token, before it was measured
// 'auto' looks at this many drafts before it stops proposing, first for MIN_PAUSE steps.
const MIN_DRAFTS = 4;
const MIN_PAUSE = 16;
const MAX_PAUSE = 512;

/**
 * A measurement with a new one: other programs make a batch seem slow, nothing makes one seem fast.
 */
const smoothed = (old: number, now: number) => old + (now < old ? 0.3 : 0.1) * (now - old);

/** One session's drafts so far. */
interface Record {
  source: DraftSource;
  /** Whether there is a draft that was not dropped. */
  drafted: boolean;
  /** Of the last draft. */
  proposed: number;
  accepted: number;
  /** What drafts of 'auto' gained on average, in batches. */
  gain: number;
  drafts: number;
  /** Steps until 'auto' proposes again, and how many there are the next time. */
  pause: number;
  next_pause: number;
}

export class Speculation {
  readonly #engine: Engine;
  readonly #sessions: Sessions;
  readonly #grammars: Grammars;
  readonly #records = new Map<number, Record>(); // by session
  #plainMs = 0; // what a batch with one token takes; 0: not measured yet
  // what a batch with n tokens more takes, in batches with one token
  readonly #costs = Float32Array.from({ length: MAX_DRAFT + 1 }, (_, n) => 1 + n * UNKNOWN_COST);
  #impossible = false; // the architecture has recurrent states

  constructor(engine: Engine, sessions: Sessions, grammars: Grammars) {
    this.#engine = engine;
    this.#sessions = sessions;
    this.#grammars = grammars;
  }

  /** Learns from a batch of one session that had one token to run. */
  measure({ ms, rows }: BatchReport): void {
    if (rows === 1) this.#plainMs = this.#plainMs ? smoothed(this.#plainMs, ms) : ms;
    else if (this.#plainMs && rows < this.#costs.length + 1)
      this.#costs[rows - 1] = smoothed(this.#costs[rows - 1]!, ms / this.#plainMs);
  }

  #record(number: number): Record {
    let record = this.#records.get(number);
    if (!record) {
      const none = { drafted: false, proposed: 0, accepted: 0, gain: 0, drafts: 0, pause: 0 };
      record = { source: 'ngram', ...none, next_pause: MIN_PAUSE };
      this.#records.set(number, record);
    }
    return record;
  }

  /** Forgets a session. */
  forget(number: number): void {
    this.#records.delete(number);
  }

  /**
   * Proposes tokens for the next batch of the session. text: the number of the grammar's text that
   * its generation follows. Throws OPTION_UNSUPPORTED where the architecture has recurrent states.
   */
  propose(number: number, request: SpeculateRequest, text: number | undefined): void {
    const session = this.#sessions.address(number);
    const optional = request.method === 'grammar' || request.method === 'auto';
    if (this.#sessions.hasEdits(number)) {
      if (optional) return;
      throw new TokenglassError(
        'OPTION_UNSUPPORTED',
        `speculate: '${request.method}' is not possible in a session with edits`,
      );
    }
    if (this.#engine.sessionPending(session) !== 1 || this.#sessions.isInBatch(number)) return;
    if (this.#impossible && optional) return;
    const record = this.#record(number);
    try {
      record.drafted = this.#propose(session, record, request, text) > 0;
    } catch (error) {
      const unsupported = error instanceof TokenglassError && error.code === 'OPTION_UNSUPPORTED';
      if (!unsupported || !optional) throw error;
      this.#impossible = true;
    }
  }

  /** Returns how many tokens it proposes. */
  #propose(
    session: number,
    record: Record,
    { method, tree, tokens }: SpeculateRequest,
    text: number | undefined,
  ): number {
    if (text !== undefined) {
      record.source = 'grammar';
      const state = this.#grammars.textState(text);
      const n = this.#engine.sessionDraftForced({ session, state, max_nodes: MAX_FORCED });
      if (n > 0) return n;
    }
    if (method === 'grammar' || (method === 'auto' && this.#isPaused(record))) return 0;
    record.source = method === 'auto' ? 'ngram' : method;
    if (record.source === 'draft') return tokens ? this.#proposeChain(session, tokens) : 0;
    const isNgram = record.source === 'ngram';
    const max_nodes = isNgram ? MAX_NODES : MAX_DRAFT;
    const propose = (costs: number) =>
      isNgram
        ? this.#engine.sessionDraftNgram({ session, max_nodes, costs })
        : this.#engine.sessionDraftRecycling({ session, tree, max_nodes, costs });
    if (!isNgram && tree > 0) return propose(0); // the whole tree, as in the paper
    return this.#engine.withMemory((memory) =>
      propose(memory.float32s(this.#costs.subarray(0, max_nodes + 1))),
    );
  }

  #proposeChain(session: number, tokens: Int32Array): number {
    this.#engine.withMemory((memory) =>
      this.#engine.sessionDraft({
        session,
        tokens: memory.int32s(tokens),
        parents: memory.int32s(Int32Array.from(tokens, (_, i) => i - 1)),
        n: tokens.length,
      }),
    );
    return tokens.length;
  }

  /** Whether drafts did not pay of late. Looks at the last draft. */
  #isPaused(record: Record): boolean {
    if (record.proposed > 0) {
      const gain = record.accepted - (this.#costs[record.proposed]! - 1);
      record.gain += (gain - record.gain) / Math.min(++record.drafts, 2 * MIN_DRAFTS);
      record.proposed = 0;
      if (record.drafts >= MIN_DRAFTS && record.gain <= 0) {
        record.pause = record.next_pause;
        record.next_pause = Math.min(2 * record.next_pause, MAX_PAUSE);
        record.drafts = record.gain = 0;
      } else if (record.gain > 0) {
        record.next_pause = MIN_PAUSE;
      }
    }
    return record.pause > 0 && record.pause-- > 0;
  }

  /** What speculation did for the step that is about to be made; undefined: nothing. */
  used(number: number): StepDraft | undefined {
    const record = this.#records.get(number);
    if (!record?.drafted) return undefined;
    const { proposed, accepted } = this.#engine.sessionDraftUse(this.#sessions.address(number));
    record.drafted = proposed > 0;
    if (proposed === 0) return undefined;
    record.proposed = proposed;
    record.accepted = accepted;
    return accepted > 0
      ? { source: record.source, proposed: 0, accepted: 1 }
      : { source: record.source, proposed, accepted: 0 };
  }
}
