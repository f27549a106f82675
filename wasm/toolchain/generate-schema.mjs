// Turns web/types/trace.schema.json into web/types/generated-schema.ts: the schema without what
// only people read. web/api/schema.ts checks values against it. generate.mjs writes the file.
import { readFileSync } from 'node:fs';

export const path = 'web/types/generated-schema.ts';

const FOR_PEOPLE = ['$schema', '$id', 'title', 'description'];
/** The keywords that web/api/schema.ts checks, and those whose values are named schemas. */
const CHECKED = [
  ...['$ref', 'type', 'const', 'enum', 'anyOf', 'required', 'additionalProperties', 'items'],
  ...['minimum', 'maximum', 'exclusiveMaximum', 'pattern'],
];
const NAMED = ['properties', '$defs'];

function bare(schema) {
  if (typeof schema !== 'object') return schema;
  return Object.fromEntries(
    Object.entries(schema)
      .filter(([keyword]) => !FOR_PEOPLE.includes(keyword))
      .map(([keyword, value]) => {
        if (NAMED.includes(keyword))
          return [
            keyword,
            Object.fromEntries(Object.entries(value).map(([name, inner]) => [name, bare(inner)])),
          ];
        if (!CHECKED.includes(keyword))
          throw new Error(`web/api/schema.ts does not check ${keyword}: teach it, or do without`);
        if (keyword === 'anyOf') return [keyword, value.map(bare)];
        return [keyword, ['items', 'additionalProperties'].includes(keyword) ? bare(value) : value];
      }),
  );
}

/** The text of the file. */
export async function text() {
  const schema = new URL('../../web/types/trace.schema.json', import.meta.url);
  return `/** Written by wasm/toolchain/generate.mjs from trace.schema.json: change the schema instead. */
export const traceSchema = ${JSON.stringify(bare(JSON.parse(readFileSync(schema, 'utf8'))))} as const;
`;
}
