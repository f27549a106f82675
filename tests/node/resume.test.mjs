// A lost connection: the rest of the file is requested. Only what is certain to be the rest of
// the same file is taken; otherwise the error says where the download broke, and why.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { afterEach, test } from 'node:test';
import { fetchModel, loadModel } from '../../dist/node.js';
import { firstByte, modelServer } from '../support/model-server.mjs';
import { inTree } from '../support/support.mjs';

const bytes = readFileSync(inTree('demo/model/storybook-q8_0.gguf'));
const OVERLAP = 64 * 1024; // bytes that are requested again, to be compared
const CUT = 1_000_000;
let server;

afterEach(() => {
  breaking = undefined;
  return server?.close();
});

const whole = loadModel('storybook', { worker: false });
const scoresOf = (model) => model.score('Once upon a time');

/** The source loads, and the model is the built-in one, weights included. */
async function loadsRight(source, options = { worker: false }) {
  const model = await loadModel(source, { on_progress, ...options });
  try {
    assert.equal(model.info.fingerprint, (await whole).info.fingerprint);
    assert.deepEqual(await scoresOf(model), await scoresOf(await whole));
  } finally {
    await model.dispose();
  }
}

/** The connection that breaks when the load has all that was sent. */
let breaking;

/** The progress of a load, at which connections break: what was not read then would be lost. */
const on_progress = ({ loaded }) => {
  if (breaking && loaded >= breaking.end) breaking.response.destroy();
};

/** Sends a part of the file, from the byte `from` on, and then breaks the connection. */
function cut(response, part, from = 0) {
  if (part.length > 0) {
    breaking = { response, end: from + part.length };
    response.write(part);
  } else {
    response.flushHeaders();
    setTimeout(() => response.destroy(), 20);
  }
}

/**
 * A server that cuts each answer after the number of bytes in `cuts`. options: headers it leaves
 * out or changes.
 */
async function cutting(cuts, { etag = () => '"one"', ranges = true } = {}) {
  server = await modelServer((request, response, n) => {
    const from = firstByte(request);
    response.writeHead(from ? 206 : 200, {
      'Content-Length': bytes.length - from,
      ...(ranges && { 'Accept-Ranges': 'bytes' }),
      ...(etag(n) && { ETag: etag(n) }),
      ...(from && { 'Content-Range': `bytes ${from}-${bytes.length - 1}/${bytes.length}` }),
    });
    const length = cuts[n - 1];
    if (length === undefined) response.end(bytes.subarray(from));
    else cut(response, bytes.subarray(from, from + length), from);
  });
  return server;
}

const MODIFIED = 'Sat, 01 Mar 2025 10:00:00 GMT';

/**
 * A server that cuts the first answer after CUT bytes and answers the second as `answer` says:
 * status, headers that replace the right ones, and body(from). Later answers are right.
 */
async function secondAnswer(answer, { first = {} } = {}) {
  server = await modelServer((request, response, n) => {
    const from = firstByte(request);
    const {
      status = 206,
      headers = {},
      body = (i) => bytes.subarray(i),
    } = n === 2 ? answer(from) : n === 1 ? { headers: first } : {};
    const right = {
      'Accept-Ranges': 'bytes',
      ETag: '"one"',
      'Last-Modified': MODIFIED,
      'Content-Range': from && `bytes ${from}-${bytes.length - 1}/${bytes.length}`,
    };
    const sent = Object.entries({ ...right, ...headers }).filter(([, value]) => value);
    response.writeHead(from ? status : 200, Object.fromEntries(sent));
    if (n === 1) cut(response, bytes.subarray(0, CUT));
    else response.end(body(from));
  });
  return server.url;
}

for (const worker of [false, true]) {
  test(`a load goes on where the connection broke${worker ? ', in a worker' : ''}`, async () => {
    const { asked, url } = await cutting([0, CUT, 500_000]);
    const seen = [];
    await loadsRight(url, { worker, on_progress: (p) => (on_progress(p), seen.push(p.loaded)) });
    const second = CUT - OVERLAP;
    const third = second + 500_000 - OVERLAP;
    assert.deepEqual(asked, [undefined, undefined, `bytes=${second}-`, `bytes=${third}-`]);
    assert.equal(seen.at(-1), bytes.length);
    assert.ok(seen.every((n, i) => i === 0 || n >= seen[i - 1]));
  });
}

test('a Response of fetchModel goes on, too', async () => {
  const { asked, url } = await cutting([CUT]);
  await loadsRight(await fetchModel(url));
  assert.equal(asked.length, 2);
});

