/** The rows of the lenses that look inside the model: at residuals and attention, or with edits. */
import type { LensInfo } from '../types/types.js';
import { choice, number, other, whole } from './rows.js';

/** Lenses that need observe() or edits. */
export const insideRows = [
  {
    name: 'logitLens',
    title: 'Logit lens',
    summary:
      'What each layer would predict at each position if it were the last one, and how probable ' +
      'the next token of the text is there.',
    argument: { name: 'text', value: 'TextOrIds' },
    options: [
      whole('top_n', 5, 1, 1000, 'how many of the most probable tokens a cell lists'),
      other('layers', 'NumberList', "boundaries from 0 to n_layer; default: 'all'"),
    ],
    result: 'LogitLensResult',
    source: { title: 'interpreting GPT: the logit lens', authors: 'nostalgebraist', year: 2020 },
    reconstructed: false,
    cost: 'The text runs once; each boundary and position costs a product with the output matrix.',
    example: [
      "const { positions, layers } = await model.lens.logitLens('The cat sat on the');",
      'console.log(positions.at(-1)?.cells.map(({ top }) => top[0]?.text));',
      'console.log(layers.map(({ layer, agreement }) => [layer, agreement]));',
    ],
    file: 'logit-lens.ts',
  },
  {
    name: 'adjacentCosine',
    title: 'Neighbouring positions',
    summary: 'The cosine between the vectors of neighbouring positions, by layer.',
    argument: { name: 'text', value: 'TextOrIds' },
    options: [other('layers', 'NumberList', "boundaries from 0 to n_layer; default: 'all'")],
    result: 'AdjacentCosineResult',
    source: {
      title:
        'Future Token Prediction -- Causal Language Modelling with Per-Token Semantic State Vector ' +
        'for Multi-Token Prediction',
      authors: 'Nicholas Walker',
      year: 2024,
      paper: 31,
    },
    reconstructed: true,
    cost: 'The text runs once.',
    example: [
      "const { layers } = await model.lens.adjacentCosine('The cat sat on the mat.');",
      'for (const { layer, mean, roughness } of layers) console.log(layer, mean, roughness);',
    ],
    file: 'adjacent-cosine.ts',
  },
  {
    name: 'attribute',
    title: 'Attribution by hiding',
    summary:
      'How the probability of a target after the text changes when each word or token is hidden ' +
      'from all later positions, and when it is removed.',
    argument: { name: 'text', value: 'string' },
    options: [
      other('target', 'string', 'what follows the text; default: the most probable next token'),
      choice('by', ['word', 'token'], 'what is hidden and removed at a time'),
    ],
    result: 'AttributeResult',
    source: {
      title: 'Understanding Neural Networks through Representation Erasure',
      authors: 'Jiwei Li, Will Monroe, Dan Jurafsky',
      year: 2016,
    },
    reconstructed: true,
    cost: 'Two runs of the text for each word or token, at the same time.',
    example: [
      "const { parts } = await model.lens.attribute('The cat drank the', { target: ' milk' });",
      'for (const { text, hidden_effect, removed_effect } of parts)',
      '  console.log(text, hidden_effect, removed_effect);',
    ],
    file: 'attribute.ts',
  },
  {
    name: 'camaAbp',
    title: 'Where a sum is computed',
    summary:
      'How many layers can wait without information from other tokens, and how few layers must ' +
      'then pass it to the last token, with the next token of sums kept.',
    options: [
      choice(
        'task',
        ['a + b - c', 'a + b'],
        'the sums; their numbers are drawn at random, from 1 to max_number',
      ),
      whole('max_number', 99, 2, 999, 'the largest number in a sum'),
      whole('n', 16, 1, 1000, 'how many sums are asked'),
      whole('samples', 16, 1, 1000, 'how many other sums a mean residual is over'),
      choice(
        'against',
        ['own', 'solved'],
        "what must be kept: the model's own next token, or the right one of sums that it solves",
      ),
      number('keep', 0.9, 0, 1, 'the share of sums whose next token must stay'),
      other('prompt', 'string', "the text around {sum}; default: '{sum} ='"),
      whole('seed', 0, 0, 2 ** 31 - 1, 'the seed of the sums'),
    ],
    result: 'CamaAbpResult',
    source: {
      title:
        'All for One: LLMs Solve Mental Math at the Last Token With Information Transferred From ' +
        'Other Tokens',
      authors: 'Siddarth Mamidanna, Daking Rai, Ziyu Yao, Yilun Zhou',
      year: 2025,
      paper: 8,
    },
    reconstructed: true,
    cost: 'At most 2 * n_layer runs of each sum, and `samples` runs for each position and token.',
    example: [
      'const sums = { n: 4, samples: 4, max_number: 9 };',
      'const { wait, transfer, waiting } = await model.lens.camaAbp(sums);',
      'console.log(wait, transfer, waiting);',
    ],
    file: 'cama-abp.ts',
  },
] as const satisfies readonly LensInfo[];
