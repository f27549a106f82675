/** Two samplers, or two models, on one text: in, the store and the other side's settings; out, what each makes of the text, where they part, and how far their
 * distributions lie apart. */
import { signal } from '@preact/signals';
import type { Model, SamplerOptions, Session, StepTrace } from 'tokenglass';
import type { Chain } from './chain.js';
import { optionsOf, usualChain } from './chain.js';
import type { Store } from './store.js';

/** A token of one side. p: raw; p_final: after the stages. */
export interface Drawn {
  readonly token: number;
  readonly text: string;
  readonly bytes: Uint8Array;
  readonly p: number;
  readonly p_final: number;
}

export interface Pair {
  readonly a: Drawn | undefined;
  readonly b: Drawn | undefined;
  /** KL(A to B) in bits, of the raw distributions and of those after the stages; only where both stand on the same tokens of one vocabulary. */
  readonly raw: number | undefined;
  readonly p_final: number | undefined;
}

export interface Compared {
  readonly pairs: readonly Pair[];
  /** Where the texts part first. */
  readonly parts: number | undefined;
  /** The vocabularies are the same. */
  readonly one: boolean;
}

const LENGTH = 24; // tokens

/** Bits of p against q, by token; infinite where q excludes what p does not. */
export function divergence(p: ReadonlyMap<number, number>, q: ReadonlyMap<number, number>): number {
  let sum = 0;
  for (const [token, x] of p) if (x > 0) sum += x * Math.log2(x / (q.get(token) ?? 0));
  return Math.max(0, sum); // rounding can leave it a hair below
}

interface Side {
  session: Session;
  options: SamplerOptions;
  n_vocab: number;
  ended: boolean;
}

interface Look {
  trace: StepTrace;
  drawn: Drawn;
}

async function look({ session, options, n_vocab }: Side): Promise<Look> {
  const trace = await session.candidates({ ...options, top_n: n_vocab });
  const { token, text, bytes, p, p_final } = trace.candidates.find(
    (candidate) => candidate.token === trace.draw.token,
  )!;
  return { trace, drawn: { token, text, bytes, p, p_final } };
}

const by = ({ trace }: Look, what: 'p' | 'p_final') =>
  new Map(trace.candidates.map((candidate) => [candidate.token, candidate[what]]));

function sameVocabulary(a: StepTrace, b: StepTrace): boolean {
  if (a.n_vocab !== b.n_vocab) return false;
  const texts = new Map(a.candidates.map(({ token, text }) => [token, text]));
  return b.candidates.every(({ token, text }) => texts.get(token) === text);
}

export class Comparison {
  readonly chain = signal<Chain>(usualChain);
  readonly seed = signal<number | undefined>(undefined); // undefined: the store's
  /** The other side's model; undefined: the same. */
  readonly other = signal<Model | undefined>(undefined);
  readonly result = signal<Compared | undefined>(undefined);
  readonly working = signal(false);
  readonly problem = signal('');
  readonly #store: Store;

  constructor(store: Store) {
    this.#store = store;
  }

  /** The other side begins as this one is. */
  copy(): void {
    this.chain.value = this.#store.chain.value;
    this.seed.value = undefined;
  }

  async setOther(model: Model | undefined): Promise<void> {
    const before = this.other.value;
    this.other.value = model;
    this.result.value = undefined;
    await before?.dispose();
  }

  async run(): Promise<void> {
    const store = this.#store;
    if (this.working.value || !store.model.value) return;
    this.working.value = true;
    this.problem.value = '';
    try {
      await store.inTurn(async () => void (this.result.value = await this.#compare()));
    } catch (error) {
      this.problem.value = (error as Error).message;
    } finally {
      this.working.value = false;
    }
  }

  async #compare(): Promise<Compared> {
    const store = this.#store;
    const model = store.model.value!;
    const other = this.other.value ?? model;
    const ids = store.tokensTo(store.selected.value);
    const seed = store.seed.value;
    const a: Side = {
      ...{
        session: model.createSession(),
        options: { ...optionsOf(store.chain.value), seed },
      },
      ...{ n_vocab: model.info.n_vocab, ended: false },
    };
    const b: Side = {
      session: other.createSession(),
      options: { ...optionsOf(this.chain.value), seed: this.seed.value ?? seed },
      ...{ n_vocab: other.info.n_vocab, ended: false },
    };
    try {
      await a.session.sync(ids);
      // another vocabulary gets the text
      const tokens = other === model ? ids : await this.#tokensFor(model, other, ids);
      await b.session.sync(tokens);
      return await this.#moveFocus(
        a,
        b,
        ids.length === tokens.length && ids.every((id, i) => id === tokens[i]),
        [model, other],
      );
    } finally {
      await a.session.dispose();
      await b.session.dispose();
    }
  }

  async #tokensFor(model: Model, other: Model, ids: readonly number[]): Promise<readonly number[]> {
    const text = await model.detokenize(ids);
    const own = await model.tokenize(text);
    const same = own.length === ids.length && own.every((id, i) => id === ids[i]);
    return same || model.info.n_vocab !== other.info.n_vocab ? other.tokenize(text) : ids;
  }

  async #moveFocus(
    a: Side,
    b: Side,
    together: boolean,
    [model, other]: [Model, Model],
  ): Promise<Compared> {
    const pairs: Pair[] = [];
    let one = true;
    let parts: number | undefined;
    for (let i = 0; i < LENGTH && !(a.ended && b.ended); i++) {
      const [x, y] = [a.ended ? undefined : await look(a), b.ended ? undefined : await look(b)];
      if (i === 0 && x && y) one = model === other || sameVocabulary(x.trace, y.trace);
      const comparable = one && together && x && y;
      pairs.push({
        ...{ a: x?.drawn, b: y?.drawn },
        raw: comparable ? divergence(by(x, 'p'), by(y, 'p')) : undefined,
        p_final: comparable ? divergence(by(x, 'p_final'), by(y, 'p_final')) : undefined,
      });
      const alike =
        x && y && (one ? x.drawn.token === y.drawn.token : x.drawn.text === y.drawn.text);
      if (!alike && parts === undefined) parts = i;
      if (!alike) together = false;
      for (const [side, seen, { info }] of [[a, x, model] as const, [b, y, other] as const]) {
        if (!seen) continue;
        if (seen.drawn.token === info.eos || side.session.tokens.length + 1 >= info.n_ctx)
          side.ended = true;
        else await side.session.append(seen.drawn.token);
      }
    }
    return { pairs, parts, one };
  }
}
