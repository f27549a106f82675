/** Options that a list describes: the types of their values, and the check of what is given. */
import { flag, invalid, readOptions } from './arguments.js';
import { typed } from './errors.js';
import type { MethodOptionInfo, NumberOptionInfo } from './methods.js';
import { suggestion } from './names.js';

/** The value that an option of a list has after readListedOptions. */
export type OptionValue<O extends MethodOptionInfo> = O extends { type: 'number' }
  ? number
  : O extends { type: 'choice'; values: readonly (infer V)[] }
    ? V
    : O extends { type: 'flag' }
      ? boolean
      : unknown;

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
 * A copy of the options that a program gives, checked and with the defaults of their list. The
 * options named in `others`, such as signal, are copied as they are: the caller checks them. call:
 * the name for messages. prefix: what messages write before the name of an option. Throws
 * INVALID_ARGUMENT.
 */
export function readListedOptions(
  options: readonly MethodOptionInfo[],
  given: object | undefined,
  call: string,
  others: readonly string[] = [],
  prefix = '',
): Record<string, unknown> {
  const known = [...options.map(({ name }) => name), ...others];
  const read = readOptions<object>(given, known, call) as Record<string, unknown>;
  for (const option of options)
    if (option.type !== 'other')
      read[option.name] = checked(option, prefix + option.name, read[option.name]);
  return read;
}
