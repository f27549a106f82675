/** A schema document: where each schema is, and what a $ref means. */
import { refusal } from './refusal.js';

export type Json = null | boolean | number | string | Json[] | { [name: string]: Json };
export type SchemaObject = { [name: string]: Json };
export type Schema = boolean | SchemaObject;

interface Place {
  /** JSON pointer from the document's root. */
  pointer: string;
  /** The base of relative references. */
  base: string;
}

const ONE = [
  'items',
  'additionalItems',
  'additionalProperties',
  'propertyNames',
  'contains',
  'not',
  'if',
  'then',
  'else',
  'unevaluatedItems',
  'unevaluatedProperties',
  'contentSchema',
];
const LISTS = ['allOf', 'anyOf', 'oneOf', 'prefixItems', 'items'];
const MAPS = ['$defs', 'definitions', 'properties', 'patternProperties', 'dependentSchemas'];
const ROOT = 'https://schema.invalid/'; // the base of a document without $id
const MAX_DEPTH = 500; // objects and lists inside one another

export const isObject = (value: unknown): value is SchemaObject =>
  typeof value === 'object' && value !== null && !Array.isArray(value);

export const isSchema = (value: unknown): value is Schema =>
  typeof value === 'boolean' || isObject(value);

/** The value of a name that is the object's own; undefined without the name. */
export const own = (object: SchemaObject, name: string): Json | undefined =>
  Object.hasOwn(object, name) ? object[name] : undefined;

export const escaped = (name: string): string => name.replaceAll('~', '~0').replaceAll('/', '~1');

/** Refuses a document that is nested too deep for what follows. */
export function checkDepth(document: Json): void {
  let level: Json[] = [document];
  for (let depth = 0; level.length > 0; depth++) {
    if (depth > MAX_DEPTH) throw refusal('', '', `is nested more than ${MAX_DEPTH} deep`);
    level = level.flatMap((value) =>
      typeof value === 'object' && value !== null
        ? Object.values(value).filter((inner) => typeof inner === 'object' && inner !== null)
        : [],
    );
  }
}

export class SchemaDocument {
  readonly #places = new Map<object, Place>();
  /** Resources by their URI without fragment. */
  readonly #resources = new Map<string, Schema>();
  /** Schemas with a name, by "URI#name". */
  readonly #anchors = new Map<string, Schema>();

  constructor(root: Schema) {
    this.#resources.set(ROOT, root);
    if (isObject(root)) this.#add(root, '', ROOT);
  }

  /** The JSON pointer of a schema. */
  pointerOf(schema: SchemaObject): string {
    return this.#places.get(schema)?.pointer ?? '';
  }

  /** Gives a schema that the compiler made the place of the schema that it comes from. */
  derive(schema: SchemaObject, from: SchemaObject, keyword: string): void {
    const { pointer, base } = this.#places.get(from)!;
    this.#places.set(schema, { pointer: `${pointer}/${keyword}`, base });
  }

  /** Notes the places of a schema and of all schemas in it. */
  #add(schema: SchemaObject, pointer: string, parent: string): void {
    const base = this.#identify(schema, pointer, parent);
    this.#places.set(schema, { pointer, base });
    for (const keyword of ['$anchor', '$dynamicAnchor']) {
      const name = own(schema, keyword);
      if (name === undefined) continue;
      if (typeof name !== 'string' || !/^[A-Za-z_][-A-Za-z0-9._]*$/.test(name))
        throw refusal(keyword, pointer, 'is no name');
      const key = `${base}#${name}`;
      if (this.#anchors.has(key) && this.#anchors.get(key) !== schema)
        throw refusal(keyword, pointer, `names "${name}" a second time`);
      this.#anchors.set(key, schema);
    }
    const visit = (value: Json | undefined, path: string) => {
      if (isObject(value)) this.#add(value, `${pointer}/${path}`, base);
    };
    for (const keyword of ONE) visit(own(schema, keyword), keyword);
    for (const keyword of LISTS) {
      const list = own(schema, keyword);
      if (Array.isArray(list)) list.forEach((value, i) => visit(value, `${keyword}/${i}`));
    }
    for (const keyword of MAPS) {
      const map = own(schema, keyword);
      if (!isObject(map)) continue;
      for (const [name, value] of Object.entries(map)) visit(value, `${keyword}/${escaped(name)}`);
    }
  }

  /** The base of a schema; registers the schema under its $id. */
  #identify(schema: SchemaObject, pointer: string, parent: string): string {
    const id = own(schema, '$id');
    if (id === undefined) return parent;
    const url = typeof id === 'string' ? resolved(id, parent) : undefined;
    if (url === undefined || url[1] !== '')
      throw refusal('$id', pointer, 'is no URI without a fragment');
    const [base] = url;
    const other = this.#resources.get(base);
    if (other !== undefined && other !== schema && base !== ROOT)
      throw refusal('$id', pointer, 'is the id of another schema, too');
    this.#resources.set(base, schema);
    return base;
  }

  /** The schema that a $ref of a schema means. */
  resolve(from: SchemaObject, keyword: string): Schema {
    const { pointer, base } = this.#places.get(from)!;
    const reference = from[keyword];
    const refuse = (reason: string) =>
      refusal(keyword, pointer, `("${String(reference).slice(0, 100)}") ${reason}`);
    if (typeof reference !== 'string') throw refuse('is no text');
    const url = resolved(reference, base);
    if (!url) throw refuse('is no URI reference');
    const [resource, fragment] = url;
    const root = this.#resources.get(resource);
    if (root === undefined)
      throw refuse('leads outside the document; only references within the schema are supported');
    if (fragment === '') return root;
    let name: string;
    try {
      name = decodeURIComponent(fragment);
    } catch {
      throw refuse('is no URI reference');
    }
    const target = name.startsWith('/')
      ? this.#walk(root, name)
      : this.#anchors.get(`${resource}#${name}`);
    if (target === undefined) throw refuse('leads to nothing in the schema');
    if (!isSchema(target)) throw refuse('leads to something that is no schema');
    return target;
  }

  /** The value at a JSON pointer. A schema in an unknown place gets its place here. */
  #walk(root: Schema, pointer: string): Json | undefined {
    let value: Json = root;
    let place = isObject(root) ? this.#places.get(root)! : { pointer: '', base: ROOT };
    let path = '';
    for (const part of pointer.slice(1).split('/')) {
      const name = part.replaceAll('~1', '/').replaceAll('~0', '~');
      if (Array.isArray(value)) {
        if (!/^(?:0|[1-9][0-9]*)$/.test(name)) return undefined;
        value = value[Number(name)] as Json;
      } else if (isObject(value)) value = own(value, name) as Json;
      else return undefined;
      if (value === undefined) return undefined;
      path += `/${part}`;
      const known: Place | undefined = isObject(value) ? this.#places.get(value) : undefined;
      if (known) [place, path] = [known, ''];
    }
    if (isObject(value) && !this.#places.has(value))
      this.#add(value, `${place.pointer}${path}`, place.base);
    return value;
  }
}

/** A reference as an absolute URI without fragment, and the fragment. */
function resolved(reference: string, base: string): [string, string] | undefined {
  let url: URL;
  try {
    url = new URL(reference, base);
  } catch {
    return undefined;
  }
  const fragment = url.hash.slice(1);
  url.hash = '';
  return [url.href, fragment];
}
