// Servers that are busy, silent, endless or compressing, and what errors say: the true reason, the
// address without secrets, and the cause, also when the engine runs in a worker.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, afterEach, test } from 'node:test';
import * as zlib from 'node:zlib';
import { fetchModel, loadModel } from '../../dist/node.js';
import { modelServer, until, writeForEver } from '../support/model-server.mjs';
import { inTree, withModel } from '../support/support.mjs';

const path = inTree('demo/model/storybook-q8_0.gguf');
const bytes = readFileSync(path);
const folder = mkdtempSync(join(tmpdir(), 'tokenglass-'));
const FINGERPRINT = '3962fc03b7bc189cf1e8dc22ce9f88a544cf0addb40c97b6ca08b089b6ea71e8';
const MAX_HEADER = 300_000; // bytes; the header of the built-in model is shorter

let server;
afterEach(() => server?.close());
after(() => rmSync(folder, { recursive: true }));

const serve = async (answer) => (server = await modelServer(answer)).url;
const loads = (source, options = {}) =>
  withModel(source, { worker: false, ...options }, (model) =>
    assert.equal(model.info.fingerprint, FINGERPRINT),
  );
const fails = (source, code, message, options = {}) =>
  assert.rejects(loadModel(source, { worker: false, ...options }), (error) => {
    assert.equal(error.code, code, error.message);
    assert.match(error.message, message);
    return true;
  });

// ---- busy servers ----

test('a server that is busy for a while is asked again', async () => {
  const statuses = [408, 425, 429, 500, 502, 503, 504];
  await Promise.all(
    statuses.map(async (status) => {
      const busy = await modelServer((_, response, n) =>
        n === 1 ? response.writeHead(status).end('busy') : response.end(bytes),
      );
      await loads(busy.url);
      assert.equal(busy.asked.length, 2, `${status}`);
      await busy.close();
    }),
  );
});

test('Retry-After is honoured, as seconds and as a date', async () => {
  for (const after of [() => '1', () => new Date(Date.now() + 2000).toUTCString()]) {
    const url = await serve((_, response, n) =>
      n === 1 ? response.writeHead(503, { 'Retry-After': after() }).end() : response.end(bytes),
    );
    const start = Date.now();
    await loads(url);
    assert.ok(Date.now() - start >= 950, `${Date.now() - start} ms`);
    await server.close();
  }
});

test('a server that asks to wait for an hour is not waited for', async () => {
  const url = await serve((_, response) =>
    response.writeHead(429, { 'Retry-After': '3600' }).end(),
  );
  await fails(url, 'SOURCE_FAILED', /answered 429 .*Retry-After: 3600 s/);
  assert.equal(server.asked.length, 1);
});

test('a server that stays busy: the number of requests is limited, and the error has no secrets', async () => {
  await serve((_, response) => response.writeHead(502).end());
  await assert.rejects(loadModel(`${server.url}?token=secret#part`), ({ code, message }) => {
    assert.equal(code, 'SOURCE_FAILED');
    assert.match(message, /model\.gguf\?…: the server answered 502 Bad Gateway, after 6 requests$/);
    assert.ok(!message.includes('secret'));
    return true;
  });
  assert.equal(server.asked.length, 6);
});

test('other statuses are not asked again', async () => {
  for (const [status, code] of [
    [401, 'SOURCE_FAILED'],
    [403, 'SOURCE_FAILED'],
    [404, 'SOURCE_NOT_FOUND'],
    [410, 'SOURCE_NOT_FOUND'],
    [204, 'SOURCE_FAILED'],
    [206, 'SOURCE_FAILED'],
    [501, 'SOURCE_FAILED'],
  ]) {
    const url = await serve((_, response) =>
      response.writeHead(status, { 'Content-Type': 'text/html' }).end('<html>no</html>'),
    );
    await fails(url, code, new RegExp(`answered ${status}`));
    assert.equal(server.asked.length, 1);
    await server.close();
  }
});

