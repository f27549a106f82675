// A lost connection: the rest of the file is requested again if it is still the same file;
// otherwise the error says where the download broke.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { afterEach, test } from 'node:test';
import { loadModel } from '../../dist/node.js';
import { inTree } from '../support/support.mjs';

const bytes = readFileSync(inTree('demo/model/storybook-q8_0.gguf'));
let server;

/**
 * A server that cuts each answer after the number of bytes in `cuts`. options: headers it leaves
 * out or changes.
 */
async function cutting(cuts, { etag = () => '"one"', ranges = true } = {}) {
  const asked = [];
  server = createServer((request, response) => {
    const from = Number(/^bytes=(\d+)-$/.exec(request.headers.range ?? '')?.[1] ?? 0);
    asked.push(request.headers.range);
    const n = asked.length;
    response.writeHead(from ? 206 : 200, {
      'Content-Length': bytes.length - from,
      ...(ranges && { 'Accept-Ranges': 'bytes' }),
      ...(etag(n) && { ETag: etag(n) }),
      ...(from && { 'Content-Range': `bytes ${from}-${bytes.length - 1}/${bytes.length}` }),
    });
    const cut = cuts[n - 1];
    if (cut === undefined) response.end(bytes.subarray(from));
    else if (cut === 0) (response.flushHeaders(), setTimeout(() => response.destroy(), 20));
    else
      response.write(bytes.subarray(from, from + cut), () =>
        setTimeout(() => response.destroy(), 20),
      );
  });
  await new Promise((resolve) => server.listen(0, '127.0.0.1', resolve));
  return { asked, url: `http://127.0.0.1:${server.address().port}/model.gguf` };
}
afterEach(() => new Promise((resolve) => server.close(resolve)));

for (const worker of [false, true]) {
  test(`a load goes on where the connection broke${worker ? ', in a worker' : ''}`, async () => {
    const { asked, url } = await cutting([0, 1_000_000, 500_000]);
    const seen = [];
    const model = await loadModel(url, {
      worker,
      on_progress: ({ loaded }) => seen.push(loaded),
    });
    const whole = await loadModel('storybook', { worker: false });
    assert.equal(model.info.fingerprint, whole.info.fingerprint);
    const [first, second] = await Promise.all(
      [model, whole].map((each) => each.score('Once upon a time')),
    );
    assert.deepEqual(first, second);
    assert.deepEqual(asked, [undefined, undefined, 'bytes=1000000-', 'bytes=1500000-']);
    assert.equal(seen.at(-1), bytes.length);
    assert.ok(seen.every((n, i) => i === 0 || n >= seen[i - 1]));
    await model.dispose();
    await whole.dispose();
  });
}

test('another file, or a server that cannot give a part, is an error that says where', async () => {
  for (const options of [{ etag: (n) => `"${n}"` }, { ranges: false }, { etag: () => undefined }]) {
    const { url } = await cutting([1_000_000, 500_000], options);
    await assert.rejects(loadModel(url, { worker: false }), {
      code: 'SOURCE_FAILED',
      message: /broke off at byte 1000000/,
    });
    await new Promise((resolve) => server.close(resolve));
  }
});

test('a load that was given up does not go on', async () => {
  const { asked, url } = await cutting([1_000_000]);
  const stop = new AbortController();
  const load = loadModel(url, {
    worker: false,
    signal: stop.signal,
    on_progress: ({ loaded }) => loaded >= 1_000_000 && stop.abort(),
  });
  await assert.rejects(load, { name: 'AbortError' });
  await new Promise((resolve) => setTimeout(resolve, 400));
  assert.equal(asked.length, 1);
});
