// In: web/*.ts, demo/ and the wasm variants in dist/. Out: the rest of dist/: the package's modules and types, the built-in model, and in dist/demo
// the page with a copy of all it loads, so that the folder can be served as it is. build.sh runs it when any of these changed.
//
// For those who write web/ and demo/: every entry below that has a file becomes a module dist/<name>.js; a module finds its neighbours by
// new URL('./name', import.meta.url). The page is bundled from demo/main.tsx; the other files of demo/ with an extension of PAGE_FILES are copied.
import { execFileSync } from 'node:child_process';
import { copyFileSync, existsSync, linkSync, mkdirSync, readdirSync, rmSync } from 'node:fs';
import { extname, join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('..', import.meta.url));
const dist = join(root, 'dist');
const page = join(dist, 'demo');
const common = { bundle: true, format: 'esm', target: 'es2022', minify: true, sourcemap: true, logLevel: 'warning' };
const PAGE_FILES = ['.html', '.css', '.svg', '.ico'];
const MODEL = 'storybook-q8_0.gguf';

/** Bundles those of the entries that exist, each into one file. */
async function bundle(platform, names) {
  const entryPoints = names.map((name) => join(root, 'web', `${name}.ts`)).filter((path) => existsSync(path));
  await build({ ...common, platform, entryPoints, outdir: dist });
}

/** A second name for the file where the file system can do that (the model is large), else a copy. */
function place(from, to) {
  rmSync(to, { force: true });
  try {
    linkSync(from, to);
  } catch {
    copyFileSync(from, to);
  }
}

rmSync(page, { recursive: true, force: true });
mkdirSync(page, { recursive: true });
await bundle('browser', ['index', 'worker']);
await bundle('node', ['node', 'worker-node']);
const model = join(root, 'demo', 'model', MODEL);
if (existsSync(model)) copyFileSync(model, join(dist, MODEL));
copyFileSync(join(root, 'web', 'trace.schema.json'), join(dist, 'trace.schema.json'));

const main = join(root, 'demo', 'main.tsx');
if (existsSync(main)) {
  await build({ ...common, platform: 'browser', entryPoints: [main], outdir: page, jsx: 'automatic', jsxImportSource: 'preact' });
  for (const name of readdirSync(join(root, 'demo'))) {
    if (PAGE_FILES.includes(extname(name))) copyFileSync(join(root, 'demo', name), join(page, name));
  }
  for (const name of readdirSync(dist)) {
    if (name.endsWith('.wasm') || name.endsWith('.gguf') || name === 'worker.js') place(join(dist, name), join(page, name));
  }
}

rmSync(join(dist, 'types'), { recursive: true, force: true });
execFileSync(
  process.execPath,
  [join(root, 'node_modules', 'typescript', 'bin', 'tsc'), '-p', join(root, 'tsconfig.types.json')],
  { stdio: 'inherit' },
);
