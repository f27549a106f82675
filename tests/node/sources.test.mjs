// Every source that a model can come from, and what can break it: the built-in model's file, served
// or read in all ways, gives the same model or an error code.
import assert from 'node:assert/strict';
import { openAsBlob, readFileSync, writeFileSync, mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:http';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Readable } from 'node:stream';
import { after, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { loadModel } from '../../dist/node.js';
import { inTree, withModel } from '../support/support.mjs';

const path = inTree('demo/model/storybook-q8_0.gguf');
const bytes = readFileSync(path);
const folder = mkdtempSync(join(tmpdir(), 'tokenglass-'));

/** A server with faults that real servers have, by path. */
const server = createServer((request, response) => {
  const half = bytes.subarray(0, bytes.length / 2);
  const answers = {
    '/model.gguf': () => response.writeHead(200, { 'Content-Length': bytes.length }).end(bytes),
    '/chunked.gguf': () =>
      Readable.from([half, bytes.subarray(bytes.length / 2)]).pipe(response.writeHead(200)),
    '/lost.gguf': () => {
      response.writeHead(200, { 'Content-Length': bytes.length });
      response.write(half, () => setTimeout(() => response.destroy(), 20));
    },
    '/short.gguf': () => Readable.from([half]).pipe(response.writeHead(200)),
    '/page.gguf': () =>
      response
        .writeHead(200, { 'Content-Type': 'text/html' })
        .end('<!doctype html><title>Sign in</title>'),
    '/broken.gguf': () => response.writeHead(500).end(),
    '/silent.wasm': () => undefined,
    '/slow.gguf': () => response.writeHead(200, { 'Content-Length': bytes.length }).write(half),
  };
  (answers[request.url] ?? (() => response.writeHead(404).end()))();
});
await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
const url = (name) => `http://127.0.0.1:${server.address().port}/${name}`;
after(() => {
  server.close();
  server.closeAllConnections();
  rmSync(folder, { recursive: true });
});

const FINGERPRINT = '3962fc03b7bc189cf1e8dc22ce9f88a544cf0addb40c97b6ca08b089b6ea71e8';

const sources = {
  'the built-in model': () => 'storybook',
  'a path': () => path,
  'a relative path': () => 'demo/model/storybook-q8_0.gguf',
  'a file URL': () => pathToFileURL(path),
  'a file URL as text': () => pathToFileURL(path).href,
  'an address': () => url('model.gguf'),
  'an address of unknown length': () => new URL(url('chunked.gguf')),
  'a Blob': () => new Blob([bytes]),
  'a Blob of a file': () => openAsBlob(path),
  'a Response': () => fetch(url('model.gguf')),
  'a Response made by hand': () => new Response(bytes),
  'a ReadableStream': () => new Blob([bytes]).stream(),
  'an ArrayBuffer': () => new Uint8Array(bytes).buffer,
  'a Uint8Array inside a larger buffer': () => new Uint8Array([0, ...bytes]).subarray(1),
};

for (const worker of [true, false]) {
  for (const [name, source] of Object.entries(sources)) {
    test(`${name} loads ${worker ? 'in a worker' : "in the caller's thread"}, with progress to the end`, async () => {
      const progress = [];
      const options = { worker, on_progress: (p) => progress.push(p) };
      await withModel(await source(), options, (model) =>
        assert.equal(model.info.fingerprint, FINGERPRINT),
      );
      assert.equal(progress[0].loaded, 0);
      assert.deepEqual(progress.at(-1), { loaded: bytes.length, total: bytes.length });
      assert.ok(progress.every(({ loaded }, i) => i === 0 || loaded >= progress[i - 1].loaded));
      assert.ok(progress.every(({ total }) => total === undefined || total === bytes.length));
    });
  }

  test(`what cannot be read has its code ${worker ? 'in a worker' : "in the caller's thread"}`, async () => {
    const fails = (source, code, message) =>
      assert.rejects(loadModel(source, { worker }), { code, message });
    await fails('no/such/file.gguf', 'SOURCE_NOT_FOUND', /no\/such\/file/);
    await fails(folder, 'SOURCE_FAILED', /no file/);
    await fails(url('missing.gguf'), 'SOURCE_NOT_FOUND', /404/);
    await fails(url('broken.gguf'), 'SOURCE_FAILED', /500/);
    await fails('http://127.0.0.1:9/model.gguf', 'SOURCE_FAILED', /cannot fetch/);
    await fails(url('lost.gguf'), 'SOURCE_FAILED', /broke off at byte \d+/);
    await fails(url('short.gguf'), 'GGUF_TRUNCATED', new RegExp(`byte ${bytes.length / 2}`));
    await fails(url('page.gguf'), 'GGUF_BAD_MAGIC', /3c 21 64 6f/);
    await fails(
      new ReadableStream({ start: (c) => c.enqueue('text') }),
      'SOURCE_FAILED',
      /Uint8Array/,
    );
    await fails(
      new ReadableStream({ start: (c) => c.error(new Error('the disk is gone')) }),
      'SOURCE_FAILED',
      /the disk is gone/,
    );
    writeFileSync(join(folder, 'empty.gguf'), '');
    await fails(join(folder, 'empty.gguf'), 'GGUF_TRUNCATED', /byte 0/);
  });

  test(`a load can be given up ${worker ? 'in a worker' : "in the caller's thread"}`, async () => {
    const controller = new AbortController();
    const waiting = loadModel(url('slow.gguf'), { worker, signal: controller.signal });
    setTimeout(() => controller.abort(), 100);
    await assert.rejects(waiting, { name: 'AbortError' });
    let cancelled = false;
    const stream = new ReadableStream({ cancel: () => void (cancelled = true) });
    const other = new AbortController();
    const hanging = loadModel(stream, { worker, signal: other.signal });
    setTimeout(() => other.abort(), 100);
    await assert.rejects(hanging, { name: 'AbortError' });
    assert.ok(cancelled, 'the stream was cancelled');
    await assert.rejects(loadModel('storybook', { worker, signal: AbortSignal.abort() }), {
      name: 'AbortError',
    });
  });
}

test('bytes that are given stay with their owner', async () => {
  const whole = readFileSync(path); // a Buffer: its slice() shares memory
  for (const worker of [true, false]) {
    for (const source of [whole, ReadableStream.from([whole])]) {
      await withModel(source, { worker }, (model) =>
        assert.equal(model.info.fingerprint, FINGERPRINT),
      );
      assert.ok(whole.equals(bytes), `${whole.length} bytes are left`);
    }
  }
});

test('memory stays within 1.07 times the file, the cache and 24 MB, for every kind of source', async () => {
  for (const source of Object.values(sources)) {
    await withModel(await source(), { worker: false }, async (model) => {
      const session = model.createSession();
      await session.sync(Array(256).fill(300));
      await session.candidates({ top_n: 3072 });
      const { file, kv, peak, total } = (await model.stats()).memory;
      assert.equal(file, bytes.length);
      assert.ok(peak <= 1.07 * file + kv + 24 * 2 ** 20, `${peak} bytes`);
      assert.ok(total <= peak && model.info.memory.peak > file);
    });
  }
});

test('a build that is not there, and a worker that is not there, have their codes', async () => {
  const wasm_url = pathToFileURL(join(folder, 'no.wasm'));
  await assert.rejects(loadModel('storybook', { wasm_url, worker: false }), {
    code: 'ENGINE_LOAD_FAILED',
    message: /no\.wasm/,
  });
  await assert.rejects(loadModel('storybook', { wasm_url }), { code: 'ENGINE_LOAD_FAILED' });
  await assert.rejects(
    loadModel('storybook', { worker_url: pathToFileURL(join(folder, 'no.js')) }),
    { code: 'WORKER_FAILED' },
  );
  writeFileSync(
    join(folder, 'dies.mjs'),
    'import "node:worker_threads"; setTimeout(() => process.exit(3), 50);',
  );
  const worker_url = pathToFileURL(join(folder, 'dies.mjs'));
  await assert.rejects(loadModel('storybook', { worker_url }), {
    code: 'WORKER_FAILED',
    message: /exit code 3/,
  });
});

test('a load can be given up at any moment, whatever it waits for', async () => {
  writeFileSync(join(folder, 'silent.mjs'), 'setInterval(() => undefined, 1000);');
  const waits = [
    [() => 'storybook', { worker_url: pathToFileURL(join(folder, 'silent.mjs')) }],
    ...[true, false].flatMap((worker) => [
      [() => new ReadableStream(), { worker }],
      [() => 'storybook', { worker, wasm_url: url('silent.wasm') }],
    ]),
  ];
  for (const delay of [0, 5, 100]) {
    for (const [source, options] of waits) {
      const controller = new AbortController();
      const loading = loadModel(source(), { ...options, signal: controller.signal });
      if (delay === 0) controller.abort();
      else setTimeout(() => controller.abort(), delay);
      const late = new Promise((_, reject) =>
        setTimeout(reject, 5000, new Error(`${JSON.stringify(options)} hangs`)),
      );
      await assert.rejects(Promise.race([loading, late]), { name: 'AbortError' });
    }
  }
});
