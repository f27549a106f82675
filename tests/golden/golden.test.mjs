// Loads the golden files through the public API. Valid files must give logits; the others must fail
// with their code, byte offset and message.
import assert from 'node:assert/strict';
import { readFileSync, readdirSync } from 'node:fs';
import { test } from 'node:test';
import { TokenglassError, loadModel } from '../../dist/node.js';
import { goldenFiles } from './make.mjs';

const golden = (path) => new URL(path, import.meta.url);
const expected = JSON.parse(readFileSync(golden('must-fail/expect.json'), 'utf8'));
const load = (source, options) => loadModel(source, { worker: false, ...options });

async function logitsOf(source) {
  const model = await load(source);
  const session = model.createSession();
  await session.sync([1, 65, 66, 270]);
  const logits = await session.logits();
  await model.dispose();
  return logits;
}

/** The error that loading a source throws. It must be a TokenglassError. */
async function failureOf(source) {
  try {
    await (await load(source)).dispose();
  } catch (error) {
    assert.ok(error instanceof TokenglassError, `${error}`);
    return error;
  }
  return assert.fail('it loaded');
}

test('the golden files are as their generator writes them, and no others lie there', () => {
  const files = goldenFiles();
  for (const [path, bytes] of Object.entries(files)) assert.deepEqual(readFileSync(golden(path)), Buffer.from(bytes), path);
  for (const folder of ['valid', 'must-fail']) {
    for (const name of readdirSync(golden(folder))) assert.ok(`${folder}/${name}` in files, `${folder}/${name} is not written by make.mjs`);
  }
});

for (const { file, code, message, offset } of expected) {
  test(`must fail: ${file} with ${code}`, async () => {
    const bytes = new Uint8Array(readFileSync(golden(`must-fail/${file}`)));
    // with a known length, and as a stream of unknown length in small chunks
    for (const source of [golden(`must-fail/${file}`), bytes]) {
      const error = await failureOf(source);
      assert.equal(error.code, code);
      assert.ok(error.message.includes(message), `"${error.message}" should contain "${message}"`);
      if (offset !== null) assert.equal(error.offset, offset);
    }
    const streamed = await failureOf(new Blob([bytes]).stream());
    // If only the file's length shows that data is missing, the end of the stream shows it.
    if (streamed.code !== 'GGUF_TRUNCATED') assert.equal(streamed.code, code);
  });
}

for (const name of readdirSync(golden('valid')).filter((name) => name !== 'vocabulary.gguf')) {
  test(`must load: ${name}`, async () => {
    const logits = await logitsOf(golden(`valid/${name}`));
    assert.ok(logits.every(Number.isFinite) && new Set(logits).size > 100);
  });
}

test('the same model in another version or alignment gives the same bits', async () => {
  const plain = await logitsOf(golden('valid/f32.gguf'));
  for (const name of ['v2', 'alignment-8', 'alignment-4096']) assert.deepEqual(await logitsOf(golden(`valid/${name}.gguf`)), plain, name);
});

test('a vocabulary alone loads with vocab_only and has no sessions', async () => {
  const model = await load(golden('valid/vocabulary.gguf'), { vocab_only: true });
  assert.equal(model.info.n_vocab, 275);
  assert.deepEqual(await model.tokenize('the'), [1, 269]);
  await assert.rejects(model.createSession().sync([1]), { code: 'MODEL_NOT_READY' });
  await model.dispose();
  assert.equal((await failureOf(golden('valid/vocabulary.gguf'))).code, 'MODEL_KEY_MISSING');
});

test('a file cut at every 1/50 of its length fails with the byte where it ends', async () => {
  for (const name of ['../../demo/model/storybook-q8_0.gguf', 'valid/own-output.gguf']) {
    const whole = new Uint8Array(readFileSync(golden(name)));
    for (let i = 0; i < 50; i++) {
      const end = Math.floor((whole.length * i) / 50);
      const cut = whole.slice(0, end);
      for (const source of [cut, new Blob([cut]).stream()]) {
        const error = await failureOf(source);
        // With a known length, a size that exceeds the file is refused as soon as the header states
        // it.
        const early = source === cut && ['GGUF_STRING_LIMIT', 'GGUF_COUNT_LIMIT'].includes(error.code) && error.offset < end;
        assert.ok(early || (error.code === 'GGUF_TRUNCATED' && error.offset === end), `${name} cut at ${end}: ${error}`);
      }
    }
  }
});

test('portions of any size give the same bits', async () => {
  const bytes = new Uint8Array(readFileSync(golden('valid/q4_0.gguf')));
  const whole = await logitsOf(bytes.slice().buffer);
  for (const size of [1, 7, 4096]) {
    let at = 0;
    const stream = new ReadableStream({
      pull(controller) {
        if (at >= bytes.length) return controller.close();
        controller.enqueue(bytes.subarray(at, (at += size)));
      },
    });
    assert.deepEqual(await logitsOf(stream), whole, `portions of ${size}`);
  }
});
