/** Python's rules for the arguments of a call. */
import { TypeFailure } from './values.js';
import type { Keywords, Value } from './values.js';

/** A parameter: its name, and its default unless the caller must give it. */
export type Parameter = readonly [name: string, fallback?: Value];

/** A method, a filter or a test: what it is applied to, then the arguments. */
export type Method = (self: Value, args: Value[], keywords: Keywords) => Value;

/**
 * The values of the parameters in their order.
 * positionalOnly: keywords are an error, as in most of Python's own methods.
 */
export function bind(
  callee: string,
  parameters: readonly Parameter[],
  args: readonly Value[],
  keywords: Keywords,
  positionalOnly = false,
): Value[] {
  if (args.length > parameters.length)
    throw new TypeFailure(
      `${callee}() takes at most ${parameters.length} arguments (${args.length} given)`,
    );
  if (positionalOnly && keywords.size > 0)
    throw new TypeFailure(`${callee}() takes no keyword arguments`);
  const names = parameters.map(([name]) => name);
  for (const name of keywords.keys()) {
    const i = names.indexOf(name);
    if (i < 0) throw new TypeFailure(`${callee}() got an unexpected keyword argument '${name}'`);
    if (i < args.length)
      throw new TypeFailure(`${callee}() got multiple values for argument '${name}'`);
  }
  return parameters.map(([name, fallback], i) => {
    if (i < args.length) return args[i] as Value;
    const value = keywords.has(name) ? keywords.get(name) : fallback;
    if (value === undefined)
      throw new TypeFailure(`${callee}() missing required argument '${name}'`);
    return value;
  });
}

/** A filter or a test with these parameters behind the value. */
export const filter =
  (
    parameters: readonly Parameter[],
    run: (value: Value, args: readonly Value[]) => Value,
  ): Method =>
  (value, args, keywords) =>
    run(value, bind('filter', parameters, args, keywords));
