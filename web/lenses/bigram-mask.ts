/** A model beside its subnetwork and beside bigrams of a corpus: what the last token alone says. */
import { idsOf, invalid } from '../types/arguments.js';
import { typed } from '../types/errors.js';
import { randomNumbers } from '../types/random.js';
import { untilAborted } from '../types/signals.js';
import type {
  BigramCandidate,
  BigramLayer,
  BigramMaskResult,
  BigramView,
  Model,
  ObservedResiduals,
  Session,
  Subnetwork,
  TextOrIds,
} from '../types/types.js';
import { cosine } from './adjacent-cosine.js';
import { mean } from './figures.js';
import { withOptions } from './list.js';
import type { LensCall, LensValues } from './list.js';

/** What followed a token in a corpus: [token, count], most frequent first, of equals the first. */
export function followersIn(corpus: Int32Array, token: number): [number, number][] {
  const counts = new Map<number, number>();
  for (let i = 0; i + 1 < corpus.length; i++)
    if (corpus[i] === token) counts.set(corpus[i + 1]!, (counts.get(corpus[i + 1]!) ?? 0) + 1);
  return [...counts].sort((a, b) => b[1] - a[1]);
}

/** A list in random order, except the first `start` elements and the last one. */
export function shuffledBefore(
  ids: Int32Array,
  start: number,
  random: (limit: number) => number,
): Int32Array {
  const copy = ids.slice();
  for (let i = copy.length - 2; i > start; i--) {
    const j = start + random(i - start + 1);
    [copy[i], copy[j]] = [copy[j]!, copy[i]!];
  }
  return copy;
}

const NO_STAGE = { samplers: [] };

async function topOf(session: Session, top_n: number, signal: AbortSignal) {
  const { candidates } = await session.candidates({ ...NO_STAGE, top_n, signal });
  return candidates.map(({ token, text, p }): BigramCandidate => ({ token, text, p }));
}

/** Calls `use` with a session that has the tokens. */
async function withTokens<T>(
  model: Subnetwork,
  ids: Int32Array,
  signal: AbortSignal,
  use: (session: Session) => Promise<T>,
): Promise<T> {
  const session = model.createSession({ seed: 0 });
  try {
    await session.sync(Array.from(ids), { signal });
    return await use(session);
  } finally {
    await session.dispose();
  }
}

const divergence = async (a: Session, b: Session, signal: AbortSignal) =>
  (await a.divergence(b, { a: NO_STAGE, b: NO_STAGE, signal })).model;

/** The similarities of all boundaries. rows: a row for the token after each position. */
export function bigramLayers(
  { values, shape, layers }: ObservedResiduals,
  rows: Float32Array,
): BigramLayer[] {
  const [, n, width] = shape as [number, number, number];
  const vector = (of: Float32Array, i: number) => of.subarray(i * width, (i + 1) * width);
  const positions = Array.from({ length: n }, (_, i) => i);
  return layers.map((layer, l) => ({
    layer,
    input: mean(positions.map((i) => cosine(vector(values, l * n + i), vector(values, i)))),
    output: mean(positions.map((i) => cosine(vector(values, l * n + i), vector(rows, i)))),
  }));
}

async function layersOf(
  model: Subnetwork,
  ids: Int32Array,
  signal: AbortSignal,
): Promise<BigramLayer[]> {
  if (ids.length < 2) throw invalid('layers need a text of two tokens or more');
  const session = model.createSession({ seed: 0 });
  try {
    const positions = Array.from({ length: ids.length - 1 }, (_, i) => i);
    const residuals = { layers: 'all', positions } as const;
    const seen = await session.observe(Array.from(ids), { residuals, signal });
    return bigramLayers(seen.residuals!, await model.outputRows(Array.from(ids.subarray(1))));
  } finally {
    await session.dispose();
  }
}

/** A model's next tokens, and what a shuffled context changes. */
async function view(
  model: Subnetwork,
  session: Session,
  shuffled: readonly Int32Array[],
  { top_n, layers }: LensValues<'bigramMask'>,
  ids: Int32Array,
  signal: AbortSignal,
): Promise<BigramView> {
  const top = await topOf(session, top_n, signal);
  const effects: number[] = [];
  let same = 0;
  for (const order of shuffled)
    await withTokens(model, order, signal, async (other) => {
      effects.push(await divergence(session, other, signal));
      const [first] = await topOf(other, 1, signal);
      if (first?.token === top[0]?.token) same++;
    });
  return {
    top,
    context_effect: mean(effects),
    same_top: same / shuffled.length,
    ...(layers && { layers: await layersOf(model, ids, signal) }),
  };
}

async function idsOfText(model: Model, text: TextOrIds, name: string, signal: AbortSignal) {
  if (typeof text !== 'string') return idsOf(text, name);
  return Int32Array.from(await untilAborted(model.tokenize(text), [signal]));
}

function subnetworkOf(value: unknown): Subnetwork | undefined {
  if (value === undefined) return undefined;
  if (typeof (value as Partial<Subnetwork> | null)?.createSession === 'function')
    return value as Subnetwork;
  throw invalid(`subnetwork is ${typed(value)}; it must be a model`);
}

/** The model, its subnetwork and a corpus after a text. */
export const bigramMask: LensCall<'bigramMask'> = (model, text, options) =>
  withOptions('bigramMask', options, async (values, signal): Promise<BigramMaskResult> => {
    const { top_n, shuffles, seed } = values;
    const subnetwork = subnetworkOf(values.subnetwork);
    const ids = await idsOfText(model, text, 'the text', signal);
    const last = ids.at(-1);
    if (last === undefined) throw invalid('a text without tokens has no last token');
    const start = ids[0] === model.info.bos ? 1 : 0;
    const random = randomNumbers(seed);
    const shuffled = Array.from({ length: shuffles }, () => shuffledBefore(ids, start, random));

    const followers =
      values.corpus === undefined
        ? undefined
        : followersIn(
            await idsOfText(model, values.corpus as TextOrIds, 'the corpus', signal),
            last,
          );
    const n_bigrams = followers?.reduce((sum, [, count]) => sum + count, 0) ?? 0;
    const corpus =
      followers &&
      (await Promise.all(
        followers.slice(0, top_n).map(async ([token, count]): Promise<BigramCandidate> => {
          return { token, text: await model.tokenText(token), p: count / n_bigrams };
        }),
      ));

    return withTokens(model, ids, signal, async (session) => {
      const full = await view(model, session, shuffled, values, ids, signal);
      if (!subnetwork)
        return { last, full, subnetwork: undefined, corpus, n_bigrams, divergence: undefined };
      return withTokens(subnetwork, ids, signal, async (masked) => ({
        last,
        full,
        subnetwork: await view(subnetwork, masked, shuffled, values, ids, signal),
        corpus,
        n_bigrams,
        divergence: await divergence(session, masked, signal),
      }));
    });
  });