test('a load can be aborted while it waits', async () => {
  const waits = {
    'for Retry-After': (response) => response.writeHead(503, { 'Retry-After': '50' }).end(),
    'for an answer': () => undefined,
    'for a byte': (response) => response.write(bytes.subarray(0, 200_000)),
  };
  for (const worker of [true, false])
    for (const [name, answer] of Object.entries(waits)) {
      const url = await serve((_, response) => answer(response));
      const stop = new AbortController();
      const loading = loadModel(url, { worker, signal: stop.signal });
      await until(() => server.asked.length > 0, `the request, ${name}`);
      setTimeout(() => stop.abort(), 100);
      await assert.rejects(loading, { name: 'AbortError' });
      await server.close();
      assert.equal(server.asked.length, 1);
    }
});

// ---- time limits ----

test('a server that does not answer, or stalls, has a time limit', async () => {
  const limits = { timeout_ms: 200 };
  for (const worker of [true, false]) {
    const options = { ...limits, worker };
    const silent = await serve(() => undefined);
    await fails(silent, 'SOURCE_FAILED', /did not answer for 0\.2 s/, options);
    await server.close();
    const stalled = await serve((_, response) => response.write(bytes.subarray(0, 200_000)));
    const message = /broke off at byte 200000: no byte came for 0\.2 s; then: .*offer parts/;
    await fails(stalled, 'SOURCE_FAILED', message, options);
    await fails(await fetch(stalled), 'SOURCE_FAILED', /byte 200000: no byte came/, options);
    await fails(new ReadableStream(), 'SOURCE_FAILED', /no byte came for 0\.2 s/, options);
    const empty = new ReadableStream({ pull: (c) => c.enqueue(new Uint8Array()) });
    await fails(empty, 'SOURCE_FAILED', /no byte came for 0\.2 s/, options);
    await server.close();
  }
  const silent = await serve(() => undefined);
  await assert.rejects(fetchModel(silent, limits), { code: 'SOURCE_FAILED' });
  for (const worker of [true, false]) {
    const options = { ...limits, worker, wasm_url: silent };
    await fails('storybook', 'ENGINE_LOAD_FAILED', /did not answer for 0\.2 s/, options);
  }
  await fails(silent, 'INVALID_ARGUMENT', /timeout_ms is -1/, { timeout_ms: -1 });
});

test('a slow server is not a stalled one', async () => {
  const url = await serve(async (_, response) => {
    for (let i = 0; i < bytes.length; i += 700_000) {
      await new Promise((resolve) => setTimeout(resolve, 150));
      response.write(bytes.subarray(i, i + 700_000));
    }
    response.end();
  });
  await loads(url, { timeout_ms: 500 });
});

// ---- only what is needed is read ----

for (const worker of [true, false]) {
  const where = worker ? 'in a worker' : "in the caller's thread";

  test(`a server that goes on after the last tensor is left, ${where}`, async () => {
    let sent;
    const url = await serve((_, response) => {
      response.write(bytes);
      sent = writeForEver(response);
    });
    const seen = [];
    await loads(url, { worker, on_progress: (progress) => seen.push(progress) });
    assert.deepEqual(seen.at(-1), { loaded: bytes.length, total: bytes.length });
    await until(() => sent.left, 'the connection is closed');
  });

  test(`a stream is cancelled after the last tensor, ${where}`, async () => {
    let cancelled = false;
    const endless = new ReadableStream({
      start: (c) => c.enqueue(new Uint8Array(bytes)),
      pull: (c) => c.enqueue(new Uint8Array(1000)),
      cancel: () => ((cancelled = true), new Promise(() => undefined)), // and never ends
    });
    await loads(endless, { worker });
    assert.ok(cancelled);
  });

  test(`vocab_only reads the header only, ${where}`, async () => {
    let sent;
    const url = await serve((_, response) => {
      response.write(bytes);
      sent = writeForEver(response);
    });
    const blob = new Blob([bytes, new Uint8Array(50_000_000)]);
    for (const source of [url, path, blob, blob.stream(), await fetch(url), bytes]) {
      const seen = [];
      const on_progress = (progress) => seen.push(progress);
      await withModel(source, { worker, vocab_only: true, on_progress }, async (model) => {
        assert.ok((await model.tokenize('Once upon a time')).length > 3);
        assert.equal(model.info.fingerprint, FINGERPRINT);
      });
      const { loaded, total } = seen.at(-1);
      assert.ok(loaded === total && loaded < MAX_HEADER, `${loaded} of ${total}`);
      assert.ok(seen.slice(0, -1).every((progress) => progress.total === undefined));
    }
    await until(() => sent.left, 'the connection is closed');
  });
}

