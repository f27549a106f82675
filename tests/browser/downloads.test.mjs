// Downloads in real browsers, from the page's own origin and from another one: compressed answers,
// lost connections, servers without an end, and errors that say what happened.
import assert from 'node:assert/strict';
import { existsSync, readFileSync } from 'node:fs';
import { extname } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { gzipSync } from 'node:zlib';
import { firstByte, modelServer, until, writeForEver } from '../support/model-server.mjs';
import { all, inTree } from '../support/support.mjs';
import { browsers, open } from './browsers.mjs';

const bytes = readFileSync(inTree('demo/model/storybook-q8_0.gguf'));
const packed = gzipSync(bytes);
const FINGERPRINT = '3962fc03b7bc189cf1e8dc22ce9f88a544cf0addb40c97b6ca08b089b6ea71e8';
const MAX_HEADER = 300_000; // bytes; the header of the built-in model is shorter
const CUT = 1_000_000;
const TYPES = { '.html': 'text/html', '.js': 'text/javascript', '.wasm': 'application/wasm' };
const ANYONE = { 'Access-Control-Allow-Origin': '*', 'Cache-Control': 'no-store' };
const EXPOSED = {
  ...ANYONE,
  'Access-Control-Expose-Headers': 'Accept-Ranges, Content-Range, ETag, Retry-After',
  'Accept-Ranges': 'bytes',
  ETag: '"one"',
};

/** What the server counts, by path. */
const counts = {};

/** The files of dist/, and models with faults by path. */
function answer(request, response) {
  const { pathname } = new URL(request.url, 'http://server');
  const n = (counts[pathname] = (counts[pathname] ?? 0) + 1);
  const from = firstByte(request);
  const part = from && { 'Content-Range': `bytes ${from}-${bytes.length - 1}/${bytes.length}` };
  const send = (status, headers, body) => response.writeHead(status, headers).end(body);
  const gzip = { 'Content-Encoding': 'gzip', 'Content-Length': packed.length };
  const cut = (body) => response.write(body, () => setTimeout(() => response.destroy(), 1000));
  const answers = {
    '/gzip.gguf': () => send(200, { ...ANYONE, ...gzip }, packed),
    '/gzip-cut.gguf': () => {
      response.writeHead(200, { ...EXPOSED, ...gzip });
      cut(packed.subarray(0, CUT));
    },
    '/plain.gguf': () => send(200, { ...ANYONE, 'Content-Length': bytes.length }, bytes),
    '/cut.gguf': () => {
      const length = { 'Content-Length': bytes.length - from };
      response.writeHead(from ? 206 : 200, { ...EXPOSED, ...length, ...part });
      if (n === 1) cut(bytes.subarray(0, CUT));
      else response.end(bytes.subarray(from));
    },
    '/other.gguf': () => {
      response.writeHead(from ? 206 : 200, { ...EXPOSED, ...part });
      if (from) response.end(bytes.map((byte) => byte ^ 1).subarray(from));
      else cut(bytes.subarray(0, CUT));
    },
    '/busy.gguf': () =>
      n === 1
        ? send(503, { ...EXPOSED, 'Retry-After': '1' })
        : send(200, { ...ANYONE, 'Content-Length': bytes.length }, bytes),
    '/endless.gguf': () => {
      response.writeHead(200, ANYONE).write(bytes);
      counts.endless = writeForEver(response);
    },
    '/silent.gguf': () => undefined,
    '/private.gguf': () => send(200, { 'Content-Length': bytes.length }, bytes),
    '/round.gguf': () => send(302, { ...ANYONE, Location: `/round.gguf?${n}` }),
    '/strict.html': () =>
      send(
        200,
        {
          'Content-Type': 'text/html',
          'Content-Security-Policy': "connect-src 'self'; script-src 'self' 'unsafe-eval'",
        },
        '<!doctype html><title>strict</title>',
      ),
  };
  if (answers[pathname]) return answers[pathname]();
  const file = ['dist', 'tests/browser/pages']
    .map((folder) => inTree(`${folder}${pathname}`))
    .find((name) => existsSync(name));
  if (!file) return send(404, ANYONE);
  const type = TYPES[extname(file)] ?? 'application/octet-stream';
  return send(200, { 'Content-Type': type, ...ANYONE }, readFileSync(file));
}

/** Runs in the page: loads a model; its facts, or its error. */
const attempt = async ({ url, options, fetched }) => {
  const { fetchModel, loadModel } = await import('/index.js');
  const seen = [];
  try {
    const source = fetched ? await fetchModel(url) : url;
    const on_progress = (progress) => seen.push(progress);
    const model = await loadModel(source, { ...options, on_progress });
    const ids = await model.tokenize('Once upon a time');
    const scores = options.vocab_only ? [] : await model.score(ids);
    const { fingerprint } = model.info;
    await model.dispose();
    const totals = [...new Set(seen.map(({ total }) => total ?? 0))]; // undefined gets lost
    return { fingerprint, totals, last: seen.at(-1), scores: scores.map(({ logprob }) => logprob) };
  } catch ({ name, code, message, cause }) {
    return { name, code, message, cause: cause?.name };
  }
};

