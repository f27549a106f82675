// Turns web/types/trace.schema.json into web/types/generated-validator.ts: a function that checks a
// value against the schema, so that no schema library is loaded. generate.mjs writes the file.
import { readFileSync } from 'node:fs';
import Ajv from 'ajv/dist/2020.js';
import standalone from 'ajv/dist/standalone/index.js';

export const path = 'web/types/generated-validator.ts';

/** The text of the file. */
export async function text() {
  const schema = new URL('../../web/types/trace.schema.json', import.meta.url);
  const ajv = new Ajv.default({ code: { source: true, esm: true }, allowUnionTypes: true });
  const code = standalone.default(ajv, ajv.compile(JSON.parse(readFileSync(schema, 'utf8'))));
  if (code.includes('require('))
    throw new Error('a keyword of the schema needs a part of ajv at run time: do without it');
  return `// @ts-nocheck
/** Written by wasm/toolchain/generate.mjs from trace.schema.json: change the schema instead. */
${code}`;
}
