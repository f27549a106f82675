/** Copies of JSON that a caller gives. They load with the calls that need them. */
import { invalid, listOf } from './arguments.js';
import { typed } from './errors.js';

const MAX_DEPTH = 100; // levels of lists and objects inside each other

/** A copy of JSON. Functions and the like are errors; undefined members are left out. */
export function jsonOf(value: unknown, name: string, depth = 0): unknown {
  if (depth > MAX_DEPTH) throw invalid(`${name} is nested more than ${MAX_DEPTH} deep`);
  if (value === null || ['string', 'boolean', 'number', 'bigint'].includes(typeof value))
    return value;
  if (Array.isArray(value)) return listOf(value, name, (item) => jsonOf(item, name, depth + 1));
  if (typeof value !== 'object') throw invalid(`${name} has ${typed(value)}, which is no JSON`);
  const entries = Object.entries(value).filter(([, member]) => member !== undefined);
  return Object.fromEntries(entries.map(([key, member]) => [key, jsonOf(member, name, depth + 1)]));
}
