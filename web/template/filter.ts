/** How a filter or a test becomes a row of a table. */
import { bind } from './arguments.js';
import type { Method, Parameter } from './arguments.js';
import type { Value } from './values.js';

/** A filter with these parameters behind the value. */
export const filter =
  (
    parameters: readonly Parameter[],
    run: (value: Value, args: readonly Value[]) => Value,
  ): Method =>
  (value, args, keywords) =>
    run(value, bind('filter', parameters, args, keywords));

export const rows = <Names extends string>(table: Record<Names, Method>): Record<string, Method> =>
  table;
