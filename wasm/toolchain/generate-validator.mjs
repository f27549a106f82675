// In: web/types/trace.schema.json. Out: web/types/generated-validator.ts, a function that checks a value against it, so that nobody loads a schema library.
import { readFileSync, writeFileSync } from 'node:fs';
import Ajv from 'ajv/dist/2020.js';
import standalone from 'ajv/dist/standalone/index.js';

const schema = JSON.parse(
  readFileSync(new URL('../../web/types/trace.schema.json', import.meta.url), 'utf8'),
);
const ajv = new Ajv.default({ code: { source: true, esm: true }, allowUnionTypes: true });
const code = standalone.default(ajv, ajv.compile(schema));
if (code.includes('require('))
  throw new Error(
    'the validator needs parts of its library: leave the keyword out of the schema that does',
  );

writeFileSync(
  new URL('../../web/types/generated-validator.ts', import.meta.url),
  `// @ts-nocheck
/** Generated from trace.schema.json by wasm/toolchain/generate-validator.mjs: change those. */
${code}`,
);
