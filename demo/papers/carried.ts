/** The papers for which something works here: `npm run papers` checks each of them. */
import type { CarriedPaper } from './paper.js';

/** Papers for which something works here. */
export const carried: readonly CarriedPaper[] = [
  {
    number: 4,
    name: 'Cautious Next Token Prediction',
    title: 'Cautious Next Token Prediction',
    year: 2025,
    kind: 'decode',
    sentence:
      'Where a model is not certain, it tries several continuations up to the next punctuation mark and keeps the one with the lowest perplexity.',
    api: ['method cntp'],
    works: 'The method, with the numbers of trials of the paper and of its code.',
    check:
      'The number of trials follows from the entropy; scored again, the winner has the lowest perplexity; with one trial the tokens are those of a plain generation.',
  },
  {
    number: 20,
    name: 'When to solve / when to verify (SC vs GenRM)',
    title:
      'When To Solve, When To Verify: Compute-Optimal Problem Solving and Generative Verification for LLM Reasoning',
    year: 2025,
    kind: 'decode',
    sentence:
      'With a fixed budget, more answers and a vote are often better than fewer answers that the model itself verifies.',
    api: ['method vote', 'voteCurve', 'bestOfCurve', 'solutionEquivalents'],
    works:
      'Votes, weighted votes and best-of-N with verifications, their cost, and the curves over the number of answers.',
    check:
      'The cost of 8 and 16 answers with verifications is that of the formula; the winner of a vote is the most frequent answer when it is counted again; the curve is the mean over all subsets.',
  },
  {
    number: 21,
    name: 'ReSpace (3D scenes)',
    title: 'ReSpace: Text-Driven 3D Scene Synthesis and Editing with Preference Alignment',
    year: 2025,
    kind: 'domain',
    sentence:
      'A language model furnishes a room: it writes the objects of the scene with their places as JSON.',
    api: ['Model.createGrammar'],
    works: 'A JSON schema for scenes, which every text of any model then follows.',
    check: 'Every scene that the built-in model writes is valid by another program.',
    missing: 'The tuned model, the choice of furniture and the geometry.',
  },
  {
    number: 36,
    name: 'Token Recycling',
    title:
      'Turning Trash into Treasure: Accelerating Inference of Large Language Models with Token Recycling',
    year: 2024,
    kind: 'decode',
    sentence:
      'What a model thought likely after a token the last time is proposed again, as a tree that one batch checks.',
    api: ['method recycling'],
    works: "The matrix, the paper's tree and a smaller one for processors, greedy and drawn.",
    check: 'The tokens are those of a plain generation, greedy and drawn, with both trees.',
  },
  {
    number: 39,
    name: 'Correlation and Navigation (ICN)',
    title:
      'Correlation and Navigation in the Vocabulary Key Representation Space of Language Models',
    year: 2024,
    kind: 'decode',
    sentence:
      'Tokens whose rows in the output matrix are alike get alike probabilities; the answers so far, in the prompt, lead the model to others.',
    api: ['method navigate', 'Model.outputRows'],
    works:
      'Navigation to different answers and to different ways, and the rows of the output matrix.',
    check:
      'One run with one answer is greedy generation; all first tokens differ; the product of a row and the hidden state is the logit.',
  },
  {
    number: 45,
    name: 'In-context language learning (n-gram heads)',
    title: 'In-Context Language Learning: Architectures and Algorithms',
    year: 2024,
    kind: 'arch',
    sentence:
      'Transformers learn a language from the prompt by heads that count what followed the same tokens before.',
    api: ['method ngram'],
    works: 'The n-gram predictor of the prompt, as a source of drafts.',
    check:
      'The tokens are those of a plain generation; in a text that repeats itself the predictor saves batches.',
    missing: 'Layers with built-in n-gram heads, which need weights that were trained with them.',
  },
  {
    number: 63,
    name: 'Making the most of your model',
    title:
      'Making the Most of your Model: Methods for Finetuning and Applying Pretrained Transformers',
    year: 2024,
    kind: 'decode',
    sentence:
      "A model's most probable text is often empty or a copy of the prompt; the most probable text with a wanted attribute is good.",
    api: ['method beam'],
    works: 'Beam search and exact search, plain and under conditions.',
    check:
      'With six tokens, both searches find the best of all texts of up to three tokens, and the best of those with an attribute.',
    missing: 'Tuning the cached vectors to a text, which needs gradients.',
  },
];
