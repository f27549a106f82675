/** A comparison of two samplers, or of two models, on one text: the tokens that each side
 *  generates, where the sides diverge, and how far apart their distributions are. Side A is the
 *  page. */
import { signal } from '@preact/signals';
import type { Model, SamplerOptions, Session, StepTrace } from 'tokenglass';
import { messageOf } from '../format.js';
import type { Chain } from './chain.js';
import { defaultChain, optionsOf } from './chain.js';
import { sameIds } from './engine.js';
import type { Store } from './store.js';

/** A token of one side. */
export interface ComparedToken {
  readonly token: number;
  readonly text: string;
  readonly bytes: Uint8Array;
  /** Raw probability. */
  readonly p: number;
  /** Probability after the stages. */
  readonly p_final: number;
}

/** One position of both sides. */
export interface ComparedPair {
  readonly a: ComparedToken | undefined;
  readonly b: ComparedToken | undefined;
  /** Kullback-Leibler divergence of B from A in bits, of the raw distributions. undefined when the
   *  sides have different texts or vocabularies. */
  readonly kl_raw: number | undefined;
  /** The same for the distributions after the stages. */
  readonly kl_final: number | undefined;
}

export interface ComparisonResult {
  readonly pairs: readonly ComparedPair[];
  /** Index of the first pair that differs. */
  readonly differs: number | undefined;
  readonly sameVocabulary: boolean;
}

const N_TOKENS = 24;

/** The Kullback-Leibler divergence of q from p in bits. p and q hold probabilities by token.
 *  Infinity when p has a token that q does not. */
export function divergence(p: ReadonlyMap<number, number>, q: ReadonlyMap<number, number>): number {
  let sum = 0;
  for (const [token, x] of p) if (x > 0) sum += x * Math.log2(x / (q.get(token) ?? 0));
  return Math.max(0, sum); // rounding can make the sum slightly negative
}

interface Side {
  model: Model;
  session: Session;
  options: SamplerOptions;
  ended: boolean;
}

/** The next choice of a side. */
interface SideChoice {
  trace: StepTrace;
  drawn: ComparedToken;
}

async function nextChoice({
  model,
  session,
  options,
  ended,
}: Side): Promise<SideChoice | undefined> {
  if (ended) return undefined;
  const trace = await session.candidates({ ...options, top_n: model.info.n_vocab });
  const { token, text, bytes, p, p_final } = trace.candidates.find(
    (candidate) => candidate.token === trace.draw.token,
  )!;
  return { trace, drawn: { token, text, bytes, p, p_final } };
}

async function advance(side: Side, choice: SideChoice | undefined): Promise<void> {
  if (!choice) return;
  const { model, session } = side;
  const { token } = choice.drawn;
  const full = session.tokens.length + 1 >= model.info.n_ctx;
  if (token === model.info.eos || full) side.ended = true;
  else await session.append(token);
}

const distribution = ({ trace }: SideChoice, key: 'p' | 'p_final') =>
  new Map(trace.candidates.map((candidate) => [candidate.token, candidate[key]]));

function haveSameVocabulary(a: StepTrace, b: StepTrace): boolean {
  if (a.n_vocab !== b.n_vocab) return false;
  const texts = new Map(a.candidates.map(({ token, text }) => [token, text]));
  return b.candidates.every(({ token, text }) => texts.get(token) === text);
}

/** Generates on both sides. sameText: both sides start with the same tokens. */
async function compareSides(a: Side, b: Side, sameText: boolean): Promise<ComparisonResult> {
  const pairs: ComparedPair[] = [];
  let sameVocabulary = true;
  let differs: number | undefined;
  for (let i = 0; i < N_TOKENS && !(a.ended && b.ended); i++) {
    const [x, y] = [await nextChoice(a), await nextChoice(b)];
    if (i === 0 && x && y)
      sameVocabulary = a.model === b.model || haveSameVocabulary(x.trace, y.trace);
    const kl = (key: 'p' | 'p_final') =>
      sameVocabulary && sameText && differs === undefined && x && y
        ? divergence(distribution(x, key), distribution(y, key))
        : undefined;
    pairs.push({ a: x?.drawn, b: y?.drawn, kl_raw: kl('p'), kl_final: kl('p_final') });
    const key = sameVocabulary ? 'token' : 'text';
    const same = x && y && x.drawn[key] === y.drawn[key];
    if (!same) differs ??= i;
    await advance(a, x);
    await advance(b, y);
  }
  return { pairs, differs, sameVocabulary };
}

/** The tokens of side A for another model: the same ids when both models tokenize the text alike,
 *  else the text tokenized by the other model. */
async function idsFor(
  model: Model,
  other: Model,
  ids: readonly number[],
): Promise<readonly number[]> {
  if (other === model) return ids;
  const text = await model.detokenize(ids);
  const isPlain = sameIds(await model.tokenize(text), ids);
  return isPlain || model.info.n_vocab !== other.info.n_vocab ? other.tokenize(text) : ids;
}

export class Comparison {
  /** The chain of side B. */
  readonly chain = signal<Chain>(defaultChain);
  /** The seed of side B; undefined: the page's seed. */
  readonly seed = signal<number | undefined>(undefined);
  /** The model of side B; undefined: the page's model. */
  readonly other = signal<Model | undefined>(undefined);
  readonly result = signal<ComparisonResult | undefined>(undefined);
  readonly working = signal(false);
  readonly problem = signal('');
  readonly #store: Store;

  constructor(store: Store) {
    this.#store = store;
  }

  /** Copies the settings of side A to side B. */
  copy(): void {
    this.chain.value = this.#store.sampler.chain.value;
    this.seed.value = undefined;
  }

  async setOther(model: Model | undefined): Promise<void> {
    const before = this.other.value;
    this.other.value = model;
    this.result.value = undefined;
    await before?.dispose();
  }

  async run(): Promise<void> {
    if (this.working.value || !this.#store.engine.model.value) return;
    this.working.value = true;
    this.problem.value = '';
    try {
      this.result.value = await this.#store.exclusive(() => this.#compare());
    } catch (error) {
      this.problem.value = messageOf(error);
    } finally {
      this.working.value = false;
    }
  }

  async #compare(): Promise<ComparisonResult> {
    const { document, engine, inspector, sampler } = this.#store;
    const model = engine.model.value!;
    const other = this.other.value ?? model;
    const ids = document.tokensTo(inspector.selected.value);
    const options = sampler.options();
    const a: Side = { model, session: model.createSession(), options, ended: false };
    const b: Side = {
      model: other,
      session: other.createSession(),
      options: { ...optionsOf(this.chain.value), seed: this.seed.value ?? sampler.seed.value },
      ended: false,
    };
    try {
      const otherIds = await idsFor(model, other, ids);
      await a.session.sync(ids);
      await b.session.sync(otherIds);
      return await compareSides(a, b, sameIds(ids, otherIds));
    } finally {
      await a.session.dispose();
      await b.session.dispose();
    }
  }
}
