/** A choice and its account: in, a session's handle and a request; out, plain data. It reads what the engine's sampler left before anything else can run. */
import type { Engine } from './engine.js';
import { stages } from '../types/generated.js';
import type { StageListName, StageName } from '../types/generated.js';
import type { Candidate, Explanation, StageTrace, StepTrace } from '../types/types.js';
import type { Vocabulary } from './vocabulary.js';

export interface TokenList {
  tokens: Int32Array;
  values: Float32Array | undefined;
}

/** A sampling request with every number filled in: one for each option of the list, and the stages' numbers in order. */
export interface SampleRequest {
  options: number[];
  order: number[];
  lists: Record<Exclude<StageListName, 'dry_sequence_breakers'>, TokenList>;
  /** Texts that end a repetition. */
  breakers: string[];
  /** The seed's lower and upper 32 bits. */
  seed: [number, number];
  sample_index: number;
  top_n: number;
  all_removed: boolean;
}

/** A session's last choice. before: when its window slid right after it, a session of our own that has the tokens and logits it was made from. */
export interface LastChoice {
  request: SampleRequest;
  position: number;
  before: number | undefined;
}

/** What the engine says of a choice, and where it has the rest of it. */
interface Choice {
  token: number;
  logprob: number;
  draw: { u: number; low: number; high: number; token: number };
  other: number;
  entropy: number;
  mu: number;
  n: number;
  candidatesAt: number;
  n_stages: number;
  traceAt: number;
  position: number;
  fatesAt: number;
  pAt: number;
  finalAt: number;
  logitsAt: number;
}

export interface Sampled {
  token: number;
  logprob: number;
  rank: number;
  entropy: number;
  position: number;
  /** The engine's own account, for session_take. */
  traceAt: number;
}

const CANDIDATE_BYTES = 32;
const LIST_BYTES = 12;
const listNames = stages.flatMap(({ lists }) => lists);

export class Sampling {
  readonly #engine: Engine;
  readonly #model: number;
  readonly #vocabulary: Vocabulary;
  readonly #n_vocab: number;

  constructor(engine: Engine, model: number, vocabulary: Vocabulary, n_vocab: number) {
    this.#engine = engine;
    this.#model = model;
    this.#vocabulary = vocabulary;
    this.#n_vocab = n_vocab;
  }

  /** Chooses; what it read of the choice is valid until the engine samples again. */
  #choose(session: number, request: SampleRequest): Choice {
    const engine = this.#engine;
    const { options, order, seed, sample_index, top_n } = request;
    const breakers = { tokens: this.#vocabulary.breakers(request.breakers), values: undefined };
    const lists = listNames.map((name) =>
      name === 'dry_sequence_breakers' ? breakers : request.lists[name],
    );
    const listed = lists.reduce((sum, { tokens }) => sum + tokens.length, 0);
    const head = options.length * 8 + lists.length * LIST_BYTES;
    return engine.with(head + listed * 8 + order.length, (address) => {
      engine.f64(address, options.length).set(options);
      const listsAt = address + options.length * 8;
      let at = address + head;
      lists.forEach(({ tokens, values }, i) => {
        const n = tokens.length;
        engine.i32(at, n).set(tokens);
        if (values) engine.f32(at + 4 * n, n).set(values);
        engine.i32(listsAt + i * LIST_BYTES, 3).set([at, at + 4 * n, n]);
        at += 8 * n;
      });
      engine.bytes(at, order.length).set(order);
      const arrays = [address, listsAt, at, order.length];
      engine.check(
        this.#model,
        'session_sample',
        session,
        ...arrays,
        ...seed,
        sample_index,
        top_n,
        engine.out,
      );
      const [token = 0, logprob = 0, u = 0, low = 0, high = 0, other = 0, entropy = 0] =
        engine.results(7);
      const [mu = 0, n = 0, candidatesAt = 0, n_stages = 0, traceAt = 0, position = 0] = engine
        .results(14)
        .slice(8);
      const [fatesAt = 0, pAt = 0, finalAt = 0, logitsAt = 0] = engine.results(18).slice(14);
      const places = { n, candidatesAt, n_stages, traceAt, fatesAt, pAt, finalAt, logitsAt };
      return {
        token,
        logprob,
        draw: { u, low, high, token },
        other,
        entropy,
        mu,
        position,
        ...places,
      };
    });
  }

