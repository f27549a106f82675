// Measures dist/: the bytes, raw and gzipped, of each wasm file, of loadModel in a bundle, of the
// package's entry for browsers and of the page's first view, the last three with everything that
// they import statically.
// Prints the sizes when it is run as a program; tests/node/sizes.test.mjs checks the limits.
import { readFileSync, readdirSync } from 'node:fs';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { gzipSync } from 'node:zlib';
import { buildSync } from 'esbuild';

const dist = new URL('../../dist/', import.meta.url);
// bytes, gzipped
const WASM_LIMIT = 213_000;
const LOAD_LIMIT = 12_000; // loadModel alone, in a user's bundle
const ENTRY_LIMIT = 18 * 1024; // the entry with its lists, without a bundler
const PAGE_LIMIT = 120_000; // JavaScript and CSS of the page's first view

/** The contents of a module and of the modules that it imports statically, each once. */
export function withImports(url, read = readFileSync, seen = new Set()) {
  if (seen.has(url.href)) return [];
  seen.add(url.href);
  const bytes = read(url);
  const imports = [
    ...bytes.toString().matchAll(/\b(?:import|export)\b[^'"();]*["'](\.\.?\/[^"']+)["']/g),
  ].map((match) => match[1]);
  return [bytes, ...imports.flatMap((imported) => withImports(new URL(imported, url), read, seen))];
}

function measure(name, files, limit) {
  const sum = (sizes) => sizes.reduce((total, size) => total + size, 0);
  return {
    name,
    raw: sum(files.map((file) => file.length)),
    gzipped: sum(files.map((file) => gzipSync(file, { level: 9 }).length)),
    limit,
  };
}

/** loadModel alone, as a bundler takes it from the package, without what loads later. */
function bundledLoad() {
  const { outputFiles } = buildSync({
    stdin: {
      contents: "export { loadModel } from './dist/index.js'",
      resolveDir: fileURLToPath(new URL('..', dist)),
    },
    bundle: true,
    splitting: true,
    format: 'esm',
    target: 'es2022',
    minify: true,
    write: false,
    outdir: '.',
    entryNames: 'entry',
    logLevel: 'error',
  });
  const files = new Map(
    outputFiles.map(({ path, contents }) => [pathToFileURL(path).href, contents]),
  );
  const entry = [...files.keys()].find((url) => url.endsWith('/entry.js'));
  return withImports(new URL(entry), (url) => Buffer.from(files.get(url.href)));
}

export function sizes() {
  const wasms = readdirSync(dist).filter((name) => name.endsWith('.wasm'));
  return [
    ...wasms.map((name) => measure(name, [readFileSync(new URL(name, dist))], WASM_LIMIT)),
    measure('loadModel in a bundle', bundledLoad(), LOAD_LIMIT),
    measure('index.js', withImports(new URL('index.js', dist)), ENTRY_LIMIT),
    measure(
      'demo/main.js',
      [
        ...withImports(new URL('demo/main.js', dist)),
        ...['worker.js', 'style.css'].map((name) => readFileSync(new URL(`demo/${name}`, dist))),
      ],
      PAGE_LIMIT,
    ),
  ];
}

if (process.argv[1] === fileURLToPath(import.meta.url)) {
  for (const { name, raw, gzipped, limit } of sizes()) {
    console.log(`  ${name}: ${raw} bytes, ${gzipped} gzipped (limit ${limit})`);
  }
}
