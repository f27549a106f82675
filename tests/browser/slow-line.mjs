// Serves a folder over one slow connection: all answers share `bytesPerSecond`, and each answer
// starts after `delay` milliseconds. Returns its address and the names and sizes of the files that
// it sent, in the order of the requests.
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { join } from 'node:path';

const TYPES = {
  html: 'text/html',
  js: 'text/javascript',
  css: 'text/css',
  wasm: 'application/wasm',
  svg: 'image/svg+xml',
};
const CHUNK = 16 * 1024;
const MIN_WAIT_MS = 4; // timers are no more precise than that

export async function slowLine(root, { bytesPerSecond, delay }) {
  const sent = [];
  let freeAt = 0; // the time in ms at which the connection is free again
  const server = createServer(async (request, response) => {
    const { pathname } = new URL(request.url, 'http://page');
    const name = pathname === '/' ? 'index.html' : pathname.slice(1);
    let bytes;
    try {
      bytes = readFileSync(join(root, name));
    } catch {
      return response.writeHead(404).end();
    }
    await new Promise((resolve) => setTimeout(resolve, delay));
    response.writeHead(200, {
      'Content-Type': TYPES[name.split('.').at(-1)] ?? 'application/octet-stream',
      'Content-Length': bytes.length,
      'Cross-Origin-Opener-Policy': 'same-origin',
      'Cross-Origin-Embedder-Policy': 'require-corp',
    });
    sent.push({ name, size: bytes.length });
    for (let start = 0; start < bytes.length && !response.destroyed; start += CHUNK) {
      const chunk = bytes.subarray(start, start + CHUNK);
      freeAt = Math.max(freeAt, Date.now()) + (1000 * chunk.length) / bytesPerSecond;
      const wait = freeAt - Date.now();
      if (wait > MIN_WAIT_MS) await new Promise((resolve) => setTimeout(resolve, wait));
      response.write(chunk);
    }
    response.end();
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    sent,
    url: `http://127.0.0.1:${server.address().port}/`,
    close: () =>
      new Promise((resolve) => {
        server.closeAllConnections();
        server.close(resolve);
      }),
  };
}