test('bytes after the last tensor change nothing', async () => {
  const longer = Buffer.concat([bytes, Buffer.alloc(100_000, 1)]);
  writeFileSync(join(folder, 'longer.gguf'), longer);
  for (const source of [longer, new Blob([longer]), join(folder, 'longer.gguf')])
    await withModel(source, { worker: false }, (model) => {
      assert.equal(model.info.fingerprint, FINGERPRINT);
      assert.equal(model.info.memory.file, bytes.length);
    });
});

// ---- compression ----

const unpacked = { gzip: zlib.gzipSync, deflate: zlib.deflateSync, br: zlib.brotliCompressSync };

for (const [encoding, compress] of Object.entries(unpacked)) {
  test(`Content-Encoding: ${encoding} loads, and cannot be continued`, async () => {
    const options =
      encoding === 'br' ? { params: { [zlib.constants.BROTLI_PARAM_QUALITY]: 2 } } : {};
    const packed = compress(bytes, options);
    const headers = {
      'Content-Encoding': encoding,
      'Content-Length': packed.length,
      'Accept-Ranges': 'bytes',
      ETag: '"one"',
    };
    let cut;
    const url = await serve((_, response, n) => {
      response.writeHead(200, headers);
      if (n === 1) return response.end(packed);
      response.write(packed.subarray(0, 1_000_000));
      cut = () => response.destroy();
    });
    const totals = new Set();
    await loads(url, { on_progress: ({ total }) => totals.add(total) });
    assert.deepEqual([...totals], [undefined, bytes.length]);
    const message = new RegExp(
      `broke off at byte \\d+: .*then: the answer is compressed \\(Content-Encoding: ${encoding}\\)`,
    );
    await fails(url, 'SOURCE_FAILED', message, {
      on_progress: ({ loaded }) => loaded > 200_000 && cut(), // when these were read
    });
    assert.equal(server.asked.length, 2);
  });
}

test('a compressed file is named as such', async () => {
  const packed = zlib.gzipSync(bytes.subarray(0, 100_000));
  const url = await serve((_, response) => response.end(packed));
  const file = join(folder, 'model.gguf.gz');
  writeFileSync(file, packed);
  for (const worker of [true, false])
    for (const source of [url, file, packed])
      await fails(source, 'GGUF_BAD_MAGIC', /1f 8b .*compressed with gzip; unpack/, { worker });
});

// ---- what a file is instead ----

const LFS = 'version https://git-lfs.github.com/spec/v1\noid sha256:4d7a214614ab2935\nsize 6346\n';
const others = {
  'a Git LFS pointer': [LFS, /Git LFS pointer/],
  'a page': ['\n <!DOCTYPE html><title>Sign in</title>', /web page \(HTML\)/],
  'a page without a doctype': ['<html lang="en"><body>', /web page \(HTML\)/],
  'an XML error': ['<?xml version="1.0"?><Error><Code>AccessDenied</Code>', /XML/],
  'a JSON error': ['{"error":"Repository not found"}', /JSON/],
  'a text': ['Entry not found', /a text: "Entry not found"/],
  'a zip archive': ['PK\x03\x04rest', /zip archive/],
  zstd: ['\x28\xb5\x2f\xfd rest', /zstd/],
  xz: ['\xfd7zXZ\0rest', /xz/],
  safetensors: ['\x40\0\0\0\0\0\0\0{"a":{"dtype":"F32"}}', /safetensors/],
  zeros: ['\0'.repeat(600), /zeros/],
  GGML: ['tjgg\x03\0\0\0', /before GGUF/],
};

