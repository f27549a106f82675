// A server of a folder whose answers all come over one line: in, bytes a second and the delay of each answer in milliseconds; out, its address and the names of what it sent.
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
const PORTION = 16 * 1024;
const LEAST_MS = 4; // timers are no more exact than that

export async function slowLine(root, { bytesPerSecond, delay }) {
  const sent = [];
  let free = 0; // when the line is
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
      ...{
        'Content-Type': TYPES[name.split('.').at(-1)] ?? 'application/octet-stream',
        'Content-Length': bytes.length,
      },
      ...{
        'Cross-Origin-Opener-Policy': 'same-origin',
        'Cross-Origin-Embedder-Policy': 'require-corp',
      },
    });
    sent.push(name);
    for (let at = 0; at < bytes.length && !response.destroyed; at += PORTION) {
      const portion = bytes.subarray(at, at + PORTION);
      free = Math.max(free, Date.now()) + (1000 * portion.length) / bytesPerSecond;
      const wait = free - Date.now();
      if (wait > LEAST_MS) await new Promise((resolve) => setTimeout(resolve, wait));
      response.write(portion);
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
