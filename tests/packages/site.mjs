// Servers for environments/pages.mjs: the site of an app, and a CDN on another origin.
import { createReadStream, existsSync, readFileSync, statSync } from 'node:fs';
import { createServer } from 'node:http';
import { extname, join, normalize, sep } from 'node:path';

const TYPES = {
  '.html': 'text/html; charset=utf-8',
  '.js': 'text/javascript; charset=utf-8',
  '.mjs': 'text/javascript; charset=utf-8',
  '.json': 'application/json',
  '.wasm': 'application/wasm',
};
const EXAMPLE = 'https://cdn.example'; // what the apps call the CDN

/** Starts a server. answer(path, response) answers a request; false: there is no such file. */
async function listen(headers, answer) {
  const server = createServer(async (request, response) => {
    const path = decodeURIComponent(new URL(request.url, 'http://localhost').pathname);
    for (const [name, value] of Object.entries(headers)) response.setHeader(name, value);
    response.setHeader('Cache-Control', 'no-store');
    try {
      if (await answer(path, response)) return;
      response.writeHead(404).end('not found\n');
    } catch (error) {
      response.writeHead(500).end(String(error));
    }
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return {
    url: `http://127.0.0.1:${server.address().port}/`,
    close: () =>
      new Promise((resolve) => {
        server.close(resolve);
        server.closeAllConnections();
      }),
  };
}

function sendFile(root, path, response) {
  const name = normalize(join(root, path));
  if (!name.startsWith(normalize(root + sep)) || !existsSync(name) || !statSync(name).isFile())
    return false;
  response.writeHead(200, {
    'Content-Type': TYPES[extname(name)] ?? 'application/octet-stream',
    'Content-Length': statSync(name).size,
  });
  createReadStream(name).pipe(response);
  return true;
}

function sendText(text, type, response) {
  response.writeHead(200, { 'Content-Type': TYPES[type] }).end(text);
  return true;
}

/**
 * The packed package on an origin of its own. /npm/tokenglass@0.1.0 is the file of the field
 * `jsdelivr`, as jsDelivr serves it; /tokenglass@0.1.0 redirects to the file of the field `unpkg`,
 * as unpkg does.
 */
export function startCdn(packageFolder) {
  const manifest = JSON.parse(readFileSync(join(packageFolder, 'package.json'), 'utf8'));
  const headers = {
    'Access-Control-Allow-Origin': '*',
    'Cross-Origin-Resource-Policy': 'cross-origin',
  };
  return listen(headers, (path, response) => {
    const match = /^(\/npm)?\/tokenglass@0\.1\.0(\/.*)?$/.exec(path);
    if (!match) return false;
    const [, npm, file] = match;
    if (file) return sendFile(packageFolder, file, response);
    if (npm) return sendFile(packageFolder, manifest.jsdelivr, response);
    response.writeHead(302, { Location: join(path, manifest.unpkg) }).end();
    return true;
  });
}

/**
 * The site of a prepared app. `model()` gives the address of the GGUF file, which the site serves
 * as /model.gguf; cdn: the address of the CDN, in place of https://cdn.example in pages.
 */
export function startSite(folder, { headers = {}, model, cdn }) {
  return listen(headers, async (path, response) => {
    if (path === '/model.gguf') {
      const answer = await fetch(model());
      response.writeHead(200, { 'Content-Type': 'application/octet-stream' });
      response.end(Buffer.from(await answer.arrayBuffer()));
      return true;
    }
    // for classic scripts
    if (path === '/program.js') {
      const program = readFileSync(join(folder, 'program.mjs'), 'utf8');
      return sendText(program.replaceAll(/^export /gm, ''), '.js', response);
    }
    const file = path.endsWith('/') ? `${path}index.html` : path;
    if (cdn && extname(file) === '.html' && existsSync(join(folder, file))) {
      const page = readFileSync(join(folder, file), 'utf8');
      return sendText(page.replaceAll(`${EXAMPLE}/`, cdn), '.html', response);
    }
    return sendFile(folder, file, response);
  });
}
