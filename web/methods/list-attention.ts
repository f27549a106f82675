/** The rows of the list for methods on attention and for embeddings. */
import type { MethodInfo } from '../types/methods.js';

const prompt = {
  type: 'other',
  name: 'prompt',
  meaning: 'positions of the prompt; those that the session has when it first runs if not given',
} as const;

export const attentionRows = [
  {
    name: 'recycled',
    title: 'Recycled Attention',
    kind: 'edit',
    call: "model.createSession({ edits: [{ type: 'recycled' }] })",
    options: [
      {
        type: 'other',
        name: 'layers',
        meaning: 'the layers; all that have attention if not given',
      },
      {
        type: 'other',
        name: 'k',
        meaning: 'keys that a recycling step reads; an eighth of n_ctx, at least 64, if not given',
      },
      {
        type: 'number',
        name: 'every',
        default: 16,
        min: 1,
        max: 2147483647,
        whole: true,
        meaning: 'one step in this many reads all keys',
      },
      {
        type: 'other',
        name: 'dynamic',
        meaning: "in place of every: `check` (5) and `threshold` (0.8) of the queries' cosine",
      },
      {
        type: 'choice',
        name: 'group',
        default: 'sum',
        values: ['sum', 'max'],
        meaning: 'how query heads that share keys choose them',
      },
      prompt,
    ],
    source: {
      title: 'Recycled Attention: Efficient inference for long-context language models',
      authors: 'Fangyuan Xu, Tanya Goyal, Eunsol Choi',
      year: 2024,
      paper: 59,
    },
    reconstructed: true,
    file: '../../src/layers/rules/recycled.c',
  },
  {
    name: 'spatten',
    title: 'SpAtten',
    kind: 'edit',
    call: "model.createSession({ edits: [{ type: 'spatten' }] })",
    options: [
      {
        type: 'other',
        name: 'tokens',
        meaning: 'for each layer the share of tokens; the published shares if not given',
      },
      {
        type: 'other',
        name: 'heads',
        meaning: 'for each layer the share of heads; the published shares if not given',
      },
      {
        type: 'number',
        name: 'values',
        default: 0.3,
        min: 0,
        max: 1,
        whole: false,
        meaning: "the share of a row's weights that are used",
      },
      {
        type: 'number',
        name: 'first',
        default: 1,
        min: 0,
        max: 2147483647,
        whole: true,
        meaning: 'how many of the first positions are never pruned',
      },
      {
        type: 'number',
        name: 'recent',
        default: 1,
        min: 1,
        max: 2147483647,
        whole: true,
        meaning: "how many of the last positions are never pruned, the step's own included",
      },
      {
        type: 'other',
        name: 'key_bits',
        meaning: 'bits of keys: `high`, `low` and `tau` (0.05); all bits if not given',
      },
      prompt,
    ],
    source: {
      title: 'SpAtten: Efficient Sparse Attention Architecture with Cascade Token and Head Pruning',
      authors: 'Hanrui Wang, Zhekai Zhang, Song Han',
      year: 2020,
      paper: 60,
    },
    reconstructed: true,
    file: '../../src/layers/rules/spatten.c',
  },
  {
    name: 'act',
    title: 'Attention calibration',
    kind: 'edit',
    call: "model.createSession({ edits: [{ type: 'act' }] })",
    options: [
      {
        type: 'other',
        name: 'layers',
        meaning: 'the layers; all except the first two and the last one if not given',
      },
      { type: 'other', name: 'heads', meaning: 'the query heads; all if not given' },
      {
        type: 'number',
        name: 'beta',
        default: 0.4,
        min: 0,
        max: 1,
        whole: false,
        meaning: 'what the weights of sinks are multiplied by',
      },
      {
        type: 'number',
        name: 'theta',
        default: 0.1,
        min: 0,
        max: 1,
        whole: false,
        meaning: 'columns whose mean weight is above it are sinks',
      },
      {
        type: 'choice',
        name: 'sinks',
        default: 'prompt',
        values: ['prompt', 'running'],
        meaning: 'whether sinks are found in the whole prompt, or in the rows so far',
      },
      prompt,
    ],
    source: {
      title:
        'Unveiling and Harnessing Hidden Attention Sinks: Enhancing Large Language Models ' +
        'without Training through Attention Calibration',
      authors:
        'Zhongzhi Yu, Zheng Wang, Yonggan Fu, Huihong Shi, Khalid Shaikh, Yingyan Celine Lin',
      year: 2024,
      paper: 57,
    },
    reconstructed: true,
    file: '../../src/layers/rules/act.c',
  },
  {
    name: 'prepend',
    title: 'Token Prepending',
    kind: 'function',
    call: 'embedPrepended(model, text)',
    options: [
      { type: 'other', name: 'start', meaning: 'the first boundary with a copy, by model' },
      { type: 'other', name: 'exit', meaning: 'the boundary at which the copies end, by model' },
      { type: 'other', name: 'output', meaning: 'the boundary that is the embedding, by model' },
      {
        type: 'other',
        name: 'template',
        meaning: 'the prompt with {placeholder} and {text}; PromptEOL if not given',
      },
      {
        type: 'number',
        name: 'seed',
        default: 1,
        min: 1,
        max: 4294967295,
        whole: true,
        meaning: "which random vector is the placeholder's",
      },
      {
        type: 'flag',
        name: 'normalize',
        default: true,
        meaning: 'whether the vector is scaled to length 1',
      },
    ],
    source: {
      title:
        'Token Prepending: A Training-Free Approach for Eliciting Better Sentence Embeddings ' +
        'from LLMs',
      authors:
        'Yuchen Fu, Zifeng Cheng, Zhiwei Jiang, Zhonghui Wang, Yafeng Yin, Zhengliang Li, Qing Gu',
      year: 2024,
      paper: 41,
    },
    reconstructed: false,
    file: 'prepend.ts',
  },
  {
    name: 'text2token',
    title: 'Tokens of a vector',
    kind: 'function',
    call: 'tokensOfVector(model, text)',
    options: [
      {
        type: 'number',
        name: 'top_n',
        default: 10,
        min: 1,
        max: 1048576,
        whole: true,
        meaning: 'how many tokens to list',
      },
      {
        type: 'choice',
        name: 'pooling',
        default: 'last',
        values: ['last', 'mean'],
        meaning: "how a text's hidden states become a vector",
      },
    ],
    source: {
      title: 'Text2Token: Unsupervised Text Representation Learning with Token Target Prediction',
      authors: 'Ruize An, Richong Zhang, Zhijie Nie, Zhanyu Wu, Yanzhao Zhang, Dingkun Long',
      year: 2025,
      paper: 37,
    },
    reconstructed: true,
    file: 'text2token.ts',
  },
] as const satisfies readonly MethodInfo[];
