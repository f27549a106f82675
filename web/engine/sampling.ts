/**
 * Chooses a token and reads the trace of the choice. The engine keeps what a choice left behind
 * until it samples again: everything is read before anything else can run.
 */
import { stages } from '../types/generated-stages.js';
import type { StageListName } from '../types/generated-stages.js';
import type {
  Candidate,
  Explanation,
  FoundToken,
  StageTable,
  StageTrace,
  Step,
  StepTrace,
} from '../types/types.js';
import type { Distributions } from './divergence.js';
import type { CallMemory, Engine } from './engine.js';
import { findTokens } from './find-tokens.js';
import type { GrammarUse } from './grammars.js';
import { CANDIDATE_BYTES, LIST_BYTES, STAGE_TRACE_BYTES } from './generated-boundary.js';
import type { ChoiceRecord } from './generated-boundary.js';
import { wordsOf } from './snapshot.js';
import { entropyOf, ranksOf, tableOf } from './stage-table.js';
import type { DenseChoice, TableRequest } from './stage-table.js';
import type { Vocabulary } from './vocabulary.js';

export interface TokenList {
  tokens: Int32Array;
  values: Float32Array | undefined;
}

/** A sampling request with every default filled in. */
export interface SampleRequest {
  /** A number for each option of the stages, in the order of the list. */
  options: number[];
  /** Indexes into stages. */
  order: number[];
  lists: Record<Exclude<StageListName, 'dry_sequence_breakers'>, TokenList>;
  /** A grammar whose tokens take the place of the list. */
  grammar: GrammarUse | undefined;
  /** Texts that end a repetition for dry. */
  breakers: string[];
  seed: bigint;
  sample_index: number;
  /** How many candidates to list. */
  top_n: number;
  /** Whether to list all removed tokens of each stage. */
  all_removed: boolean;
}

export interface Sampled extends Pick<Step, 'token' | 'logprob' | 'rank' | 'entropy' | 'position'> {
  /** Probability after the last stage. */
  p_final: number;
  /** The address of the engine's trace, for sessionAccept. */
  traceAddress: number;
}

const listNames = stages.flatMap(({ lists }) => lists);

/** The index of the first option of each stage among the options of all stages. */
const firstOptions = stages.map((_, index) =>
  stages.slice(0, index).reduce((sum, { options }) => sum + options.length, 0),
);

const noTokens: TokenList = { tokens: new Int32Array(), values: undefined };

/** A request for the numbers before any stage. It keeps one token, so that little is sorted. */
const bestOnly: SampleRequest = {
  options: stages.flatMap(({ options }) =>
    options.map((option) => (option.name === 'top_k' ? 1 : option.default)),
  ),
  order: [stages.findIndex(({ name }) => name === 'top_k')],
  lists: {
    logit_bias: noTokens,
    allowed_tokens: noTokens,
    banned_tokens: noTokens,
    grammar: noTokens,
  },
  grammar: undefined,
  breakers: [],
  seed: 0n,
  sample_index: 0,
  top_n: 0,
  all_removed: false,
};

export class Sampling {
  readonly #engine: Engine;
  readonly #vocabulary: Vocabulary;
  readonly #n_vocab: number;

  constructor(engine: Engine, vocabulary: Vocabulary, n_vocab: number) {
    this.#engine = engine;
    this.#vocabulary = vocabulary;
    this.#n_vocab = n_vocab;
  }

