// The compiler of JSON Schema, bundled from its source, so that tests reach what the package keeps
// inside.
import { fileURLToPath } from 'node:url';
import { buildSync } from 'esbuild';

function bundled(file) {
  const entry = fileURLToPath(new URL(`../../web/grammar/${file}`, import.meta.url));
  const [{ text }] = buildSync({
    entryPoints: [entry],
    bundle: true,
    format: 'esm',
    write: false,
  }).outputFiles;
  return import(`data:text/javascript;base64,${Buffer.from(text).toString('base64')}`);
}

export const { grammarOfSchema } = await bundled('schema.ts');
export const { keywords } = await bundled('keyword-table.ts');
export const { formatNames } = await bundled('formats.ts');