  sample(session: number, request: SampleRequest): Sampled {
    const choice = this.#choose(session, request);
    const { token, logprob, entropy, position, traceAt } = choice;
    return { token, logprob, rank: this.#rank(choice, token), entropy, position, traceAt };
  }

  traced(session: number, request: SampleRequest): Sampled & { trace: StepTrace } {
    const choice = this.#choose(session, request);
    const { token, logprob, position, traceAt, draw, other, entropy, mu } = choice;
    const kept = this.#stages(choice, request.options);
    const candidates = this.#candidates(choice, kept);
    if (request.all_removed) {
      const fates = new Int8Array(this.#engine.bytes(choice.fatesAt, this.#n_vocab).slice().buffer);
      fates.forEach((fate, id) => kept[fate]?.removed_tokens.push(id));
    } else {
      for (const { removed_by, token } of candidates)
        kept.find(({ name }) => name === removed_by)?.removed_tokens.push(token);
    }
    const state = { n_vocab: this.#n_vocab, position, mu: Number.isNaN(mu) ? undefined : mu };
    return {
      token,
      logprob,
      rank: this.#rank(choice, token),
      entropy,
      position,
      traceAt,
      trace: { candidates, stages: kept, draw, other, entropy, ...state },
    };
  }

  /** How many tokens have a greater logit. */
  #rank({ logitsAt }: Choice, token: number): number {
    const logits = this.#engine.f32(logitsAt, this.#n_vocab);
    const logit = logits[token]!;
    let rank = 0;
    for (let i = 0; i < logits.length; i++) if (logits[i]! > logit) rank++;
    return rank;
  }

  explain(session: number, request: SampleRequest, id: number): Explanation {
    const { text, bytes } = this.#vocabulary.token(id); // throws when it is none
    const choice = this.#choose(session, { ...request, top_n: 0 });
    const engine = this.#engine;
    const [fate = -1] = new Int8Array(engine.bytes(choice.fatesAt + id, 1).slice().buffer);
    const kept = this.#stages(choice, request.options);
    const all = engine.f64(choice.pAt, this.#n_vocab);
    const p = all[id]!;
    const logit = engine.f32(choice.logitsAt, this.#n_vocab)[id]!;
    const stage = kept[fate];
    return {
      ...{ token: id, text, bytes, logit, p },
      rank: this.#rank(choice, id),
      p_final: fate < 0 ? engine.f64(choice.finalAt + 8 * id, 1)[0]! : 0,
      fate: stage
        ? { type: 'removed', stage: stage.name, reason: stage.reason }
        : { type: choice.token === id ? 'drawn' : 'kept' },
      position: choice.position,
    };
  }

  #stages({ traceAt, n_stages }: Choice, options: number[]): StageTrace[] {
    return Array.from({ length: n_stages }, (_, i) => {
      const reason = this.#engine.text(
        this.#engine.call('stage_trace', traceAt, i, this.#engine.out),
      );
      const [
        number = 0,
        kept = 0,
        removed = 0,
        mass_before = 0,
        mass_after = 0,
        threshold = 0,
        coin = NaN,
      ] = this.#engine.results(7);
      const stage = stages[number]!;
      let at = stages.slice(0, number).reduce((sum, before) => sum + before.options.length, 0);
      const params = Object.fromEntries(
        stage.options.map(({ name }) => [name, options[at++] ?? NaN]),
      );
      const numbers = {
        kept,
        removed,
        mass_before,
        mass_after,
        threshold,
        coin: Number.isNaN(coin) ? undefined : coin,
      };
      const { name } = stage;
      return { name, params, ...numbers, reason, removed_tokens: [] } as unknown as StageTrace;
    });
  }

  #candidates({ candidatesAt, n }: Choice, kept: StageTrace[]): Candidate[] {
    const view = this.#engine.view(candidatesAt, n * CANDIDATE_BYTES);
    const found: {
      token: number;
      logit: number;
      p: number;
      p_final: number;
      removed_by: StageName | undefined;
    }[] = [];
    for (let at = 0; at < n * CANDIDATE_BYTES; at += CANDIDATE_BYTES) {
      const [token, logit] = [view.getInt32(at, true), view.getFloat32(at + 4, true)];
      const [p, p_final] = [view.getFloat64(at + 8, true), view.getFloat64(at + 16, true)];
      found.push({
        token,
        logit,
        p,
        p_final,
        removed_by: kept[view.getInt32(at + 24, true)]?.name,
      });
    }
    return found.map(({ token, logit, p, p_final, removed_by }) => {
      const { text, bytes } = this.#vocabulary.token(token);
      return { token, text, bytes, logit, p, p_final, removed_by };
    });
  }
}
