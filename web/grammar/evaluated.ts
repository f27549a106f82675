/**
 * What the keywords of a schema, and of the schemas that always apply with it (allOf, $ref),
 * evaluate: the members and items that unevaluatedProperties and unevaluatedItems leave alone.
 */
import { isObject, isSchema, own } from './document.js';
import type { Schema, SchemaObject } from './document.js';

interface Source {
  schema: SchemaObject;
  resolve(schema: SchemaObject, keyword: string): Schema;
}

/** Keywords that may evaluate, or may not, depending on the value. */
const CONDITIONAL = ['anyOf', 'oneOf', 'if', 'dependentSchemas', 'dependencies', '$dynamicRef'];

/** All schemas that apply wherever this one does; a text says why they are not known. */
function alwaysApplied({ schema, resolve }: Source): SchemaObject[] | string {
  const found = new Set([schema]);
  for (const one of found) {
    const conditional = CONDITIONAL.find((keyword) => Object.hasOwn(one, keyword));
    if (conditional) return `cannot be enforced together with "${conditional}"`;
    const applied: unknown[] = Array.isArray(one.allOf) ? [...one.allOf] : [];
    if (Object.hasOwn(one, '$ref')) applied.push(resolve(one, '$ref'));
    for (const inner of applied) if (isObject(inner)) found.add(inner);
  }
  return [...found];
}

export function evaluatedMembers(
  source: Source,
): { names: Set<string>; patterns: Set<string>; all: boolean } | string {
  const schemas = alwaysApplied(source);
  if (typeof schemas === 'string') return schemas;
  const names = new Set<string>();
  const patterns = new Set<string>();
  let all = false;
  for (const schema of schemas) {
    for (const name of keysOf(schema, 'properties')) names.add(name);
    for (const pattern of keysOf(schema, 'patternProperties')) patterns.add(pattern);
    const inner = schema !== source.schema && Object.hasOwn(schema, 'unevaluatedProperties');
    if (inner || Object.hasOwn(schema, 'additionalProperties')) all = true;
  }
  return { names, patterns, all };
}

/** How many items from the first are evaluated; Infinity for all; a text says why not known. */
export function evaluatedItems(source: Source): number | string {
  const schemas = alwaysApplied(source);
  if (typeof schemas === 'string') return schemas;
  let length = 0;
  for (const schema of schemas) {
    if (Object.hasOwn(schema, 'contains')) return 'cannot be enforced together with "contains"';
    const inner = schema !== source.schema && Object.hasOwn(schema, 'unevaluatedItems');
    if (inner || isSchema(own(schema, 'items'))) return Infinity;
    if (Array.isArray(schema.prefixItems)) length = Math.max(length, schema.prefixItems.length);
  }
  return length;
}

const keysOf = (schema: SchemaObject, keyword: string): string[] => {
  const map = own(schema, keyword);
  return isObject(map) ? Object.keys(map) : [];
};
