// Servers for environments/pages.mjs: the site of an app, and a CDN on another origin.
import { existsSync, readFileSync } from 'node:fs';
import { extname, join } from 'node:path';
import { respond } from '../../demo/serve.mjs';
import { modelServer } from '../support/model-server.mjs';

const NO_STORE = { 'Cache-Control': 'no-store' };
const EXAMPLE = 'https://cdn.example'; // what the apps call the CDN

/**
 * Starts a server of the files of a folder. pathOf(path, response) gives the file that answers a
 * request, or undefined when it has answered the request itself.
 */
const startServer = (folder, headers, pathOf) =>
  modelServer((request, response) => {
    const path = pathOf(request.url.split('?', 1)[0], response);
    if (path === undefined) return;
    request.url = path;
    respond({ roots: [folder], headers: { ...NO_STORE, ...headers } }, request, response);
  });

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
  return startServer(packageFolder, headers, (path, response) => {
    const match = /^(\/npm)?\/tokenglass@0\.1\.0(\/.*)?$/.exec(path);
    if (!match) return void response.writeHead(404, headers).end('not found\n');
    const [, npm, file] = match;
    if (file) return file;
    if (npm) return join('/', manifest.jsdelivr);
    const Location = join(path, manifest.unpkg);
    return void response.writeHead(302, { ...headers, ...NO_STORE, Location }).end();
  });
}

/**
 * The site of a prepared app. model: the bytes of the GGUF file, which the site serves as
 * /model.gguf; cdn: the origin of the CDN, in place of https://cdn.example in pages.
 */
export function startSite(folder, { headers = {}, model, cdn }) {
  return startServer(folder, headers, (path, response) => {
    const send = (type, content) =>
      void response.writeHead(200, { ...NO_STORE, ...headers, 'Content-Type': type }).end(content);
    if (path === '/model.gguf') return send('application/octet-stream', model);
    // for classic scripts
    if (path === '/program.js') {
      const program = readFileSync(join(folder, 'program.mjs'), 'utf8');
      return send('text/javascript', program.replaceAll(/^export /gm, ''));
    }
    const file = path.endsWith('/') ? `${path}index.html` : path;
    if (!cdn || extname(file) !== '.html' || !existsSync(join(folder, file))) return file;
    return send('text/html', readFileSync(join(folder, file), 'utf8').replaceAll(EXAMPLE, cdn));
  });
}
