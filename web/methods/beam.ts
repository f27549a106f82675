/**
 * Beam search and conditional beam search: the most probable texts, and the most probable texts of
 * those that have an attribute. The texts of a step are forks whose distributions are asked for at
 * the same time.
 */
import {
  MAX_INT32,
  invalid,
  listOf,
  readOptions,
  reading,
  unsupported,
  wholeNumber,
} from '../types/arguments.js';
import { throwIfAborted } from '../types/errors.js';
import { logprobsOf } from '../types/logprobs.js';
import { samplerOptionNames } from '../types/sampler-names.js';
import { Sessions, runAll } from '../types/runs.js';
import { untilAborted, withSignal } from '../types/signals.js';
import { utf8Decoder } from '../types/utf8.js';
import type {
  AnyBeamCondition,
  BeamHypothesis,
  BeamSearchOptions,
  BeamSearchResult,
  Candidate,
  LengthCondition,
  MethodPrompt,
  Model,
  SamplerOptions,
  Session,
} from '../types/types.js';
import { Conditions } from './beam-conditions.js';
import { readMethodOptions } from './list.js';
import { bitOf, endTokens, promptIds, tokensOf } from './runs.js';

const DEFAULT_TOKENS = 32;
const NO_STAGE: SamplerOptions = { samplers: [] };

/** A text of the search. */
interface Text {
  /** Without the end token. */
  tokens: readonly number[];
  end: number | undefined;
  bytes: readonly number[];
  /** How many of the bytes the tokens up to each one have. */
  n_bytes: readonly number[];
  logprob: number;
  condition: number;
  finished: boolean;
  /** Has the prompt and the tokens; undefined for a text that does not go on. */
  session: Session | undefined;
}

/** A text with a token more. */
interface Proposal {
  parent: Text;
  text: Text;
}

/** A next token. */
interface Next {
  token: number;
  bytes: Uint8Array;
  logprob: number;
}

interface Values {
  beams: number;
  top_k: number;
  max_nodes: number;
  max_tokens: number;
  sampler: SamplerOptions | undefined;
}

/** The text of bytes; unless it is whole, without the bytes of an unfinished character. */
const textOf = (bytes: readonly number[], whole: boolean): string =>
  utf8Decoder().decode(Uint8Array.from(bytes), { stream: !whole });

class BeamSearch {
  readonly #values: Values;
  readonly #ends: ReadonlySet<number>;
  readonly #conditions: Conditions | undefined;
  readonly #weight: number; // 0: plain beam search
  readonly #n_vocab: number;
  readonly #signal: AbortSignal;
  readonly #sessions: Sessions;
  n_distributions = 0;

  constructor(
    values: Values,
    weight: number,
    n_vocab: number,
    ends: ReadonlySet<number>,
    conditions: Conditions | undefined,
    sessions: Sessions,
    signal: AbortSignal,
  ) {
    this.#values = values;
    this.#weight = conditions ? weight : 0;
    this.#n_vocab = n_vocab;
    this.#ends = ends;
    this.#conditions = conditions;
    this.#sessions = sessions;
    this.#signal = signal;
  }

