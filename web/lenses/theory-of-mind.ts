/** Next tokens after stories about what people know, at several temperatures. */
import { indexIn, invalid, listOf, readOptions, textOf } from '../types/arguments.js';
import { continuationsInCache } from '../types/capacity.js';
import { typed } from '../types/errors.js';
import { Sessions } from '../types/runs.js';
import type {
  MindCell,
  MindOrder,
  MindPrompt,
  MindQuestion,
  MindStep,
  MindStory,
  Model,
} from '../types/types.js';
import { largest, logSum, mean } from './figures.js';
import { withOptions } from './list.js';
import type { LensCall } from './list.js';
import { MAX_INFILL, infillOf, mindStories } from './mind-stories.js';
import { continuationOf, logprobFrom, mapAll, scoreAll } from './texts.js';

const ORDERS: readonly MindOrder[] = ['zero', 'first', 'second'];
const TEMPERATURES = [0.01, 0.5, 1, 1.5, 2];
const INFILLS = [0, 1, 4, 16, 64];
const AT_ONCE = 32;

function questionOf(given: unknown): MindQuestion {
  const known = ['order', 'cloze', 'answer', 'distractor'];
  const read = readOptions(given as Partial<MindQuestion>, known, 'a question');
  return {
    order: ORDERS[indexIn(ORDERS, read.order ?? 'zero', 'order')]!,
    cloze: textOf(read.cloze, 'cloze'),
    answer: textOf(read.answer, 'answer'),
    distractor: textOf(read.distractor, 'distractor'),
  };
}

function storyOf(given: unknown): MindStory {
  const known = ['before', 'after', 'questions'];
  const read = readOptions(given as Partial<MindStory>, known, 'a story');
  return {
    before: textOf(read.before, 'before'),
    after: textOf(read.after, 'after'),
    questions: listOf(read.questions, 'questions', questionOf),
  };
}

function numberIn(value: unknown, name: string, min: number, max: number, whole: boolean): number {
  const fits = typeof value === 'number' && value >= min && value <= max;
  if (fits && (!whole || Number.isInteger(value))) return value;
  const kind = whole ? 'whole numbers' : 'numbers';
  throw invalid(`${name} has ${typed(value, 'number')}; they must be ${kind} of ${min} to ${max}`);
}

/**
 * The most probable tokens, the smallest id of equals first, and their probabilities when the
 * logits are divided by each temperature.
 */
export function stepOf(
  logits: ArrayLike<number>,
  top_n: number,
  temperatures: readonly number[],
): Omit<MindStep, 'texts'> {
  const tokens = largest(logits, top_n);
  const max = logits[tokens[0]!]!;
  const p = temperatures.map((temperature) => {
    const scaled = Float64Array.from(logits, (logit) => (logit - max) / temperature);
    const total = logSum(scaled);
    return tokens.map((token) => Math.exp(scaled[token]! - total));
  });
  return { tokens, p };
}

/** The greedy steps after a prompt. */
async function stepsOf(
  model: Model,
  ids: readonly number[],
  read: { steps: number; top_n: number; temperatures: readonly number[] },
  signal: AbortSignal,
): Promise<MindStep[]> {
  const sessions = new Sessions();
  const steps: MindStep[] = [];
  try {
    const session = sessions.add(model.createSession({ seed: 0 }));
    await session.sync(ids, { signal });
    while (steps.length < read.steps) {
      const step = stepOf(await session.logits({ signal }), read.top_n, read.temperatures);
      const texts = await Promise.all(step.tokens.map((token) => model.tokenText(token)));
      steps.push({ ...step, texts });
      if (steps.length < read.steps) await session.append(step.tokens[0]!);
    }
    return steps;
  } finally {
    await sessions.freeAll();
  }
}

/** The grid: one cell for each number of sentences and kind of question that is in the prompts. */
export function mindCells(prompts: readonly MindPrompt[], n_temperatures: number): MindCell[] {
  return [...new Set(prompts.map(({ infill }) => infill))].flatMap((infill) =>
    ORDERS.flatMap((order) => {
      const all = prompts.filter((prompt) => prompt.infill === infill && prompt.order === order);
      if (all.length === 0) return [];
      const own = all.filter(({ skipped }) => !skipped);
      const steps = own.flatMap((prompt) => prompt.steps!);
      const ranks = steps[0]?.tokens.length ?? 0;
      return {
        infill,
        order,
        n: own.length,
        n_skipped: all.length - own.length,
        accuracy: mean(own.map(({ correct }) => Number(correct))),
        margin: mean(own.map((prompt) => prompt.answer_logprob! - prompt.distractor_logprob!)),
        mean_p: Array.from({ length: n_temperatures }, (_, t) =>
          Array.from({ length: ranks }, (_, rank) => mean(steps.map(({ p }) => p[t]![rank]!))),
        ),
      };
    }),
  );
}

export const theoryOfMind: LensCall<'theoryOfMind'> = (model, options) =>
  withOptions('theoryOfMind', options, async ({ steps, top_n, ...read }, signal) => {
    const { n_ctx, n_vocab } = model.info;
    const stories =
      read.stories === undefined ? mindStories() : listOf(read.stories, 'stories', storyOf);
    const infills = listOf(read.infills ?? INFILLS, 'infills', (value) =>
      numberIn(value, 'infills', 0, MAX_INFILL, true),
    );
    const temperatures = listOf(read.temperatures ?? TEMPERATURES, 'temperatures', (value) =>
      numberIn(value, 'temperatures', 0.001, 1000, false),
    );
    const plans = infills.flatMap((infill) =>
      stories.flatMap(({ before, after, questions }, story) =>
        questions.map((question) => {
          const text = `${before}${infillOf(infill)}${after} ${question.cloze}`;
          return { story, infill, question, text };
        }),
      ),
    );
    const longest = Math.max(1, ...plans.map(({ text }) => text.length / 4)); // tokens, about
    const limit = Math.min(AT_ONCE, continuationsInCache(model.info, 0, Math.ceil(longest)));
    const prompts = await mapAll(
      plans,
      signal,
      async ({ story, infill, question, text }, own): Promise<MindPrompt> => {
        const ends = [question.answer, question.distractor];
        const [answer, distractor] = await mapAll(ends, own, (end, inner) =>
          continuationOf(model, text, end, inner),
        );
        const n_tokens = answer!.from;
        const facts = { story, infill, order: question.order, n_tokens };
        const most = Math.max(n_tokens + steps, answer!.ids.length, distractor!.ids.length);
        if (most > n_ctx) return { ...facts, skipped: true };
        const scores = await scoreAll(model, [answer!.ids, distractor!.ids], own);
        const settings = { steps, top_n: Math.min(top_n, n_vocab), temperatures };
        const greedy = await stepsOf(model, answer!.ids.slice(0, n_tokens), settings, own);
        return {
          ...facts,
          skipped: false,
          steps: greedy,
          correct: greedy[0]!.tokens[0] === answer!.ids[n_tokens],
          answer_logprob: logprobFrom(scores[0]!, answer!.from),
          distractor_logprob: logprobFrom(scores[1]!, distractor!.from),
        };
      },
      limit,
    );
    return { temperatures, prompts, cells: mindCells(prompts, temperatures.length) };
  });
