/**
 * Written by wasm/toolchain/generate.mjs from web/lenses/list.ts. Change the rows, not this file.
 * The calls of model.lens and their options.
 */

import type { CallOptions, NumberList, TextOrIds } from './common.js';
import type { Edit } from './inside.js';
import type { AdjacentCosineResult } from './lenses/adjacent-cosine.js';
import type { AttributeResult } from './lenses/attribute.js';
import type { BigramMaskResult, Subnetwork } from './lenses/bigram-mask.js';
import type { CamaAbpResult } from './lenses/cama-abp.js';
import type { CaptionWeightsResult } from './lenses/caption-weights.js';
import type { CharBenchResult } from './lenses/char-bench.js';
import type { AnswerJudge, ClustersResult } from './lenses/clusters.js';
import type { EmbersItem, EmbersResult } from './lenses/embers.js';
import type { FunctionTokensResult } from './lenses/function-tokens.js';
import type { LogitLensResult } from './lenses/logit-lens.js';
import type { MultipleChoiceQuestion, MultipleChoiceResult } from './lenses/multiple-choice.js';
import type { NgramHeadsResult } from './lenses/ngram-heads.js';
import type { PawnResult } from './lenses/pawn.js';
import type { PrefixDeltaResult } from './lenses/prefix-delta.js';
import type { ReplacedResult } from './lenses/replaced.js';
import type { SetOrderResult } from './lenses/set-order.js';
import type { MindStory, TheoryOfMindResult } from './lenses/theory-of-mind.js';
import type { VerbatimResult } from './lenses/verbatim.js';
export type * from './lenses/adjacent-cosine.js';
export type * from './lenses/attribute.js';
export type * from './lenses/bigram-mask.js';
export type * from './lenses/cama-abp.js';
export type * from './lenses/caption-weights.js';
export type * from './lenses/char-bench.js';
export type * from './lenses/clusters.js';
export type * from './lenses/embers.js';
export type * from './lenses/function-tokens.js';
export type * from './lenses/logit-lens.js';
export type * from './lenses/multiple-choice.js';
export type * from './lenses/ngram-heads.js';
export type * from './lenses/pawn.js';
export type * from './lenses/prefix-delta.js';
export type * from './lenses/replaced.js';
export type * from './lenses/set-order.js';
export type * from './lenses/theory-of-mind.js';
export type * from './lenses/verbatim.js';

/** Options of lens.prefixDelta. */
export interface PrefixDeltaLensOptions extends CallOptions {
  /** The text before; this option is required. */
  prefix?: string;
}

/** Options of lens.setOrder. */
export interface SetOrderLensOptions extends CallOptions {
  /** The text before the items; default: ''. */
  before?: string;
  /** The text between two items; default: ', '. */
  separator?: string;
  /** The text after the items; default: ''. */
  after?: string;
  /** A text whose log-probability after each order is measured. */
  target?: string;
}

/** Options of lens.multipleChoice. */
export interface MultipleChoiceLensOptions extends CallOptions {
  /**
   * What an option's log-probability is divided by: nothing, its tokens or its bytes. Default:
   * 'none'.
   */
  normalize?: 'none' | 'tokens' | 'bytes';
  /** A text whose loss is measured, too. */
  text?: string;
}

/** Options of lens.captionWeights. */
export interface CaptionWeightsLensOptions extends CallOptions {
  /** How steeply the weight (1 - p)^exponent falls, 0 to 100. Default: 1. */
  exponent?: number;
  /** The text before the caption; default: ''. */
  before?: string;
}

/** Options of lens.replaced. */
export interface ReplacedLensOptions extends CallOptions {
  /** A flagged token has a probability below this, 0 to 1. Default: 0.001. */
  max_p?: number;
  /**
   * At least this many tokens are more probable than it, a whole number of 0 to 1048576. Default:
   * 50.
   */
  min_rank?: number;
  /** How many of the tokens the lens replaces before it looks, 0 to 1. Default: 0. */
  share?: number;
  /**
   * Where replacements come from: other places of the text, or the whole vocabulary. Default:
   * 'text'.
   */
  by?: 'text' | 'vocabulary';
  /** The seed of the replacements, a whole number of 0 to 2147483647. Default: 0. */
  seed?: number;
}

