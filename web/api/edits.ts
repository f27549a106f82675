/** Checks a caller's edits and makes of them what the engine takes. */
import type { EditRequest } from '../engine/edits.js';
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
import type { Edit, ModelInfo, Sees } from '../types/types.js';

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
    if (edit !== type || value === undefined || typeof value !== 'number') continue;
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
};

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
