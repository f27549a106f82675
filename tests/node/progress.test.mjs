// Reports of progress: at most 20 a second, always the first and the last, and soon after the
// source stalls; in a worker and in the caller's thread.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { afterEach, test } from 'node:test';
import { setTimeout as sleep } from 'node:timers/promises';
import { loadModel } from '../../dist/node.js';
import { modelServer } from '../support/model-server.mjs';
import { inTree } from '../support/support.mjs';

const bytes = readFileSync(inTree('demo/model/storybook-q8_0.gguf'));
const INTERVAL_MS = 50;
const PARTS = 250;
const PART_BYTES = Math.ceil(bytes.length / PARTS);
const part = (i) => bytes.subarray(i * PART_BYTES, (i + 1) * PART_BYTES);

let server;
afterEach(() => server?.close());
const serve = async (answer) => (server = await modelServer(answer)).url;

/** Loads the model with a part every 4 ms, and returns the reports and how long they took. */
async function slowLoad(source, worker) {
  const seen = [];
  const start = performance.now();
  const on_progress = (progress) => seen.push({ ...progress, at: performance.now() - start });
  const model = await loadModel(source, { worker, on_progress });
  await model.dispose();
  return seen;
}

/** The source in small parts, with a pause before each. */
const slowStream = () => {
  let i = 0;
  return new ReadableStream({
    async pull(controller) {
      if (i === PARTS) return controller.close();
      await sleep(4);
      controller.enqueue(new Uint8Array(part(i++)));
    },
  });
};
const slowServer = () =>
  serve(async (_, response) => {
    response.writeHead(200, { 'Content-Length': bytes.length });
    for (let i = 0; i < PARTS; i++) {
      response.write(part(i));
      await sleep(4);
    }
    response.end();
  });

/** A Blob whose parts come as slowly. */
function slowBlob() {
  const blob = new Blob([bytes]);
  blob.stream = slowStream;
  const slice = blob.slice.bind(blob);
  blob.slice = (...range) => {
    const some = slice(...range);
    const read = some.arrayBuffer.bind(some);
    some.arrayBuffer = async () => (await sleep(4), read());
    return some;
  };
  return blob;
}

const slow = {
  'a download': slowServer,
  'a stream': slowStream,
  'a Response': async () => fetch(await slowServer()),
};
const all = {
  ...slow,
  'a Blob': slowBlob,
  'a Blob at full speed': () => new Blob([bytes]),
  bytes: () => bytes,
};

for (const worker of [true, false]) {
  const where = worker ? 'in a worker' : "in the caller's thread";

  for (const [name, source] of Object.entries(all)) {
    test(`${name}: at most 20 reports a second, the first and the last, ${where}`, async () => {
      const seen = await slowLoad(await source(), worker);
      const first = seen[0];
      const last = seen.at(-1);
      assert.equal(first.loaded, 0);
      assert.equal(last.loaded, bytes.length);
      assert.equal(last.total, bytes.length);
      const most = (last.at - first.at) / INTERVAL_MS + 3; // both ends, and a message that was late
      assert.ok(seen.length <= most, `${seen.length} reports in ${last.at - first.at} ms`);
      assert.ok(seen.every(({ loaded }, i) => i === 0 || loaded > seen[i - 1].loaded));
      // the parts of these come over a second: the reports are spread over all of it
      if (name in slow) assert.ok(seen.length >= 8, `${seen.length} reports`);
    });
  }

  test(`a source that stalls: all that came is reported, ${where}`, async () => {
    const HALF = 50 * PART_BYTES;
    let goOn;
    const url = await serve(async (_, response) => {
      response.writeHead(200, { 'Content-Length': bytes.length });
      for (let i = 0; i < 50; i++) response.write(part(i));
      await new Promise((resolve) => (goOn = resolve)); // until the report of all of them
      response.end(bytes.subarray(HALF));
    });
    const on_progress = ({ loaded }) => loaded === HALF && goOn();
    const model = await loadModel(url, { worker, on_progress, timeout_ms: 5000 });
    await model.dispose();
  });

  test(`what a late report throws ends the load, ${where}`, async () => {
    const url = await serve((_, response) => {
      response.writeHead(200, { 'Content-Length': bytes.length });
      response.write(part(0));
      sleep(20).then(() => response.write(part(1))); // and then nothing
    });
    const on_progress = ({ loaded }) => {
      if (loaded === 2 * PART_BYTES) throw new Error('mine');
    };
    await assert.rejects(loadModel(url, { worker, on_progress, timeout_ms: 10_000 }), {
      message: 'mine',
    });
  });
}
