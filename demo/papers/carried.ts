/** The papers for which something works here: `npm run papers` checks each of them. */
import type { CarriedPaper } from './paper.js';

/** Papers for which something works here. */
export const carried: readonly CarriedPaper[] = [
  {
    number: 3,
    name: 'Next-token prediction in Theory-of-Mind tasks',
    title:
      'Exploring Next Token Prediction in Theory of Mind (ToM) Tasks: Comparative Experiments with GPT-2 and LLaMA-2 AI Models',
    year: 2025,
    kind: 'lens',
    sentence:
      'Stories test whether GPT-2 and Llama 2 know what a person in the story believes, by the next tokens.',
    api: ['lens theoryOfMind'],
    works:
      'Stories of our own with inserted sentences, greedy steps at several temperatures, and the answer beside the wrong place.',
    check:
      "At each step the tokens and their probabilities at each temperature are those of the logits; the first token's probability falls with the temperature.",
    missing: "The paper's stories, which language models wrote.",
  },
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
    number: 7,
    name: 'LMs scale reliably with over-training',
    title: 'Language models scale reliably with over-training and on downstream tasks',
    year: 2024,
    kind: 'train',
    sentence: 'The loss on text and the errors in tasks can be foreseen from smaller models.',
    api: ['lens multipleChoice', 'Model.score'],
    works:
      'Questions with options beside the loss on a text, so that the loaded models make points of the plot.',
    check:
      "The loss is the mean of the scores of the text's tokens; of two options the one that is more probable by its own tokens is chosen; the built-in model answers easy questions better than chance.",
    missing: 'The laws that foresee a large model, which need many trained models.',
  },
  {
    number: 8,
    name: 'All for One (CAMA / ABP)',
    title:
      'All for One: LLMs Solve Mental Math at the Last Token With Information Transferred From Other Tokens',
    year: 2025,
    kind: 'lens',
    sentence:
      'Models do sums in the head at the last token, after a few layers have brought the numbers there.',
    api: ['lens camaAbp', 'VisibleEdit', 'ResidualEdit'],
    works:
      'The search for layers that wait and layers that transfer, on any model, and its masks and patched residuals as edits.',
    check:
      'Under the masks each row of attention sums to 1 and is above 0 for the visible positions only; with no layer that waits nothing changes.',
    missing: 'Sums that the built-in model could solve.',
  },
  {
    number: 14,
    name: 'Hyperdimensional Probe',
    title: 'Hyperdimensional Probe: Decoding LLM Representations via Vector Symbolic Architectures',
    year: 2025,
    kind: 'lens',
    sentence: "A probe reads concepts out of a model's vectors by an algebra of very long vectors.",
    api: ['Model.observe', 'ResidualEdit'],
    works:
      'The residuals of any layers and positions as arrays, to which a program applies a probe, and residuals that are set or added to.',
    check:
      "Residuals that are read from one text and set in another give the first text's logits, bit for bit.",
    missing: 'The probe, which needs trained weights.',
  },
  {
    number: 18,
    name: 'Metadata conditioning with CFGs',
    title:
      'When Does Metadata Conditioning (NOT) Work for Language Model Pre-Training? A Study with Context-Free Grammars',
    year: 2025,
    kind: 'train',
    sentence:
      'Addresses or styles before a text help a model only when they tell more than the text.',
    api: ['lens prefixDelta'],
    works: 'What any prefix changes in the log-probability of each token.',
    check:
      'The deltas of the tokens add up to the difference of the two scores of the whole text; a fitting prefix helps more than one that does not fit.',
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
    number: 31,
    name: 'Future Token Prediction',
    title:
      'Future Token Prediction -- Causal Language Modelling with Per-Token Semantic State Vector for Multi-Token Prediction',
    year: 2024,
    kind: 'arch',
    sentence:
      "A network predicts several tokens from one vector, which changes less from token to token than a GPT's.",
    api: ['lens adjacentCosine'],
    works: 'The cosine of neighbouring positions in any layer of ordinary models.',
    check:
      "After the embeddings the cosines are those of the tokens' rows, at the end those of the residuals.",
    missing: 'The network that predicts several tokens, which has weights of its own.',
  },
  {
    number: 34,
    name: 'Function tokens',
    title: 'Memory Retrieval and Consolidation in Large Language Models through Function Tokens',
    year: 2025,
    kind: 'lens',
    sentence: 'Words such as the and of, and punctuation, bring back what a model remembers.',
    api: ['lens functionTokens'],
    works:
      'The loss of function and content tokens by the kind of the token before, and the attention that they receive.',
    check:
      'The shares of the four classes add up to 1, the losses to that of the text; content tokens have the larger share of the loss; attention is the mean of the observed weights.',
    missing: 'What the paper finds in training and in the features that function tokens reach.',
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
    number: 37,
    name: 'Text2Token',
    title: 'Text2Token: Unsupervised Text Representation Learning with Token Target Prediction',
    year: 2025,
    kind: 'embed',
    sentence:
      "A text's vector, sent through the output matrix, should give the text's key words, and training makes it so.",
    api: ['method text2token', 'Model.embed'],
    works: "The tokens whose rows of the output matrix a text's vector is closest to.",
    check: 'For the last position they are the most probable next tokens by the logits.',
    missing:
      'The tuned weights that make these tokens the key words of the text: converted, they run as any others.',
  },
  {
    number: 38,
    name: 'Verbatim short-term memory',
    title: 'Characterizing Verbatim Short-Term Memory in Neural Language Models',
    year: 2022,
    kind: 'lens',
    sentence:
      'Models repeat a list of nouns that they have read: the second time its words surprise them less.',
    api: ['lens verbatim'],
    works:
      'Lists of nouns that come again in a story of our own: surprisal of each noun, ratios and intervals.',
    check:
      'The surprisal of each noun is that of its tokens in the text; ratios and medians follow.',
    missing: "The paper's lists and stories.",
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
    api: ['method navigate', 'lens clusters', 'Model.outputRows'],
    works:
      'Navigation to different answers and to different ways, and the rows of the output matrix.',
    check:
      'One run with one answer is greedy generation; all first tokens differ; the product of a row and the hidden state is the logit, and answers in the prompt make those of their first tokens smaller; each token is in the cluster with the nearest centre.',
  },
  {
    number: 40,
    name: 'Embers of Autoregression',
    title:
      'Embers of Autoregression: Understanding Large Language Models Through the Problem They are Trained to Solve',
    year: 2023,
    kind: 'lens',
    sentence:
      'Models do the same task better when its words are likely, which tells what they were trained for.',
    api: ['lens embers'],
    works: 'Ciphers, counting and sorting with likely and unlikely answers.',
    check:
      'The log-probabilities are those of the same texts scored alone; the answers that are called likely are; and answers that are likelier as texts are likelier as answers.',
  },
  {
    number: 41,
    name: 'Token Prepending',
    title:
      'Token Prepending: A Training-Free Approach for Eliciting Better Sentence Embeddings from LLMs',
    year: 2024,
    kind: 'embed',
    sentence:
      "Sentence embeddings improve when the last token's vector is put before the sentence, layer by layer.",
    api: ['method prepend', 'CopyResidualEdit'],
    works: 'Embeddings with the published settings for five models and a rule for others.',
    check:
      'At the copied boundaries placeholder and last token have one vector; the embedding is that of a run with edits written by hand, with copies and without.',
  },
  {
    number: 42,
    name: 'Order Matters (seq2seq for sets)',
    title: 'Order Matters: Sequence to sequence for sets',
    year: 2015,
    kind: 'arch',
    sentence:
      'The order in which the members of a set are read and written changes how well a model learns.',
    api: ['lens setOrder'],
    works: 'The log-probability of a set in every order, and of a target after each.',
    check:
      'The log-probability of each order is that of its text scored alone, and their sum over all orders is that of the result.',
    missing: 'The network that reads and writes sets, which has weights of its own.',
  },
  {
    number: 45,
    name: 'In-context language learning (n-gram heads)',
    title: 'In-Context Language Learning: Architectures and Algorithms',
    year: 2024,
    kind: 'arch',
    sentence:
      'Transformers learn a language from the prompt by heads that count what followed the same tokens before.',
    api: ['method ngram', 'lens ngramHeads'],
    works:
      "The n-gram predictor of the prompt, as a source of drafts and beside the model's distribution; scores of attention heads that look for what followed.",
    check:
      'The tokens are those of a plain generation, and in a text that repeats itself the predictor saves batches; its predictions and the scores of heads equal a search through the whole text.',
    missing: 'Layers with built-in n-gram heads, which need weights that were trained with them.',
  },
  {
    number: 46,
    name: 'PAWN detector',
    title:
      'Not all tokens are created equal: Perplexity Attention Weighted Networks for AI generated text detection',
    year: 2025,
    kind: 'lens',
    sentence:
      'Texts by models are told from texts by people by weighing how probable each token was.',
    api: ['lens pawn'],
    works: 'The five features of each token, and figures of a text that need no trained weights.',
    check: 'All five features equal those from the logits of each position.',
    missing: "The detector's trained head.",
  },
  {
    number: 50,
    name: 'CharBench',
    title: 'CharBench: Evaluating the Role of Tokenization in Character-Level Tasks',
    year: 2025,
    kind: 'lens',
    sentence: 'Questions about single letters show what tokens hide from a model.',
    api: ['lens charBench'],
    works: 'Questions about the letters of words, beside how the word is cut into tokens.',
    check: 'Each right answer is found by counting letters; accuracies follow from the choices.',
  },
  {
    number: 53,
    name: 'Bigram subnetworks',
    title: 'Bigram Subnetworks: Mapping to Next Tokens in Transformer Language Models',
    year: 2025,
    kind: 'lens',
    sentence:
      "A tiny part of a model's weights is enough to predict the next token from the last one.",
    api: ['lens bigramMask', 'maskWeights'],
    works:
      'Masks on the weights of GPT-2 files; a model, its subnetwork and a corpus side by side; and where a model turns from the last token to the next one.',
    check:
      'Without any weight of its layers, a random GPT-2 gives the same distribution whatever comes before the last token, and the whole one does not; of all layers of the built-in model the first one brings the residuals nearest to the next token, as in the paper.',
    missing: 'The published masks, which are Python pickles.',
  },
  {
    number: 55,
    name: 'Attention as an RNN (Aaren)',
    title: 'Attention as an RNN',
    year: 2024,
    kind: 'arch',
    sentence:
      'Attention can be computed key by key, as a recurrent network that needs no row of weights.',
    api: ['Session.logits'],
    works:
      "The engine's own attention: one pass over the keys with a running maximum and sum, which is the paper's recurrence.",
    check:
      'The logits of a random model equal those of a float64 forward pass that takes the softmax over whole rows.',
    missing: 'Layers whose queries are learned vectors, which need weights of their own.',
  },
  {
    number: 57,
    name: 'Attention calibration (ACT)',
    title:
      'Unveiling and Harnessing Hidden Attention Sinks: Enhancing Large Language Models without Training through Attention Calibration',
    year: 2024,
    kind: 'decode',
    sentence:
      'Tokens that draw attention without a reason are found, and their attention is given to others.',
    api: ['method act'],
    works: 'The calibration of any layers and heads, and the search for heads that help.',
    check:
      'The rows of a layer are those of the formula on the plain rows; with beta 1 all bits stay.',
    missing: 'The published lists of heads for larger models.',
  },
  {
    number: 59,
    name: 'Recycled Attention',
    title: 'Recycled Attention: Efficient inference for long-context language models',
    year: 2024,
    kind: 'decode',
    sentence: 'Most steps look only at the tokens that the last full step found important.',
    api: ['method recycled'],
    works: 'Steps that read only the recycled keys, with a fixed or a dynamic schedule.',
    check:
      'With room for all keys the scores have the bits of a plain run; with less the steps read fewer keys.',
  },
  {
    number: 60,
    name: 'SpAtten',
    title: 'SpAtten: Efficient Sparse Attention Architecture with Cascade Token and Head Pruning',
    year: 2020,
    kind: 'decode',
    sentence:
      'Tokens and heads that matter little are dropped layer by layer, and few bits of the keys come first.',
    api: ['method spatten'],
    works: 'Cascade pruning of tokens and heads, pruning of values, and keys in few bits first.',
    check:
      'With all shares 1 the scores have the bits of a plain run; with the published shares the steps read fewer keys.',
    missing: 'The hardware, and the time that only hardware saves.',
  },
  {
    number: 62,
    name: 'ELECTRA',
    title: 'ELECTRA: Pre-training Text Encoders as Discriminators Rather Than Generators',
    year: 2020,
    kind: 'train',
    sentence: 'A model learns to find the words that a small model has replaced.',
    api: ['lens replaced'],
    works: 'Tokens that look replaced for an ordinary model, by probability and rank.',
    check:
      'Counted pair by pair, a replaced token is less probable than another one as often as the figure says, and more often than by chance.',
    missing: 'The encoder that was trained to find replacements.',
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
  {
    number: 66,
    name: 'PRIOR (image-related tokens)',
    title: 'Prioritizing Image-Related Tokens Enhances Vision-Language Pre-Training',
    year: 2025,
    kind: 'train',
    sentence:
      'Tokens of a caption that a text model cannot guess come from the image and weigh more in training.',
    api: ['lens captionWeights'],
    works:
      'The probability of each caption token without the image, and a weight that falls with it.',
    check:
      "The probabilities are those of the scores; the weights are the formula's and their mean is 1.",
    missing: 'Training with these weights.',
  },
];
