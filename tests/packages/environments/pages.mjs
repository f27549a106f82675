// Pages without a bundler: from the page's own origin, from a CDN, with strict policies, in a
// sandboxed frame, in workers of the page, and in an extension.
import { join } from 'node:path';
import { resultInExtension } from '../extension.mjs';
import { startCdn, startSite } from '../site.mjs';

const STRICTEST =
  "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; worker-src 'self'; connect-src 'self'";
const ISOLATED = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
};

/**
 * A row that serves its app. headers: of the site, or a function of the CDN's origin; cdn: there is
 * one.
 */
const page = ({ headers = {}, cdn, ...row }) => ({
  entry: '`tokenglass`',
  run: 'browser',
  install: false,
  ...row,
  serve: {
    async start(folder, { model }) {
      const other = cdn ? await startCdn(join(folder, 'node_modules/tokenglass')) : undefined;
      const site = await startSite(folder, {
        headers: typeof headers === 'function' ? headers(other.origin) : headers,
        cdn: other?.origin,
        model,
      });
      return {
        url: `${site.origin}/`,
        modelUrl: site.url,
        close: async () => {
          await site.close();
          await other?.close();
        },
      };
    },
  },
});

/** A row for a page of the extension. */
const extension = ({ page, note, ...row }) => ({
  run: 'browser',
  app: 'extension',
  install: false,
  serve: { start: async () => ({ url: 'http://localhost/', close: async () => undefined }) },
  async inspect({ folder, address, expected }) {
    const result = await resultInExtension(folder, page, address.search);
    expected.check(result, { note });
    return { chromium: result };
  },
  ...row,
});

const noBlobs = (cdn) => ({
  'Content-Security-Policy': `script-src 'self' 'unsafe-inline' 'wasm-unsafe-eval' ${cdn}; worker-src 'self'`,
});

export const rows = [
  page({
    name: 'page',
    app: 'page',
    title: 'Page without a build step',
  }),
  page({
    name: 'page-isolated',
    folder: 'page',
    app: 'page',
    title: 'Page without a build step, cross-origin isolated (threads)',
    path: '/threads.html',
    headers: ISOLATED,
    threads: 2,
  }),
  page({
    name: 'page-strictest-csp',
    folder: 'page',
    app: 'page',
    title: 'The strictest Content-Security-Policy',
    headers: { 'Content-Security-Policy': STRICTEST },
  }),
  page({
    name: 'page-trusted-types',
    folder: 'page',
    app: 'page',
    title: 'Trusted Types, cross-origin isolated (threads)',
    path: '/threads.html',
    threads: 2,
    headers: {
      ...ISOLATED,
      'Content-Security-Policy': `${STRICTEST}; require-trusted-types-for 'script'; trusted-types tokenglass`,
    },
  }),
  page({
    name: 'page-three-tabs',
    folder: 'page',
    app: 'page',
    title: 'Three tabs at once',
    tabs: 3,
    browsers: ['chromium'],
  }),
  page({
    name: 'cdn-script',
    folder: 'cdn',
    app: 'cdn',
    title: 'One script line from another origin, as jsDelivr serves it',
    entry: '`tokenglass.global.js`',
    path: '/script.html',
    cdn: true,
    inTest: true,
  }),
  page({
    name: 'cdn-redirect',
    folder: 'cdn',
    app: 'cdn',
    title: 'One script line from another origin, as unpkg serves it',
    entry: '`tokenglass.global.js`',
    path: '/redirect.html',
    cdn: true,
    browsers: ['chromium'],
  }),
  page({
    name: 'cdn-module',
    folder: 'cdn',
    app: 'cdn',
    title: 'A module from another origin',
    path: '/module.html',
    cdn: true,
  }),
  page({
    name: 'cdn-isolated',
    folder: 'cdn',
    app: 'cdn',
    title: 'A module from another origin, cross-origin isolated (threads)',
    path: '/threads.html',
    cdn: true,
    headers: ISOLATED,
    threads: 2,
  }),
  page({
    name: 'cdn-script-no-blobs',
    folder: 'cdn',
    app: 'cdn',
    title: 'One script line from another origin; the policy forbids workers of a Blob',
    entry: '`tokenglass.global.js`',
    path: '/script.html',
    cdn: true,
    headers: noBlobs,
    note: /worker-src/,
  }),
  page({
    name: 'cdn-module-no-blobs',
    folder: 'cdn',
    app: 'cdn',
    title: 'A module from another origin; the policy forbids workers of a Blob',
    path: '/module.html',
    cdn: true,
    headers: noBlobs,
    note: /worker-src/,
  }),
  page({
    name: 'frame',
    app: 'frame',
    title: 'Sandboxed frame',
    headers: { 'Access-Control-Allow-Origin': '*' },
  }),
  page({
    name: 'worker',
    app: 'worker',
    title: "Module worker of the page's own",
  }),
  page({
    name: 'service-worker',
    app: 'service-worker',
    title: 'Service worker of a page, a module',
    entry: '`tokenglass/service-worker`',
    note: /service worker/,
  }),
  page({
    name: 'service-worker-classic',
    folder: 'service-worker',
    app: 'service-worker',
    title: 'Service worker of a page, a classic script',
    entry: '`tokenglass.global.js`',
    path: '/classic.html',
    note: /service worker/,
  }),
  extension({
    name: 'extension-page',
    folder: 'extension',
    title: 'Page of an MV3 extension',
    entry: '`tokenglass`',
    page: 'page.html',
  }),
  extension({
    name: 'extension-service-worker',
    folder: 'extension',
    title: 'Service worker of an MV3 extension',
    entry: '`tokenglass/service-worker`',
    page: 'worker.html',
    note: /service worker/,
  }),
];
