// What an app has to generate: what dist/ gives in this Node. Also serves the model that the apps
// load by URL.
import assert from 'node:assert/strict';
import { modelServer } from '../support/model-server.mjs';
import { chatModel } from '../support/tiny-llama.mjs';
import { loadModel } from '../../dist/node.js';
import { exercise } from './program.mjs';

const TEMPLATE =
  '{% for message in messages %}{{ message.role }}: {{ message.content }}\n{% endfor %}' +
  '{% if add_generation_prompt %}assistant:{% endif %}';

/** Throws when the model ran in another place than the row says. */
function checkPlace({ worker_note, n_threads }, { note, threads }) {
  if (note) assert.match(worker_note ?? '', note);
  else assert.equal(worker_note, undefined, 'a worker runs');
  if (threads) assert.equal(n_threads, threads);
}

/** Without what may differ: which build runs, and how many threads. */
const withoutInfo = ({ info, ...rest }) => rest;

/**
 * { modelUrl, model, result, check, close }: model has the bytes of the file at modelUrl.
 * check(result) throws when an app's result differs; check(result, { note, threads }) also when the
 * model ran elsewhere: note is what worker_note says where no worker can run, threads how many
 * threads there are if that is certain.
 */
export async function expectation() {
  const file = chatModel(TEMPLATE, { n_layer: 2 });
  const server = await modelServer((request, response) => {
    response.writeHead(200, {
      'Access-Control-Allow-Origin': '*',
      'Cross-Origin-Resource-Policy': 'cross-origin',
      'Content-Type': 'application/octet-stream',
      'Content-Length': file.length,
    });
    response.end(request.method === 'HEAD' ? undefined : file);
  });
  const expected = await exercise({ loadModel, modelUrl: server.url });
  assert.equal(expected.builtIn.tokens.length, 10);
  assert.equal(expected.byUrl.tokens.length, 10);
  assert.match(JSON.parse(expected.json).kind, /^(cat|dog|fish)$/);
  assert.ok(expected.chat.length > 0);
  return {
    modelUrl: server.url,
    model: file,
    result: expected,
    check(result, place) {
      if (!result || result.error) {
        const { error, code, cause } = result ?? { error: 'there is no result' };
        throw new Error([code, error, cause && `cause: ${cause}`].filter(Boolean).join('\n'));
      }
      assert.deepEqual(withoutInfo(result), withoutInfo(expected));
      if (place) checkPlace(result.info, place);
    },
    close: () => server.close(),
  };
}
