/** Clusters of the output matrix's rows, and how right the next tokens are inside and outside. */
import { arrayType, invalid, listOf, textOf } from '../types/arguments.js';
import { shown, throwIfAborted, typed } from '../types/errors.js';
import type {
  AnswerJudge,
  ClusterFigures,
  ClusteredToken,
  ClustersResult,
  Model,
  Preview,
  TextOrIds,
} from '../types/types.js';
import { kMeansSteps } from './k-means.js';
import { withOptions } from './list.js';
import type { LensCall, LensValues } from './list.js';

const MAX_BYTES = 2 ** 28; // of the matrix as floats
const MAX_PRODUCTS = 4e11; // minutes
const EXAMPLES = 10;
const ROWS_AT_ONCE = 1024;

/** Figures of a list of tokens, each of them right or not, most probable first. */
export function clusterFigures(right: readonly boolean[]): ClusterFigures {
  let [n_right, precisions] = [0, 0];
  for (const [i, each] of right.entries()) {
    if (each) n_right++;
    precisions += n_right / (i + 1);
  }
  const n = right.length;
  return { n, n_right, accuracy: n_right / n, mean_precision: precisions / n };
}

/** The answer in a continuation: what is before the first mark that ends it, in lower case. */
export const answerIn = (text: string): string =>
  text
    .split(/["\n,.;:!?]/, 1)[0]!
    .trim()
    .toLowerCase();

function judgeOf(answers: unknown): AnswerJudge | undefined {
  if (answers === undefined) return undefined;
  if (typeof answers === 'function') {
    return (text) => {
      let right: unknown;
      try {
        right = answers(text);
      } catch (error) {
        throw invalid(`answers threw ${shown(error)}`, error);
      }
      if (typeof right === 'boolean') return right;
      throw invalid(`answers gave ${typed(right)}; it must give true or false`);
    };
  }
  const list = listOf(answers, 'answers', (answer) => textOf(answer, 'an answer'));
  const known = new Set(list.map((answer) => answer.trim().toLowerCase()));
  return (text) => known.has(text);
}

function labelsOf(labels: unknown, n_vocab: number): Int32Array | undefined {
  if (labels === undefined) return undefined;
  if (arrayType(labels) !== 'Int32Array' || (labels as Int32Array).length !== n_vocab)
    throw invalid(`labels must be an Int32Array of ${n_vocab} elements: a cluster for each token`);
  const copy = new Int32Array(labels as Int32Array);
  if (copy.some((label) => label < 0)) throw invalid('labels has a cluster below 0');
  return copy;
}

type Values = LensValues<'clusters'>;

/** Groups the rows of the output matrix. */
async function group(
  model: Model,
  { n_clusters, distance, seed, max_iterations }: Values,
  signal: AbortSignal,
) {
  const { n_vocab, n_embd } = model.info;
  const k = Math.min(n_clusters || Math.round(Math.sqrt(n_vocab)), n_vocab);
  const bytes = n_vocab * n_embd * Float32Array.BYTES_PER_ELEMENT;
  const products = n_vocab * n_embd * k * (max_iterations + 1);
  if (bytes > MAX_BYTES || products > MAX_PRODUCTS)
    throw invalid(
      `${n_vocab} rows of ${n_embd} in ${k} clusters take ${bytes} bytes and ` +
        `${products} products; the limits are ${MAX_BYTES} and ${MAX_PRODUCTS}: give labels`,
    );
  const rows = new Float32Array(n_vocab * n_embd);
  for (let start = 0; start < n_vocab; start += ROWS_AT_ONCE) {
    throwIfAborted(signal);
    const n = Math.min(ROWS_AT_ONCE, n_vocab - start);
    const ids = Array.from({ length: n }, (_, i) => start + i);
    rows.set(await model.outputRows(ids), start * n_embd);
  }
  const steps = kMeansSteps(rows, n_embd, { k, distance, seed, max_iterations });
  for (;;) {
    const { done, value } = steps.next();
    if (done) return value;
    await new Promise((resolve) => setTimeout(resolve));
    throwIfAborted(signal);
  }
}

/** The most probable next tokens, each with a greedy continuation of at most max_tokens tokens. */
async function continuations(
  model: Model,
  prompt: TextOrIds,
  ranks: number,
  max_tokens: number,
  signal: AbortSignal,
): Promise<Preview[]> {
  const session = model.createSession({ seed: 0 });
  try {
    await session.sync(prompt, { signal });
    return await session.preview({ tokens: ranks, max_tokens, signal });
  } finally {
    await session.dispose();
  }
}

/** The next tokens by cluster. */
export const clusters: LensCall<'clusters'> = (model, prompt, options) =>
  withOptions('clusters', options, async (values, signal): Promise<ClustersResult> => {
    const { n_vocab } = model.info;
    const judge = judgeOf(values.answers);
    const given = labelsOf(values.labels, n_vocab);
    const n_tokens = judge ? values.max_tokens : 0;
    const ranks = Math.min(values.ranks, n_vocab);
    const previews = await continuations(model, prompt, ranks, n_tokens, signal);
    const grouped = given ? undefined : await group(model, values, signal);
    const labels = given ?? grouped!.labels;

    const first = new Set(previews.slice(0, values.head).map(({ token }) => labels[token]!));
    const tokens = previews.map(({ token, token_text, p, text }, rank): ClusteredToken => {
      const cluster = labels[token]!;
      const continuation = judge && answerIn(text);
      const right = continuation === undefined ? undefined : judge!(continuation);
      const inside = first.has(cluster);
      return { token, text: token_text, rank, p, cluster, inside, continuation, right };
    });
    const figures = (list: readonly ClusteredToken[]) =>
      judge && clusterFigures(list.map(({ right }) => right!));

    const texts = await model.tokenTexts();
    const members = new Map([...first].map((cluster) => [cluster, [] as number[]]));
    labels.forEach((label, token) => members.get(label)?.push(token));
    const inside = tokens.filter((token) => token.inside);
    return {
      tokens,
      clusters: [...members].map(([cluster, ids]) => ({
        cluster,
        size: ids.length,
        examples: ids.slice(0, EXAMPLES).map((id) => texts[id]!),
      })),
      inside: figures(inside),
      inside_rest: figures(inside.filter(({ rank }) => rank >= values.head)),
      outside: figures(tokens.filter((token) => !token.inside)),
      labels,
      n_clusters: grouped ? grouped.sizes.length : labels.reduce((a, b) => Math.max(a, b), -1) + 1,
      inertia: grouped?.inertia,
    };
  });
