/**
 * Token Prepending : an embedding of a sentence whose last token, through a
 * placeholder before the sentence, is seen by all tokens of the sentence.
 */
import {
  flag,
  invalid,
  readOptions,
  textOf,
  unsupported,
  wholeNumber,
} from '../types/arguments.js';
import { untilAborted, withSignal } from '../types/signals.js';
import type {
  Edit,
  Model,
  ModelInfo,
  ModelPrependSettings,
  PrependModel,
  PrependOptions,
  PrependSettings,
  PrependedEmbedding,
} from '../types/types.js';

const TEMPLATE = 'This sentence : {placeholder} "{text}" means in one word:"';
const OPTIONS = ['start', 'exit', 'output', 'template', 'seed', 'normalize', 'signal'];
const MAX_COPY = 127; // positions from the placeholder to the last token, as the engine's batches

/** Models of the paper: what tells them apart, and their settings. */
const SETTINGS: readonly (Partial<ModelInfo> & { name: string; settings: PrependSettings })[] = [
  {
    ...{ name: 'Llama 2 7B', architecture: 'llama', n_layer: 32, n_vocab: 32000 },
    settings: { start: 1, exit: 7, output: 27 },
  },
  {
    ...{ name: 'Llama 2 13B', architecture: 'llama', n_layer: 40, n_vocab: 32000 },
    settings: { start: 1, exit: 7, output: -2 },
  },
  {
    ...{ name: 'Llama 3 8B', architecture: 'llama', n_layer: 32, n_vocab: 128256 },
    settings: { start: 1, exit: 3, output: -2 },
  },
  {
    ...{ name: 'Qwen2 7B', architecture: 'qwen2', n_layer: 28 },
    settings: { start: 1, exit: 6, output: -2 },
  },
  {
    ...{ name: 'Gemma 2 9B', architecture: 'gemma2', n_layer: 42 },
    settings: { start: 1, exit: 6, output: -2 },
  },
];

/**
 * The published settings of a model; for other models start 1, exit at a fifth of the layers and
 * the output at 0.85 of them, which is this project's own choice.
 * @example
 * const { start, exit, output } = prependSettings(model.info);
 */
export function prependSettings(info: PrependModel): ModelPrependSettings {
  const { n_layer } = info;
  const row = SETTINGS.find(
    ({ architecture, n_layer: layers, n_vocab }) =>
      architecture === info.architecture &&
      layers === n_layer &&
      (n_vocab === undefined || n_vocab === info.n_vocab),
  );
  if (row) return { ...row.settings, published: true };
  const start = Math.min(1, n_layer - 1);
  return {
    start,
    exit: Math.min(Math.max(start + 1, Math.round(0.2 * n_layer)), n_layer),
    output: Math.min(Math.round(0.85 * n_layer), n_layer - 1),
    published: false,
  };
}

/** The sentence as the paper's code writes it: it ends with a mark, and has no quotation marks. */
export function preparedSentence(text: string): string {
  const ended = text === '' || /[.?"']$/.test(text) ? text : `${text}.`;
  return ended.replaceAll('"', "'").replace(/\?$/, '.');
}

/** n numbers with a standard normal distribution (Marsaglia's polar method over xorshift32). */
export function normalVector(n: number, seed: number): Float32Array {
  let state = seed >>> 0;
  const uniform = () => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) / 2 ** 31 - 1;
  };
  const values = new Float32Array(n);
  for (let i = 0; i < n;) {
    const [u, v] = [uniform(), uniform()];
    const square = u * u + v * v;
    if (square >= 1 || square === 0) continue;
    const factor = Math.sqrt((-2 * Math.log(square)) / square);
    values[i++] = u * factor;
    if (i < n) values[i++] = v * factor;
  }
  return values;
}

