/**
 * Checks values against a JSON Schema, as far as the schema of traces needs it:
 * wasm/toolchain/generate-schema.mjs refuses a schema with other keywords.
 */

/** A schema with the keywords that are checked. */
export interface Schema {
  readonly $ref?: string;
  readonly $defs?: Readonly<Record<string, Schema>>;
  readonly type?: string | readonly string[];
  readonly const?: unknown;
  readonly enum?: readonly unknown[];
  readonly anyOf?: readonly Schema[];
  readonly required?: readonly string[];
  readonly properties?: Readonly<Record<string, Schema>>;
  readonly additionalProperties?: boolean | Schema;
  readonly items?: Schema;
  readonly minimum?: number;
  readonly maximum?: number;
  readonly exclusiveMaximum?: number;
  readonly pattern?: string;
}

/** The schema's names of a value's types; none for a number that JSON does not have. */
function typesOf(value: unknown): string[] {
  if (value === null) return ['null'];
  if (Array.isArray(value)) return ['array'];
  if (typeof value !== 'number') return [typeof value];
  if (Number.isInteger(value)) return ['integer', 'number'];
  return Number.isFinite(value) ? ['number'] : [];
}

/** Where a value does not follow the schema, and why not; undefined when it does. */
export function faultOf(root: Schema, value: unknown): string | undefined {
  function check(schema: Schema, value: unknown, place: string): string | undefined {
    const fault = (what: string) => `${place || 'the trace'} ${what}`;
    const { $ref, type, anyOf, properties = {}, additionalProperties, items } = schema;
    if ($ref) return check(root.$defs![$ref.slice('#/$defs/'.length)]!, value, place);
    if (type && !typesOf(value).some((name) => [type].flat().includes(name)))
      return fault(`must be ${String(type)}`);
    const allowed = 'const' in schema ? [schema.const] : schema.enum;
    if (allowed && !allowed.includes(value)) return fault(`must be ${allowed.join(' or ')}`);
    if (anyOf) {
      const faults = anyOf.map((choice) => check(choice, value, place));
      if (!faults.includes(undefined)) return faults.at(-1);
    }
    if (typeof value === 'number') {
      const { minimum = -Infinity, maximum = Infinity, exclusiveMaximum = Infinity } = schema;
      if (value < minimum || value > maximum || value >= exclusiveMaximum)
        return fault(`is ${value}, which is out of range`);
    }
    if (typeof value === 'string' && schema.pattern && !new RegExp(schema.pattern, 'u').test(value))
      return fault(`must match ${schema.pattern}`);
    if (items && Array.isArray(value)) {
      for (let i = 0; i < value.length; i++) {
        const found = check(items, value[i], `${place}/${i}`);
        if (found) return found;
      }
    }
    if (!schema.properties && additionalProperties === undefined) return undefined;
    const object = value as Record<string, unknown>;
    for (const name of schema.required ?? [])
      if (object[name] === undefined) return fault(`must have the property ${name}`);
    for (const name of Object.keys(object)) {
      const inner = Object.hasOwn(properties, name) ? properties[name] : additionalProperties;
      if (inner === false) return fault(`has an additional property: ${name}`);
      const found =
        typeof inner === 'object' ? check(inner, object[name], `${place}/${name}`) : undefined;
      if (found) return found;
    }
    return undefined;
  }
  return check(root, value, '');
}