test('another file, or a server that cannot give a part, is an error that says where', async () => {
  for (const [options, why] of [
    [{ etag: (n) => `"${n}"` }, /no longer has the same file: its ETag was "1" and is "2"/],
    [{ ranges: false }, /does not offer parts/],
    [{ etag: () => undefined }, /no ETag/],
    [{ etag: () => 'W/"one"' }, /no ETag/],
  ]) {
    const { url } = await cutting([CUT, 500_000], options);
    await assert.rejects(loadModel(url, { worker: false, on_progress }), ({ code, message }) => {
      assert.equal(code, 'SOURCE_FAILED');
      assert.match(message, /broke off at byte 1000000: the connection was lost/);
      assert.match(message, why);
      return true;
    });
    await server.close();
  }
});

const last = bytes.length - 1;
const total = bytes.length;
const flipped = Buffer.from(bytes.map((byte) => byte ^ 1));
const refused = {
  'a range that begins later': [
    (from) => ({ headers: { 'Content-Range': `bytes ${from + 1}-${last}/${total}` } }),
    /were requested, but the server sent "bytes/,
  ],
  'a range that begins earlier': [
    () => ({ headers: { 'Content-Range': `bytes 0-${last}/${total}` } }),
    /but the server sent "bytes 0-/,
  ],
  'a range that ends early': [
    (from) => ({ headers: { 'Content-Range': `bytes ${from}-${last - 1}/${total}` } }),
    /but the server sent/,
  ],
  'a range that ends before it begins': [
    (from) => ({ headers: { 'Content-Range': `bytes ${from}-3/${total}` } }),
    /but the server sent/,
  ],
  'a file of another length': [
    (from) => ({ headers: { 'Content-Range': `bytes ${from}-${last + 32}/${total + 32}` } }),
    /the file had \d+ bytes before/,
    { 'Content-Length': total },
  ],
  'another unit': [
    (from) => ({ headers: { 'Content-Range': `tokens ${from}-${last}/${total}` } }),
    /but the server sent "tokens/,
  ],
  'a range that is no range': [
    () => ({ headers: { 'Content-Range': 'bytes */*' } }),
    /but the server sent/,
  ],
  'no Content-Range': [() => ({ headers: { 'Content-Range': '' } }), /has no Content-Range/],
  'several parts': [
    () => ({
      headers: { 'Content-Range': '', 'Content-Type': 'multipart/byteranges; boundary=x' },
    }),
    /multipart/,
  ],
  'a compressed part': [() => ({ headers: { 'Content-Encoding': 'br' } }), /Content-Encoding: br/],
  'a part of another length': [
    () => ({ headers: { 'Content-Length': 5 }, body: () => 'short' }),
    /with 5 bytes/,
  ],
  'other bytes under the same ETag': [
    () => ({ body: (from) => flipped.subarray(from) }),
    /byte \d+ differs/,
  ],
  'bytes from another place': [() => ({ body: () => bytes }), /byte \d+ differs/],
  'another ETag': [() => ({ headers: { ETag: '"two"' } }), /its ETag was "one" and is "two"/],
  'another Last-Modified': [
    () => ({ headers: { 'Last-Modified': 'Sun, 02 Mar 2025 10:00:00 GMT' } }),
    /its Last-Modified was/,
  ],
  'neither ETag nor Last-Modified': [
    () => ({ headers: { ETag: '', 'Last-Modified': '' } }),
    /could be recognized/,
  ],
  'a whole file of another ETag': [
    () => ({ status: 200, headers: { 'Content-Range': '', ETag: '"two"' }, body: () => flipped }),
    /its ETag was/,
  ],
  'a whole file of other bytes': [
    () => ({ status: 200, headers: { 'Content-Range': '' }, body: () => flipped }),
    /byte \d+ differs/,
  ],
  'a whole file of another length': [
    () => ({
      status: 200,
      headers: { 'Content-Range': '', 'Content-Length': 7 },
      body: () => 'another',
    }),
    /its length was/,
    { 'Content-Length': total },
  ],
  'a range that cannot be satisfied': [
    () => ({ status: 416, headers: { 'Content-Range': 'bytes */5' }, body: () => '' }),
    /416 .*Content-Range: bytes \*\/5/,
  ],
  'a login': [
    () => ({ status: 403, headers: { 'Content-Range': '' }, body: () => 'sign in' }),
    /the server answered 403/,
  ],
  'no content': [
    () => ({ status: 204, headers: { 'Content-Range': '' }, body: () => '' }),
    /answered 204/,
  ],
};

