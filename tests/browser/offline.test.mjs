// Visits of the page, in real browsers: the first over a slow connection, one without a network,
// one on a host that sends no headers, one after a new build.
import assert from 'node:assert/strict';
import {
  cpSync,
  mkdtempSync,
  readFileSync,
  readdirSync,
  renameSync,
  rmSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { serve } from '../../demo/serve.mjs';
import { inTree } from '../support/support.mjs';
import { browsers, open } from './browsers.mjs';
import { hand, quiet, read, shown } from './page.mjs';
import { slowLine } from './slow-line.mjs';

const LINE = { bytesPerSecond: 20e6 / 8, delay: 40 };
// A first choice within 3 s (npm run audit measures it) leaves at most this much for the transfer.
// The rest is for the chain of requests and the computation.
const LINE_SECONDS = 2;
const PATIENCE_MS = 30_000;

/** True once the page is stored for offline use. */
const kept = async () => {
  const registration = await navigator.serviceWorker.getRegistration();
  return registration?.active?.state === 'activated' && !registration.installing;
};

for (const { name, needs } of browsers) {
  describe(`visits in ${name}`, needs, () => {
    test('a first visit at 20 Mbit/s and 40 ms: nothing but what the first choice needs comes before it', async (t) => {
      const line = await slowLine(inTree('dist/demo'), LINE);
      const page = await open(name, { calm: false });
      try {
        await page.goto(line.url);
        await page.wait(shown, 0);
        const ms = await page.run(() => performance.now());
        const needed = line.sent.slice(0, line.sent.findIndex(({ name }) => /gguf/.test(name)) + 1);
        const names = needed.map(({ name }) => name);
        assert.ok(
          !names.some((file) => /grammar|schema|chat|completions|service-worker/.test(file)),
          names.join(),
        );
        const seconds = needed.reduce((sum, { size }) => sum + size, 0) / LINE.bytesPerSecond;
        t.diagnostic(`first choice after ${ms.toFixed(0)} ms, ${seconds.toFixed(2)} s of the line`);
        assert.ok(seconds < LINE_SECONDS, `${seconds} s of the line for ${names.join()}`);
      } finally {
        await page.close();
        await line.close();
      }
    });

    test('on a host without headers: first one thread, then all, nothing lost; the second visit works with the network off', async () => {
      const headers = { 'Cache-Control': 'no-cache' };
      const server = await serve({ port: 0, roots: [inTree('dist/demo')], headers });
      const page = await open(name);
      try {
        await page.goto(server.url);
        await page.wait(shown, 0);
        const { press } = hand(page);
        const first = await press('step');
        await page.wait(kept, undefined, 30_000);
        assert.equal(await page.run(() => globalThis.crossOriginIsolated), false);
        assert.deepEqual((await page.run(read)).ids, first.ids, 'the page went on as it was');
        await server.close();
        await page.goto(server.url);
        await page.wait(shown, 0);
        assert.equal(await page.run(() => globalThis.crossOriginIsolated), true);
        assert.deepEqual((await press('step')).ids, first.ids);
        const status = await page.run(
          () => document.querySelector('[data-testid="status"]').textContent,
        );
        const cores = await page.run(() => navigator.hardwareConcurrency);
        assert.match(
          status,
          new RegExp(`Threads${Math.max(1, Math.min(8, Math.floor(cores / 2)))}(?!\\d)`),
        );
        // threads are available now
        const shared = await page.run(
          () =>
            new WebAssembly.Memory({ initial: 1, maximum: 1, shared: true }).buffer instanceof
            SharedArrayBuffer,
        );
        assert.equal(shared, true);
        // what is loaded later comes from the cache, too
        await press('restart');
        await page.run(() => {
          const select = document.querySelector('[data-testid="output-format"]');
          select.value = 'json';
          select.dispatchEvent(new Event('change', { bubbles: true }));
        });
        await page.wait(
          () => document.querySelector('[data-testid="stage-grammar"]') !== null,
          undefined,
          PATIENCE_MS,
        );
      } finally {
        await page.close();
      }
    });

    test('a new build is taken at the visit after the one that found it, which keeps its own files until it is left', async () => {
      const folder = mkdtempSync(join(tmpdir(), 'tokenglass-build-'));
      cpSync(inTree('dist/demo'), folder, { recursive: true });
      const server = await serve({ port: 0, roots: [folder] });
      const page = await open(name);
      const title = () => page.run(() => document.title);
      try {
        await page.goto(server.url);
        await page.wait(kept, undefined, 30_000);
        const worker = readFileSync(join(folder, 'service-worker.js'), 'utf8');
        const revision = /url:"index\.html",revision:"(\w+)"/.exec(worker)[1];
        // the copy is a hard link to the build's own file
        rmSync(join(folder, 'service-worker.js'));
        writeFileSync(join(folder, 'service-worker.js'), worker.replace(revision, 'f'.repeat(16)));
        const index = readFileSync(join(folder, 'index.html'), 'utf8');
        rmSync(join(folder, 'index.html'));
        writeFileSync(
          join(folder, 'index.html'),
          index.replace(/<title>.*<\/title>/, '<title>another build</title>'),
        );
        // what is loaded later has another name in the new build
        const late = readdirSync(folder).find((file) => /^browser-grammar-\w+\.js$/.test(file));
        const another = late.replace(/\w+\.js$/, 'ANOTHER.js');
        renameSync(join(folder, late), join(folder, another));
        writeFileSync(
          join(folder, 'service-worker.js'),
          readFileSync(join(folder, 'service-worker.js'), 'utf8').replace(late, another),
        );
        await page.goto('about:blank');
        await page.goto(server.url);
        assert.match(await title(), /tokenglass/);
        await page.wait(shown, 0);
        await page.wait(
          async () => (await navigator.serviceWorker.getRegistration()).waiting !== null,
        );
        // the open page continues with its own files
        await hand(page).choose('output-format', 'json');
        await page.wait(
          () => document.querySelector('[data-testid="stage-grammar"]') !== null,
          undefined,
          30_000,
        );
        // the new worker takes over once the browser has removed the page that was left
        for (const end = Date.now() + PATIENCE_MS; (await title()) !== 'another build';) {
          assert.ok(Date.now() < end, 'the new build is never shown');
          await page.goto('about:blank');
          await new Promise((resolve) => setTimeout(resolve, 200));
          await page.goto(server.url);
        }
        await page.wait(shown, 0);
        await page.wait(quiet);
        const names = await page.run(async () => {
          const cache = await caches.open(
            (await caches.keys()).find((key) => key.includes('precache')),
          );
          return (await cache.keys()).map(({ url }) => new URL(url).pathname.slice(1));
        });
        assert.ok(names.includes(another) && !names.includes(late), 'the old files are gone');
        assert.deepEqual(page.complaints, []);
      } finally {
        await page.close();
        await server.close();
        rmSync(folder, { recursive: true });
      }
    });
  });
}