for (const { name, needs } of browsers) {
  describe(`downloads in ${name}`, needs, () => {
    let near, far, page, right;

    before(async () => {
      near = await modelServer(answer);
      far = await modelServer(answer);
      page = await open(name);
      await page.goto(`${near.origin}/blank.html`);
      right = await page.run(attempt, { url: 'storybook', options: {} });
      assert.equal(right.fingerprint, FINGERPRINT, right.message);
    });
    after(async () => {
      await page?.close();
      await near?.close();
      await far?.close();
    });

    const load = (path, options = {}, origin = far.origin) => {
      for (const path of Object.keys(counts)) delete counts[path];
      const { fetched, ...rest } = options;
      return page.run(attempt, { url: origin + path, options: rest, fetched });
    };
    const isRight = (result) => {
      assert.equal(result.fingerprint, FINGERPRINT, result.message);
      assert.deepEqual(result.scores, right.scores);
      assert.deepEqual(result.last, { loaded: bytes.length, total: bytes.length });
    };
    const isError = (result, code, message) => {
      assert.equal(result.code, code, JSON.stringify(result));
      assert.match(result.message, message);
    };

    for (const options of [{}, { worker: false }, { fetched: true }]) {
      const how = JSON.stringify(options);

      test(`an answer in gzip, of the own and of another origin, ${how}`, async () => {
        for (const origin of [near.origin, far.origin]) {
          const result = await load('/gzip.gguf', options, origin);
          isRight(result);
          assert.deepEqual(result.totals, [0, bytes.length], 'unknown until the header says it');
        }
      });

      test(`an answer of another origin without compression, ${how}`, async () => {
        const result = await load('/plain.gguf', options);
        isRight(result);
        assert.deepEqual(result.totals, [0, bytes.length]);
        assert.deepEqual((await load('/plain.gguf', options, near.origin)).totals, [bytes.length]);
      });

      test(`a lost connection is continued, with the same bytes only, ${how}`, async () => {
        isRight(await load('/cut.gguf', options));
        assert.equal(counts['/cut.gguf'], 2);
        isError(await load('/other.gguf', options), 'SOURCE_FAILED', /broke off .* differs/);
      });

      // a browser waits for seconds before it gives such a connection up
      const skip = how !== '{}' && !all && 'npm run test:all has it';
      test(
        `a lost connection in gzip fails, and nothing claims a change, ${how}`,
        { skip },
        async () => {
          for (const origin of [near.origin, far.origin]) {
            const { code, message } = await load('/gzip-cut.gguf', options, origin);
            assert.match(code, /SOURCE_FAILED|GGUF_TRUNCATED/);
            assert.doesNotMatch(message, /no longer/);
          }
        },
      );

      test(`a busy server is asked again, ${how}`, async () => {
        isRight(await load('/busy.gguf', options));
        assert.equal(counts['/busy.gguf'], 2);
      });

      test(`a server without an end is left, ${how}`, async () => {
        isRight(await load('/endless.gguf', options));
        await until(() => counts.endless.left, 'the connection is closed');
        const { last, fingerprint } = await load('/endless.gguf', { ...options, vocab_only: true });
        assert.equal(fingerprint, FINGERPRINT);
        assert.ok(last.loaded === last.total && last.loaded < MAX_HEADER, `${last.loaded}`);
        await until(() => counts.endless.left, 'the connection is closed');
      });
    }

    test('a silent server has a time limit', async () => {
      const result = await load('/silent.gguf', { timeout_ms: 300 });
      isError(result, 'SOURCE_FAILED', /did not answer for 0\.3 s/);
    });

    test('errors say what happened', async () => {
      for (const worker of [true, false]) {
        const options = { worker };
        const refused = await load('/private.gguf', options);
        isError(refused, 'SOURCE_FAILED', /server answers, but does not allow reading .*CORS/);
        assert.equal(refused.cause, 'TypeError');
        const round = await load('/round.gguf', options, near.origin);
        isError(round, 'SOURCE_FAILED', /redirects without end/);
        const nobody = await load('/model.gguf', options, 'http://127.0.0.1:9');
        isError(nobody, 'SOURCE_FAILED', /cannot be reached/);
        isError(await load('/no.gguf', options), 'SOURCE_NOT_FOUND', /answered 404/);
        isError(await load('/blank.html', options), 'GGUF_BAD_MAGIC', /web page \(HTML\)/);
        const file = await load('/model.gguf', options, 'file://');
        isError(file, 'SOURCE_UNSUPPORTED', /address of a file/);
        isError(await load('', options, 'http://'), 'INVALID_ARGUMENT', /no address/);
      }
    });

    test('a revoked blob: address, and a file that is packed', async () => {
      const result = await page.run(async () => {
        const { loadModel } = await import('/index.js');
        const url = URL.createObjectURL(new Blob(['GGUF']));
        URL.revokeObjectURL(url);
        const codeOf = (source) => loadModel(source).catch(({ code, message }) => [code, message]);
        const opaque = await fetch('/blank.html', { redirect: 'manual' });
        await opaque.text();
        return [
          await codeOf(url),
          await codeOf(new File([new Uint8Array([0x1f, 0x8b, 8, 0])], 'model.gguf.gz')),
          await codeOf(opaque),
        ];
      });
      assert.equal(result[0][0], 'SOURCE_NOT_FOUND');
      assert.match(result[0][1], /revoked/);
      assert.match(result[1][1], /gzip/);
      assert.match(result[2][1], /read before/);
    });

    test('an opaque Response, and a page that forbids other servers', async () => {
      const opaque = await page.run(async (url) => {
        const { loadModel } = await import('/index.js');
        const response = await fetch(url, { mode: 'no-cors' });
        return loadModel(response).catch(({ code, message }) => ({ code, message }));
      }, `${far.origin}/private.gguf`);
      isError(opaque, 'SOURCE_UNSUPPORTED', /CORS/);
      await page.goto(`${near.origin}/strict.html`);
      const forbidden = await load('/plain.gguf', { worker: false });
      isError(forbidden, 'SOURCE_FAILED', /Content-Security-Policy \(connect-src\)/);
      await page.goto(`${near.origin}/blank.html`);
    });
  });
}