  get #active(): Conditions | undefined {
    return this.#weight > 0 ? this.#conditions : undefined;
  }

  #score({ logprob, condition }: Text): number {
    return this.#weight > 0 ? logprob + this.#weight * condition : logprob;
  }

  /** The candidates that the session's next token has with the bits, the most probable ones. */
  async #candidates(
    session: Session,
    bits: Int32Array | undefined,
    top_k: number,
    signal: AbortSignal,
  ): Promise<Candidate[]> {
    const call = { signal };
    const { sampler } = this.#values;
    this.n_distributions++;
    if (!sampler && !bits)
      return (await session.candidates({ ...NO_STAGE, ...call, top_n: top_k })).candidates;
    const isAllowed = ({ token, removed_by }: Candidate) =>
      removed_by === undefined && (!bits || bitOf(bits, token));
    let options;
    if (!sampler) {
      options = { ...NO_STAGE, grammar: bits!, max_rows: top_k };
    } else {
      // as a stage the bits would change the probabilities of the others, so they are applied here
      const allowed = bits ? tokensOf(bits).filter((token) => token < this.#n_vocab) : undefined;
      const refused = allowed ? this.#n_vocab - allowed.length : 0;
      options =
        allowed && allowed.length < top_k + refused
          ? { ...sampler, max_rows: 0, tokens: allowed }
          : { ...sampler, max_rows: top_k + refused };
    }
    const { rows } = await session.stageTable({ ...options, ...call });
    return rows.filter(isAllowed).slice(0, top_k);
  }

  /** The next tokens of a session, most probable first. */
  async #next(
    session: Session,
    bits: Int32Array | undefined,
    top_k: number,
    signal: AbortSignal,
  ): Promise<Next[]> {
    const candidates = await this.#candidates(session, bits, top_k, signal);
    const final = this.#values.sampler !== undefined;
    const logprobs = final
      ? candidates.map(({ p_final }) => Math.log(p_final))
      : logprobsOf(candidates);
    return candidates
      .map(({ token, bytes }, i) => ({ token, bytes, logprob: logprobs[i]! }))
      .filter(({ logprob }) => logprob > -Infinity);
  }

  /** The text with a token more, with the condition's log-probability. */
  async #extended(parent: Text, { token, bytes, logprob }: Next): Promise<Text> {
    const isEnd = this.#ends.has(token);
    const text: Text = {
      tokens: isEnd ? parent.tokens : [...parent.tokens, token],
      end: isEnd ? token : undefined,
      bytes: isEnd ? parent.bytes : [...parent.bytes, ...bytes],
      n_bytes: isEnd ? parent.n_bytes : [...parent.n_bytes, parent.bytes.length + bytes.length],
      logprob: parent.logprob + logprob,
      condition: 0,
      finished: isEnd,
      session: undefined,
    };
    if (this.#active)
      text.condition = isEnd
        ? await this.#fits(text)
        : await this.#active.prefix(text.tokens, textOf(text.bytes, false));
    return text;
  }

  /** 0 when the finished text has the attribute, else -Infinity. */
  async #fits({ tokens, bytes }: Text): Promise<number> {
    return (await this.#conditions!.complete(tokens, textOf(bytes, true))) ? 0 : -Infinity;
  }

  /** The text where nothing can follow it. */
  async #ended(text: Text): Promise<Text> {
    return { ...text, condition: await this.#fits(text), finished: true, session: undefined };
  }

  /** The bits of the tokens that can follow the text. */
  async #allowed({ tokens, bytes }: Text): Promise<Int32Array | undefined> {
    return this.#active?.allowed(tokens, textOf(bytes, false));
  }

  async #proposals(parent: Text, signal: AbortSignal): Promise<Proposal[]> {
    if (parent.finished) return [{ parent, text: parent }];
    const bits = await this.#allowed(parent);
    if (isNone(bits)) return [{ parent, text: await this.#ended(parent) }];
    const next = await this.#next(parent.session!, bits, this.#values.top_k, signal);
    const texts = next.map(async (one) => ({ parent, text: await this.#extended(parent, one) }));
    return Promise.all(texts);
  }

  /** Each text that goes on gets a session of its own: the first one its parent's. */
  async #goOn(beam: readonly Text[], kept: readonly Proposal[]): Promise<void> {
    const going = kept.filter(({ text }) => !text.finished);
    const firsts = new Map<Text, Proposal>();
    for (const proposal of going)
      if (!firsts.has(proposal.parent)) firsts.set(proposal.parent, proposal);
    await Promise.all(
      going.map(async (proposal) => {
        const { parent, text } = proposal;
        if (firsts.get(parent) !== proposal)
          text.session = await this.#sessions.fork(parent.session!);
      }),
    );
    for (const [parent, { text }] of firsts) text.session = parent.session;
    await Promise.all([
      ...going.map(({ text }) => text.session!.append(text.tokens.at(-1)!)),
      ...beam
        .filter((parent) => parent.session && !firsts.has(parent))
        .map((parent) => this.#sessions.free(parent.session!)),
    ]);
  }

  #sorted<T>(list: readonly T[], textIn: (item: T) => Text): T[] {
    const score = (item: T) => this.#score(textIn(item));
    return list
      .filter((item) => score(item) > -Infinity)
      .sort((a, b) => score(b) - score(a))
      .slice(0, this.#values.beams);
  }

  /** The beams after the last step, best first. session: has the prompt. */
  async beams(session: Session): Promise<BeamHypothesis[]> {
    const { max_tokens } = this.#values;
    let beam: Text[] = [rootOf(session)];
    for (let n = 1; n <= max_tokens && beam.some(({ finished }) => !finished); n++) {
      throwIfAborted(this.#signal);
      const proposals: Proposal[][] = [];
      const parents = beam;
      await runAll(parents.length, parents.length, this.#signal, async (i, signal) => {
        proposals[i] = await this.#proposals(parents[i]!, signal);
      });
      const kept = this.#sorted(proposals.flat(), ({ text }) => text);
      if (n < max_tokens) await this.#goOn(beam, kept);
      beam = kept.map(({ text }) => text);
    }
    const settled = beam.map(async (text) =>
      !text.finished && isNone(await this.#allowed(text)) ? this.#ended(text) : text,
    );
    const texts = this.#sorted(await Promise.all(settled), (text) => text);
    return Promise.all(texts.map((text) => this.#hypothesis(text)));
  }

  /** The most probable finished texts for certain. session: has the prompt. */
  async exact(session: Session): Promise<BeamHypothesis[]> {
    const { beams, max_tokens, max_nodes } = this.#values;
    const n_prompt = session.tokens.length;
    let best: Text[] = [];
    const isHopeless = (logprob: number) =>
      best.length === beams && logprob <= best.at(-1)!.logprob;
    const add = (text: Text) => {
      if (text.condition === 0 && !isHopeless(text.logprob))
        best = [...best, text].sort((a, b) => b.logprob - a.logprob).slice(0, beams);
    };
    const visit = async (parent: Text, n: number): Promise<void> => {
      throwIfAborted(this.#signal);
      const bits = await this.#allowed(parent);
      if (isNone(bits)) return add(await this.#ended(parent));
      if (n === max_tokens) return;
      if (this.n_distributions === max_nodes)
        throw invalid(
          `max_nodes is ${max_nodes}, and the exact search needs more distributions than that`,
        );
      // more tokens only make a text less probable, so the search leaves the rest of the list
      for (const next of await this.#next(session, bits, this.#n_vocab, this.#signal)) {
        if (isHopeless(parent.logprob + next.logprob)) break;
        const text = await this.#extended(parent, next);
        if (text.condition === -Infinity) continue;
        if (text.finished) {
          add(text);
          continue;
        }
        await session.append(next.token);
        await visit(text, n + 1);
        await session.rewind(n_prompt + n);
      }
    };
    await visit(rootOf(session), 0);
    return Promise.all(best.map((text) => this.#hypothesis(text)));
  }

  /**
   * The condition's log-probability of a text that was found without the condition: -Infinity for
   * an unfinished text that the condition would not have let come this far.
   */
  async #conditionOf(text: Text): Promise<number> {
    if (text.finished) return this.#fits(text);
    const conditions = this.#conditions!;
    let estimate = 0;
    for (const [i, token] of text.tokens.entries()) {
      const before = text.tokens.slice(0, i);
      const bits = await conditions.allowed(before, textOf(bytesUpTo(text, i), false));
      if (bits && !bitOf(bits, token)) return -Infinity;
      const bytes = bytesUpTo(text, i + 1);
      estimate = await conditions.prefix([...before, token], textOf(bytes, false));
      if (estimate === -Infinity) break;
    }
    return estimate;
  }

  async #hypothesis(text: Text): Promise<BeamHypothesis> {
    const { tokens, end, bytes, logprob, finished } = text;
    const condition =
      this.#conditions && !this.#active ? await this.#conditionOf(text) : text.condition;
    return {
      tokens: end === undefined ? [...tokens] : [...tokens, end],
      text: textOf(bytes, true),
      logprob,
      condition_logprob: condition,
      score: this.#score({ ...text, condition }),
      finished,
    };
  }
}

const isNone = (bits: Int32Array | undefined): boolean =>
  bits !== undefined && bits.every((word) => word === 0);

const rootOf = (session: Session): Text => ({
  tokens: [],
  end: undefined,
  bytes: [],
  n_bytes: [],
  logprob: 0,
  condition: 0,
  finished: false,
  session,
});

/** The bytes of the first n tokens. */
const bytesUpTo = ({ bytes, n_bytes }: Text, n: number): readonly number[] =>
  bytes.slice(0, n === 0 ? 0 : n_bytes[n - 1]);

/** The sampler whose distribution is searched. */
function samplerOf(given: unknown): SamplerOptions | undefined {
  if (given === undefined) return undefined;
  const sampler = readOptions(given as SamplerOptions, samplerOptionNames, 'beamSearch (sampler)');
  if (sampler.grammar !== undefined)
    throw unsupported('sampler.grammar is not supported; give the grammar as a condition');
  if (sampler.mirostat)
    throw unsupported('sampler.mirostat is not supported: it depends on what was drawn before');
  return sampler;
}

/** The caller's conditions as a list. */
const conditionsOf = (given: unknown): AnyBeamCondition[] =>
  reading('condition', () => {
    if (given === undefined) return [];
    if (!Array.isArray(given)) return [given as AnyBeamCondition];
    return listOf(given, 'condition', (condition) => condition as AnyBeamCondition);
  });

/** How many tokens a text of the conditions' length has with its end token. */
function defaultTokens(conditions: readonly AnyBeamCondition[]): number {
  const lengthOf = (condition: AnyBeamCondition) =>
    reading('condition', () => {
      const { type, n, end } = condition as LengthCondition;
      return type === 'length' && typeof n === 'number' ? n + (end === false ? 0 : 1) : 0;
    });
  return conditions.reduce((most, one) => Math.max(most, lengthOf(one)), 0) || DEFAULT_TOKENS;
}

/** Model.beamSearch. */
export async function beamSearch(
  model: Model,
  prompt: MethodPrompt,
  options?: BeamSearchOptions,
): Promise<BeamSearchResult> {
  const read = readMethodOptions('beam', options, 'beamSearch', ['max_tokens', 'signal']);
  const given = conditionsOf(read.condition);
  const { weight, contrast, exact } = read;
  const values: Values = {
    beams: read.beams,
    top_k: read.top_k,
    max_nodes: read.max_nodes,
    max_tokens: wholeNumber(read.max_tokens ?? defaultTokens(given), 'max_tokens', 1, MAX_INT32),
    sampler: samplerOf(read.sampler),
  };
  return withSignal(read.signal, async (signal) => {
    const sessions = new Sessions();
    let conditions: Conditions | undefined;
    try {
      const ids = await promptIds(model, prompt, signal);
      const ends = await endTokens(model);
      if (given.length > 0) conditions = await Conditions.make(given, { model, prompt: ids, ends });
      const base = sessions.add(model.createSession());
      await base.sync(ids, { signal });
      let n_distributions = 0;
      const run = async (used: number) => {
        const { n_vocab } = model.info;
        const search = new BeamSearch(values, used, n_vocab, ends, conditions, sessions, signal);
        const session = await sessions.fork(base);
        // a caller's condition may never answer: an abort ends the search in any case
        const found = await untilAborted(exact ? search.exact(session) : search.beams(session), [
          signal,
        ]);
        n_distributions += search.n_distributions;
        return found;
      };
      const hypotheses = await run(weight);
      const unconditional = contrast ? await run(0) : undefined;
      return { hypotheses, unconditional, n_distributions };
    } finally {
      conditions?.dispose();
      await sessions.freeAll();
    }
  });
}