/** Options of lens.functionTokens. */
export interface FunctionTokensLensOptions extends CallOptions {
  /**
   * What makes a function token: a list of words and all marks, or frequency in the text. Default:
   * 'list'.
   */
  by?: 'list' | 'frequency';
  /** By frequency: the share of the text that they make up, 0 to 1. Default: 0.4. */
  coverage?: number;
  /** By list: the words; default: a list for English. */
  words?: readonly string[];
  /** Also measure the attention that each token receives. Default: false. */
  attention?: boolean;
}

/** Options of lens.verbatim. */
export interface VerbatimLensOptions extends CallOptions {
  /** How many nouns a list has, a whole number of 2 to 10. Default: 5. */
  length?: number;
  /**
   * How many lists there are; each is used in all its circular shifts, a whole number of 2 to 16.
   * Default: 2.
   */
  lists?: number;
  /** Nouns of any kind, or of one kind in each list. Default: 'arbitrary'. */
  words?: 'arbitrary' | 'coherent';
  /** Nouns for arbitrary lists; default: 50 English ones. */
  nouns?: readonly string[];
  /**
   * The text between the lists: the story goes on, is about something else, has its words in
   * another order, or is one word. Default: 'intact'.
   */
  context?: 'intact' | 'incongruent' | 'scrambled' | 'none';
  /** How long that text is: 1, 4 or 8 sentences. Default: 'short'. */
  gap?: 'short' | 'medium' | 'long';
  /** What the runs change, for example heads that are off. */
  edits?: readonly Edit[];
  /** Resampled sets of texts for the intervals, a whole number of 1 to 1000000. Default: 10000. */
  resamples?: number;
  /** The seed of the lists and the intervals, a whole number of 0 to 2147483647. Default: 0. */
  seed?: number;
}

/** Options of lens.theoryOfMind. */
export interface TheoryOfMindLensOptions extends CallOptions {
  /** The stories; default: ten of our own. */
  stories?: readonly MindStory[];
  /** How many sentences to insert; default: 0, 1, 4, 16, 64. */
  infills?: readonly number[];
  /** The temperatures; default: 0.01, 0.5, 1, 1.5, 2. */
  temperatures?: readonly number[];
  /** How many greedy steps follow each prompt, a whole number of 1 to 64. Default: 3. */
  steps?: number;
  /** How many of the most probable tokens a step lists, a whole number of 1 to 1000. Default: 5. */
  top_n?: number;
}

/** Options of lens.charBench. */
export interface CharBenchLensOptions extends CallOptions {
  /** The words; default: eight English ones. */
  words?: readonly string[];
  /**
   * Letters of each word that are asked about, most frequent first, a whole number of 1 to 64.
   * Default: 2.
   */
  letters?: number;
  /** Examples with answers before each question, a whole number of 0 to 8. Default: 2. */
  shots?: number;
}

/** Options of lens.embers. */
export interface EmbersLensOptions extends CallOptions {
  /** The tasks; default: 28 of our own. */
  items?: readonly EmbersItem[];
}

/** Options of lens.ngramHeads. */
export interface NgramHeadsLensOptions extends CallOptions {
  /** How many of the last tokens are looked up at most, a whole number of 1 to 16. Default: 3. */
  max_order?: number;
  /**
   * With this many random tokens, repeated once, attention heads are scored; 0: they are not, a
   * whole number of 0 to 512. Default: 0.
   */
  repeated?: number;
  /** The seed of the random tokens, a whole number of 0 to 2147483647. Default: 0. */
  seed?: number;
}

/** Options of lens.logitLens. */
export interface LogitLensLensOptions extends CallOptions {
  /** How many of the most probable tokens a cell lists, a whole number of 1 to 1000. Default: 5. */
  top_n?: number;
  /** Boundaries from 0 to n_layer; default: 'all'. */
  layers?: NumberList;
}

/** Options of lens.adjacentCosine. */
export interface AdjacentCosineLensOptions extends CallOptions {
  /** Boundaries from 0 to n_layer; default: 'all'. */
  layers?: NumberList;
}

/** Options of lens.attribute. */
export interface AttributeLensOptions extends CallOptions {
  /** What follows the text; default: the most probable next token. */
  target?: string;
  /** What is hidden and removed at a time. Default: 'word'. */
  by?: 'word' | 'token';
}

