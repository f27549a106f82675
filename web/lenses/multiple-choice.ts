/** Questions with options: which option has the highest probability, beside the loss on a text. */
import { invalid, listOf, readOptions, textOf, wholeNumber } from '../types/arguments.js';
import type {
  MultipleChoiceAnswer,
  MultipleChoiceQuestion,
  MultipleChoiceOption,
  LossPair,
  Model,
} from '../types/types.js';
import { mean, softmax } from './figures.js';
import { withOptions } from './list.js';
import type { LensCall, LensValues } from './list.js';
import {
  byteLength,
  continuationOf,
  idsIn,
  logprobFrom,
  mapAll,
  scoreAll,
  tokensOf,
} from './texts.js';

const MAX_OPTIONS = 1024;
const AT_ONCE = 8; // questions; the options of each run at the same time

type Normalize = LensValues<'multipleChoice'>['normalize'];

function questionOf(given: unknown): MultipleChoiceQuestion {
  const known = ['prompt', 'options', 'answer'];
  const read = readOptions(given as Partial<MultipleChoiceQuestion>, known, 'a question');
  const options = listOf(read.options, 'options', (option) => textOf(option, 'an option'));
  if (options.length < 2 || options.length > MAX_OPTIONS)
    throw invalid(`a question has ${options.length} options; it must have 2 to ${MAX_OPTIONS}`);
  return {
    prompt: textOf(read.prompt, 'prompt'),
    options,
    answer: wholeNumber(read.answer, 'answer', 0, options.length - 1),
  };
}

/** The choice among options whose log-probabilities and sizes are known. */
export function choiceOf(
  measured: readonly Pick<MultipleChoiceOption, 'logprob' | 'n_tokens' | 'n_bytes'>[],
  normalize: Normalize,
  answer: number,
): MultipleChoiceAnswer {
  const scores = measured.map(({ logprob, n_tokens, n_bytes }) =>
    normalize === 'none' ? logprob : logprob / (normalize === 'tokens' ? n_tokens : n_bytes),
  );
  const p = softmax(scores);
  const choice = scores.indexOf(Math.max(...scores));
  return {
    options: measured.map((option, i) => ({ ...option, score: scores[i]!, p: p[i]! })),
    choice,
    correct: choice === answer,
  };
}

/** The log-probability and the sizes of each option after the prompt. */
export async function measureOptions(
  model: Model,
  prompt: string,
  options: readonly string[],
  signal: AbortSignal,
) {
  const texts = await mapAll(options, signal, (option, own) =>
    continuationOf(model, prompt, option, own),
  );
  const scores = await scoreAll(
    model,
    texts.map(({ ids }) => ids),
    signal,
  );
  return texts.map(({ ids, from }, i) => ({
    logprob: logprobFrom(scores[i]!, from),
    n_tokens: ids.length - from,
    n_bytes: byteLength(options[i]!),
  }));
}

async function lossOf(model: Model, text: string, signal: AbortSignal) {
  const ids = idsIn(await tokensOf(model, text, signal));
  const loss = -logprobFrom(await model.score(ids, { signal }), 1);
  return {
    nats_per_token: loss / (ids.length - 1),
    bits_per_byte: loss / Math.LN2 / byteLength(text),
  };
}

export const multipleChoice: LensCall<'multipleChoice'> = (model, questions, options) =>
  withOptions('multipleChoice', options, async ({ normalize, text }, signal) => {
    const loss_text = text === undefined ? undefined : textOf(text, 'text');
    const given = listOf(questions, 'the list of questions', questionOf);
    if (given.length === 0) throw invalid('there are no questions');
    const answers = await mapAll(
      given,
      signal,
      async (question, own) => {
        const measured = await measureOptions(model, question.prompt, question.options, own);
        return choiceOf(measured, normalize, question.answer);
      },
      AT_ONCE,
    );
    const accuracy = mean(answers.map(({ correct }) => Number(correct)));
    const pair: LossPair | undefined =
      loss_text === undefined
        ? undefined
        : { ...(await lossOf(model, loss_text, signal)), error: 1 - accuracy };
    return {
      questions: answers,
      accuracy,
      chance: mean(given.map((question) => 1 / question.options.length)),
      ...(pair && { pair }),
    };
  });
