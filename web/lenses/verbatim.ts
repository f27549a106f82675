/** Whether a model remembers a list of nouns word by word: surprisal when the list comes again. */
import { invalid, listOf, textOf } from '../types/arguments.js';
import { randomNumbers } from '../types/random.js';
import type {
  Edit,
  Model,
  VerbatimCondition,
  VerbatimStimulus,
  VerbatimSummary,
} from '../types/types.js';
import { mean, median, sum } from './figures.js';
import { withOptions } from './list.js';
import type { LensCall, LensValues } from './list.js';
import { byteLength, idsIn, mapAll, scoreAll, tokensOf } from './texts.js';
import { ARBITRARY, COHERENT, PREFACE, gapText, shuffled } from './verbatim-texts.js';
import { tokensIn } from './words.js';
import type { Span } from './words.js';

const CONDITIONS: readonly VerbatimCondition[] = ['repeat', 'permute', 'novel'];

/** The list with its first n nouns moved to the end. */
export const shiftedBy = <T>(list: readonly T[], n: number): T[] => [
  ...list.slice(n),
  ...list.slice(0, n),
];

/**
 * Pairs of lists for a condition: each base list in all its circular shifts, so that every noun is
 * once in every place. A novel list is the next base list; a permuted one has another order.
 */
export function listPairs(
  bases: readonly (readonly string[])[],
  condition: VerbatimCondition,
  seed: number,
): string[][][] {
  const random = randomNumbers(seed);
  return bases.flatMap((base, b) =>
    base.map((_, shift) => {
      const first = shiftedBy(base, shift);
      if (condition === 'repeat') return [first, [...first]];
      if (condition === 'novel') return [first, shiftedBy(bases[(b + 1) % bases.length]!, shift)];
      let second = shuffled(first, random);
      while (second.every((noun, i) => noun === first[i])) second = shuffled(first, random);
      return [first, second];
    }),
  );
}

/** Base lists without a noun in common. */
function basesOf(
  { words, length, lists, seed }: LensValues<'verbatim'>,
  nouns: readonly string[],
): string[][] {
  if (words === 'coherent' && lists > COHERENT.length)
    throw invalid(`lists is ${lists}; there are ${COHERENT.length} coherent lists`);
  if (words === 'coherent') return COHERENT.slice(0, lists).map((list) => list.slice(0, length));
  if (new Set(nouns).size < nouns.length) throw invalid('nouns has a noun twice');
  if (nouns.length < length * lists)
    throw invalid(
      `${lists} lists of ${length} need ${length * lists} nouns; there are ${nouns.length}`,
    );
  const mixed = shuffled(nouns, randomNumbers(seed));
  return Array.from({ length: lists }, (_, i) => mixed.slice(i * length, (i + 1) * length));
}

/** The text, and where its nouns are. */
export function stimulusText(lists: readonly (readonly string[])[], gap: string) {
  let text = '';
  const spans = lists.map((list, i) => {
    text += i === 0 ? PREFACE : ` ${gap}`;
    const own = list.map((noun, k): Span => {
      text += k === 0 ? ' ' : ', ';
      const start = byteLength(text);
      text += noun;
      return { text: noun, start, end: byteLength(text) };
    });
    text += '.';
    return own;
  });
  return { text, spans };
}

/** The measures of a text from the surprisals of its nouns. */
export function measured(
  condition: VerbatimCondition,
  lists: string[][],
  surprisals: number[][],
): VerbatimStimulus {
  const [first, second] = surprisals.map((list) => mean(list.slice(1))) as [number, number];
  return {
    condition,
    lists,
    surprisals,
    repeat_surprisal: (100 * second) / first,
    index: (second - first) / (second + first),
  };
}

/** The ends of the interval that has 95 % of the medians of resampled values. */
export function bootstrap(values: readonly number[], resamples: number, seed: number) {
  const random = randomNumbers(seed);
  const medians = Array.from({ length: resamples }, () =>
    median(values.map(() => values[random(values.length)]!)),
  ).sort((a, b) => a - b);
  const at = (share: number) => medians[Math.round(share * (resamples - 1))]!;
  return { low: at(0.025), high: at(0.975) };
}

function summaryOf(
  condition: VerbatimCondition,
  all: readonly VerbatimStimulus[],
  { resamples, seed }: LensValues<'verbatim'>,
): VerbatimSummary {
  const own = all.filter((stimulus) => stimulus.condition === condition);
  const ratios = own.map(({ repeat_surprisal }) => repeat_surprisal);
  return {
    condition,
    n: own.length,
    median: median(ratios),
    ...bootstrap(ratios, resamples, seed),
    mean_index: mean(own.map(({ index }) => index)),
    places: [0, 1].map((k) =>
      own[0]!.surprisals[k]!.map((_, place) =>
        mean(own.map(({ surprisals }) => surprisals[k]![place]!)),
      ),
    ),
  };
}

/** The surprisals of the nouns of all texts. */
async function surprisalsOf(
  model: Model,
  texts: readonly ReturnType<typeof stimulusText>[],
  edits: readonly Edit[],
  signal: AbortSignal,
): Promise<number[][][]> {
  const tokens = await mapAll(texts, signal, ({ text }, own) => tokensOf(model, text, own));
  const scores = await scoreAll(model, tokens.map(idsIn), signal, 0, edits);
  return texts.map(({ spans }, i) =>
    spans.map((list) =>
      tokensIn(list, tokens[i]!).map(
        (indices) => -sum(indices.map((index) => scores[i]![index]!.logprob)),
      ),
    ),
  );
}

export const verbatim: LensCall<'verbatim'> = (model, options) =>
  withOptions('verbatim', options, async (read, signal) => {
    const { nouns, context, gap, seed } = read;
    const edits = listOf(read.edits ?? [], 'edits', (edit) => edit as Edit);
    const list =
      nouns === undefined ? ARBITRARY : listOf(nouns, 'nouns', (noun) => textOf(noun, 'a noun'));
    const bases = basesOf(read, list);
    const between = gapText(context, gap, seed);
    const plans = CONDITIONS.flatMap((condition) =>
      listPairs(bases, condition, seed).map((lists) => ({ condition, lists })),
    );
    const texts = plans.map(({ lists }) => stimulusText(lists, between));
    const surprisals = await surprisalsOf(model, texts, edits, signal);
    const stimuli = plans.map(({ condition, lists }, i) =>
      measured(condition, lists, surprisals[i]!),
    );
    return {
      conditions: CONDITIONS.map((condition) => summaryOf(condition, stimuli, read)),
      stimuli,
    };
  });
