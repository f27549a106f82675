// Serves dist/demo on 127.0.0.1, with the headers that a strict host sends. `npm start` runs it,
// with --port N if you want a certain port. The tests call serve().
import { createReadStream, realpathSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join, normalize, sep } from 'node:path';
import { pipeline } from 'node:stream';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';

const TYPES = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.css': 'text/css; charset=utf-8',
  '.json': 'application/json',
  '.txt': 'text/plain; charset=utf-8',
  '.map': 'application/json',
  '.svg': 'image/svg+xml',
  '.png': 'image/png',
  '.wasm': 'application/wasm',
  '.gguf': 'application/octet-stream',
};

const HEADERS = {
  // 'wasm-unsafe-eval' allows WebAssembly and no other code from strings. `https:` allows downloads
  // of models that the user names.
  'Content-Security-Policy':
    "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; connect-src 'self' https:; style-src 'self'; img-src 'self'; " +
    "base-uri 'none'; form-action 'none'; frame-ancestors 'none'",
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
  'Cross-Origin-Resource-Policy': 'same-origin',
  'X-Content-Type-Options': 'nosniff',
  'Referrer-Policy': 'no-referrer',
  'Cache-Control': 'no-cache',
};

const PORT = 8080;
const MAX_TRIES = 20; // ports from PORT on

/** The file inside root that a request names; undefined when there is none. */
function fileOf(root, url) {
  try {
    const path = decodeURIComponent(url.split('?', 1)[0]);
    const name = normalize(join(root, path.endsWith('/') ? `${path}index.html` : path));
    if (!name.startsWith(normalize(root + sep))) return undefined;
    const stat = statSync(name);
    return stat.isFile()
      ? {
          name,
          size: stat.size,
          version: `"${stat.size.toString(36)}-${stat.mtimeMs.toString(36)}"`,
        }
      : undefined;
  } catch {
    return undefined; // no such file, or an invalid path
  }
}

/** The range of a header "bytes=from-to"; undefined: the whole file; null: outside of the file. */
function rangeOf(header, size) {
  const match = /^bytes=(\d*)-(\d*)$/.exec(header ?? '');
  if (!match || (!match[1] && !match[2])) return undefined;
  const from = match[1] ? Number(match[1]) : Math.max(0, size - Number(match[2]));
  const to = match[1] && match[2] ? Math.min(Number(match[2]), size - 1) : size - 1;
  return from <= to && from < size ? { from, to } : null;
}

/** Answers a request with a file from the folders, or with the error that fits. */
export function respond({ roots, headers }, request, response) {
  if (request.method !== 'GET' && request.method !== 'HEAD')
    return response.writeHead(405, { Allow: 'GET, HEAD' }).end();
  const file = roots.map((root) => fileOf(root, request.url)).find(Boolean);
  if (!file) return response.writeHead(404, headers).end('not found\n');
  const range = rangeOf(request.headers.range, file.size);
  if (range === null)
    return response.writeHead(416, { 'Content-Range': `bytes */${file.size}` }).end();
  const { from, to } = range ?? { from: 0, to: file.size - 1 };
  response.writeHead(range ? 206 : 200, {
    ...headers,
    'Content-Type': TYPES[extname(file.name)] ?? 'application/octet-stream',
    'Content-Length': to - from + 1,
    'Accept-Ranges': 'bytes',
    ETag: file.version,
    ...(range && { 'Content-Range': `bytes ${from}-${to}/${file.size}` }),
  });
  if (request.method === 'HEAD' || file.size === 0) return response.end();
  const stream = createReadStream(file.name, { start: from, end: to });
  pipeline(stream, response, () => {}); // an error on one side closes the other
}

/** Serves files from folders; the first folder that has a file wins. Port 0 is any free port;
 *  undefined is the first free port from 8080 on. */
export async function serve({ port, roots, headers = HEADERS }) {
  const server = createServer((request, response) =>
    respond({ roots, headers }, request, response),
  );
  const listen = (number) =>
    new Promise((resolve, reject) => {
      server.once('error', reject);
      server.listen(number, '127.0.0.1', () => resolve(server.off('error', reject)));
    });
  for (let number = port ?? PORT; ; number++) {
    try {
      await listen(number);
      break;
    } catch (error) {
      if (error.code !== 'EADDRINUSE' || port !== undefined || number >= PORT + MAX_TRIES)
        throw error;
    }
  }
  return {
    url: `http://127.0.0.1:${server.address().port}/`,
    close: () =>
      new Promise((resolve) => {
        server.close(resolve);
        server.closeAllConnections();
      }),
  };
}

if (process.argv[1] && realpathSync(process.argv[1]) === fileURLToPath(import.meta.url)) {
  const { values } = parseArgs({ options: { port: { type: 'string' } } });
  const port = values.port === undefined ? undefined : Number(values.port);
  if (port !== undefined && !(Number.isInteger(port) && port >= 0 && port < 65536)) {
    console.error(`--port ${values.port}: a port is a number from 0 to 65535`);
    process.exit(2);
  }
  try {
    const { url } = await serve({
      port,
      roots: [fileURLToPath(new URL('../dist/demo', import.meta.url))],
    });
    console.log(`tokenglass: ${url}`);
  } catch (error) {
    console.error(`the page cannot be served: ${error.message}`);
    process.exit(1);
  }
}
