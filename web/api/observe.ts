/** Checks what a caller wants to observe. */
import type { Numbers, ObserveRequest } from '../engine/observing.js';
import { MAX_INT32, MAX_POSITIONS, idsOf, readOptions, wholeNumber } from '../types/arguments.js';
import type { ModelInfo, NumberList, ObserveOptions, TextOrIds } from '../types/types.js';
import { numberList } from './edits.js';
import { promptOf } from './generation.js';

const DEFAULT_TOP_N = 5;
const DEFAULT_MAX_BYTES = 2 ** 28;

/** The options of session.observe. */
export const OBSERVE_OPTIONS = [
  'logits',
  'lens',
  'residuals',
  'attention',
  'head_outputs',
  'max_bytes',
  'signal',
];

const list = (given: NumberList | undefined, name: string, end: number): Numbers =>
  given === undefined || given === 'all' ? 'all' : numberList(given, name, end);

/** The checked arguments of session.observe. Throws INVALID_ARGUMENT, TOKEN_OUT_OF_RANGE. */
export function readObserve(text: TextOrIds, options: ObserveOptions | undefined, info: ModelInfo) {
  const read = readOptions(options, OBSERVE_OPTIONS, 'observe');
  return { prompt: promptOf(text), request: observeRequest(read, info), signal: read.signal };
}

function observeRequest(read: ObserveOptions, info: ModelInfo): ObserveRequest {
  const { n_layer, n_head, n_vocab } = info;
  const positions = (given: NumberList | undefined, name: string) =>
    list(given, name, MAX_POSITIONS);
  const part = <T extends object>(given: T | undefined, name: string, known: readonly string[]) =>
    given === undefined ? undefined : readOptions(given, known, name);
  const lens = part(read.lens, 'lens', ['layers', 'positions', 'top_n', 'targets']);
  const residuals = part(read.residuals, 'residuals', ['layers', 'positions']);
  const attention = part(read.attention, 'attention', ['layers', 'heads', 'queries']);
  const outputs = part(read.head_outputs, 'head_outputs', ['layers', 'heads', 'positions']);
  return {
    ...(read.logits !== undefined && { logits: positions(read.logits, 'logits') }),
    ...(lens && {
      lens: {
        layers: list(lens.layers, 'lens.layers', n_layer + 1),
        positions: positions(lens.positions, 'lens.positions'),
        top_n: wholeNumber(lens.top_n ?? DEFAULT_TOP_N, 'lens.top_n', 0, n_vocab),
        targets: idsOf(lens.targets ?? [], 'lens.targets'),
      },
    }),
    ...(residuals && {
      residuals: {
        layers: list(residuals.layers, 'residuals.layers', n_layer + 1),
        positions: positions(residuals.positions, 'residuals.positions'),
      },
    }),
    ...(attention && {
      attention: {
        layers: list(attention.layers, 'attention.layers', n_layer),
        heads: list(attention.heads, 'attention.heads', n_head),
        queries: positions(attention.queries, 'attention.queries'),
      },
    }),
    ...(outputs && {
      head_outputs: {
        layers: list(outputs.layers, 'head_outputs.layers', n_layer),
        heads: list(outputs.heads, 'head_outputs.heads', n_head),
        positions: positions(outputs.positions, 'head_outputs.positions'),
      },
    }),
    max_bytes: wholeNumber(read.max_bytes ?? DEFAULT_MAX_BYTES, 'max_bytes', 0, MAX_INT32),
  };
}
