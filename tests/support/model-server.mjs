// A server whose answers a test writes: for downloads and what goes wrong with them.
import { createServer } from 'node:http';

/**
 * Starts a server. `answer(request, response, n)` answers the n-th request, from 1 on. Returns the
 * address, the requests' Range headers, and how many connections are open.
 */
export async function modelServer(answer) {
  const asked = [];
  const server = createServer((request, response) => {
    asked.push(request.headers.range);
    response.on('error', () => undefined); // the client may leave
    answer(request, response, asked.length);
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  const origin = `http://127.0.0.1:${server.address().port}`;
  return {
    asked,
    origin,
    url: `${origin}/model.gguf`,
    port: server.address().port,
    close: () =>
      new Promise((resolve) => {
        server.close(resolve);
        server.closeAllConnections();
      }),
  };
}

/** The first byte that a request asks for. */
export const firstByte = ({ headers }) =>
  Number(/^bytes=(\d+)-$/.exec(headers.range ?? '')?.[1] ?? 0);

/** Resolves when the function returns true; an error after some seconds. */
export async function until(check, what, milliseconds = 5000) {
  for (const end = Date.now() + milliseconds; !check();) {
    if (Date.now() > end) throw new Error(`waited ${milliseconds} ms until ${what}`);
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}

/** Writes zeros until the client leaves. Returns a count of the bytes that it took. */
export function writeForEver(response) {
  const zeros = Buffer.alloc(64 * 1024);
  const count = { bytes: 0, left: false };
  response.on('close', () => (count.left = true));
  const more = () => {
    while (!count.left && response.write(zeros)) count.bytes += zeros.length;
    if (!count.left) response.once('drain', () => setImmediate(more));
  };
  more();
  return count;
}