/** Options of lens.camaAbp. */
export interface CamaAbpLensOptions extends CallOptions {
  /** The sums; their numbers are drawn at random, from 1 to max_number. Default: 'a + b - c'. */
  task?: 'a + b - c' | 'a + b';
  /** The largest number in a sum, a whole number of 2 to 999. Default: 99. */
  max_number?: number;
  /** How many sums are asked, a whole number of 1 to 1000. Default: 16. */
  n?: number;
  /** How many other sums a mean residual is over, a whole number of 1 to 1000. Default: 16. */
  samples?: number;
  /**
   * What must be kept: the model's own next token, or the right one of sums that it solves.
   * Default: 'own'.
   */
  against?: 'own' | 'solved';
  /** The share of sums whose next token must stay, 0 to 1. Default: 0.9. */
  keep?: number;
  /** The text around {sum}; default: '{sum} ='. */
  prompt?: string;
  /** The seed of the sums, a whole number of 0 to 2147483647. Default: 0. */
  seed?: number;
}

/** Options of lens.pawn. */
export interface PawnLensOptions extends CallOptions {}

/** Options of lens.clusters. */
export interface ClustersLensOptions extends CallOptions {
  /**
   * How many of the most probable next tokens are looked at, a whole number of 1 to 1024. Default:
   * 100.
   */
  ranks?: number;
  /**
   * How many of them choose the clusters that count as inside, a whole number of 1 to 1024.
   * Default: 10.
   */
  head?: number;
  /**
   * Number of clusters; 0: the square root of n_vocab, a whole number of 0 to 65536. Default: 0.
   */
  n_clusters?: number;
  /** What alike means: the direction, or the place. Default: 'cosine'. */
  distance?: 'cosine' | 'l2';
  /** Chooses the first centres, a whole number of 0 to 4294967295. Default: 0. */
  seed?: number;
  /**
   * How often all rows are assigned to clusters at most, a whole number of 1 to 1000. Default: 20.
   */
  max_iterations?: number;
  /** Maximum number of tokens of a continuation, a whole number of 1 to 4096. Default: 8. */
  max_tokens?: number;
  /**
   * The right answers, or a function that judges a continuation: the greedy text from the token on,
   * in lower case, up to a mark; without answers nothing is judged.
   */
  answers?: readonly string[] | AnswerJudge;
  /** The clusters of an earlier call with the same model, so that they are not computed again. */
  labels?: Int32Array;
}

/** Options of lens.bigramMask. */
export interface BigramMaskLensOptions extends CallOptions {
  /**
   * How many of the most probable tokens each list has, a whole number of 1 to 1024. Default: 10.
   */
  top_n?: number;
  /** How many times the earlier tokens are shuffled, a whole number of 1 to 1024. Default: 8. */
  shuffles?: number;
  /** Chooses the orders of the shuffled tokens, a whole number of 0 to 4294967295. Default: 0. */
  seed?: number;
  /** Also measure in which layer the next token takes the place of the last. Default: false. */
  layers?: boolean;
  /** The masked model: loaded from what maskWeights gives. */
  subnetwork?: Subnetwork;
  /** A text whose bigrams are counted. */
  corpus?: TextOrIds;
}

