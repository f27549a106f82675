// A worker or a wasm file that does not load: the message names the address, the likely cause and
// the cure. The files come from a server that answers wrongly, or the page's policy forbids them.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { after, before, describe, test } from 'node:test';
import { modelServer } from '../support/model-server.mjs';
import { inTree } from '../support/support.mjs';
import { browsers, openBlank } from './browsers.mjs';

const CORS = { 'Access-Control-Allow-Origin': '*', 'Cross-Origin-Resource-Policy': 'cross-origin' };
const SCRIPT = { 'Content-Type': 'text/javascript' };
const PLAIN = {}; // no policy and no isolation
const ISOLATED = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
};
const policy = (text) => ({ 'Content-Security-Policy': text });

/** Answers by the path: a folder of wrong files, and the package's own files. */
function answer({ url }, response) {
  const send = (status, headers, body) => response.writeHead(status, headers).end(body);
  if (url.startsWith('/html/')) return send(200, { ...CORS, 'Content-Type': 'text/html' }, '<p>');
  if (url.startsWith('/closed/')) return send(200, SCRIPT, 'postMessage(0)');
  if (url.startsWith('/throws/')) return send(200, { ...CORS, ...SCRIPT }, "throw Error('old')");
  if (url === '/package/worker.js')
    return send(200, { ...CORS, ...SCRIPT }, readFileSync(inTree('dist/worker.js')));
  send(404, CORS, 'not found');
}

/** Loads in the page; gives the error's code and message, or the note of a model that works. */
async function outcome(options) {
  const { loadModel } = await import('/index.js');
  try {
    const model = await loadModel('/storybook-q8_0.gguf', options);
    await model.dispose();
    return { note: model.info.worker_note };
  } catch ({ code, message }) {
    return { code, message };
  }
}

for (const { name, needs } of browsers) {
  describe(`files that do not load in ${name}`, needs, () => {
    let server;
    before(async () => (server = await modelServer(answer)));
    after(() => server?.close());

    /** The outcome in a page that is served with these headers. */
    async function load(headers, options) {
      const { page, url, close } = await openBlank(name, { headers });
      try {
        return { url, ...(await page.run(outcome, options)) };
      } finally {
        await close();
      }
    }

    /** The load fails with the code; the message matches all patterns and names the address. */
    async function fails(headers, options, code, address, ...patterns) {
      const result = await load(headers, options);
      assert.equal(result.code, code, JSON.stringify(result));
      assert.ok(result.message.includes(address), result.message);
      for (const pattern of patterns) assert.match(result.message, pattern);
    }

    test('a script that is missing, is another file or throws', async () => {
      const worker_url = '/missing/worker.js';
      await fails(PLAIN, { worker_url }, 'WORKER_FAILED', worker_url, /answered 404/, /base_url/);
      const html = `${server.origin}/html/worker.js`;
      const wrong = /"text\/html".*--copy-files/;
      await fails(PLAIN, { worker_url: html, worker: true }, 'WORKER_FAILED', html, wrong);
      const throws = `${server.origin}/throws/worker.js`;
      await fails(PLAIN, { worker_url: throws, worker: true }, 'WORKER_FAILED', throws, /old/);
    });

    test("Vite's optimizer is named", async () => {
      const worker_url = '/node_modules/.vite/deps/worker.js';
      await fails(PLAIN, { worker_url }, 'WORKER_FAILED', worker_url, /optimizeDeps\.exclude/);
    });

    test('a server of another origin that allows no requests', async () => {
      const worker_url = `${server.origin}/closed/worker.js`;
      const cure = /Access-Control-Allow-Origin/;
      await fails(PLAIN, { worker_url, worker: true }, 'WORKER_FAILED', worker_url, cure);
      const wasm_url = `${server.origin}/closed/tokenglass.wasm`;
      await fails(PLAIN, { wasm_url }, 'ENGINE_LOAD_FAILED', wasm_url, cure, /connect-src/);
    });

    test('a policy that forbids workers, or workers of a Blob', async () => {
      const none = policy("worker-src 'none'");
      await fails(none, {}, 'WORKER_FAILED', '/worker.js', /forbids it \(worker-src\)/, /'self'/);
      const own = policy("worker-src 'self'");
      const worker_url = `${server.origin}/package/worker.js`;
      const cure = /Allow blob: in worker-src, or put .* base_url/;
      await fails(own, { worker_url, worker: true }, 'WORKER_FAILED', worker_url, cure);
      const { note, ...rest } = await load(own, { worker_url });
      assert.match(note ?? JSON.stringify(rest), /caller's thread.*Allow blob: in worker-src/);
      assert.equal((await load(PLAIN, { worker_url })).note, undefined);
    });

    test('Trusted Types without the policy of the package', async () => {
      const types = policy("require-trusted-types-for 'script'; trusted-types other");
      const cure = /trusted-types tokenglass/;
      await fails(types, {}, 'WORKER_FAILED', '/worker.js', cure);
      // without the requirement, the address need not come from the policy
      const result = await load(policy('trusted-types other'), {});
      assert.deepEqual([result.code, result.note], [undefined, undefined], result.message);
    });

    test('a wasm file that is missing or is another file', async () => {
      for (const worker of [true, false]) {
        const wasm_url = '/missing/tokenglass.wasm';
        const missing = [/answered 404/, /--copy-files.*base_url/];
        await fails(PLAIN, { wasm_url, worker }, 'ENGINE_LOAD_FAILED', wasm_url, ...missing);
        const html = `${server.origin}/html/tokenglass.wasm`;
        const wrong = [/"text\/html"/, /base_url/];
        await fails(PLAIN, { wasm_url: html, worker }, 'ENGINE_LOAD_FAILED', html, ...wrong);
      }
    });

    test('isolation: a script of another origin starts its threads', async () => {
      const worker_url = `${server.origin}/package/worker.js`;
      const { page, close } = await openBlank(name, { headers: ISOLATED });
      try {
        const threads = await page.run(
          async (options) => {
            const { loadModel } = await import('/index.js');
            const model = await loadModel('/storybook-q8_0.gguf', options);
            await model.dispose();
            return [model.info.n_threads, model.info.worker_note];
          },
          { worker_url, n_threads: 2 },
        );
        assert.deepEqual(threads, [2, undefined]);
      } finally {
        await close();
      }
    });
  });
}
