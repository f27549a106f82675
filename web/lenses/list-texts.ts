/** The rows of the lenses that need only scores and tokens. */
import type { LensInfo } from '../types/types.js';
import { choice, flag, number, other, whole } from './rows.js';

/** Lenses that look at texts through their scores. */
export const textRows = [
  {
    name: 'prefixDelta',
    title: 'What a prefix changes',
    summary:
      'The log-probability of each token of a text alone and after a prefix, such as an address, ' +
      'a date or a style.',
    argument: { name: 'text', value: 'string' },
    options: [other('prefix', 'string', 'the text before; this option is required')],
    result: 'PrefixDeltaResult',
    source: {
      title:
        'When Does Metadata Conditioning (NOT) Work for Language Model Pre-Training? A Study with ' +
        'Context-Free Grammars',
      authors: 'Rei Higuchi, Ryotaro Kawata, Naoki Nishikawa, Kazusato Oko, Taiji Suzuki',
      year: 2025,
      paper: 18,
    },
    reconstructed: true,
    cost: 'The text runs twice, the prefix once.',
    example: [
      "const prefix = 'A story about a bear. ';",
      "const { delta, tokens } = await model.lens.prefixDelta('The bear slept.', { prefix });",
      'console.log(delta, tokens.map(({ text, delta }) => [text, delta]));',
    ],
    file: 'prefix-delta.ts',
  },
  {
    name: 'setOrder',
    title: 'One set in all orders',
    summary: 'The log-probability of a set of items in each order, and of a target after each.',
    argument: { name: 'items', value: 'readonly string[]' },
    options: [
      other('before', 'string', "the text before the items; default: ''"),
      other('separator', 'string', "the text between two items; default: ', '"),
      other('after', 'string', "the text after the items; default: ''"),
      other('target', 'string', 'a text whose log-probability after each order is measured'),
    ],
    result: 'SetOrderResult',
    source: {
      title: 'Order Matters: Sequence to sequence for sets',
      authors: 'Oriol Vinyals, Samy Bengio, Manjunath Kudlur',
      year: 2015,
      paper: 42,
    },
    reconstructed: true,
    cost: 'One run for each order: 2 for two items, 720 for six, at the same time.',
    example: [
      "const before = 'In the box there were ';",
      "const sets = await model.lens.setOrder(['a cat', 'a dog', 'a bear'], { before, after: '.' });",
      'console.log(sets.spread, sets.orders[0]?.text);',
    ],
    file: 'set-order.ts',
  },
  {
    name: 'multipleChoice',
    title: 'Multiple choice and loss',
    summary:
      'Which option of each question the model finds most probable, and, with a text, the loss ' +
      'on this text beside the error.',
    argument: { name: 'questions', value: 'readonly MultipleChoiceQuestion[]' },
    options: [
      choice(
        'normalize',
        ['none', 'tokens', 'bytes'],
        "what an option's log-probability is divided by: nothing, its tokens or its bytes",
      ),
      other('text', 'string', 'a text whose loss is measured, too'),
    ],
    result: 'MultipleChoiceResult',
    source: {
      title: 'Language models scale reliably with over-training and on downstream tasks',
      authors: 'Samir Yitzhak Gadre, Georgios Smyrnis, Vaishaal Shankar, Suchin Gururangan',
      year: 2024,
      paper: 7,
    },
    reconstructed: true,
    cost: 'Each prompt runs once, each of its options after it.',
    example: [
      "const prompt = 'The bird flew up into the';",
      "const questions = [{ prompt, options: [' sky', ' spoon'], answer: 0 }];",
      "const { accuracy, pair } = await model.lens.multipleChoice(questions, { text: 'A bird sang.' });",
      'console.log(accuracy, pair?.bits_per_byte);',
    ],
    file: 'multiple-choice.ts',
  },
  {
    name: 'captionWeights',
    title: 'Weights of a caption',
    summary:
      'The probability of each token of a caption for a model that does not see the image, and a ' +
      'weight that falls with this probability.',
    argument: { name: 'caption', value: 'string' },
    options: [
      number('exponent', 1, 0, 100, 'how steeply the weight (1 - p)^exponent falls'),
      other('before', 'string', "the text before the caption; default: ''"),
    ],
    result: 'CaptionWeightsResult',
    source: {
      title: 'Prioritizing Image-Related Tokens Enhances Vision-Language Pre-Training',
      authors: 'Yangyi Chen, Hao Peng, Tong Zhang, Heng Ji',
      year: 2025,
      paper: 66,
    },
    reconstructed: true,
    cost: 'The caption runs once.',
    example: [
      "const { tokens } = await model.lens.captionWeights('A red bird sits on a tree.');",
      'for (const { text, p, weight } of tokens) console.log(text, p, weight);',
    ],
    file: 'caption-weights.ts',
  },
  {
    name: 'replaced',
    title: 'Replaced tokens',
    summary:
      'Which tokens look replaced: improbable ones with a high rank; with share, how well this ' +
      'finds tokens that the lens replaced itself.',
    argument: { name: 'text', value: 'string' },
    options: [
      number('max_p', 0.001, 0, 1, 'a flagged token has a probability below this'),
      whole('min_rank', 50, 0, 1_048_576, 'at least this many tokens are more probable than it'),
      number('share', 0, 0, 1, 'how many of the tokens the lens replaces before it looks'),
      choice(
        'by',
        ['text', 'vocabulary'],
        'where replacements come from: other places of the text, or the whole vocabulary',
      ),
      whole('seed', 0, 0, 2 ** 31 - 1, 'the seed of the replacements'),
    ],
    result: 'ReplacedResult',
    source: {
      title: 'ELECTRA: Pre-training Text Encoders as Discriminators Rather Than Generators',
      authors: 'Kevin Clark, Minh-Thang Luong, Quoc V. Le, Christopher D. Manning',
      year: 2020,
      paper: 62,
    },
    reconstructed: true,
    cost: 'The text runs once.',
    example: [
      "const text = 'The old man opened the door and went into the garden.';",
      'const { tokens, auc } = await model.lens.replaced(text, { share: 0.2, seed: 1 });',
      'for (const { text, flagged } of tokens) if (flagged) console.log(text);',
      'console.log(auc?.surprise);',
    ],
    file: 'replaced.ts',
  },
  {
    name: 'functionTokens',
    title: 'Function tokens',
    summary:
      'The loss on function tokens (articles, prepositions, marks) and content tokens, by the kind ' +
      'of the token before.',
    argument: { name: 'text', value: 'string' },
    options: [
      choice(
        'by',
        ['list', 'frequency'],
        'what makes a function token: a list of words and all marks, or frequency in the text',
      ),
      number('coverage', 0.4, 0, 1, 'by frequency: the share of the text that they make up'),
      other('words', 'readonly string[]', 'by list: the words; default: a list for English'),
      flag('attention', false, 'also measure the attention that each token receives'),
    ],
    result: 'FunctionTokensResult',
    source: {
      title: 'Memory Retrieval and Consolidation in Large Language Models through Function Tokens',
      authors: 'Shaohua Zhang, Yuan Lin, Hang Li',
      year: 2025,
      paper: 34,
    },
    reconstructed: true,
    cost: 'The text runs once.',
    example: [
      "const { classes } = await model.lens.functionTokens('The cat sat on the mat.');",
      'for (const { previous, current, mean_loss, loss_share } of classes)',
      '  console.log(previous, current, mean_loss, loss_share);',
    ],
    file: 'function-tokens.ts',
  },
] as const satisfies readonly LensInfo[];