/** Measurements of a model and of texts. Each lens loads when it is called. */
export interface Lenses {
  /**
   * The log-probability of each token of a text alone and after a prefix, such as an address, a
   * date or a style. Source: Rei Higuchi et al., When Does Metadata Conditioning (NOT) Work for
   * Language Model Pre-Training? A Study with Context-Free Grammars (2025); reconstructed in part.
   * The text runs twice, the prefix once. Rejects with INVALID_ARGUMENT for a wrong option, and
   * with the codes of Session.score.
   * @example
   * const prefix = 'A story about a bear. ';
   * const { delta, tokens } = await model.lens.prefixDelta('The bear slept.', { prefix });
   * console.log(delta, tokens.map(({ text, delta }) => [text, delta]));
   */
  prefixDelta(text: string, options?: PrefixDeltaLensOptions): Promise<PrefixDeltaResult>;
  /**
   * The log-probability of a set of items in each order, and of a target after each. Source: Oriol
   * Vinyals et al., Order Matters: Sequence to sequence for sets (2015); reconstructed in part. One
   * run for each order: 2 for two items, 720 for six, at the same time. Rejects with
   * INVALID_ARGUMENT for a wrong option, and with the codes of Session.score.
   * @example
   * const before = 'In the box there were ';
   * const sets = await model.lens.setOrder(['a cat', 'a dog', 'a bear'], { before, after: '.' });
   * console.log(sets.spread, sets.orders[0]?.text);
   */
  setOrder(items: readonly string[], options?: SetOrderLensOptions): Promise<SetOrderResult>;
  /**
   * Which option of each question the model finds most probable, and, with a text, the loss on this
   * text beside the error. Source: Samir Yitzhak Gadre et al., Language models scale reliably with
   * over-training and on downstream tasks (2024); reconstructed in part. Each prompt runs once,
   * each of its options after it. Rejects with INVALID_ARGUMENT for a wrong option, and with the
   * codes of Session.score.
   * @example
   * const prompt = 'The bird flew up into the';
   * const questions = [{ prompt, options: [' sky', ' spoon'], answer: 0 }];
   * const { accuracy, pair } = await model.lens.multipleChoice(questions, { text: 'A bird sang.' });
   * console.log(accuracy, pair?.bits_per_byte);
   */
  multipleChoice(
    questions: readonly MultipleChoiceQuestion[],
    options?: MultipleChoiceLensOptions,
  ): Promise<MultipleChoiceResult>;
  /**
   * The probability of each token of a caption for a model that does not see the image, and a
   * weight that falls with this probability. Source: Yangyi Chen et al., Prioritizing Image-Related
   * Tokens Enhances Vision-Language Pre-Training (2025); reconstructed in part. The caption runs
   * once. Rejects with INVALID_ARGUMENT for a wrong option, and with the codes of Session.score.
   * @example
   * const { tokens } = await model.lens.captionWeights('A red bird sits on a tree.');
   * for (const { text, p, weight } of tokens) console.log(text, p, weight);
   */
  captionWeights(
    caption: string,
    options?: CaptionWeightsLensOptions,
  ): Promise<CaptionWeightsResult>;
  /**
   * Which tokens look replaced: improbable ones with a high rank; with share, how well this finds
   * tokens that the lens replaced itself. Source: Kevin Clark et al., ELECTRA: Pre-training Text
   * Encoders as Discriminators Rather Than Generators (2020); reconstructed in part. The text runs
   * once. Rejects with INVALID_ARGUMENT for a wrong option, and with the codes of Session.score.
   * @example
   * const text = 'The old man opened the door and went into the garden.';
   * const { tokens, auc } = await model.lens.replaced(text, { share: 0.2, seed: 1 });
   * for (const { text, flagged } of tokens) if (flagged) console.log(text);
   * console.log(auc?.surprise);
   */
  replaced(text: string, options?: ReplacedLensOptions): Promise<ReplacedResult>;
  /**
   * The loss on function tokens (articles, prepositions, marks) and content tokens, by the kind of
   * the token before. Source: Shaohua Zhang et al., Memory Retrieval and Consolidation in Large
   * Language Models through Function Tokens (2025); reconstructed in part. The text runs once.
   * Rejects with INVALID_ARGUMENT for a wrong option, and with the codes of Session.score.
   * @example
   * const { classes } = await model.lens.functionTokens('The cat sat on the mat.');
   * for (const { previous, current, mean_loss, loss_share } of classes)
   *   console.log(previous, current, mean_loss, loss_share);
   */
  functionTokens(text: string, options?: FunctionTokensLensOptions): Promise<FunctionTokensResult>;
  /**
   * How surprising a list of nouns is when a text has it a second time: the same list, another
   * order, or other nouns. Source: Kristijan Armeni et al., Characterizing Verbatim Short-Term
   * Memory in Neural Language Models (2022); reconstructed in part. Three texts for each list and
   * shift: 30 texts of about 60 tokens by default. Rejects with INVALID_ARGUMENT for a wrong
   * option, and with the codes of Session.score.
   * @example
   * const { conditions } = await model.lens.verbatim({ length: 3, resamples: 100 });
   * for (const { condition, median } of conditions) console.log(condition, median);
   */
  verbatim(options?: VerbatimLensOptions): Promise<VerbatimResult>;
  /**
   * Next tokens after stories in which a thing is moved while its owner is away, with more and more
   * sentences between, at several temperatures. Source: Pavan Yadav et al., Exploring Next Token
   * Prediction in Theory of Mind (ToM) Tasks: Comparative Experiments with GPT-2 and LLaMA-2 AI
   * Models (2025); reconstructed in part. Each prompt runs twice: 150 prompts of 60 to 900 tokens
   * by default. Rejects with INVALID_ARGUMENT for a wrong option, and with the codes of
   * Session.score.
   * @example
   * const { cells } = await model.lens.theoryOfMind({ infills: [0], temperatures: [1] });
   * for (const { order, accuracy, margin } of cells) console.log(order, accuracy, margin);
   */
  theoryOfMind(options?: TheoryOfMindLensOptions): Promise<TheoryOfMindResult>;
  /**
   * Questions about how often a letter occurs in a word and where, beside how the word is cut into
   * tokens. Source: Omri Uzan et al., CharBench: Evaluating the Role of Tokenization in
   * Character-Level Tasks (2025); reconstructed in part. Three questions for each letter and word,
   * each with one option for each letter of the word. Rejects with INVALID_ARGUMENT for a wrong
   * option, and with the codes of Session.score.
   * @example
   * const { tasks } = await model.lens.charBench({ words: ['banana'], shots: 1 });
   * for (const { task, accuracy, chance } of tasks) console.log(task, accuracy, chance);
   */
  charBench(options?: CharBenchLensOptions): Promise<CharBenchResult>;
  /**
   * Ciphers, counting and sorting with likely and unlikely right answers: the log-probability of
   * the answer as a text, and as an answer. Source: R. Thomas McCoy et al., Embers of
   * Autoregression: Understanding Large Language Models Through the Problem They are Trained to
   * Solve (2023); reconstructed in part. Four texts for each task: 112 by default. Rejects with
   * INVALID_ARGUMENT for a wrong option, and with the codes of Session.score.
   * @example
   * const { groups } = await model.lens.embers();
   * for (const { task, likely, answer_logprob } of groups) console.log(task, likely, answer_logprob);
   */
  embers(options?: EmbersLensOptions): Promise<EmbersResult>;
  /**
   * What an exact n-gram predictor over the text so far predicts at each token, and how far the
   * model's distribution is from it. Source: Ekin Akyürek et al., In-Context Language Learning:
   * Architectures and Algorithms (2024); reconstructed in part. The text runs once; all logits of
   * each token are copied. `repeated` runs twice its tokens. Rejects with INVALID_ARGUMENT for a
   * wrong option, and with the codes of Session.score.
   * @example
   * const text = 'The cat sat. The dog sat. The cat sat. The dog';
   * const { tokens, orders } = await model.lens.ngramHeads(text);
   * for (const { text, order, divergence } of tokens) console.log(text, order, divergence);
   * console.log(orders.at(-1)?.accuracy);
   */
  ngramHeads(text: string, options?: NgramHeadsLensOptions): Promise<NgramHeadsResult>;
  /**
   * What each layer would predict at each position if it were the last one, and how probable the
   * next token of the text is there. Source: nostalgebraist, interpreting GPT: the logit lens
   * (2020). The text runs once; each boundary and position costs a product with the output matrix.
   * Rejects with INVALID_ARGUMENT for a wrong option, and with the codes of Session.score.
   * @example
   * const { positions, layers } = await model.lens.logitLens('The cat sat on the');
   * console.log(positions.at(-1)?.cells.map(({ top }) => top[0]?.text));
   * console.log(layers.map(({ layer, agreement }) => [layer, agreement]));
   */
  logitLens(text: TextOrIds, options?: LogitLensLensOptions): Promise<LogitLensResult>;
  /**
   * The cosine between the vectors of neighbouring positions, by layer. Source: Nicholas Walker,
   * Future Token Prediction -- Causal Language Modelling with Per-Token Semantic State Vector for
   * Multi-Token Prediction (2024); reconstructed in part. The text runs once. Rejects with
   * INVALID_ARGUMENT for a wrong option, and with the codes of Session.score.
   * @example
   * const { layers } = await model.lens.adjacentCosine('The cat sat on the mat.');
   * for (const { layer, mean, roughness } of layers) console.log(layer, mean, roughness);
   */
  adjacentCosine(
    text: TextOrIds,
    options?: AdjacentCosineLensOptions,
  ): Promise<AdjacentCosineResult>;
  /**
   * How the probability of a target after the text changes when each word or token is hidden from
   * all later positions, and when it is removed. Source: Jiwei Li et al., Understanding Neural
   * Networks through Representation Erasure (2016); reconstructed in part. Two runs of the text for
   * each word or token, at the same time. Rejects with INVALID_ARGUMENT for a wrong option, and
   * with the codes of Session.score.
   * @example
   * const { parts } = await model.lens.attribute('The cat drank the', { target: ' milk' });
   * for (const { text, hidden_effect, removed_effect } of parts)
   *   console.log(text, hidden_effect, removed_effect);
   */
  attribute(text: string, options?: AttributeLensOptions): Promise<AttributeResult>;
  /**
   * How many layers can wait without information from other tokens, and how few layers must then
   * pass it to the last token, with the next token of sums kept. Source: Siddarth Mamidanna et al.,
   * All for One: LLMs Solve Mental Math at the Last Token With Information Transferred From Other
   * Tokens (2025); reconstructed in part. At most 2 * n_layer runs of each sum, and `samples` runs
   * for each position and token. Rejects with INVALID_ARGUMENT for a wrong option, and with the
   * codes of Session.score.
   * @example
   * const sums = { n: 4, samples: 4, max_number: 9 };
   * const { wait, transfer, waiting } = await model.lens.camaAbp(sums);
   * console.log(wait, transfer, waiting);
   */
  camaAbp(options?: CamaAbpLensOptions): Promise<CamaAbpResult>;
  /**
   * Five features of each token, as detectors of generated text use them, and figures of the whole
   * text that need no trained weights. Source: Pablo Miralles-González et al., Not all tokens are
   * created equal: Perplexity Attention Weighted Networks for AI generated text detection (2025).
   * The text runs once. Rejects with INVALID_ARGUMENT for a wrong option, and with the codes of
   * Session.score.
   * @example
   * const { tokens, summary } = await model.lens.pawn('The cat sat on the mat.');
   * console.log(summary.mean_logprob, summary.ratio);
   * for (const { text, logprob, top_p } of tokens) console.log(text, logprob, top_p);
   */
  pawn(text: TextOrIds, options?: PawnLensOptions): Promise<PawnResult>;
  /**
   * Groups the output matrix's rows, and tells how often the next tokens lead to a right answer
   * inside the clusters of the most probable ones and outside. Source: Letian Peng et al.,
   * Correlation and Navigation in the Vocabulary Key Representation Space of Language Models
   * (2024); reconstructed in part. max_iterations * n_clusters * n_vocab * n_embd products in the
   * calling thread, and with answers a continuation for each of the next tokens. Rejects with
   * INVALID_ARGUMENT for a wrong option, and with the codes of Session.score.
   * @example
   * const answers = ['cat', 'dog', 'bird'];
   * const prompt = 'The child saw an animal. It was a';
   * const found = await model.lens.clusters(prompt, { answers, ranks: 30, max_iterations: 3 });
   * console.log(found.inside?.accuracy, found.outside?.accuracy);
   * for (const { cluster, examples } of found.clusters) console.log(cluster, examples);
   */
  clusters(prompt: TextOrIds, options?: ClustersLensOptions): Promise<ClustersResult>;
  /**
   * The next tokens of a model, of its subnetwork and of bigrams in a corpus, and how much each
   * model depends on the tokens before the last one. Source: Tyler A. Chang et al., Bigram
   * Subnetworks: Mapping to Next Tokens in Transformer Language Models (2025); reconstructed in
   * part. The text runs 1 + shuffles times on each model. Rejects with INVALID_ARGUMENT for a wrong
   * option, and with the codes of Session.score.
   * @example
   * const corpus = 'A cat sat. The cat ran. A dog ran.';
   * const { full, corpus: counted } = await model.lens.bigramMask('It was the', { corpus });
   * console.log(full.top[0]?.text, full.context_effect, counted?.[0]?.text);
   */
  bigramMask(text: TextOrIds, options?: BigramMaskLensOptions): Promise<BigramMaskResult>;
}
