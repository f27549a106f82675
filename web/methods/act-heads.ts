/** The head search of attention calibration: which heads are better with the edit `act`. */
import { idsOf, invalid, readOptions, reading, textOf, wholeNumber } from '../types/arguments.js';
import { throwIfAborted } from '../types/errors.js';
import { untilAborted, withSignal } from '../types/signals.js';
import type {
  ActAccuracy,
  ActEdit,
  ActExample,
  ActHeadScore,
  ActHeadSearch,
  CallOptions,
  Model,
} from '../types/types.js';

/** Options of searchActHeads. */
export interface ActHeadsOptions extends CallOptions, Pick<ActEdit, 'beta' | 'theta' | 'sinks'> {
  /** Layers to search. Default: all except the first two and the last one. */
  layers?: readonly number[];
  /** Query heads to search in each of them. Default: all. */
  heads?: readonly number[];
  /** Called after each head. */
  on_progress?: (head: ActHeadScore, done: number, total: number) => void;
}

interface Example {
  ids: number[];
  labels: number[];
  correct: number;
}

/** The token of a label: the last one of a text. */
async function labelToken(model: Model, label: string | number): Promise<number> {
  if (typeof label === 'number') return wholeNumber(label, 'a label', 0, model.info.n_vocab - 1);
  const ids = await model.tokenize(textOf(label, 'a label'), { add_special: false });
  if (ids.length === 0) throw invalid('a label has no tokens');
  return ids[ids.length - 1]!;
}

async function readExample(model: Model, example: ActExample, index: number): Promise<Example> {
  const { prompt, labels, correct } = reading('an example', () => ({ ...example }));
  if (!Array.isArray(labels) || labels.length < 2)
    throw invalid(`example ${index} needs two labels or more`);
  const tokens = await Promise.all(
    (labels as readonly (string | number)[]).map((label) => labelToken(model, label)),
  );
  if (new Set(tokens).size < tokens.length)
    throw invalid(`two labels of example ${index} end with the same token`);
  return {
    ids: typeof prompt === 'string' ? await model.tokenize(prompt) : [...idsOf(prompt, 'prompt')],
    labels: tokens,
    correct: wholeNumber(correct, 'correct', 0, tokens.length - 1),
  };
}

/** Measures labels by the logits after the prompt: which is best, and the right one's share. */
export function labelScore(logits: readonly number[], correct: number) {
  const max = Math.max(...logits);
  const weights = logits.map((logit) => Math.exp(logit - max));
  const total = weights.reduce((sum, weight) => sum + weight, 0);
  return { best: logits.indexOf(max), p_correct: weights[correct]! / total };
}

async function measure(
  model: Model,
  examples: readonly Example[],
  edits: readonly ActEdit[],
  signal: AbortSignal,
): Promise<ActAccuracy> {
  let [correct, p_correct] = [0, 0];
  for (const { ids, labels, correct: right } of examples) {
    const seen = await model.observe(ids, { edits, logits: [ids.length - 1], signal });
    const logits = labels.map((label) => seen.logits!.values[label]!);
    const score = labelScore(logits, right);
    correct += score.best === right ? 1 : 0;
    p_correct += score.p_correct / examples.length;
  }
  return { correct, accuracy: correct / examples.length, p_correct };
}

/**
 * Applies the edit `act` to each head alone and measures how many examples the model gets right:
 * the label with the greatest logit after the prompt counts. Keeps the heads with which it gets
 * more right than without. Costs at least two runs of every example for every head. Rejects with
 * INVALID_ARGUMENT.
 * @example
 * const prompt = 'The dog said woof. "Woof!" said the';
 * const examples = [{ prompt, labels: [' dog', ' cat'], correct: 0 }];
 * const { edits } = await searchActHeads(model, examples, { layers: [3], heads: [0] });
 */
export async function searchActHeads(
  model: Model,
  examples: readonly ActExample[],
  options?: ActHeadsOptions,
): Promise<ActHeadSearch> {
  const known = ['layers', 'heads', 'beta', 'theta', 'sinks', 'on_progress', 'signal'];
  const read = readOptions(options, known, 'searchActHeads');
  return withSignal(read.signal, async (signal) => {
    const { n_layer, n_head } = model.info;
    const { beta, theta, sinks, on_progress } = read;
    if (!Array.isArray(examples) || examples.length === 0) throw invalid('there are no examples');
    const list = await untilAborted(
      Promise.all(
        (examples as readonly ActExample[]).map((example, i) => readExample(model, example, i)),
      ),
      [signal],
    );
    const layers = (read.layers ?? range(2, n_layer - 1)).map((layer) =>
      wholeNumber(layer, 'layers', 0, n_layer - 1),
    );
    const heads = (read.heads ?? range(0, n_head)).map((head) =>
      wholeNumber(head, 'heads', 0, n_head - 1),
    );
    const edit = (layer: number, some: number[]): ActEdit => ({
      ...{ type: 'act', layers: [layer], heads: some },
      ...(beta !== undefined && { beta }),
      ...(theta !== undefined && { theta }),
      ...(sinks !== undefined && { sinks }),
    });
    const plain = await measure(model, list, [], signal);
    const found: ActHeadScore[] = [];
    for (const layer of layers)
      for (const head of heads) {
        throwIfAborted(signal);
        const score = await measure(model, list, [edit(layer, [head])], signal);
        found.push({ layer, head, ...score, kept: score.correct > plain.correct });
        on_progress?.(found[found.length - 1]!, found.length, layers.length * heads.length);
      }
    const edits = layers.flatMap((layer) => {
      const kept = found.filter((score) => score.kept && score.layer === layer);
      return kept.length > 0
        ? [
            edit(
              layer,
              kept.map(({ head }) => head),
            ),
          ]
        : [];
    });
    const together = edits.length > 0 ? await measure(model, list, edits, signal) : plain;
    return { plain, heads: found, edits, together };
  });
}

/** The numbers from `first` to end - 1. */
const range = (first: number, end: number): number[] =>
  Array.from({ length: Math.max(0, end - first) }, (_, i) => first + i);
