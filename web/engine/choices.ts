/** The choice of a session's next token: listing the candidates, choosing, explaining. */
import { TokenglassError } from '../types/errors.js';
import type {
  Divergence,
  Explanation,
  FoundToken,
  StageTable,
  Step,
  StepTrace,
} from '../types/types.js';
import { divergenceOf } from './divergence.js';
import type { Distributions } from './divergence.js';
import type { Engine } from './engine.js';
import type { Grammars } from './grammars.js';
import type { Sampled, SampleRequest, Sampling } from './sampling.js';
import type { Sessions } from './sessions.js';
import type { TableRequest } from './stage-table.js';
import { Speculation } from './speculation.js';
import type { SpeculateRequest } from './speculation.js';
import type { Vocabulary } from './vocabulary.js';

export interface StepResult extends Omit<Step, 'text'> {
  /** The bytes without the space that a tokenizer puts before a text, if the text begins here. */
  textBytes: Uint8Array;
  /** The token's probability after the last stage. */
  p_final: number;
  /** Whether the grammar of the request says that nothing can follow. */
  ended: boolean;
  /** Tokens at the beginning that a shift left. */
  kept: number;
  /** Tokens to run before the next choice; 0: a draft had the token. */
  pending: number;
}

/**
 * What a step does with a full context. undefined: it fails; a number: the window slides and so
 * many tokens at the beginning stay; -1: BOS stays.
 */
export type Overflow = number | undefined;

/** The choice that a request makes at the end of a session. */
export interface SessionChoice {
  number: number;
  request: SampleRequest;
}

/** The last choice of a session, for explain(). */
interface LastChoice {
  request: SampleRequest;
  position: number;
  /** If the window slid after it: the temporary session that has the tokens from before. */
  before: number | undefined;
}

/** What a shift of the window did. */
interface Shift {
  shifted: number;
  kept: number;
  before: number | undefined;
}

export class Choices {
  readonly #engine: Engine;
  readonly #sessions: Sessions;
  readonly #sampling: Sampling;
  readonly #vocabulary: Vocabulary;
  readonly #grammars: Grammars;
  readonly #speculation: Speculation;
  readonly #n_ctx: number;
  readonly #bos: number | undefined;
  readonly #last = new Map<number, LastChoice>(); // by session

  constructor(
    engine: Engine,
    sessions: Sessions,
    sampling: Sampling,
    vocabulary: Vocabulary,
    grammars: Grammars,
    { n_ctx, bos }: { n_ctx: number; bos: number | undefined },
  ) {
    this.#engine = engine;
    this.#sessions = sessions;
    this.#sampling = sampling;
    this.#vocabulary = vocabulary;
    this.#grammars = grammars;
    this.#speculation = new Speculation(engine, sessions, grammars);
    sessions.onBatch = (batch) => this.#speculation.measure(batch);
    this.#n_ctx = n_ctx;
    this.#bos = bos;
  }