for (const [name, [text, message]] of Object.entries(others)) {
  test(`a file that is no GGUF file is named: ${name}`, async () => {
    const wrong = Buffer.from(text, 'latin1');
    const url = await serve((_, response) => response.end(wrong));
    const drip = new ReadableStream({
      start(controller) {
        for (const byte of wrong) controller.enqueue(Uint8Array.of(byte));
        controller.close();
      },
    });
    for (const source of [url, wrong, drip]) await fails(source, 'GGUF_BAD_MAGIC', message);
    await fails(wrong, 'GGUF_BAD_MAGIC', message, { worker: true });
  });
}

test('an empty file and a file that is too short', async () => {
  writeFileSync(join(folder, 'empty.gguf'), '');
  const url = await serve((_, response) => response.end());
  for (const source of [join(folder, 'empty.gguf'), url, new Uint8Array(), new Blob([])])
    await fails(source, 'GGUF_TRUNCATED', /the file is empty/);
  const short = bytes.subarray(0, 1_000_000);
  for (const source of [short, new Blob([short]).stream()])
    await fails(source, 'GGUF_TRUNCATED', /byte 1000000/);
});

// ---- what cannot be opened ----

/** The codes of an error and of its causes. */
function codesOf(error) {
  const codes = [];
  for (let link = error; link; link = link.cause) codes.push(link.code);
  return codes;
}

test('connections that fail are told as what they are, with their causes, also through a worker', async (t) => {
  await serve((request, response) =>
    response.writeHead(302, { Location: `/${Math.random()}` }).end(),
  );
  const { port } = server;
  const closing = await modelServer((_, response) => response.destroy());
  t.after(() => closing.close());
  const gone = await modelServer(() => undefined);
  const closed = gone.port; // nothing listens there any more
  await gone.close();
  for (const worker of [true, false]) {
    for (const [url, message, code] of [
      [
        `http://127.0.0.1:${closed}/model.gguf`,
        /cannot fetch .*nothing accepts connections at 127\.0\.0\.1:\d+ .*ECONNREFUSED/,
        'ECONNREFUSED',
      ],
      [
        `http://localhost:${closed}/model.gguf`,
        /nothing accepts connections at localhost:\d+ .*ECONNREFUSED/,
        'ECONNREFUSED',
      ],
      [
        'http://no.such.host.invalid/m.gguf',
        /no\.such\.host\.invalid .*(ENOTFOUND|EAI_AGAIN)/,
        /ENOTFOUND|EAI_AGAIN/,
      ],
      [
        `https://127.0.0.1:${port}/model.gguf`,
        /no secure connection \(TLS\) to 127\.0\.0\.1/,
        /SSL|EPROTO/,
      ],
      [server.url, /redirects without end/],
      [
        closing.url,
        /closed the connection without an answer .*after 6 requests/,
        /UND_ERR_SOCKET|ECONNRESET/,
      ],
    ]) {
      await assert.rejects(loadModel(url, { worker }), (error) => {
        assert.equal(error.code, 'SOURCE_FAILED');
        assert.match(error.message, message);
        assert.ok(error.cause instanceof Error);
        if (code) assert.match(codesOf(error).join(), new RegExp(code));
        return true;
      });
    }
  }
});

test('addresses that cannot be fetched', async () => {
  for (const worker of [true, false]) {
    const options = { worker };
    await fails(
      'http://me:secret@127.0.0.1/m.gguf',
      'SOURCE_UNSUPPORTED',
      /^(?!.*secret).*user name/,
      options,
    );
    await fails(
      'http://me:secret@[bad/m.gguf',
      'INVALID_ARGUMENT',
      /^(?!.*secret).*no address/,
      options,
    );
    await fails('ftp://127.0.0.1/m.gguf', 'SOURCE_UNSUPPORTED', /ftp:/, options);
    await fails('blob:nodedata:5b4f', 'SOURCE_NOT_FOUND', /revoked/, options);
    await fails('file://elsewhere/m.gguf', 'INVALID_ARGUMENT', /names no file/, options);
    await fails(folder, 'SOURCE_FAILED', /directory/, options);
    await fails(join(path, 'x'), 'SOURCE_NOT_FOUND', /ENOTDIR/, options);
    await fails('no/such.gguf', 'SOURCE_NOT_FOUND', /ENOENT/, options);
    await fails(`data:,${'x'.repeat(2000)}`, 'GGUF_BAD_MAGIC', /a text/, options);
    const blob = URL.createObjectURL(new Blob([bytes]));
    await loads(blob, options);
    URL.revokeObjectURL(blob);
    await fails(blob, 'SOURCE_NOT_FOUND', /revoked/, options);
    await loads(`data:;base64,${bytes.toString('base64')}`, options);
  }
  await assert.rejects(fetchModel('model.gguf'), { code: 'INVALID_ARGUMENT' });
  await assert.rejects(fetchModel('http://127.0.0.1:9/'), { code: 'SOURCE_FAILED' });
  await assert.rejects(fetchModel('http://127.0.0.1:9/', { timeout: 1 }), {
    code: 'INVALID_ARGUMENT',
  });
  await assert.rejects(fetchModel('http://127.0.0.1:9/', { signal: AbortSignal.abort() }), {
    name: 'AbortError',
  });
});

