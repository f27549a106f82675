/**
 * Where a sum is computed: layers that wait (each position has the mean of its residuals over other
 * sums with the same token there), layers that transfer (only the last position sees the others),
 * and the rest at the last position alone.
 */
import { invalid, textOf } from '../types/arguments.js';
import { continuationsInCache } from '../types/capacity.js';
import { randomNumbers } from '../types/random.js';
import { Sessions } from '../types/runs.js';
import { textOfBytes } from '../types/utf8.js';
import type { CamaAbpResult, CamaSum, Edit, Model } from '../types/types.js';
import { mean } from './figures.js';
import { withOptions } from './list.js';
import type { LensCall, LensValues } from './list.js';
import { continuationOf, mapAll } from './texts.js';

const AT_ONCE = 32;
const TRIES = 64; // random sums for each that has the wanted token

const range = (start: number, end: number) =>
  Array.from({ length: Math.max(0, end - start) }, (_, i) => start + i);

/** A sum before it is asked. */
interface Plan {
  prompt: string;
  result: number;
  /** The tokens up to the result: with the space before it, where that is a token of its own. */
  ids: number[];
  /** The first token of the right result. */
  answer: number;
}

/** Random sums, as text and result. */
export function sumMaker(task: string, max_number: number, prompt: string, seed: number) {
  const random = randomNumbers(seed);
  return () => {
    const [a, b, c] = [1, 2, 3].map(() => 1 + random(max_number)) as [number, number, number];
    const text = task === 'a + b' ? `${a} + ${b}` : `${a} + ${b} - ${c}`;
    return {
      prompt: prompt.replace('{sum}', text),
      result: task === 'a + b' ? a + b : a + b - c,
    };
  };
}

/**
 * The edits for w layers that wait, k that transfer and the rest at the last position. means: the
 * mean residual of each position at boundary w, of position 0 undefined. Without layers that
 * transfer or follow, nothing is masked. isOpen: all layers from w on see everything.
 */
export function camaAbpEdits(
  means: readonly (Float32Array | undefined)[],
  w: number,
  k: number,
  n_layer: number,
  isOpen: boolean,
): Edit[] {
  const residuals = means.flatMap((values, position): Edit[] =>
    values ? [{ type: 'residual', layer: w, position, values }] : [],
  );
  const visible = (layers: number[], sees: 'last_sees_all' | 'self_and_first'): Edit[] =>
    layers.length > 0 && !isOpen ? [{ type: 'visible', layers, sees }] : [];
  return [
    ...residuals,
    ...visible(range(w, w + k), 'last_sees_all'),
    ...visible(range(w + k, n_layer), 'self_and_first'),
  ];
}

/** The mean residuals of one position and token, at all boundaries: [boundary][n_embd]. */
type Means = Float32Array[];

export function meanVectors(vectors: readonly (readonly Float32Array[])[]): Means {
  return vectors[0]!.map((first, boundary) =>
    first.map((_, i) => mean(vectors.map((each) => each[boundary]![i]!))),
  );
}

class Averages {
  readonly #model: Model;
  readonly #make: () => Promise<Plan>;
  readonly #samples: number;
  readonly #known = new Map<string, Promise<Means>>();
  readonly #pool: Promise<Plan>[] = [];
  #made: Promise<Plan | void> = Promise.resolve();

  constructor(model: Model, make: () => Promise<Plan>, samples: number) {
    this.#model = model;
    this.#make = make;
    this.#samples = samples;
  }

  /** The means of a position of a sum: over this sum and others with its token there. */
  of(plan: Plan, position: number, signal: AbortSignal): Promise<Means> {
    const key = `${position} ${plan.ids[position]!}`;
    const means = this.#known.get(key) ?? this.#measure(plan, position, signal);
    this.#known.set(key, means);
    return means;
  }

  /** Sums with this token at this position, this one first; fewer if they are rare. */
  async #alike(plan: Plan, position: number): Promise<Plan[]> {
    const token = plan.ids[position];
    const alike = [plan];
    for (let i = 0; alike.length < this.#samples && i < TRIES * this.#samples; i++) {
      // one after the other, so that the same seed gives the same sums
      const made = (this.#pool[i] ??= this.#made.then(() => this.#make()));
      if (i === this.#pool.length - 1) this.#made = made;
      const other = await made;
      if (other.ids[position] === token) alike.push(other);
    }
    return alike;
  }

  async #measure(plan: Plan, position: number, given: AbortSignal): Promise<Means> {
    const alike = await this.#alike(plan, position);
    const vectors = await mapAll(
      alike,
      given,
      async ({ ids }, signal) => {
        // later tokens change nothing at this position
        const text = ids.slice(0, position + 1);
        const residuals = { layers: 'all', positions: [position] } as const;
        const seen = await this.#model.observe(text, { residuals, signal });
        const { values, shape } = seen.residuals!;
        const width = shape[2]!;
        return range(0, shape[0]!).map((l) => values.subarray(l * width, (l + 1) * width));
      },
      AT_ONCE,
    );
    return meanVectors(vectors);
  }
}

