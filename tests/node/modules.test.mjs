// The modules of dist/ are what every bundler can take.
import assert from 'node:assert/strict';
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { test } from 'node:test';
import { build, transform } from 'esbuild';
import { inTree } from '../support/support.mjs';

const modules = readdirSync(inTree('dist')).filter((name) => /\.m?js$/.test(name));
const read = (name) => readFileSync(inTree(`dist/${name}`), 'utf8');

/** Rejects for code with top-level await. */
const withoutAwait = (code) =>
  transform(code, { supported: { 'top-level-await': false }, logLevel: 'silent' });

// Vite 5 and 6, Parcel and CommonJS cannot take top-level await
test('no module has top-level await', async () => {
  assert.ok(modules.length > 40, `${modules.length} modules`);
  await assert.rejects(withoutAwait('await 0; export {}'));
  for (const name of modules) await withoutAwait(read(name));
});

/** What a module imports, statically or by import(). */
async function importsOf(name) {
  const { metafile } = await build({
    entryPoints: [inTree(`dist/${name}`)],
    bundle: true,
    external: ['*'],
    format: 'esm',
    metafile: true,
    write: false,
    logLevel: 'silent',
  });
  return Object.values(metafile.outputs).flatMap(({ imports }) => imports.map(({ path }) => path));
}

test('no module for browsers asks for Node', async () => {
  assert.ok((await importsOf('worker-node.mjs')).includes('node:worker_threads'));
  const forBrowsers = modules.filter((name) => !/^(node|cli|testing|worker-node)/.test(name));
  assert.ok(forBrowsers.includes('index.js') && forBrowsers.includes('worker.js'));
  for (const name of forBrowsers)
    for (const path of await importsOf(name)) assert.match(path, /^\.\/browser-/, name);
});

test('modules for service workers, classic scripts and workers are whole', async () => {
  for (const name of ['service-worker.js', 'tokenglass.global.js', 'worker.js'])
    assert.deepEqual(await importsOf(name), [], name);
});

test('package.json names files that are there', () => {
  const { exports, main, module, types, unpkg, jsdelivr, bin } = JSON.parse(
    readFileSync(inTree('package.json'), 'utf8'),
  );
  const paths = [main, module, types, unpkg, jsdelivr, bin.tokenglass];
  const visit = (value) =>
    typeof value === 'string' ? paths.push(value) : Object.values(value).forEach(visit);
  visit(exports);
  assert.ok(paths.length > 40);
  for (const path of paths) assert.ok(existsSync(inTree(path)), path);
});