const mayReadAll = process.getuid?.() === 0;
test(
  'a file that may not be read',
  mayReadAll ? { skip: 'this user may read every file' } : {},
  async () => {
    const file = join(folder, 'closed.gguf');
    writeFileSync(file, 'GGUF');
    chmodSync(file, 0);
    await fails(file, 'SOURCE_FAILED', /may not read .*EACCES/);
  },
);

const noPipes = process.platform === 'win32';
test('a pipe is refused at once', noPipes ? { skip: 'no named pipes here' } : {}, async () => {
  const pipe = join(folder, 'pipe');
  execFileSync('mkfifo', [pipe]);
  await fails(pipe, 'SOURCE_FAILED', /no file/);
});

// ---- streams and Responses ----

test('streams and Responses that cannot be read', async () => {
  const url = await serve((_, response) => response.end(bytes));
  for (const worker of [true, false]) {
    const options = { worker };
    const locked = new ReadableStream();
    locked.getReader();
    await fails(locked, 'SOURCE_UNSUPPORTED', /locked/, options);
    const used = await fetch(url);
    await used.arrayBuffer();
    await fails(used, 'SOURCE_UNSUPPORTED', /read before/, options);
    const reading = await fetch(url);
    reading.body.getReader();
    await fails(reading, 'SOURCE_UNSUPPORTED', /being read/, options);
    await fails(Response.error(), 'SOURCE_FAILED', /type error/, options);
    await fails(new Response(null), 'SOURCE_UNSUPPORTED', /no body/, options);
    await fails(new Response('', { status: 404 }), 'SOURCE_NOT_FOUND', /404/, options);
    const part = { status: 206, headers: { 'Content-Range': `bytes 1-9/${bytes.length}` } };
    await fails(new Response('part', part), 'SOURCE_FAILED', /part of a file/, options);
    const all = `bytes 0-${bytes.length - 1}/${bytes.length}`;
    await loads(new Response(bytes, { status: 206, headers: { 'Content-Range': all } }), options);
    const fetched = await fetchModel(url);
    await loads(fetched, options);
    await fails(fetched, 'SOURCE_UNSUPPORTED', /read/, options);
  }
});

test('a stream that fails in the middle keeps its cause, also through a worker', async () => {
  for (const worker of [true, false]) {
    const cause = Object.assign(new Error('the disk is gone'), { code: 'EIO' });
    const failing = new ReadableStream(
      {
        pull(controller) {
          if (this.given) controller.error(new Error('no more', { cause }));
          else controller.enqueue(bytes.subarray(0, (this.given = 100_000)));
        },
      },
      { highWaterMark: 0 },
    );
    await assert.rejects(loadModel(failing, { worker }), (error) => {
      assert.equal(error.code, 'SOURCE_FAILED');
      assert.match(error.message, /the stream broke off at byte 100000: no more/);
      assert.equal(error.cause.message, 'no more');
      assert.equal(error.cause.cause.message, 'the disk is gone');
      assert.equal(error.cause.cause.code, 'EIO');
      return true;
    });
  }
});

test('causes that form a circle end', async () => {
  const circle = new Error('round');
  circle.cause = circle;
  const failing = new ReadableStream({ start: (controller) => controller.error(circle) });
  await assert.rejects(loadModel(failing), { code: 'SOURCE_FAILED', message: /round/ });
});
