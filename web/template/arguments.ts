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
    const value = args[i] ?? keywords.get(name);
    // null is Python's None, a value
    if (i < args.length) return args[i] as Value;
    if (value !== undefined) return value;
    if (fallback === undefined)
      throw new TypeFailure(`${callee}() missing required argument '${name}'`);
    return fallback;
  });
}
