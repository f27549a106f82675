/** Checks a caller's edits and makes of them what the engine takes. */
import type { EditReport, EditRequest } from '../engine/edits.js';
import { editOptions } from '../types/generated.js';
import type { EditName } from '../types/generated.js';
import {
  MAX_POSITIONS,
  arrayType,
  flag,
  indexIn,
  invalid,
  listOf,
  readOptions,
  reading,
  wholeNumber,
} from '../types/arguments.js';
import { typed } from '../types/errors.js';
import { spattenSchedule } from '../types/spatten-schedule.js';
import type { Edit, EditCounts, ModelInfo, Sees } from '../types/types.js';

type Read = { [name: string]: unknown };

/** What the masks of the edit `visible` are called; the index is the number in C. */
const SEES: readonly Sees[] = ['causal', 'self', 'self_and_first', 'last_sees_all'];
const MAX_EDITS = 2 ** 16;

/** A list of numbers below `end`; 'all' gives an empty list, which means all to the engine. */
export function numberList(list: unknown, name: string, end: number): number[] {
  if (list === 'all') return [];
  const numbers = listOf(list, name, (item) => wholeNumber(item, name, 0, end - 1));
  if (numbers.length === 0) throw invalid(`${name} is empty`);
  return [...new Set(numbers)].sort((a, b) => a - b);
}

/** The numbers from 0 to n - 1. */
const all = (n: number) => Array.from({ length: n }, (_, i) => i);

/** The numbers of an edit that were given, by the list of the engine. */
function optionsOf(type: EditName, read: Read): { [name: string]: number } {
  const options: { [name: string]: number } = {};
  for (const { edit, name, min, max, whole } of editOptions) {
    const value = read[name];
    if (edit !== type || value === undefined) continue;
    if (typeof value !== 'number')
      throw invalid(`${name} of the edit ${type} is ${typed(value)}; it must be a number`);
    if (!(value >= min && value <= max) || (whole && !Number.isInteger(value)))
      throw invalid(
        `${name} of the edit ${type} is ${value}; it must be ${whole ? 'a whole number' : 'a number'} of ${min} to ${max}`,
      );
    options[name] = value;
  }
  return options;
}

function floatsOf(values: unknown, name: string): Float32Array {
  return reading(name, () => {
    if (arrayType(values) !== 'Float32Array')
      throw invalid(`${name} are ${typed(values)}; they must be a Float32Array`);
    return new Float32Array(values as Float32Array);
  });
}

function seesOf(sees: unknown): Partial<EditRequest> {
  if (arrayType(sees) === 'Uint8Array')
    return {
      bytes: reading('the mask', () => new Uint8Array(sees as Uint8Array)),
      options: { sees: SEES.length },
    };
  const index = indexIn(SEES, sees, 'sees');
  if (index === SEES.length) throw invalid('the edit visible has no `sees`');
  return { options: { sees: index } };
}

/** A number that an edit must have. */
function required(value: unknown, name: string): number {
  if (typeof value !== 'number') throw invalid(`${name} is ${typed(value)}; it must be a number`);
  return value;
}

/** A share of each layer, 0 to 1. */
function sharesOf(list: unknown, name: string, n_layer: number): number[] {
  const shares = listOf(list, name, (share) => {
    if (typeof share === 'number' && share >= 0 && share <= 1) return share;
    throw invalid(`${name} has ${typed(share, 'number')}; it must be a number of 0 to 1`);
  });
  if (shares.length !== n_layer)
    throw invalid(`${name} has ${shares.length} numbers; the model has ${n_layer} layers`);
  return shares;
}

/** The shares of tokens, then those of heads. */
function spattenShares(tokens: unknown, heads: unknown, n_layer: number): Float32Array {
  const published = spattenSchedule(n_layer);
  return Float32Array.from([
    ...(tokens === undefined ? published.tokens : sharesOf(tokens, 'tokens', n_layer)),
    ...(heads === undefined ? published.heads : sharesOf(heads, 'heads', n_layer)),
  ]);
}

/** The options of an object inside an edit. */
function partOf(given: unknown, known: readonly string[], name: string): Read {
  return readOptions(given as Read, known, name);
}