/** The parts of a template before the placeholder, up to the text, and after it. */
function partsOf(template: string): [before: string, between: string, after: string] {
  const parts = template.split(/\{placeholder\}|\{text\}/);
  const names = template.match(/\{placeholder\}|\{text\}/g) ?? [];
  if (names.join() !== '{placeholder},{text}')
    throw invalid('the template must name {placeholder} and, after that, {text}, each once');
  return parts as [string, string, string];
}

/** The boundaries of the options, with the model's own where they are not given. */
function settingsOf(read: PrependOptions, info: ModelInfo): PrependSettings {
  const { n_layer } = info;
  const own = prependSettings(info);
  const start = wholeNumber(read.start ?? own.start, 'start', 0, n_layer);
  const exit = wholeNumber(read.exit ?? Math.max(own.exit, start), 'exit', start, n_layer);
  const output = wholeNumber(read.output ?? own.output, 'output', -n_layer - 1, n_layer);
  const boundary = output < 0 ? n_layer + 1 + output : output;
  if (boundary === n_layer)
    throw unsupported(
      `output ${output} is the hidden state after the last norm; the embedding is a residual before it: 0 to ${n_layer - 1}, or -2 to ${-n_layer - 1}`,
    );
  return { start, exit, output: boundary };
}

function scaledToLengthOne(vector: Float32Array): Float32Array {
  const length = Math.sqrt(vector.reduce((sum, x) => sum + x * x, 0));
  return length > 0 ? vector.map((x) => x / length) : vector;
}

/** Gemma's embeddings are multiplied by the root of n_embd before the first layer. */
const embeddingScale = ({ architecture, n_embd }: ModelInfo) =>
  architecture.startsWith('gemma') ? Math.sqrt(n_embd) : 1;

/**
 * An embedding of a sentence by Token Prepending. Costs a run of the prompt, which has one token
 * more than the plain prompt. Rejects with INVALID_ARGUMENT, with OPTION_UNSUPPORTED for a text of
 * more than about 120 tokens and for the hidden state after the last norm, and with CONTEXT_FULL.
 * @example
 * const { vector } = await embedPrepended(model, 'The cat sat on the mat.');
 */
export async function embedPrepended(
  model: Model,
  text: string,
  options?: PrependOptions,
): Promise<PrependedEmbedding> {
  const read = readOptions(options, OPTIONS, 'embedPrepended');
  return withSignal(read.signal, async (signal) => {
    const { info } = model;
    const settings = settingsOf(read, info);
    const template = read.template === undefined ? TEMPLATE : textOf(read.template, 'template');
    const [before, between, after] = partsOf(template);
    const seed = wholeNumber(read.seed ?? 1, 'seed', 1, 2 ** 32 - 1);
    const normalize = flag(read.normalize, 'normalize', true);
    const sentence = preparedSentence(textOf(text, 'the text'));
    const head = await untilAborted(model.tokenize(before), [signal]);
    const tail = await untilAborted(
      model.tokenize(between + sentence + after, { add_special: false }),
      [signal],
    );
    const tokens = [...head, 0, ...tail];
    const placeholder = head.length;
    const last = tokens.length - 1;
    if (last - placeholder > MAX_COPY)
      throw unsupported(
        `the text has ${tail.length} tokens after the placeholder; Token Prepending runs them in one batch of at most ${MAX_COPY}`,
      );
    const scale = embeddingScale(info);
    const vector = normalVector(info.n_embd, seed).map((x) => x * scale);
    const edits: Edit[] = [{ type: 'residual', layer: 0, position: placeholder, values: vector }];
    const layers = Array.from(
      { length: settings.exit - settings.start },
      (_, i) => settings.start + i,
    );
    if (layers.length > 0)
      edits.push({ type: 'copy_residual', layers, from: last, to: placeholder });
    const seen = await model.observe(tokens, {
      edits,
      residuals: { layers: [settings.output], positions: [last] },
      signal,
    });
    const { values } = seen.residuals!;
    return {
      vector: normalize ? scaledToLengthOne(values) : values,
      tokens,
      placeholder,
      settings,
    };
  });
}
