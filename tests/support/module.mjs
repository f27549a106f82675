// Modules of web/ that the package does not export.
import { rmSync } from 'node:fs';
import { buildSync } from 'esbuild';
import { inTree } from './support.mjs';

/** The exports of a module of web/. path: relative to web/. */
export async function moduleOf(path) {
  // programs that run side by side do not share the file
  const outfile = inTree(`build/${path.replace(/\W+/g, '-')}-${process.pid}.mjs`);
  buildSync({ entryPoints: [inTree(`web/${path}`)], bundle: true, format: 'esm', outfile });
  try {
    return await import(outfile);
  } finally {
    rmSync(outfile);
  }
}