/** How each edit is read: the options that it knows, and what they mean to the engine. */
const EDITS: {
  [T in Edit['type']]: {
    known: readonly string[];
    read: (read: Read, info: ModelInfo) => Partial<EditRequest>;
  };
} = {
  residual: {
    known: ['layer', 'position', 'values', 'add'],
    read: ({ layer, position, values, add }, { n_layer, n_ctx }) => ({
      layers: [wholeNumber(layer, 'layer', 0, n_layer)],
      positions: [wholeNumber(position, 'position', 0, n_ctx - 1)],
      values: floatsOf(values, 'values'),
      options: { add: flag(add, 'add', false) ? 1 : 0 },
    }),
  },
  copy_residual: {
    known: ['layers', 'from', 'to'],
    read: ({ layers, from, to }, { n_layer, n_ctx }) => ({
      layers: layers === 'all' ? all(n_layer + 1) : numberList(layers, 'layers', n_layer + 1),
      positions: [wholeNumber(from, 'from', 0, n_ctx - 1), wholeNumber(to, 'to', 0, n_ctx - 1)],
    }),
  },
  head: {
    known: ['layer', 'heads', 'scale'],
    read: ({ layer, heads, scale }, { n_layer, n_head }) => ({
      layers: [wholeNumber(layer, 'layer', 0, n_layer - 1)],
      heads: numberList(heads, 'heads', n_head),
      options: optionsOf('head', { scale: required(scale, 'scale') }),
    }),
  },
  feed_forward: {
    known: ['layer', 'scale'],
    read: ({ layer, scale }, { n_layer }) => ({
      layers: [wholeNumber(layer, 'layer', 0, n_layer - 1)],
      options: optionsOf('feed_forward', { scale: required(scale, 'scale') }),
    }),
  },
  visible: {
    known: ['layers', 'sees'],
    read: ({ layers, sees }, { n_layer }) => ({
      layers: numberList(layers, 'layers', n_layer),
      ...seesOf(sees),
    }),
  },
  hide: {
    known: ['layers', 'positions'],
    read: ({ layers = 'all', positions }, { n_layer, n_ctx }) => ({
      layers: numberList(layers, 'layers', n_layer),
      positions: listOf(positions, 'positions', (p) => wholeNumber(p, 'positions', 0, n_ctx - 1)),
    }),
  },
  keep_top: {
    known: ['layers', 'heads', 'keep', 'first', 'recent'],
    read: ({ layers, heads = 'all', keep, first = 0, recent = 0 }, { n_layer, n_head }) => ({
      layers: numberList(layers, 'layers', n_layer),
      heads: numberList(heads, 'heads', n_head),
      options: {
        keep: wholeNumber(keep, 'keep', 0, MAX_POSITIONS),
        first: wholeNumber(first, 'first', 0, MAX_POSITIONS),
        recent: wholeNumber(recent, 'recent', 0, MAX_POSITIONS),
      },
    }),
  },
  recycled: {
    known: ['layers', 'k', 'every', 'dynamic', 'group', 'prompt'],
    read: ({ layers = 'all', k, every, dynamic, group, prompt }, { n_layer }) => {
      if (every !== undefined && dynamic !== undefined)
        throw invalid('the edit recycled has `every` and `dynamic`; it takes one of them');
      if (every === 0) throw invalid('every is 0; it must be 1 or more');
      const { check, threshold } = partOf(dynamic, ['check', 'threshold'], 'dynamic');
      const largest = indexIn(['sum', 'max'], group ?? 'sum', 'group');
      return {
        layers: numberList(layers, 'layers', n_layer),
        options: optionsOf('recycled', {
          ...{ k, largest, prompt, check, threshold },
          every: dynamic === undefined ? every : 0,
        }),
      };
    },
  },
  spatten: {
    known: ['tokens', 'heads', 'values', 'first', 'recent', 'key_bits', 'prompt'],
    read: ({ tokens, heads, values, first, recent, key_bits, prompt }, { n_layer }) => {
      const { high, low, tau } = partOf(key_bits, ['high', 'low', 'tau'], 'key_bits');
      if (key_bits !== undefined) wholeNumber(high, 'key_bits.high', 2, 16);
      if (low !== undefined) wholeNumber(low, 'key_bits.low', 1, 16);
      return {
        values: spattenShares(tokens, heads, n_layer),
        options: optionsOf('spatten', {
          ...{ values, first, recent, prompt, tau },
          ...{ high_bits: high, low_bits: low },
        }),
      };
    },
  },
  act: {
    known: ['layers', 'heads', 'beta', 'theta', 'sinks', 'prompt'],
    read: ({ layers, heads = 'all', beta, theta, sinks, prompt }, { n_layer, n_head }) => ({
      layers:
        layers === undefined
          ? []
          : layers === 'all'
            ? all(n_layer)
            : numberList(layers, 'layers', n_layer),
      heads: numberList(heads, 'heads', n_head),
      options: optionsOf('act', {
        ...{ beta, theta, prompt },
        running: indexIn(['prompt', 'running'], sinks ?? 'prompt', 'sinks'),
      }),
    }),
  },
};

/** An edit's counts by name: those of tg_edit_report in C. */
function countsOfReport({ type, counts }: EditReport): EditCounts[] {
  const [c0, c1, c2, c3, c4, c5, c6] = counts as [
    ...[number, number, number, number, number, number, number, number],
  ];
  if (type === 'recycled')
    return [{ type, keys: c0, all_keys: c1, full_steps: c2, steps: c3, overlap: c4 / c5 }];
  if (type === 'spatten')
    return [
      {
        ...{ type, keys: c0, all_keys: c1, values: c2, heads: c3, all_heads: c4 },
        ...{ low_bit_rows: c5, key_bit_rows: c5 + c6 },
      },
    ];
  return type === 'act' ? [{ type, rows: c0, all_rows: c1, passes: c2 }] : [];
}

/** The counts of the edits that have any. */
export const countsOf = (reports: readonly EditReport[]): EditCounts[] =>
  reports.flatMap(countsOfReport);

const types = Object.keys(EDITS) as Edit['type'][];

function editOf(edit: unknown, info: ModelInfo): EditRequest {
  const given = reading('an edit', () => (edit as { type?: unknown } | undefined)?.type);
  const type = types[indexIn(types, given, 'the type of an edit')];
  if (type === undefined) throw invalid('an edit has no type');
  const { known, read } = EDITS[type];
  const options = readOptions(edit as Read, ['type', ...known], `the edit ${type}`);
  return {
    type,
    layers: [],
    heads: [],
    positions: [],
    values: new Float32Array(),
    bytes: new Uint8Array(),
    options: {},
    ...read(options, info),
  };
}

/** The edits of a session. Throws INVALID_ARGUMENT. */
export function editRequests(edits: unknown, info: ModelInfo): EditRequest[] {
  const list = listOf(edits, 'edits', (edit) => editOf(edit, info));
  if (list.length > MAX_EDITS)
    throw invalid(`there are ${list.length} edits; the maximum is ${MAX_EDITS}`);
  return list;
}
