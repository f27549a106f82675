/**
 * The list of methods: one row a method. The types of names and options, the checks of options and
 * the table in README.md come from this list.
 */
import { flag, invalid, readOptions } from '../types/arguments.js';
import { typed } from '../types/errors.js';
import { suggestion } from '../types/names.js';
import type { MethodInfo, MethodOptionInfo, NumberOptionInfo } from '../types/methods.js';

const rows = [
  {
    name: 'cntp',
    title: 'Cautious Next Token Prediction',
    kind: 'generate',
    call: "session.generate(prompt, { method: { name: 'cntp' } })",
    options: [
      {
        type: 'choice',
        name: 'formula',
        default: 'code',
        values: ['code', 'paper'],
        meaning: "how entropy gives the number of trials: as the paper's code, or as its listing",
      },
      {
        type: 'number',
        name: 'h_min',
        default: 0.01,
        min: 0,
        max: 1e6,
        whole: false,
        meaning: 'entropy in nats up to which there are n_min trials',
      },
      {
        type: 'number',
        name: 'h_max',
        default: 1.5,
        min: 0,
        max: 1e6,
        whole: false,
        meaning: 'entropy in nats from which there are n_max trials; above h_min',
      },
      {
        type: 'number',
        name: 'n_max',
        default: 10,
        min: 1,
        max: 64,
        whole: true,
        meaning: 'maximum number of trials',
      },
      {
        type: 'number',
        name: 'n_min',
        default: 1,
        min: 1,
        max: 64,
        whole: true,
        meaning: 'minimum number of trials; at most n_max',
      },
      {
        type: 'choice',
        name: 'match',
        default: 'text',
        values: ['text', 'id'],
        meaning: "what ends a trial: a token whose text is a punctuation mark, or a mark's own id",
      },
      {
        type: 'choice',
        name: 'score',
        default: 'processed',
        values: ['processed', 'raw'],
        meaning: 'probabilities for the perplexity: after the last stage, or before any stage',
      },
      {
        type: 'number',
        name: 'trial_tokens',
        default: 64,
        min: 1,
        max: 4096,
        whole: true,
        meaning: 'maximum number of tokens of a trial',
      },
    ],
    source: {
      title: 'Cautious Next Token Prediction',
      authors:
        'Yizhou Wang, Lingzhi Zhang, Yue Bai, Mang Tik Chiu, Zhengmian Hu, Mingyuan Zhang, ' +
        'Qihua Dong, Yu Yin, Sohrab Amirghodsi, Yun Fu',
      year: 2025,
      paper: 4,
    },
    reconstructed: false,
    file: 'cntp.ts',
  },
] as const satisfies readonly MethodInfo[];

type Row = (typeof rows)[number];

/** The name of a method. */
export type MethodName = Row['name'];

/** The options of a method in its row. */
type OptionOf<N extends MethodName> = Extract<Row, { name: N }>['options'][number];

/** The value that an option of the list has after readMethodOptions. */
type ValueOf<O extends MethodOptionInfo> = O extends { type: 'number' }
  ? number
  : O extends { type: 'choice'; values: readonly (infer V)[] }
    ? V
    : O extends { type: 'flag' }
      ? boolean
      : unknown;

/** The options of a method, checked and with their defaults. */
export type MethodValues<N extends MethodName> = {
  [O in OptionOf<N> as O['name']]: ValueOf<O>;
};

/** Every decoding method, with its options and its source. */
export const methods: readonly MethodInfo[] = rows;

function numberOf(option: NumberOptionInfo, name: string, value: unknown): number {
  const { min, max, whole } = option;
  const fits = typeof value === 'number' && value >= min && value <= max;
  if (fits && (!whole || Number.isInteger(value))) return value;
  const kind = whole ? 'a whole number' : 'a number';
  throw invalid(`${name} is ${typed(value, 'number')}; it must be ${kind} of ${min} to ${max}`);
}

function checked(option: MethodOptionInfo, name: string, value: unknown): unknown {
  switch (option.type) {
    case 'number':
      return value === undefined ? option.default : numberOf(option, name, value);
    case 'choice':
      if (value === undefined) return option.default;
      if (option.values.includes(value as string)) return value;
      throw invalid(`${name} is ${typed(value, 'string')}${suggestion(value, option.values)}`);
    case 'flag':
      return flag(value, name, option.default);
    case 'other':
      return value;
  }
}

/**
 * A copy of a method's options, checked and with their defaults. The options named in `others`,
 * such as max_tokens or signal, are copied as they are: the caller checks them. call: the name for
 * messages. prefix: what messages write before the name of an option. Throws INVALID_ARGUMENT.
 */
export function readMethodOptions<N extends MethodName, T extends object = object>(
  method: N,
  given: T | undefined,
  call: string,
  others: readonly (keyof T & string)[] = [],
  prefix = '',
): Omit<T, keyof MethodValues<N>> & MethodValues<N> {
  const { options } = rows.find(({ name }) => name === method)!;
  const known = [...options.map(({ name }) => name), ...others];
  const read = readOptions<object>(given, known, call) as Record<string, unknown>;
  for (const option of options)
    read[option.name] = checked(option, prefix + option.name, read[option.name]);
  return read as Omit<T, keyof MethodValues<N>> & MethodValues<N>;
}
