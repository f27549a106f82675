// Measures dist/: the bytes, raw and gzipped, of each wasm file, of the package's entry for
// browsers and of the page's first view, the last two with everything that they import statically.
// Prints the sizes when it is run as a program; tests/node/sizes.test.mjs checks the limits.
import { readFileSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';

const dist = new URL('../../dist/', import.meta.url);
// bytes, gzipped
const WASM_LIMIT = 200_000;
const ENTRY_LIMIT = 18 * 1024;
const PAGE_LIMIT = 200_000; // JavaScript and CSS of the page's first view

/** The contents of a module and of the modules that it imports statically, each once. */
export function withImports(url, seen = new Set()) {
  if (seen.has(url.href)) return [];
  seen.add(url.href);
  const bytes = readFileSync(url);
  const imports = [
    ...bytes.toString().matchAll(/\b(?:import|export)\b[^'"();]*["'](\.\.?\/[^"']+)["']/g),
  ].map((match) => match[1]);
  return [bytes, ...imports.flatMap((imported) => withImports(new URL(imported, url), seen))];
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

export function sizes() {
  const wasms = readdirSync(dist).filter((name) => name.endsWith('.wasm'));
  return [
    ...wasms.map((name) => measure(name, [readFileSync(new URL(name, dist))], WASM_LIMIT)),
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
