// The page's server: types, headers, ranges, and no files from outside its folder.
import assert from 'node:assert/strict';
import { createServer, request } from 'node:http';
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, test } from 'node:test';
import { serve } from '../../demo/serve.mjs';
import { inTree } from '../support/support.mjs';

let folder, server;

/** Sends a request with the path unchanged; fetch would normalize it. */
function ask(path, { method = 'GET', headers = {} } = {}) {
  return new Promise((resolve, reject) => {
    request(new URL(server.url), { path, method, headers }, async (response) => {
      let body = '';
      for await (const chunk of response.setEncoding('latin1')) body += chunk;
      resolve({ status: response.statusCode, headers: response.headers, body });
    })
      .on('error', reject)
      .end();
  });
}

before(async () => {
  folder = mkdtempSync(join(tmpdir(), 'tokenglass-serve-'));
  mkdirSync(join(folder, 'root'));
  mkdirSync(join(folder, 'root-too'));
  for (const [name, text] of Object.entries({
    'root/index.html': '<p>page',
    'root/a.js': '0123456789',
    'root/a.wasm': '\0asm',
    'root/empty.css': '',
    'secret.txt': 'secret',
    'root-too/secret.txt': 'secret',
  }))
    writeFileSync(join(folder, name), text);
  server = await serve({ port: 0, roots: [join(folder, 'root')] });
});
after(async () => {
  await server?.close();
  rmSync(folder, { recursive: true });
});

test('files have their types and the headers that isolate the page', async () => {
  const types = {
    '/': /^text\/html/,
    '/a.js': /^text\/javascript/,
    '/a.wasm': /^application\/wasm$/,
    '/empty.css': /^text\/css/,
  };
  for (const [path, type] of Object.entries(types)) {
    const { status, headers } = await ask(path);
    assert.equal(status, 200, path);
    assert.match(headers['content-type'], type);
    assert.equal(headers['cross-origin-opener-policy'], 'same-origin');
    assert.equal(headers['cross-origin-embedder-policy'], 'require-corp');
    const policy = headers['content-security-policy'];
    assert.match(policy, /script-src 'self' 'wasm-unsafe-eval'/);
    assert.match(policy, /connect-src 'self' https:;/); // models from any https address
    assert.ok(!/unsafe-inline|'unsafe-eval'|\*|http(?!s:;)/.test(policy), policy);
    // for hosts that send no headers, the page contains the policy, except what only a header can
    // say
    const page = readFileSync(inTree('demo/index.html'), 'utf8');
    assert.ok(
      page.includes(`content="${policy.replace(/; frame-ancestors.*/, '')}"`),
      'the page has the same policy',
    );
  }
});

test('HEAD gives the length without the body, other methods are refused', async () => {
  const { status, headers, body } = await ask('/a.js', { method: 'HEAD' });
  assert.deepEqual([status, headers['content-length'], body], [200, '10', '']);
  assert.equal((await ask('/a.js', { method: 'POST' })).status, 405);
});

test('ranges of bytes', async () => {
  const range = (value) => ask('/a.js', { headers: { Range: value } });
  for (const [value, text, place] of [
    ['bytes=2-4', '234', 'bytes 2-4/10'],
    ['bytes=7-', '789', 'bytes 7-9/10'],
    ['bytes=-2', '89', 'bytes 8-9/10'],
    ['bytes=8-99', '89', 'bytes 8-9/10'],
  ]) {
    const { status, headers, body } = await range(value);
    assert.deepEqual([status, body, headers['content-range']], [206, text, place]);
  }
  for (const value of ['bytes=10-', 'bytes=5-4', 'bytes=-0'])
    assert.equal((await range(value)).status, 416, value);
  assert.equal((await range('lines=1-2')).status, 200);
});

test('nothing outside the folder, and no crash on broken paths', async () => {
  for (const path of [
    ...[
      '/../secret.txt',
      '/%2e%2e/secret.txt',
      '/..%2fsecret.txt',
      '/%2e%2e%2fsecret.txt',
      '/..%2froot-too/secret.txt',
    ],
    ...['//secret.txt', '/a.js%00.txt', '/%', '/%ff', '/none', '/a.js/', '/..'],
  ]) {
    const { status, body } = await ask(path);
    assert.equal(status, 404, path);
    assert.ok(!body.includes('secret'), path);
  }
  assert.equal((await ask('/')).status, 200);
});

test('a port that was asked for is taken or refused', async () => {
  const other = createServer();
  const port = await new Promise((resolve) =>
    other.listen(0, '127.0.0.1', () => resolve(other.address().port)),
  );
  await assert.rejects(serve({ port, roots: [folder] }), { code: 'EADDRINUSE' });
  await new Promise((resolve) => other.close(resolve));
  const own = await serve({ port, roots: [join(folder, 'root')] });
  assert.equal(own.url, `http://127.0.0.1:${port}/`);
  await own.close();
});
