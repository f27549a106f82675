/** Measures of a text: the score of each token, and embeddings. */
import { TokenglassError } from '../types/errors.js';
import { checkListed } from '../types/listed.js';
import type { Alternative, TokenScore } from '../types/types.js';
import type { Engine } from './engine.js';
import { SCORE_BYTES, TOP_BYTES } from './generated-boundary.js';
import type { Scheduler } from './scheduler.js';
import type { Sessions } from './sessions.js';
import type { Vocabulary } from './vocabulary.js';

/** How to score a text. */
export interface ScoreRequest {
  /** Most probable tokens to list at each position. */
  top_n: number;
  /** Tokens that each window after the first scores; 0: half of the context. */
  stride: number;
}

/** What Scoring needs to know of the model. */
interface ModelSizes {
  n_ctx: number;
  n_embd: number;
  bos: number | undefined;
}

export class Scoring {
  readonly #engine: Engine;
  readonly #scheduler: Scheduler;
  readonly #sessions: Sessions;
  readonly #vocabulary: Vocabulary;
  readonly #sizes: ModelSizes;

  constructor(
    engine: Engine,
    scheduler: Scheduler,
    sessions: Sessions,
    vocabulary: Vocabulary,
    sizes: ModelSizes,
  ) {
    this.#engine = engine;
    this.#scheduler = scheduler;
    this.#sessions = sessions;
    this.#vocabulary = vocabulary;
    this.#sizes = sizes;
  }

  /**
   * Scores a text. One that is longer than the context is scored in windows; each window begins
   * with the text's BOS.
   */
  async score(
    ids: Int32Array,
    { top_n, stride }: ScoreRequest,
    signal: AbortSignal,
  ): Promise<TokenScore[]> {
    checkListed(ids.length, top_n);
    const { n_ctx, bos } = this.#sizes;
    const n_bos = ids[0] === bos ? 1 : 0;
    const step = Math.min(stride || Math.ceil(n_ctx / 2), n_ctx - 1 - n_bos);
    if (ids.length > n_ctx && step < 1) {
      throw new TokenglassError(
        'CONTEXT_FULL',
        `a context of ${n_ctx} is too small for windows over ${ids.length} tokens`,
      );
    }
    const scores: TokenScore[] = [];
    await this.#sessions.withTemporary(
      (number) => this.#sessions.create(number),
      async (number) => {
        let end = Math.min(n_ctx, ids.length); // of the window
        for (let start = 0; start < ids.length; end = Math.min(end + step, ids.length)) {
          if (start > 0) {
            // the window's context: as many of the tokens before it as fit
            const context = ids.slice(Math.max(end - n_ctx, 0), start);
            context.set(ids.subarray(0, n_bos));
            this.#sessions.sync(number, context);
            await this.#sessions.whenReady(number, signal, () => undefined);
          }
          scores.push(...(await this.#scoreInParts(number, ids.slice(start, end), top_n, signal)));
          start = end;
        }
      },
    );
    return scores;
  }

  /**
   * Appends the tokens to a session and scores them. After an abort the session has the tokens that
   * were scored before.
   */
  async append(
    number: number,
    ids: Int32Array,
    top_n: number,
    signal: AbortSignal,
  ): Promise<TokenScore[]> {
    checkListed(ids.length, top_n);
    const { n_ctx } = this.#sizes;
    const n = this.#sessions.length(number);
    if (ids.length > n_ctx - n)
      throw new TokenglassError(
        'CONTEXT_FULL',
        `${ids.length} more tokens do not fit: ${n} of ${n_ctx} positions are taken`,
      );
    // before the first part is scored
    for (const id of new Set(ids)) this.#vocabulary.token(id);
    if (ids.length === 0) return [];
    await this.#sessions.whenReady(number, signal, () => undefined);
    return this.#scoreInParts(number, ids, top_n, signal);
  }

  /** Scores tokens that follow a session's tokens, and lets other work run between the parts. */
  async #scoreInParts(
    number: number,
    ids: Int32Array,
    top_n: number,
    signal: AbortSignal,
  ): Promise<TokenScore[]> {
    const scores: TokenScore[] = [];
    while (scores.length < ids.length) {
      await this.#scheduler.yieldIfDue(signal);
      const start = scores.length;
      const part = ids.subarray(start, start + this.#scheduler.scorePortion);
      await this.#scheduler.runBatch(signal, () => {
        scores.push(...this.#scorePart(number, part, top_n));
      });
    }
    return scores;
  }

