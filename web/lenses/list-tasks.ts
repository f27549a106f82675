/** The rows of the lenses that bring their own texts, and of n-grams. */
import type { LensInfo } from '../types/types.js';
import { choice, other, whole } from './rows.js';

/** Lenses that give a model tasks, and one that predicts beside it. */
export const taskRows = [
  {
    name: 'verbatim',
    title: 'Verbatim memory',
    summary:
      'How surprising a list of nouns is when a text has it a second time: the same list, another ' +
      'order, or other nouns.',
    options: [
      whole('length', 5, 2, 10, 'how many nouns a list has'),
      whole('lists', 2, 2, 16, 'how many lists there are; each is used in all its circular shifts'),
      choice('words', ['arbitrary', 'coherent'], 'nouns of any kind, or of one kind in each list'),
      other('nouns', 'readonly string[]', 'nouns for arbitrary lists; default: 50 English ones'),
      choice(
        'context',
        ['intact', 'incongruent', 'scrambled', 'none'],
        'the text between the lists: the story goes on, is about something else, has its words in ' +
          'another order, or is one word',
      ),
      choice('gap', ['short', 'medium', 'long'], 'how long that text is: 1, 4 or 8 sentences'),
      other('edits', 'readonly Edit[]', 'what the runs change, for example heads that are off'),
      whole('resamples', 10_000, 1, 1_000_000, 'resampled sets of texts for the intervals'),
      whole('seed', 0, 0, 2 ** 31 - 1, 'the seed of the lists and the intervals'),
    ],
    result: 'VerbatimResult',
    source: {
      title: 'Characterizing Verbatim Short-Term Memory in Neural Language Models',
      authors: 'Kristijan Armeni, Christopher Honey, Tal Linzen',
      year: 2022,
      paper: 38,
    },
    reconstructed: true,
    cost: 'Three texts for each list and shift: 30 texts of about 60 tokens by default.',
    example: [
      'const { conditions } = await model.lens.verbatim({ length: 3, resamples: 100 });',
      'for (const { condition, median } of conditions) console.log(condition, median);',
    ],
    file: 'verbatim.ts',
  },
  {
    name: 'theoryOfMind',
    title: 'Theory of mind',
    summary:
      'Next tokens after stories in which a thing is moved while its owner is away, with more and ' +
      'more sentences between, at several temperatures.',
    options: [
      other('stories', 'readonly MindStory[]', 'the stories; default: ten of our own'),
      other(
        'infills',
        'readonly number[]',
        'how many sentences to insert; default: 0, 1, 4, 16, 64',
      ),
      other('temperatures', 'readonly number[]', 'the temperatures; default: 0.01, 0.5, 1, 1.5, 2'),
      whole('steps', 3, 1, 64, 'how many greedy steps follow each prompt'),
      whole('top_n', 5, 1, 1000, 'how many of the most probable tokens a step lists'),
    ],
    result: 'TheoryOfMindResult',
    source: {
      title:
        'Exploring Next Token Prediction in Theory of Mind (ToM) Tasks: Comparative Experiments ' +
        'with GPT-2 and LLaMA-2 AI Models',
      authors: 'Pavan Yadav, Nikhil Khandalkar, Krishna Shinde, Lokesh B. Ramegowda, Rajarshi Das',
      year: 2025,
      paper: 3,
    },
    reconstructed: true,
    cost: 'Each prompt runs twice: 150 prompts of 60 to 900 tokens by default.',
    example: [
      'const { cells } = await model.lens.theoryOfMind({ infills: [0], temperatures: [1] });',
      'for (const { order, accuracy, margin } of cells) console.log(order, accuracy, margin);',
    ],
    file: 'theory-of-mind.ts',
  },
  {
    name: 'charBench',
    title: 'Letters of words',
    summary:
      'Questions about how often a letter occurs in a word and where, beside how the word is cut ' +
      'into tokens.',
    options: [
      other('words', 'readonly string[]', 'the words; default: eight English ones'),
      whole('letters', 2, 1, 64, 'letters of each word that are asked about, most frequent first'),
      whole('shots', 2, 0, 8, 'examples with answers before each question'),
    ],
    result: 'CharBenchResult',
    source: {
      title: 'CharBench: Evaluating the Role of Tokenization in Character-Level Tasks',
      authors: 'Omri Uzan, Yuval Pinter',
      year: 2025,
      paper: 50,
    },
    reconstructed: true,
    cost: 'Three questions for each letter and word, each with one option for each letter of the word.',
    example: [
      "const { tasks } = await model.lens.charBench({ words: ['banana'], shots: 1 });",
      'for (const { task, accuracy, chance } of tasks) console.log(task, accuracy, chance);',
    ],
    file: 'char-bench.ts',
  },
  {
    name: 'embers',
    title: 'Embers of autoregression',
    summary:
      'Ciphers, counting and sorting with likely and unlikely right answers: the log-probability ' +
      'of the answer as a text, and as an answer.',
    options: [other('items', 'readonly EmbersItem[]', 'the tasks; default: 28 of our own')],
    result: 'EmbersResult',
    source: {
      title:
        'Embers of Autoregression: Understanding Large Language Models Through the Problem They ' +
        'are Trained to Solve',
      authors: 'R. Thomas McCoy, Shunyu Yao, Dan Friedman, Matthew Hardy, Thomas L. Griffiths',
      year: 2023,
      paper: 40,
    },
    reconstructed: true,
    cost: 'Four texts for each task: 112 by default.',
    example: [
      'const { groups } = await model.lens.embers();',
      'for (const { task, likely, answer_logprob } of groups) console.log(task, likely, answer_logprob);',
    ],
    file: 'embers.ts',
  },
  {
    name: 'ngramHeads',
    title: 'In-context n-grams beside the model',
    summary:
      'What an exact n-gram predictor over the text so far predicts at each token, and how far ' +
      "the model's distribution is from it.",
    argument: { name: 'text', value: 'string' },
    options: [
      whole('max_order', 3, 1, 16, 'how many of the last tokens are looked up at most'),
      whole(
        'repeated',
        0,
        0,
        512,
        'with this many random tokens, repeated once, attention heads are scored; 0: they are not',
      ),
      whole('seed', 0, 0, 2 ** 31 - 1, 'the seed of the random tokens'),
    ],
    result: 'NgramHeadsResult',
    source: {
      title: 'In-Context Language Learning: Architectures and Algorithms',
      authors: 'Ekin Akyürek, Bailin Wang, Yoon Kim, Jacob Andreas',
      year: 2024,
      paper: 45,
    },
    reconstructed: true,
    cost: 'The text runs once; all logits of each token are copied. `repeated` runs twice its tokens.',
    example: [
      "const text = 'The cat sat. The dog sat. The cat sat. The dog';",
      'const { tokens, orders } = await model.lens.ngramHeads(text);',
      'for (const { text, order, divergence } of tokens) console.log(text, order, divergence);',
      'console.log(orders.at(-1)?.accuracy);',
    ],
    file: 'ngram-heads.ts',
  },
] as const satisfies readonly LensInfo[];
