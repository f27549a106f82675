// Writes the table of errors in web/README.md from src/base/status.def. The rest of the page stays
// as it is. generate.mjs writes the file.
import { readFileSync } from 'node:fs';
import { readRows } from './lists.mjs';

export const path = 'web/README.md';

const BEGIN = '<!-- errors: written by wasm/toolchain/generate.mjs from src/base/status.def -->\n';
const END = '<!-- end of errors -->\n';

/** The text of the file. */
export async function text() {
  const page = readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
  const [before, rest] = page.split(BEGIN);
  const after = rest?.split(END)[1];
  if (after === undefined) throw new Error(`${path} has no place for the table of errors`);
  const rows = readRows('src/base/status.def', 'TG_STATUS')
    .filter(({ args: [, number] }) => Number(number) !== 0) // OK is not an error
    .map(({ args: [name, , meaning] }) => `| \`${name}\` | ${meaning} |\n`);
  return `${before}${BEGIN}\n| code | meaning |\n|---|---|\n${rows.join('')}\n${END}${after}`;
}
