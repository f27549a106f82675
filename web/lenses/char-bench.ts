/** Questions about letters, beside how the word is cut into tokens. */
import { invalid, listOf, textOf } from '../types/arguments.js';
import type { CharAnswer, CharQuestion, CharSummary, CharTask, Model } from '../types/types.js';
import { correlation, mean } from './figures.js';
import { withOptions } from './list.js';
import type { LensCall } from './list.js';
import { choiceOf, measureOptions } from './multiple-choice.js';
import { byteLength, mapAll, tokensOf } from './texts.js';
import { tokensIn } from './words.js';

const TASKS: readonly CharTask[] = ['count', 'first', 'last'];
const WORDS = ['banana', 'letter', 'kitten', 'river', 'balloon', 'garden', 'sister', 'mountain'];
const SHOTS = ['apple', 'summer', 'tomato', 'forest', 'pepper', 'window', 'rabbit', 'silver'];
const AT_ONCE = 8; // questions; the options of each run at the same time
const MAX_LETTERS = 64;

/** The question with its answer, by counting. */
export function charQuestion(task: CharTask, word: string, letter: string): CharQuestion {
  const letters = Array.from(word);
  const answer = {
    count: letters.filter((each) => each === letter).length,
    first: letters.indexOf(letter) + 1,
    last: letters.lastIndexOf(letter) + 1,
  }[task];
  return { task, word, letter, answer };
}

/** The n letters of a word that occur most often, of equals the first ones. */
export function askedLetters(word: string, n: number): string[] {
  const letters = Array.from(word);
  const count = (letter: string) => letters.filter((each) => each === letter).length;
  return [...new Set(letters)].sort((a, b) => count(b) - count(a)).slice(0, n);
}

const PROMPTS: { [T in CharTask]: (word: string, letter: string) => string } = {
  count: (word, letter) => `In the word "${word}" the number of letters "${letter}" is`,
  first: (word, letter) => `In the word "${word}" the first letter "${letter}" has the number`,
  last: (word, letter) => `In the word "${word}" the last letter "${letter}" has the number`,
};

/** The examples before a question, with their answers. */
const shotsOf = (task: CharTask, shots: number): string =>
  SHOTS.slice(0, shots)
    .map((word) => {
      const [letter] = askedLetters(word, 1);
      return `${PROMPTS[task](word, letter!)} ${charQuestion(task, word, letter!).answer}.\n`;
    })
    .join('');

/** How the word, which begins at a byte of the prompt, is cut. */
async function cutOf(
  model: Model,
  { task, word, letter }: CharQuestion,
  prompt: string,
  start: number,
  signal: AbortSignal,
) {
  let end = start;
  const letters = Array.from(word, (text) => ({
    text,
    start: end,
    end: (end += byteLength(text)),
  }));
  const tokens = await tokensOf(model, prompt, signal);
  const covering = tokensIn(letters, tokens).map(([first]) => first);
  const texts = letters.map(({ text }) => text);
  const place = task === 'last' ? texts.lastIndexOf(letter) : texts.indexOf(letter);
  return {
    word_length: letters.length,
    n_tokens: new Set(covering).size,
    token_length: covering.filter((token) => token === covering[place]).length,
  };
}

async function ask(
  model: Model,
  question: CharQuestion,
  shots: string,
  signal: AbortSignal,
): Promise<CharAnswer> {
  const { task, word, letter, answer } = question;
  const own = PROMPTS[task](word, letter);
  const start = byteLength(shots + own.slice(0, own.indexOf(`"${word}"`) + 1));
  const cut = await cutOf(model, question, shots + own, start, signal);
  const numbers = Array.from({ length: cut.word_length }, (_, i) => ` ${i + 1}`);
  const measured = await measureOptions(model, shots + own, numbers, signal);
  const { choice, correct, options } = choiceOf(measured, 'none', answer - 1);
  return { ...question, choice: choice + 1, correct, p: options[answer - 1]!.p, ...cut };
}

/** The row of a task. */
export function charSummary(task: CharTask, answers: readonly CharAnswer[]): CharSummary {
  const own = answers.filter((answer) => answer.task === task);
  const p = own.map((answer) => answer.p);
  const correlationWith = (value: (answer: CharAnswer) => number) => correlation(own.map(value), p);
  return {
    task,
    n: own.length,
    accuracy: mean(own.map(({ correct }) => Number(correct))),
    chance: mean(own.map(({ word_length }) => 1 / word_length)),
    mean_p: mean(p),
    correlation_token_length: correlationWith(({ token_length }) => token_length),
    correlation_word_length: correlationWith(({ word_length }) => word_length),
    correlation_answer: correlationWith(({ answer }) => answer),
  };
}

function wordOf(given: unknown): string {
  const word = textOf(given, 'a word');
  const n = Array.from(word).length;
  if (!/^\p{L}+$/u.test(word) || n > MAX_LETTERS)
    throw invalid(`words must have 1 to ${MAX_LETTERS} letters and nothing else`);
  return word;
}

export const charBench: LensCall<'charBench'> = (model, options) =>
  withOptions('charBench', options, async ({ words, letters, shots }, signal) => {
    const list = words === undefined ? WORDS : listOf(words, 'words', wordOf);
    if (list.length === 0) throw invalid('words is empty');
    const questions = TASKS.flatMap((task) =>
      list.flatMap((word) =>
        askedLetters(word, letters).map((letter) => charQuestion(task, word, letter)),
      ),
    );
    const answers = await mapAll(
      questions,
      signal,
      (question, own) => ask(model, question, shotsOf(question.task, shots), own),
      AT_ONCE,
    );
    return { questions: answers, tasks: TASKS.map((task) => charSummary(task, answers)) };
  });
