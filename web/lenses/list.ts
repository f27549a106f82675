/**
 * The list of lenses: one row a lens. The types of the calls and their options, the checks of
 * options and the tables in README.md come from this list.
 */
import { readListedOptions } from '../types/listed-options.js';
import type { OptionValue } from '../types/listed-options.js';
import { withSignal } from '../types/signals.js';
import { choice, flag, other, whole } from './rows.js';
import type { LensInfo, Lenses, Model } from '../types/types.js';
import { insideRows } from './list-inside.js';
import { taskRows } from './list-tasks.js';
import { textRows } from './list-texts.js';

const rows = [
  ...textRows,
  ...taskRows,
  ...insideRows,
  {
    name: 'pawn',
    title: 'Detector features',
    summary:
      'Five features of each token, as detectors of generated text use them, and figures of the ' +
      'whole text that need no trained weights.',
    argument: { name: 'text', value: 'TextOrIds' },
    options: [],
    result: 'PawnResult',
    source: {
      title:
        'Not all tokens are created equal: Perplexity Attention Weighted Networks for AI ' +
        'generated text detection',
      authors: 'Pablo Miralles-González, Javier Huertas-Tato, Alejandro Martín, David Camacho',
      year: 2025,
      paper: 46,
    },
    reconstructed: false,
    cost: 'The text runs once.',
    example: [
      "const { tokens, summary } = await model.lens.pawn('The cat sat on the mat.');",
      'console.log(summary.mean_logprob, summary.ratio);',
      'for (const { text, logprob, top_p } of tokens) console.log(text, logprob, top_p);',
    ],
    file: 'pawn.ts',
  },
  {
    name: 'clusters',
    title: 'Clusters of the output matrix',
    summary:
      "Groups the output matrix's rows, and tells how often the next tokens lead to a right answer " +
      'inside the clusters of the most probable ones and outside.',
    argument: { name: 'prompt', value: 'TextOrIds' },
    options: [
      whole('ranks', 100, 1, 1024, 'how many of the most probable next tokens are looked at'),
      whole('head', 10, 1, 1024, 'how many of them choose the clusters that count as inside'),
      whole('n_clusters', 0, 0, 65_536, 'number of clusters; 0: the square root of n_vocab'),
      choice('distance', ['cosine', 'l2'], 'what alike means: the direction, or the place'),
      whole('seed', 0, 0, 4_294_967_295, 'chooses the first centres'),
      whole('max_iterations', 20, 1, 1000, 'how often all rows are assigned to clusters at most'),
      whole('max_tokens', 8, 1, 4096, 'maximum number of tokens of a continuation'),
      other(
        'answers',
        'readonly string[] | AnswerJudge',
        'the right answers, or a function that judges a continuation: the greedy text from the ' +
          'token on, in lower case, up to a mark; without answers nothing is judged',
      ),
      other(
        'labels',
        'Int32Array',
        'the clusters of an earlier call with the same model, so that they are not computed again',
      ),
    ],
    result: 'ClustersResult',
    source: {
      title:
        'Correlation and Navigation in the Vocabulary Key Representation Space of Language Models',
      authors: 'Letian Peng, Chenyang An, Jingbo Shang',
      year: 2024,
      paper: 39,
    },
    reconstructed: true,
    cost:
      'max_iterations * n_clusters * n_vocab * n_embd products in the calling thread, and with ' +
      'answers a continuation for each of the next tokens.',
    example: [
      "const answers = ['cat', 'dog', 'bird'];",
      "const prompt = 'The child saw an animal. It was a';",
      'const found = await model.lens.clusters(prompt, { answers, ranks: 30, max_iterations: 3 });',
      'console.log(found.inside?.accuracy, found.outside?.accuracy);',
      'for (const { cluster, examples } of found.clusters) console.log(cluster, examples);',
    ],
    file: 'clusters.ts',
  },
  {
    name: 'bigramMask',
    title: 'Bigram subnetworks',
    summary:
      'The next tokens of a model, of its subnetwork and of bigrams in a corpus, and how much ' +
      'each model depends on the tokens before the last one.',
    argument: { name: 'text', value: 'TextOrIds' },
    options: [
      whole('top_n', 10, 1, 1024, 'how many of the most probable tokens each list has'),
      whole('shuffles', 8, 1, 1024, 'how many times the earlier tokens are shuffled'),
      whole('seed', 0, 0, 4_294_967_295, 'chooses the orders of the shuffled tokens'),
      flag(
        'layers',
        false,
        'also measure in which layer the next token takes the place of the last',
      ),
      other('subnetwork', 'Subnetwork', 'the masked model: loaded from what maskWeights gives'),
      other('corpus', 'TextOrIds', 'a text whose bigrams are counted'),
    ],
    result: 'BigramMaskResult',
    source: {
      title: 'Bigram Subnetworks: Mapping to Next Tokens in Transformer Language Models',
      authors: 'Tyler A. Chang, Benjamin K. Bergen',
      year: 2025,
      paper: 53,
    },
    reconstructed: true,
    cost: 'The text runs 1 + shuffles times on each model.',
    example: [
      "const corpus = 'A cat sat. The cat ran. A dog ran.';",
      "const { full, corpus: counted } = await model.lens.bigramMask('It was the', { corpus });",
      'console.log(full.top[0]?.text, full.context_effect, counted?.[0]?.text);',
    ],
    file: 'bigram-mask.ts',
  },
] as const satisfies readonly LensInfo[];

type Row = (typeof rows)[number];

/** The name of a lens. */
export type LensName = Row['name'];

/** The options of a lens, checked and with their defaults. */
export type LensValues<N extends LensName> = {
  [O in Extract<Row, { name: N }>['options'][number] as O['name']]: OptionValue<O>;
};

/** Every lens, with its options and its source. */
export const lenses: readonly LensInfo[] = rows;

/** A lens as a function of the model. */
export type LensCall<N extends keyof Lenses> = (
  model: Model,
  ...args: Parameters<Lenses[N]>
) => ReturnType<Lenses[N]>;

/**
 * Calls `use` with a lens's options, checked and with their defaults, and with a signal. Rejects
 * with INVALID_ARGUMENT.
 */
export async function withOptions<N extends LensName, R>(
  name: N,
  given: object | undefined,
  use: (options: LensValues<N>, signal: AbortSignal) => Promise<R> | R,
): Promise<R> {
  const { options } = rows.find((row) => row.name === name)!;
  const { signal, ...read } = readListedOptions(options, given, `lens.${name}`, ['signal']);
  return withSignal(signal, (own) => use(read as LensValues<N>, own));
}
