/**
 * The list of methods: one row a method. The types of names and options, the checks of options and
 * the table in README.md come from this list.
 */
import { recyclingTrees } from '../types/generated.js';
import { readListedOptions } from '../types/listed-options.js';
import type { OptionValue } from '../types/listed-options.js';
import type { MethodInfo } from '../types/methods.js';
import { attentionRows } from './list-attention.js';

const rows = [
  {
    name: 'cntp',
    title: 'Cautious Next Token Prediction',
    kind: 'generate',
    call: "session.generate(prompt, { method: { name: 'cntp' } })",
    options: [
      {
        type: 'choice',
        name: 'formula',
        default: 'code',
        values: ['code', 'paper'],
        meaning: "how entropy gives the number of trials: as the paper's code, or as its listing",
      },
      {
        type: 'number',
        name: 'h_min',
        default: 0.01,
        min: 0,
        max: 1e6,
        whole: false,
        meaning: 'entropy in nats up to which there are n_min trials',
      },
      {
        type: 'number',
        name: 'h_max',
        default: 1.5,
        min: 0,
        max: 1e6,
        whole: false,
        meaning: 'entropy in nats from which there are n_max trials; above h_min',
      },
      {
        type: 'number',
        name: 'n_max',
        default: 10,
        min: 1,
        max: 64,
        whole: true,
        meaning: 'maximum number of trials',
      },
      {
        type: 'number',
        name: 'n_min',
        default: 1,
        min: 1,
        max: 64,
        whole: true,
        meaning: 'minimum number of trials; at most n_max',
      },
      {
        type: 'choice',
        name: 'match',
        default: 'text',
        values: ['text', 'id'],
        meaning: "what ends a trial: a token whose text is a punctuation mark, or a mark's own id",
      },
      {
        type: 'choice',
        name: 'score',
        default: 'processed',
        values: ['processed', 'raw'],
        meaning: 'probabilities for the perplexity: after the last stage, or before any stage',
      },
      {
        type: 'number',
        name: 'trial_tokens',
        default: 64,
        min: 1,
        max: 4096,
        whole: true,
        meaning: 'maximum number of tokens of a trial',
      },
    ],
    source: {
      title: 'Cautious Next Token Prediction',
      authors:
        'Yizhou Wang, Lingzhi Zhang, Yue Bai, Mang Tik Chiu, Zhengmian Hu, Mingyuan Zhang, ' +
        'Qihua Dong, Yu Yin, Sohrab Amirghodsi, Yun Fu',
      year: 2025,
      paper: 4,
    },
    reconstructed: false,
    file: 'cntp.ts',
  },
  {
    name: 'beam',
    title: 'Conditional beam search',
    kind: 'model',
    call: 'model.beamSearch(prompt, { condition })',
    options: [
      {
        type: 'number',
        name: 'beams',
        default: 5,
        min: 1,
        max: 4096,
        whole: true,
        meaning: 'how many texts the search keeps at each length',
      },
      {
        type: 'number',
        name: 'top_k',
        default: 100,
        min: 1,
        max: 1_048_576,
        whole: true,
        meaning: 'how many next tokens each text proposes',
      },
      {
        type: 'other',
        name: 'condition',
        meaning: 'an attribute that texts must have: a condition or a list of conditions',
      },
      {
        type: 'number',
        name: 'weight',
        default: 1,
        min: 0,
        max: 1e6,
        whole: false,
        meaning:
          "how much the logarithm of the condition's probability counts; 0 is plain beam search",
      },
      {
        type: 'flag',
        name: 'contrast',
        default: false,
        meaning: 'search without the condition, too, and report both',
      },
      {
        type: 'flag',
        name: 'exact',
        default: false,
        meaning: 'find the most probable finished texts for certain, for tiny cases',
      },
      {
        type: 'number',
        name: 'max_nodes',
        default: 10_000,
        min: 1,
        max: 1e9,
        whole: true,
        meaning: 'how many distributions the exact search may ask the model for',
      },
      {
        type: 'other',
        name: 'sampler',
        meaning:
          'options of the sampler whose distribution is searched; without it, the distribution ' +
          'before any stage',
      },
    ],
    source: {
      title:
        'Making the Most of your Model: Methods for Finetuning and Applying Pretrained Transformers',
      authors: 'Davis Yoshida',
      year: 2024,
      paper: 63,
    },
    reconstructed: true,
    file: 'beam.ts',
  },
  {
    name: 'vote',
    title: 'Voting',
    kind: 'model',
    call: 'model.vote(prompt, { n, extract, verifier })',
    options: [
      {
        type: 'number',
        name: 'n',
        default: 8,
        min: 1,
        max: 1024,
        whole: true,
        meaning: 'how many answers the model gives',
      },
      {
        type: 'number',
        name: 'temperature',
        default: 0.7,
        min: 0,
        max: 1e6,
        whole: false,
        meaning: 'temperature of the answers',
      },
      {
        type: 'other',
        name: 'extract',
        meaning:
          "how an answer is found in a text: 'number', 'letter', 'line' or 'text' (the default), " +
          'a regular expression, or a function',
      },
      {
        type: 'other',
        name: 'canonical',
        meaning: 'a function that gives the form in which answers are compared',
      },
      {
        type: 'other',
        name: 'verifier',
        meaning: 'how the model judges each solution, or a function that gives a score of 0 to 1',
      },
      {
        type: 'choice',
        name: 'mode',
        default: 'auto',
        values: ['auto', 'majority', 'weighted', 'best'],
        meaning:
          'which answer wins: the most frequent, that with the largest sum of scores, that of the ' +
          'best score; auto is weighted with a verifier, else majority',
      },
      {
        type: 'other',
        name: 'on_answer',
        meaning: 'a function that is called for each answer that is complete',
      },
    ],
    source: {
      title:
        'When To Solve, When To Verify: Compute-Optimal Problem Solving and Generative ' +
        'Verification for LLM Reasoning',
      authors:
        'Nishad Singhi, Hritik Bansal, Arian Hosseini, Aditya Grover, Kai-Wei Chang, ' +
        'Marcus Rohrbach, Anna Rohrbach',
      year: 2025,
      paper: 20,
    },
    reconstructed: false,
    file: 'vote.ts',
  },
  {
    name: 'navigate',
    title: 'In-context Navigation',
    kind: 'model',
    call: "model.navigate(prompt, { mode: 'list' })",
    options: [
      {
        type: 'choice',
        name: 'mode',
        default: 'list',
        values: ['list', 'ways'],
        meaning: 'a list of short answers, or several ways to solve a problem',
      },
      {
        type: 'number',
        name: 'n_tol',
        default: 10,
        min: 1,
        max: 10_000,
        whole: true,
        meaning: 'list: how many new first tokens each run takes',
      },
      {
        type: 'number',
        name: 'n_run',
        default: 10,
        min: 1,
        max: 10_000,
        whole: true,
        meaning: 'list: how many runs there are',
      },
      {
        type: 'flag',
        name: 'reg',
        default: true,
        meaning: 'list: an answer continues the prompt without the list of answers',
      },
      {
        type: 'other',
        name: 'header',
        meaning: "list: the text between the prompt and the list, by default '\\nAnswers:\\n'",
      },
      {
        type: 'number',
        name: 'n_ways',
        default: 4,
        min: 1,
        max: 100,
        whole: true,
        meaning: 'ways: how many ways',
      },
      {
        type: 'number',
        name: 'depth',
        default: 100,
        min: 1,
        max: 1_048_576,
        whole: true,
        meaning: 'ways: among how many first tokens the search looks for one that is new',
      },
      {
        type: 'flag',
        name: 'baseline',
        default: false,
        meaning: 'ways: find the first tokens without showing the earlier ways',
      },
      {
        type: 'number',
        name: 'answer_tokens',
        default: 8,
        min: 1,
        max: 4096,
        whole: true,
        meaning: 'ways: maximum number of tokens of a final answer',
      },
      {
        type: 'other',
        name: 'instruction',
        meaning:
          "ways: the text after the prompt, by default 'Solve this problem in n different ways.'",
      },
      {
        type: 'other',
        name: 'heading',
        meaning: "ways: what is above each way, by default '### Way'",
      },
      {
        type: 'other',
        name: 'cue',
        meaning: "ways: what asks for the final answer, by default '\\n\\nFinal answer: \"'",
      },
      {
        type: 'other',
        name: 'extract',
        meaning:
          'ways: how the answer is found after the cue, by default a number or a letter A to E',
      },
      {
        type: 'other',
        name: 'canonical',
        meaning: 'ways: a function that gives the form in which answers are compared',
      },
    ],
    source: {
      title:
        'Correlation and Navigation in the Vocabulary Key Representation Space of Language Models',
      authors: 'Letian Peng, Chenyang An, Jingbo Shang',
      year: 2024,
      paper: 39,
    },
    reconstructed: false,
    file: 'navigate.ts',
  },
  {
    name: 'decide',
    title: 'Decisions',
    kind: 'model',
    call: 'model.decide({ state, questions })',
    options: [
      {
        type: 'other',
        name: 'temperature',
        meaning:
          "the labels' logits are divided by this; default: 1, for a decision model what its file says",
      },
      {
        type: 'choice',
        name: 'orders',
        default: 'both',
        values: ['both', 'given'],
        meaning: 'read the options in the given order only, or in the reverse order, too',
      },
      {
        type: 'other',
        name: 'template',
        meaning: "a Jinja template for the whole prompt; default: the model's chat template",
      },
      {
        type: 'other',
        name: 'chat_template_kwargs',
        meaning: 'variables for the chat template; default: those that turn thinking off',
      },
      {
        type: 'other',
        name: 'trace',
        meaning: 'candidates in the trace of each reading, or false; default: { top_n: 20 }',
      },
    ],
    source: {
      title: 'tools/server/server-decision.cpp',
      authors: 'the authors of llama.cpp',
      year: 2026,
    },
    reconstructed: false,
    file: 'decide.ts',
  },
  {
    name: 'ngram',
    title: 'In-context n-grams',
    kind: 'speculate',
    call: "session.generate(prompt, { speculate: 'ngram' })",
    options: [],
    source: {
      title: 'In-Context Language Learning: Architectures and Algorithms',
      authors: 'Ekin Akyürek, Bailin Wang, Yoon Kim, Jacob Andreas',
      year: 2024,
      paper: 45,
    },
    reconstructed: true,
    file: '../../src/methods/ngram.c',
  },
  {
    name: 'recycling',
    title: 'Token Recycling',
    kind: 'speculate',
    call: "session.generate(prompt, { speculate: 'recycling' })",
    options: [
      {
        type: 'choice',
        name: 'recycling',
        default: 'cpu',
        values: recyclingTrees,
        meaning: "the tree that a draft fills: 11 tokens, or the paper's 80",
      },
    ],
    source: {
      title:
        'Turning Trash into Treasure: Accelerating Inference of Large Language Models with ' +
        'Token Recycling',
      authors:
        'Xianzhen Luo, Yixuan Wang, Qingfu Zhu, Zhiming Zhang, Xuanyu Zhang, Qing Yang, ' +
        'Dongliang Xu',
      year: 2024,
      paper: 36,
    },
    reconstructed: false,
    file: '../../src/methods/recycling.c',
  },
  {
    name: 'draft',
    title: 'Draft model',
    kind: 'speculate',
    call: 'session.generate(prompt, { speculate: { draft: model } })',
    options: [
      { type: 'other', name: 'draft', meaning: 'the second model, with the same vocabulary' },
      {
        type: 'number',
        name: 'max_tokens',
        default: 8,
        min: 1,
        max: 16,
        whole: true,
        meaning: 'maximum number of tokens that the second model proposes at a time',
      },
    ],
    source: {
      title: 'Fast Inference from Transformers via Speculative Decoding',
      authors: 'Yaniv Leviathan, Matan Kalman, Yossi Matias',
      year: 2023,
    },
    reconstructed: true,
    file: '../api/speculate.ts',
  },
  ...attentionRows,
] as const satisfies readonly MethodInfo[];

type Row = (typeof rows)[number];

/** The name of a method. */
export type MethodName = Row['name'];

/** The options of a method in its row. */
type OptionOf<N extends MethodName> = Extract<Row, { name: N }>['options'][number];

/** The options of a method, checked and with their defaults. */
export type MethodValues<N extends MethodName> = {
  [O in OptionOf<N> as O['name']]: OptionValue<O>;
};

/** Every decoding method, with its options and its source. */
export const methods: readonly MethodInfo[] = rows;

/**
 * A copy of a method's options, checked and with their defaults. The options named in `others`,
 * such as max_tokens or signal, are copied as they are: the caller checks them. call: the name for
 * messages. prefix: what messages write before the name of an option. Throws INVALID_ARGUMENT.
 */
export function readMethodOptions<N extends MethodName, T extends object = object>(
  method: N,
  given: T | undefined,
  call: string,
  others: readonly (keyof T & string)[] = [],
  prefix = '',
): Omit<T, keyof MethodValues<N>> & MethodValues<N> {
  const { options } = rows.find(({ name }) => name === method)!;
  return readListedOptions(options, given, call, others, prefix) as Omit<T, keyof MethodValues<N>> &
    MethodValues<N>;
}
