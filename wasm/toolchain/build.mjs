// In: web/, demo/ and the wasm variants in dist/. Out: the rest of dist/: the package's modules and types, the built-in model, and in dist/demo
// the page with a copy of all it loads, so that the folder can be served as it is. build.sh runs it when any of these changed.
//
// For those who write web/ and demo/: every entry below that has a file becomes a module dist/<name>.js; a module finds its neighbours by
// new URL('./name', import.meta.url). The page is bundled from demo/main.tsx and demo/style.css; PAGE_FILES are copied.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  existsSync,
  linkSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const root = fileURLToPath(new URL('../..', import.meta.url));
const dist = join(root, 'dist');
const page = join(dist, 'demo');
const common = {
  bundle: true,
  format: 'esm',
  target: 'es2022',
  minify: true,
  sourcemap: true,
  logLevel: 'warning',
};
const PAGE_FILES = ['index.html', 'icon.svg'];
const MODEL = 'storybook-q8_0.gguf';

/** The grammar library stays a file of its own, the same for all platforms: dist/xgrammar.js. */
const grammarLibrary = {
  name: 'web-xgrammar',
  setup: ({ onResolve }) =>
    onResolve({ filter: /^@mlc-ai\/web-xgrammar$/ }, () => ({
      path: './xgrammar.js',
      external: true,
    })),
};

/** It comes as a script for <script> and require(), whatever its package says: this makes a module of it, with what it asks Node for. */
async function buildGrammarLibrary() {
  const path = join(root, 'node_modules/@mlc-ai/web-xgrammar/lib/index.js');
  const contents = `
    // In Node it asks for these; a name that is put together keeps bundlers from looking for them elsewhere.
    const node = globalThis.process?.versions?.node !== undefined && (await import(/* @vite-ignore */ ['node', 'module'].join(':')));
    const require = node && node.createRequire(import.meta.url);
    const __filename = import.meta.url;
    const __dirname = '.';
    export const said = []; // what it would write to the console, which is all it tells of an error
    const console = { log() {}, warn() {}, error: (...words) => void said.push(words.join(' ')) };
    const exports = {};
    const module = { exports };
    ${readFileSync(path, 'utf8').replace(/\/\/# sourceMappingURL.*/, '')}
    export const { GrammarCompiler, GrammarMatcher, TokenizerInfo } = exports;`;
  await build({
    ...{
      ...common,
      sourcemap: false,
      stdin: { contents, resolveDir: root },
      outfile: join(dist, 'xgrammar.js'),
    },
    banner: { js: '/* XGrammar, https://github.com/mlc-ai/xgrammar, Apache License 2.0 */' },
    external: ['url', 'module', 'fs', 'path', 'crypto'],
  });
}

/** What only some programs use is in files of its own, loaded when it is asked for. They lie beside the
 * entries, so that a module finds its neighbours wherever it ended up. */
const split = (platform) => ({
  ...{
    platform,
    splitting: true,
    chunkNames: `${platform}-[name]-[hash]`,
    plugins: [grammarLibrary],
  },
});

/** Bundles entries; what they share or import later goes into chunks. */
const bundle = (platform, names) =>
  build({
    ...common,
    ...split(platform),
    entryPoints: names.map((name) => join(root, 'web', `${name}.ts`)),
    outdir: dist,
  });

/** Bundles entries, each into one file: a worker is started by its address alone. */
const alone = (platform, names) =>
  build({
    ...common,
    platform,
    entryPoints: names.map((name) => join(root, 'web', `${name}.ts`)),
    outdir: dist,
  });

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
for (const name of readdirSync(dist))
  if (/^(browser|node)-\w+-\w+\.js/.test(name)) rmSync(join(dist, name)); // of an earlier build
await buildGrammarLibrary();
await bundle('browser', ['index']);
await bundle('node', ['node', 'testing', 'cli']);
await alone('browser', ['worker']);
await alone('node', ['worker-node']);
const model = join(root, 'demo', 'model', MODEL);
if (existsSync(model)) copyFileSync(model, join(dist, MODEL));
copyFileSync(join(root, 'web', 'types', 'trace.schema.json'), join(dist, 'trace.schema.json'));

const main = join(root, 'demo', 'main.tsx');
if (existsSync(main)) {
  await build({
    ...common,
    ...split('browser'),
    entryPoints: [main],
    outdir: page,
    jsx: 'automatic',
    jsxImportSource: 'preact',
  });
  await build({ ...common, entryPoints: [join(root, 'demo', 'style.css')], outdir: page });
  for (const name of PAGE_FILES) copyFileSync(join(root, 'demo', name), join(page, name));
  for (const name of readdirSync(dist)) {
    if (
      name.endsWith('.wasm') ||
      name.endsWith('.gguf') ||
      ['worker.js', 'xgrammar.js'].includes(name)
    )
      place(join(dist, name), join(page, name));
  }
  // what the page is kept as for visits without a network: every file, by its content
  const kept = readdirSync(page).filter((name) => !name.endsWith('.map'));
  const revision = (name) =>
    createHash('sha256')
      .update(readFileSync(join(page, name)))
      .digest('hex')
      .slice(0, 16);
  await build({
    ...{
      ...common,
      platform: 'browser',
      entryPoints: [join(root, 'demo', 'service-worker.ts')],
      outdir: page,
      format: 'iife',
    },
    define: {
      FILES: JSON.stringify(kept.map((url) => ({ url, revision: revision(url) }))),
      'process.env.NODE_ENV': '"production"',
    },
  });
}

rmSync(join(dist, 'types'), { recursive: true, force: true });
execFileSync(
  process.execPath,
  [join(root, 'node_modules', 'typescript', 'bin', 'tsc'), '-p', join(root, 'tsconfig.types.json')],
  { stdio: 'inherit' },
);