for (const [name, [answer, message, first = {}]] of Object.entries(refused)) {
  test(`the rest of a file is refused: ${name}`, async () => {
    const url = await secondAnswer(answer, { first });
    await assert.rejects(loadModel(url, { worker: false, on_progress }), (error) => {
      assert.equal(error.code, 'SOURCE_FAILED', error.message);
      assert.match(error.message, /broke off at byte 1000000: the connection was lost/);
      assert.match(error.message, message);
      return true;
    });
    assert.equal(server.asked.length, 2);
  });
}

const taken = {
  'a range of a file of unknown length': (from) => ({
    headers: { 'Content-Range': `bytes ${from}-${last}/*` },
  }),
  'the whole file again': () => ({
    status: 200,
    headers: { 'Content-Range': '' },
    body: () => bytes,
  }),
  'a server that is busy': () => ({ status: 503, headers: { 'Content-Range': '' } }),
  'a server that is asked too often': () => ({
    status: 429,
    headers: { 'Content-Range': '', 'Retry-After': '1' },
  }),
};

for (const [name, answer] of Object.entries(taken)) {
  test(`the rest of a file is taken: ${name}`, async () => {
    const url = await secondAnswer(answer);
    const start = Date.now();
    await loadsRight(url);
    if (name.includes('too often')) assert.ok(Date.now() - start >= 1000, 'Retry-After');
  });
}

test('a file that is gone is told as such', async () => {
  const url = await secondAnswer(() => ({ status: 404, headers: { 'Content-Range': '' } }));
  await assert.rejects(loadModel(url, { worker: false, on_progress }), {
    code: 'SOURCE_NOT_FOUND',
    message: /broke off at byte 1000000: the connection was lost .*; then: the server answered 404/,
  });
});

test('a beginning that is kept as a whole is compared as a whole, and needs no ETag', async () => {
  await cutting([50_000], { etag: () => undefined, ranges: false });
  await loadsRight(server.url);
  assert.deepEqual(server.asked, [undefined, undefined]);
  await server.close();
  server = await modelServer((_, response, n) => {
    response.writeHead(200, { 'Content-Length': total });
    if (n === 1) cut(response, bytes.subarray(0, 50_000));
    else response.end(flipped);
  });
  await assert.rejects(loadModel(server.url, { worker: false, on_progress }), {
    message: /byte 0 differs/,
  });
});

test('a server that stays busy is told as busy, not as changed', async () => {
  server = await modelServer((request, response, n) => {
    if (n > 1) return response.writeHead(503).end();
    response.writeHead(200, { 'Content-Length': total, 'Accept-Ranges': 'bytes', ETag: '"one"' });
    cut(response, bytes.subarray(0, CUT));
  });
  await assert.rejects(
    loadModel(server.url, { worker: false, on_progress }),
    ({ code, message }) => {
      assert.equal(code, 'SOURCE_FAILED');
      assert.match(message, /broke off at byte 1000000: the connection was lost/);
      assert.match(message, /then: the server answered 503 Service Unavailable, after 6 requests$/);
      return true;
    },
  );
  assert.equal(server.asked.length, 6);
});

test('a connection that stalls is continued once', async () => {
  const stalling = (stalls) =>
    modelServer((request, response, n) => {
      const from = firstByte(request);
      response.writeHead(from ? 206 : 200, {
        'Accept-Ranges': 'bytes',
        ETag: '"one"',
        ...(from && { 'Content-Range': `bytes ${from}-${last}/${total}` }),
      });
      if (n > stalls) response.end(bytes.subarray(from));
      else response.write(bytes.subarray(from, CUT));
    });
  server = await stalling(1);
  await loadsRight(server.url, { worker: false, timeout_ms: 300 });
  assert.equal(server.asked.length, 2);
  await server.close();
  server = await stalling(9);
  await assert.rejects(loadModel(server.url, { timeout_ms: 300 }), {
    code: 'SOURCE_FAILED',
    message: /broke off at byte 1000000: no byte came for 0\.3 s/,
  });
  assert.equal(server.asked.length, 2);
});

test('a load that was aborted does not go on', async () => {
  const { asked, url } = await cutting([CUT]);
  const stop = new AbortController();
  const load = loadModel(url, {
    worker: false,
    signal: stop.signal,
    on_progress: ({ loaded }) => loaded >= CUT && stop.abort(),
  });
  await assert.rejects(load, { name: 'AbortError' });
  await new Promise((resolve) => setTimeout(resolve, 400));
  assert.equal(asked.length, 1);
});