  #scorePart(number: number, ids: Int32Array, top_n: number): TokenScore[] {
    const n = ids.length;
    return this.#engine.withMemory((memory) => {
      const call = {
        session: this.#sessions.address(number),
        tokens: memory.int32s(ids),
        n,
        top_n,
        scores: memory.alloc(n * SCORE_BYTES),
        tops: top_n ? memory.alloc(n * top_n * TOP_BYTES) : 0,
      };
      this.#scheduler.measureScoring(n, () => this.#engine.sessionScore(call));
      return Array.from(ids, (_, i) => {
        const { token, logprob, rank, entropy, top_mass, tied } = this.#engine.readScore(
          call.scores + i * SCORE_BYTES,
        );
        const top = Array.from({ length: top_n }, (_, k) =>
          this.#engine.readTop(call.tops + (i * top_n + k) * TOP_BYTES),
        ).filter((record) => record.token >= 0);
        return {
          ...this.#named(token, logprob),
          rank,
          entropy,
          top_mass,
          tied,
          top: top.map((record) => this.#named(record.token, record.logprob)),
        };
      });
    });
  }

  #named(token: number, logprob: number): Alternative {
    const { text, bytes } = this.#vocabulary.token(token);
    return { token, text, bytes, logprob };
  }

  /** The mean or the last of the text's last hidden states: n_embd numbers. */
  async embed(
    ids: Int32Array,
    mean: boolean,
    normalize: boolean,
    signal: AbortSignal,
  ): Promise<Float32Array> {
    if (ids.length === 0)
      throw new TokenglassError('SESSION_EMPTY', 'a text without tokens has no embedding');
    const sum = new Float64Array(this.#sizes.n_embd);
    await this.#sessions.withTemporary(
      (number) => this.#sessions.create(number),
      async (number) => {
        for (let start = 0; start < ids.length;) {
          await this.#scheduler.yieldIfDue(signal);
          const part = ids.subarray(start, start + this.#scheduler.scorePortion);
          await this.#scheduler.runBatch(signal, () => this.#addStates(number, part, mean, sum));
          start += part.length;
        }
      },
    );
    let divisor = mean ? ids.length : 1;
    if (normalize) divisor = Math.sqrt(sum.reduce((squares, x) => squares + x * x, 0));
    return Float32Array.from(sum, (x) => x / (divisor || 1));
  }

  /** The tokens' rows of the output matrix, n_embd numbers each. */
  outputRows(ids: Int32Array): Float32Array {
    const length = ids.length * this.#sizes.n_embd;
    return this.#engine.withMemory((memory) => {
      const rows = memory.alloc(length * Float32Array.BYTES_PER_ELEMENT);
      this.#engine.modelOutputRows({ tokens: memory.int32s(ids), n: ids.length, rows });
      return this.#engine.float32s(rows, length).slice();
    });
  }

  /** Adds the hidden states of a part of the text to the sum, or keeps only the last one. */
  #addStates(number: number, ids: Int32Array, mean: boolean, sum: Float64Array): void {
    const n = ids.length;
    const n_embd = sum.length;
    this.#engine.withMemory((memory) => {
      const call = {
        session: this.#sessions.address(number),
        tokens: memory.int32s(ids),
        n,
        states: memory.alloc(n * n_embd * Float32Array.BYTES_PER_ELEMENT),
      };
      this.#scheduler.measureScoring(n, () => this.#engine.sessionHiddenStates(call));
      const states = this.#engine.float32s(call.states, n * n_embd);
      if (!mean) sum.set(states.subarray((n - 1) * n_embd));
      else states.forEach((x, i) => (sum[i % n_embd]! += x));
    });
  }
}
