// Modules in TypeScript that the package does not export.
import { rmSync } from 'node:fs';
import { buildSync } from 'esbuild';
import { inTree } from './support.mjs';

/** The exports of a module. path: relative to the folder. */
export async function moduleOf(path, folder = 'web') {
  // programs that run side by side do not share the file
  const outfile = inTree(`build/${path.replace(/\W+/g, '-')}-${process.pid}.mjs`);
  buildSync({ entryPoints: [inTree(`${folder}/${path}`)], bundle: true, format: 'esm', outfile });
  try {
    return await import(outfile);
  } finally {
    rmSync(outfile);
  }
}
