// Bundles web/ into the modules and types of dist/, and demo/ into the page in dist/demo, with a
// copy of everything that the page loads: the folder can be served as it is. The wasm files must be
// in dist/ already. build.sh runs this program when any of these changed.
//
// Each entry becomes dist/<name>.js. Files of dist/ find each other by
// new URL('./name', import.meta.url), which bundlers recognize.
import { execFileSync } from 'node:child_process';
import { createHash } from 'node:crypto';
import {
  copyFileSync,
  cpSync,
  existsSync,
  linkSync,
  mkdirSync,
  readFileSync,
  readdirSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build as esbuild, transform } from 'esbuild';
import { thirdParty } from './third-party.mjs';

const root = fileURLToPath(new URL('../..', import.meta.url));
const dist = join(root, 'dist');
const page = join(dist, 'demo');
const common = {
  absWorkingDir: root,
  metafile: true,
  bundle: true,
  format: 'esm',
  target: 'es2022',
  minify: true,
  sourcemap: true,
  logLevel: 'warning',
};
const PAGE_FILES = ['index.html', 'icon.svg'];
const NOTICES = 'THIRD-PARTY.txt';
const MODEL = 'storybook-q8_0.gguf';

const metafiles = []; // of all bundles so far
const build = async (options) => void metafiles.push((await esbuild(options)).metafile);

/**
 * Options for bundles that share chunks. Modules that are imported dynamically become chunks, which
 * load when they are needed. Chunks are in the folder of the entries: './name' means the same file
 * in all of them.
 */
const split = (platform) => ({
  platform,
  splitting: true,
  chunkNames: `${platform}-[name]-[hash]`,
});

const entry = (name) => join(root, 'web', `${name}.ts`);

/** Bundles entries with chunks. entries: name in dist -> name in web. */
const bundle = (platform, entries) =>
  build({
    ...common,
    ...split(platform),
    entryPoints: Object.entries(entries).map(([out, name]) => ({ in: entry(name), out })),
    outdir: dist,
    plugins: platform === 'node' ? [nodeHost] : [],
  });

/** Bundles an entry into one file without import(). */
const bundleWhole = (platform, name, outfile, options = {}) =>
  build({
    ...common,
    platform,
    entryPoints: [entry(name)],
    outfile: join(dist, outfile),
    ...options,
  });

/** The platform of Node in place of the one of browsers. */
const nodeHost = {
  name: 'node-host',
  setup({ onResolve }) {
    onResolve({ filter: /\/host\.js$/ }, () => ({ path: join(root, 'web/platform/host-node.ts') }));
  },
};

/**
 * Writes each module for Node as a CommonJS module of the same name into a folder. Its files are
 * those beside the ES modules.
 */
async function commonJs(folder) {
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(folder, { recursive: true });
  for (const name of readdirSync(dist).filter((name) => /^(node\b.*|testing)\.js$/.test(name))) {
    const source = readFileSync(join(dist, name), 'utf8').replace(
      /^\/\/# sourceMappingURL=.*/m,
      '',
    );
    const { code } = await transform(source, {
      format: 'cjs',
      platform: 'node',
      target: common.target,
      minify: true,
      define: { 'import.meta.url': 'importMetaUrl' },
      // import() of a relative module becomes require()
      supported: { 'dynamic-import': false },
      banner: `var importMetaUrl=require("node:url").pathToFileURL(__dirname+"/../${name}").href;`,
    });
    writeFileSync(join(folder, name), code);
  }
  writeFileSync(join(folder, 'package.json'), '{ "type": "commonjs" }\n');
}

/** Links a file where the file system can do that (the model is large), or else copies it. */
function linkOrCopy(from, to) {
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
  // of an earlier build
  if (/\.m?js(\.map)?$/.test(name)) rmSync(join(dist, name));
// the entries for one build each; all.ts is the list of them
const BUILDS = readdirSync(join(root, 'web', 'builds'))
  .map((name) => name.replace(/\.ts$/, ''))
  .filter((name) => name !== 'all');
await bundle('browser', {
  index: 'index',
  ...Object.fromEntries(BUILDS.map((name) => [name, `builds/${name}`])),
  storybook: 'storybook',
  trace: 'trace',
  methods: 'methods',
  lenses: 'lenses',
});
await bundle('node', {
  node: 'index',
  ...Object.fromEntries(BUILDS.map((name) => [`node-${name}`, `builds/${name}`])),
  'node-storybook': 'storybook',
  'node-trace': 'trace',
  'node-methods': 'methods',
  'node-lenses': 'lenses',
  testing: 'testing',
  cli: 'cli',
});
await bundleWhole('browser', 'worker', 'worker.js');
await bundleWhole('node', 'worker-node', 'worker-node.mjs');
await bundleWhole('browser', 'index', 'service-worker.js');
// a classic script has no import.meta.url: web/platform/files.ts asks the document
await bundleWhole('browser', 'index', 'tokenglass.global.js', {
  format: 'iife',
  globalName: 'tokenglass',
  logOverride: { 'empty-import-meta': 'silent' },
});
await commonJs(join(dist, 'cjs'));
const model = join(root, 'demo', 'model', MODEL);
if (existsSync(model)) copyFileSync(model, join(dist, MODEL));
copyFileSync(join(root, 'web', 'types', 'trace.schema.json'), join(dist, 'trace.schema.json'));

writeFileSync(join(dist, NOTICES), thirdParty(root, metafiles));

const main = join(root, 'demo', 'main.tsx');
if (existsSync(main)) {
  const { homepage, repository } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8'));
  await build({
    ...common,
    ...split('browser'),
    entryPoints: [main],
    outdir: page,
    jsx: 'automatic',
    jsxImportSource: 'preact',
    define: {
      HOMEPAGE: JSON.stringify(homepage),
      SOURCE: JSON.stringify(repository.url.replace(/^git\+/, '')),
    },
  });
  await build({ ...common, entryPoints: [join(root, 'demo', 'style.css')], outdir: page });
  for (const name of PAGE_FILES) copyFileSync(join(root, 'demo', name), join(page, name));
  copyFileSync(join(root, 'LICENSE'), join(page, 'LICENSE.txt'));
  for (const name of readdirSync(dist)) {
    if (name.endsWith('.wasm') || name.endsWith('.gguf') || name === 'worker.js')
      linkOrCopy(join(dist, name), join(page, name));
  }
  // the service worker caches every file by its content, for visits without a network
  const cached = readdirSync(page).filter((name) => !name.endsWith('.map'));
  const revision = (name) =>
    createHash('sha256')
      .update(readFileSync(join(page, name)))
      .digest('hex')
      .slice(0, 16);
  await build({
    ...common,
    platform: 'browser',
    entryPoints: [join(root, 'demo', 'service-worker.ts')],
    outdir: page,
    format: 'iife',
    define: {
      FILES: JSON.stringify(cached.map((url) => ({ url, revision: revision(url) }))),
      'process.env.NODE_ENV': '"production"',
    },
  });
  writeFileSync(join(page, NOTICES), thirdParty(root, metafiles));
}

rmSync(join(dist, 'types'), { recursive: true, force: true });
execFileSync(
  process.execPath,
  [join(root, 'node_modules', 'typescript', 'bin', 'tsc'), '-p', join(root, 'tsconfig.types.json')],
  { stdio: 'inherit' },
);
// the same declarations for programs that import by require()
cpSync(join(dist, 'types'), join(dist, 'cjs', 'types'), { recursive: true });