/** The most probable next token under edits. */
async function nextToken(
  model: Model,
  sessions: Sessions,
  ids: readonly number[],
  edits: readonly Edit[],
  signal: AbortSignal,
): Promise<number> {
  const session = sessions.add(model.createSession({ seed: 0, edits }));
  await session.sync(ids, { signal });
  const { candidates } = await session.candidates({ samplers: [], top_n: 1, signal });
  await sessions.free(session);
  return candidates[0]!.token;
}

async function measure(
  model: Model,
  read: LensValues<'camaAbp'>,
  make: () => Promise<Plan>,
  signal: AbortSignal,
): Promise<CamaAbpResult> {
  const { n_layer } = model.info;
  const sessions = new Sessions();
  try {
    const plans: Plan[] = [];
    while (plans.length < read.n) plans.push(await make());
    const longest = Math.max(...plans.map(({ ids }) => ids.length));
    const limit = Math.min(AT_ONCE, continuationsInCache(model.info, 0, longest));
    const sums = await mapAll(
      plans,
      signal,
      async ({ prompt, result, ids, answer }, own): Promise<CamaSum> => {
        const token = await nextToken(model, sessions, ids, [], own);
        return { prompt, result, token, solved: token === answer };
      },
      limit,
    );
    const compared = range(0, sums.length).filter((i) => read.against === 'own' || sums[i]!.solved);
    const averages = new Averages(model, make, read.samples);
    const shareOf = async (w: number, k: number, isOpen: boolean) => {
      const kept = await mapAll(
        compared,
        signal,
        async (i, own) => {
          const { ids } = plans[i]!;
          const means: (Float32Array | undefined)[] = [undefined];
          for (const position of range(1, ids.length))
            means[position] = (await averages.of(plans[i]!, position, own))[w];
          const edits = camaAbpEdits(means, w, k, n_layer, isOpen);
          return Number((await nextToken(model, sessions, ids, edits, own)) === sums[i]!.token);
        },
        limit,
      );
      return mean(kept);
    };
    const accuracy = mean(sums.map(({ solved }) => Number(solved)));
    const facts = { sums, accuracy, n_compared: compared.length };
    if (compared.length === 0)
      return { ...facts, waiting: [], wait: NaN, transferring: [], transfer: NaN };
    const waiting: number[] = [];
    for (const w of range(0, n_layer + 1)) waiting.push(await shareOf(w, 0, true));
    const below = waiting.findIndex((share) => share < read.keep);
    const wait = Math.max(0, (below < 0 ? waiting.length : below) - 1);
    const transferring: number[] = [];
    let found = false;
    for (let k = 0; k <= n_layer - wait && !found; k++) {
      transferring.push(await shareOf(wait, k, false));
      found = transferring[k]! >= read.keep;
    }
    return {
      ...facts,
      waiting,
      wait,
      transferring,
      transfer: found ? transferring.length - 1 : NaN,
    };
  } finally {
    await sessions.freeAll();
  }
}

export const camaAbp: LensCall<'camaAbp'> = (model, options) =>
  withOptions('camaAbp', options, async (read, signal) => {
    const prompt = read.prompt === undefined ? '{sum} =' : textOf(read.prompt, 'prompt');
    if (prompt.split('{sum}').length !== 2) throw invalid("prompt must have '{sum}' once");
    const next = sumMaker(read.task, read.max_number, prompt, read.seed);
    let length: number | undefined; // positions are compared, so all sums have as many tokens
    const make = async (): Promise<Plan> => {
      for (;;) {
        const { prompt, result } = next();
        const { ids, from } = await continuationOf(model, prompt, ` ${result}`, signal);
        let end = from;
        while (!/[-\d]/.test(textOfBytes(await model.tokenBytes(ids[end]!)))) end++;
        length ??= end;
        if (end === length) return { prompt, result, ids: ids.slice(0, end), answer: ids[end]! };
      }
    };
    return measure(model, read, make, signal);
  });