  /** Writes the lists of a request; returns their address. */
  #writeLists(memory: CallMemory, request: SampleRequest): number {
    const breakers = { tokens: this.#vocabulary.breakers(request.breakers), values: undefined };
    const lists = memory.alloc(listNames.length * LIST_BYTES);
    for (const [index, name] of listNames.entries()) {
      const { tokens, values } = name === 'dry_sequence_breakers' ? breakers : request.lists[name];
      this.#engine.writeList(lists + index * LIST_BYTES, {
        tokens: memory.int32s(tokens),
        values: values ? memory.float32s(values) : 0,
        n: tokens.length,
      });
    }
    return lists;
  }

  #choose(session: number, request: SampleRequest): ChoiceRecord {
    return this.#engine.withMemory((memory) => this.#chooseIn(memory, session, request, 0));
  }

  /** after: 0, or memory for the probabilities after each stage. */
  #chooseIn(
    memory: CallMemory,
    session: number,
    request: SampleRequest,
    after: number,
  ): ChoiceRecord {
    const { options, order, seed, sample_index, top_n } = request;
    const [seed_low, seed_high] = wordsOf(seed);
    return this.#engine.sessionSample({
      session,
      options: memory.float64s(options),
      lists: this.#writeLists(memory, request),
      order: memory.bytes(order),
      n_order: order.length,
      seed_low,
      seed_high,
      sample_index,
      top_n,
      after,
    });
  }

  sample(session: number, request: SampleRequest): Sampled {
    return this.#sampled(this.#choose(session, request));
  }

  #sampled(choice: ChoiceRecord): Sampled {
    const { token, logprob, rank, entropy, position, trace } = choice;
    const p_final = this.#engine.float64s(choice.p_final, this.#n_vocab)[token]!;
    return { token, logprob, rank, entropy, position, p_final, traceAddress: trace };
  }

  traced(session: number, request: SampleRequest): Sampled & { trace: StepTrace } {
    const choice = this.#choose(session, request);
    const { token, position, u, low, high, other, entropy, mu } = choice;
    const stageTraces = this.#stageTraces(choice, request.options);
    const candidates = this.#candidates(choice, stageTraces);
    const removedBy = this.#engine.int8s(choice.removed_by, this.#n_vocab);
    const list = (id: number) => stageTraces[removedBy[id]!]?.removed_tokens.push(id);
    if (request.all_removed) for (let id = 0; id < this.#n_vocab; id++) list(id);
    else for (const { token } of candidates) list(token);
    return {
      ...this.#sampled(choice),
      trace: {
        candidates,
        stages: stageTraces,
        draw: { u, low, high, token },
        other,
        entropy,
        n_vocab: this.#n_vocab,
        position,
        mu: Number.isNaN(mu) ? undefined : mu,
      },
    };
  }

  /** The table of a choice. Throws TOKEN_OUT_OF_RANGE. */
  table(session: number, request: SampleRequest, table: TableRequest): StageTable {
    for (const token of table.tokens) this.#vocabulary.token(token);
    const { order, options } = request;
    const columnBytes = this.#n_vocab * Float64Array.BYTES_PER_ELEMENT;
    const { choice, made } = this.#engine.withMemory((memory) => {
      const after = memory.alloc(order.length * columnBytes);
      const choice = this.#chooseIn(memory, session, { ...request, top_n: 0 }, after);
      const made = tableOf(
        {
          ...this.#dense(choice),
          after: order.map((_, stage) =>
            this.#engine.float64s(after + stage * columnBytes, this.#n_vocab),
          ),
        },
        table,
      );
      return { choice, made };
    });
    const stageTraces = this.#stageTraces(choice, options);
    for (const { token, removed_by } of made.rows)
      stageTraces[removed_by]?.removed_tokens.push(token);
    const nameOf = (removed_by: number) => stageTraces[removed_by]?.name;
    return {
      position: choice.position,
      n_vocab: this.#n_vocab,
      draw: { u: choice.u, low: choice.low, high: choice.high, token: choice.token },
      stages: stageTraces,
      entropy: choice.entropy,
      entropy_final: made.entropy_final,
      rows: made.rows.map(({ token, removed_by, ...row }) => {
        const { text, bytes } = this.#vocabulary.token(token);
        return { token, text, bytes, ...row, removed_by: nameOf(removed_by) };
      }),
      groups: made.groups.map((group) => ({ ...group, removed_by: nameOf(group.removed_by) })),
    };
  }

  /** The most probable tokens that match a query. */
  find(session: number, query: string, limit: number): FoundToken[] {
    const texts = this.#vocabulary.lowerTexts(this.#n_vocab);
    const { logits, p } = this.#dense(this.#choose(session, bestOnly));
    const tokens = findTokens(texts, query, limit, logits);
    const ranks = ranksOf(
      tokens.map((token) => logits[token]!),
      logits,
    );
    return tokens
      .map((token, i) => ({ token, logit: logits[token]!, p: p[token]!, rank: ranks[i]! }))
      .map(({ token, ...numbers }) => {
        const { text, bytes } = this.#vocabulary.token(token);
        return { token, text, bytes, ...numbers };
      });
  }

  /** The distributions of a choice: copies. */
  distributions(session: number, request: SampleRequest): Distributions {
    const choice = this.#choose(session, { ...request, top_n: 0 });
    const { logits, p_final, removed_by } = this.#dense(choice);
    const log_total = logits[choice.token]! - choice.logprob;
    const copies = {
      logprobs: new Float64Array(this.#n_vocab),
      p_final: new Float64Array(this.#n_vocab),
    };
    for (let id = 0; id < this.#n_vocab; id++) {
      copies.logprobs[id] = logits[id]! - log_total;
      if (removed_by[id]! < 0) copies.p_final[id] = p_final[id]!;
    }
    return copies;
  }

  /** The entropy in nats of a choice after the last stage. */
  finalEntropy(session: number, request: SampleRequest): number {
    const { p_final, removed_by } = this.#dense(this.#choose(session, { ...request, top_n: 0 }));
    const kept = new Int32Array(this.#n_vocab);
    let n = 0;
    for (let id = 0; id < this.#n_vocab; id++) if (removed_by[id]! < 0) kept[n++] = id;
    return entropyOf(p_final, kept.subarray(0, n));
  }

  /** Views of a choice over the whole vocabulary, until the next choice. */
  #dense(choice: ChoiceRecord): Omit<DenseChoice, 'after'> {
    return {
      logits: this.#engine.float32s(choice.logits, this.#n_vocab),
      p: this.#engine.float64s(choice.p, this.#n_vocab),
      p_final: this.#engine.float64s(choice.p_final, this.#n_vocab),
      removed_by: this.#engine.int8s(choice.removed_by, this.#n_vocab),
      drawn: choice.token,
    };
  }

  /** What became of one token in a choice. Throws TOKEN_OUT_OF_RANGE. */
  explain(session: number, request: SampleRequest, token: number): Explanation {
    const { text, bytes } = this.#vocabulary.token(token);
    const choice = this.#choose(session, { ...request, top_n: 0 });
    const removedBy = this.#engine.int8s(choice.removed_by, this.#n_vocab)[token]!;
    const remover = this.#stageTraces(choice, request.options)[removedBy];
    const p_final = this.#engine.float64s(choice.p_final, this.#n_vocab)[token]!;
    const logits = this.#engine.float32s(choice.logits, this.#n_vocab);
    const logit = logits[token]!;
    return {
      token,
      text,
      bytes,
      logit,
      p: this.#engine.float64s(choice.p, this.#n_vocab)[token]!,
      rank: logits.reduce((n, other) => n + Number(other > logit), 0),
      p_final: remover ? 0 : p_final,
      fate: remover
        ? { type: 'removed', stage: remover.name, reason: remover.reason }
        : { type: choice.token === token ? 'drawn' : 'kept' },
      position: choice.position,
    };
  }

  #stageTraces({ stages: address, n_stages }: ChoiceRecord, options: number[]): StageTrace[] {
    return Array.from({ length: n_stages }, (_, i) => {
      const record = this.#engine.readStageTrace(address + i * STAGE_TRACE_BYTES);
      const stage = stages[record.stage]!;
      const first = firstOptions[record.stage]!;
      return {
        name: stage.name,
        params: Object.fromEntries(
          stage.options.map(({ name }, option) => [name, options[first + option] ?? NaN]),
        ),
        kept: record.kept,
        removed: record.removed,
        mass_before: record.mass_before,
        mass_after: record.mass_after,
        threshold: record.threshold,
        coin: Number.isNaN(record.coin) ? undefined : record.coin,
        reason: record.reason,
        removed_tokens: [],
      } as unknown as StageTrace; // TypeScript cannot tell that params belong to the stage
    });
  }

  #candidates(choice: ChoiceRecord, stageTraces: StageTrace[]): Candidate[] {
    // all are read before the vocabulary calls the engine
    const records = Array.from({ length: choice.n_candidates }, (_, i) =>
      this.#engine.readCandidate(choice.candidates + i * CANDIDATE_BYTES),
    );
    return records.map(({ token, logit, p, p_final, removed_by }) => {
      const { text, bytes } = this.#vocabulary.token(token);
      return { token, text, bytes, logit, p, p_final, removed_by: stageTraces[removed_by]?.name };
    });
  }
}