  #remember(number: number, choice: LastChoice | undefined): void {
    const before = this.#last.get(number)?.before;
    this.#last.delete(number);
    if (choice) this.#last.set(number, choice);
    if (before !== undefined) this.#sessions.dispose(before);
  }

  /** Forgets the last choice of a session. */
  forget(number: number): void {
    this.#speculation.forget(number);
    this.#remember(number, undefined);
  }

  /**
   * Makes the choice of the last of a session's first n tokens the last choice of another session.
   * The request is that of the session's last choice.
   */
  adopt(number: number, from: number, n: number): void {
    const last = this.#last.get(from);
    const position = this.#sessions.discarded(from) + n - 1;
    this.#remember(number, last && { request: last.request, position, before: undefined });
  }

  /**
   * Forgets the last choice if it came after the session's first n tokens: others are there now.
   */
  forgetAfter(number: number, n: number): void {
    const position = this.#last.get(number)?.position ?? 0;
    if (position > this.#sessions.discarded(number) + n) this.forget(number);
  }

  /** The request with the tokens that its grammar allows now. */
  #restricted(number: number, request: SampleRequest): SampleRequest {
    if (!request.grammar) return request;
    const { at, number: named } = request.grammar;
    const tokens =
      at === 'text'
        ? this.#grammars.textMask(named)
        : this.#grammars.startMask(named, !this.hasText(number));
    const grammar = { tokens, values: undefined };
    return { ...request, grammar: undefined, lists: { ...request.lists, grammar } };
  }

  /** The next choice, without making it. */
  candidates(number: number, unrestricted: SampleRequest, signal: AbortSignal): Promise<StepTrace> {
    return this.#sessions.whenReady(number, signal, () => {
      const request = this.#restricted(number, unrestricted);
      const { trace } = this.#sampling.traced(this.#sessions.address(number), request);
      this.#remember(number, { request, position: trace.position, before: undefined });
      return trace;
    });
  }

  /** The table of the next choice, without making the choice. */
  table(
    number: number,
    unrestricted: SampleRequest,
    table: TableRequest,
    signal: AbortSignal,
  ): Promise<StageTable> {
    return this.#sessions.whenReady(number, signal, () => {
      const request = this.#restricted(number, unrestricted);
      const made = this.#sampling.table(this.#sessions.address(number), request, table);
      this.#remember(number, { request, position: made.position, before: undefined });
      return made;
    });
  }

  /** The most probable tokens that match a query. */
  find(number: number, query: string, limit: number, signal: AbortSignal): Promise<FoundToken[]> {
    return this.#sessions.whenReady(number, signal, () =>
      this.#sampling.find(this.#sessions.address(number), query, limit),
    );
  }

  /** The distributions of a choice. */
  distributions({ number, request }: SessionChoice, signal: AbortSignal): Promise<Distributions> {
    return this.#sessions.whenReady(number, signal, () =>
      this.#sampling.distributions(
        this.#sessions.address(number),
        this.#restricted(number, request),
      ),
    );
  }

  /** The entropy in nats of a choice after the last stage. */
  finalEntropy(number: number, request: SampleRequest, signal: AbortSignal): Promise<number> {
    return this.#sessions.whenReady(number, signal, () =>
      this.#sampling.finalEntropy(
        this.#sessions.address(number),
        this.#restricted(number, request),
      ),
    );
  }

  /** The divergence of a choice from another one, or from the distributions of another model's. */
  async divergence(
    choice: SessionChoice,
    other: SessionChoice | Distributions,
    signal: AbortSignal,
  ): Promise<Divergence> {
    const a = await this.distributions(choice, signal);
    const b = 'number' in other ? await this.distributions(other, signal) : other;
    return divergenceOf(a, b);
  }

  /** Makes the next choice. */
  step(
    number: number,
    unrestricted: SampleRequest,
    traced: boolean,
    overflow: Overflow,
    speculate: SpeculateRequest | undefined,
    signal: AbortSignal,
  ): Promise<StepResult> {
    const { grammar } = unrestricted;
    const text = grammar?.at === 'text' ? grammar.number : undefined;
    if (speculate) this.#speculation.propose(number, speculate, text);
    return this.#sessions.whenReady(number, signal, () => {
      const session = this.#sessions.address(number);
      const request = this.#restricted(number, unrestricted);
      const choice: Sampled & { trace?: StepTrace } = traced
        ? this.#sampling.traced(session, request)
        : this.#sampling.sample(session, { ...request, top_n: 0 });
      const { token, logprob, rank, entropy, position, p_final, traceAddress, trace } = choice;
      const { bytes, eog } = this.#vocabulary.token(token);
      const textBytes =
        bytes[0] === 0x20 && !this.hasText(number)
          ? this.#vocabulary.detokenize(Int32Array.of(token))
          : bytes;
      const draft = speculate && this.#speculation.used(number);
      const ended = text !== undefined && this.#grammars.accept(text, token);
      const { before, shifted, kept } = this.#shiftIfFull(number, overflow);
      this.#remember(number, { request, position, before });
      this.#engine.sessionAccept({ session, trace: traceAddress });
      return {
        token,
        bytes,
        textBytes,
        p_final,
        ended,
        logprob,
        rank,
        entropy,
        position,
        eog,
        shifted,
        kept,
        trace,
        ...(draft && { draft }),
        pending: this.#sessions.pending(number),
      };
    });
  }

  /**
   * Slides the window of a session with a full context: the older half of what may go is discarded.
   */
  #shiftIfFull(number: number, overflow: Overflow): Shift {
    if (overflow === undefined || this.#sessions.length(number) < this.#n_ctx)
      return { shifted: 0, kept: 0, before: undefined };
    const tokens = this.#sessions.tokens(number);
    const n_keep = overflow >= 0 ? overflow : tokens[0] === this.#bos ? 1 : 0;
    const kept = Math.min(n_keep, tokens.length - 1);
    const shifted = Math.ceil((tokens.length - kept) / 2);
    const before = this.#sessions.newTemporaryNumber();
    this.#sessions.fork(number, before);
    // the fork keeps its logits, which are enough for explain()
    this.#engine.sessionReleaseCache(this.#sessions.address(before));
    this.#engine.sessionShift({
      session: this.#sessions.address(number),
      n_keep: kept,
      n_discard: shifted,
    });
    return { shifted, kept, before };
  }

  /** Whether the session's tokens have any text; usually the second token has. */
  hasText(number: number): boolean {
    return this.#sessions.tokens(number).some((id) => this.#vocabulary.token(id).bytes.length > 0);
  }

  /**
   * What became of a token in a choice: in the session's last choice, or in the choice that the
   * request makes at `position`. explicit: the request comes before that of the last choice.
   */
  explain(
    number: number,
    token: number,
    request: SampleRequest,
    explicit: boolean,
    position: number | undefined,
    signal: AbortSignal,
  ): Promise<Explanation> {
    const last = this.#last.get(number);
    const usedRequest = explicit ? request : (last?.request ?? request);
    const usedPosition = position ?? (explicit ? undefined : last?.position);
    const from = usedPosition === last?.position ? (last?.before ?? number) : number;
    const discarded = this.#sessions.discarded(from);
    const n = usedPosition === undefined ? this.#sessions.length(from) : usedPosition - discarded;
    return this.#sessions.withTemporary(
      (fork) => void this.#sessions.fork(from, fork),
      async (fork) => {
        this.#sessions.rewind(fork, Math.max(n, 0));
        // the position, or tokens before it, slid out of the window
        if (n < 0 || this.#sessions.discarded(fork) !== discarded)
          throw new TokenglassError(
            'POSITION_OUT_OF_RANGE',
            `position ${usedPosition} is not in the window: ${discarded} tokens were discarded`,
          );
        return this.#sessions.whenReady(fork, signal, () =>
          this.#sampling.explain(
            this.#sessions.address(fork),
            this.#restricted(fork, usedRequest),
            token,
          ),
        );
      },
    );
  }
}
