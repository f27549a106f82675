/** A comparison of two samplers, or of two models, on one text: the tokens that each side
 *  generates, where the sides diverge, and how far apart their distributions are. Side A is the
 *  page. */
import { signal } from '@preact/signals';
import type { Model, SamplerOptions, Session } from 'tokenglass';
import type { Message } from '../format.js';
import type { Chain } from './chain.js';
import { defaultChain, optionsOf, withoutBias } from './chain.js';
import { sameIds } from './engine.js';
import { wordsOf } from './messages.js';
import type { Store } from './store.js';
import { tokenTextsOf } from './token-texts.js';

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

/** How far a comparison is. */
export interface ComparisonProgress {
  /** Number of positions that were compared. */
  readonly n: number;
  readonly pairs: readonly ComparedPair[];
}

export const N_TOKENS = 24;

interface Side {
  model: Model;
  session: Session;
  options: SamplerOptions;
  ended: boolean;
}

/** The divergences of B's next choice from A's in bits, of the raw distributions and of the final
 *  ones. */
async function divergences(
  a: Side,
  b: Side,
  signal: AbortSignal,
): Promise<{ kl_raw: number; kl_final: number }> {
  const { model, final } = await a.session.divergence(b.session, {
    a: a.options,
    b: b.options,
    signal,
  });
  return { kl_raw: model / Math.LN2, kl_final: final / Math.LN2 };
}

/** The token that a side draws next. */
async function drawOf({ session, options, ended }: Side): Promise<ComparedToken | undefined> {
  if (ended) return undefined;
  const { draw } = await session.candidates({ ...options, top_n: 0 });
  const { token, text, bytes, p, p_final } = await session.explain(draw.token, options);
  return { token, text, bytes, p, p_final };
}

async function advance(side: Side, drawn: ComparedToken | undefined): Promise<void> {
  if (!drawn) return;
  const { model, session } = side;
  const full = session.tokens.length + 1 >= model.info.n_ctx;
  if (drawn.token === model.info.eos || full) side.ended = true;
  else await session.append(drawn.token);
}

/** Whether two models have the same tokens with the same ids. */
async function haveSameVocabulary(a: Model, b: Model): Promise<boolean> {
  if (a === b) return true;
  if (a.info.n_vocab !== b.info.n_vocab) return false;
  const [x, y] = [await tokenTextsOf(a), await tokenTextsOf(b)];
  return x.every((text, token) => text === y[token]);
}

interface Run {
  a: Side;
  b: Side;
  /** Both sides start with the same tokens. */
  sameText: boolean;
  signal: AbortSignal;
  onProgress: (progress: ComparisonProgress) => void;
}

/** Generates on both sides. */
async function compareSides({ a, b, ...run }: Run): Promise<ComparisonResult> {
  const pairs: ComparedPair[] = [];
  const sameVocabulary = await haveSameVocabulary(a.model, b.model);
  let differs: number | undefined;
  while (pairs.length < N_TOKENS && !(a.ended && b.ended)) {
    run.signal.throwIfAborted();
    const [x, y] = [await drawOf(a), await drawOf(b)];
    const comparable = sameVocabulary && run.sameText && differs === undefined && x && y;
    const kl = comparable
      ? await divergences(a, b, run.signal)
      : { kl_raw: undefined, kl_final: undefined };
    pairs.push({ a: x, b: y, ...kl });
    const key = sameVocabulary ? 'token' : 'text';
    const same = x && y && x[key] === y[key];
    if (!same) differs ??= pairs.length - 1;
    run.onProgress({ n: pairs.length, pairs: [...pairs] });
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
  /** undefined: nothing is being compared. */
  readonly progress = signal<ComparisonProgress | undefined>(undefined);
  readonly problem = signal<Message>('');
  readonly #store: Store;
  #stop: AbortController | undefined;

  constructor(store: Store) {
    this.#store = store;
    this.copy();
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
    if (this.progress.value || !this.#store.engine.model.value) return;
    const stop = (this.#stop = new AbortController());
    this.progress.value = { n: 0, pairs: [] };
    this.problem.value = '';
    try {
      const result = await this.#store.exclusive(() => this.#compare(stop.signal));
      stop.signal.throwIfAborted();
      this.result.value = result;
    } catch (error) {
      if (!stop.signal.aborted) this.problem.value = wordsOf(error);
    } finally {
      this.progress.value = undefined;
    }
  }

  /** Ends a comparison that is running. The last result stays. */
  cancel(): void {
    this.#stop?.abort();
  }

  async #compare(signal: AbortSignal): Promise<ComparisonResult> {
    const { document, engine, inspector, sampler } = this.#store;
    const model = engine.model.value!;
    const other = this.other.value ?? model;
    const all = document.tokensTo(inspector.selected.value);
    const { ids, number } = engine.windows.at(all, all.length);
    const options = sampler.options(number);
    const a: Side = { model, session: model.createSession(), options, ended: false };
    const b: Side = {
      model: other,
      session: other.createSession(),
      options: {
        ...options,
        ...optionsOf(other === model ? this.chain.value : withoutBias(this.chain.value)),
        seed: this.seed.value ?? sampler.seed.value,
      },
      ended: false,
    };
    try {
      const otherIds = await idsFor(model, other, ids);
      await a.session.sync(ids, { signal });
      await b.session.sync(otherIds, { signal });
      const sameText = sameIds(ids, otherIds);
      const onProgress = (progress: ComparisonProgress) => (this.progress.value = progress);
      return await compareSides({ a, b, sameText, signal, onProgress });
    } finally {
      await a.session.dispose();
      await b.session.dispose();
    }
  }
}

const comparisons = new WeakMap<Store, Comparison>();

/** The comparison of a store. It stays when its sheet is closed. */
export function comparisonOf(store: Store): Comparison {
  const comparison = comparisons.get(store) ?? new Comparison(store);
  comparisons.set(store, comparison);
  return comparison;
}
