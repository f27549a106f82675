// Writes the generated TypeScript files and the generated tables of web/README.md,
// web/methods/README.md and web/lenses/README.md, which are committed. With --check it writes
// nothing, names the files that differ from what the generators make, and exits with code 1 if
// there are any. A file that is up to date keeps its time, so that nothing is built again because
// of it.
import { readFileSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import * as boundary from './generate-boundary.mjs';
import * as errors from './generate-errors.mjs';
import * as lenses from './generate-lenses.mjs';
import * as lists from './generate-lists.mjs';
import * as methods from './generate-methods.mjs';
import * as readme from './generate-readme.mjs';
import * as schema from './generate-schema.mjs';

const root = new URL('../../', import.meta.url);

function committed(path) {
  try {
    return readFileSync(new URL(path, root), 'utf8');
  } catch {
    return undefined;
  }
}

/** The generated files whose text differs from what the generators make: { path, text }. */
export async function outdatedFiles() {
  const files = await Promise.all(
    [
      lists.lists,
      lists.load,
      lists.stages,
      errors,
      boundary,
      readme,
      methods,
      lenses.types,
      lenses.page,
      schema,
    ].map(async ({ path, text }) => ({
      path,
      text: await text(),
    })),
  );
  return files.filter(({ path, text }) => committed(path) !== text);
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  const check = process.argv.includes('--check');
  for (const { path, text } of await outdatedFiles()) {
    console.log(`  ${path}${check ? ' is not what the generators make' : ''}`);
    if (check) process.exitCode = 1;
    else writeFileSync(new URL(path, root), text);
  }
}
