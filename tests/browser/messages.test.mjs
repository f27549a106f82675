// Errors in words: each stable code has a sentence, and the details keep the code and the engine's
// own message.
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { errorCodes, loadModel } from '../../dist/node.js';
import { importTrace } from '../../dist/node-trace.js';
import { tinyLlama } from '../support/tiny-llama.mjs';
import { writeGguf } from '../support/gguf-writer.mjs';
import { bundle } from './page.mjs';

/** The error of a call that fails. */
const errorOf = async (call) => {
  try {
    await call();
  } catch (error) {
    return error;
  }
  return assert.fail('the call does not fail');
};

const load = (bytes, options) => () => loadModel(bytes, { worker: false, ...options });

describe('errors in words', () => {
  let wordsOf;
  before(async () => {
    ({ wordsOf } = await bundle('state/messages'));
  });

  test('each code has a sentence without the code; the details have the code and the reason', () => {
    for (const { name } of errorCodes) {
      if (name === 'OK') continue;
      const error = Object.assign(new Error(`${name}: why it failed`), {
        name: 'TokenglassError',
        code: name,
      });
      const { text, details } = wordsOf(error, 'notes.gguf');
      assert.match(text, /^[A-Z“n].*[^.]\.$/, name);
      assert.doesNotMatch(text, /[A-Z]+_[A-Z]+/, name);
      assert.equal(details, `${name}: why it failed`);
      if (/^GGUF_|^MODEL_(?!NOT_READY)/.test(name)) assert.match(text, /notes\.gguf/, name);
    }
  });

  test('files that are no model, or none that runs here', async () => {
    const { metadata, tensors } = tinyLlama({ seed: 1 });
    const model = writeGguf({ metadata, tensors });
    const mamba = writeGguf({
      metadata: metadata.map((entry) =>
        entry[0] === 'general.architecture' ? [entry[0], 'string', 'mamba'] : entry,
      ),
      tensors,
    });
    for (const [bytes, text, details] of [
      [Buffer.from('hello'), 'notes.gguf is not a GGUF model.', /^GGUF_BAD_MAGIC: .*68 65 6c 6c/],
      [
        Buffer.from('<!doctype html><title>no</title>'),
        'notes.gguf is not a GGUF model: it is a web page.',
        /^GGUF_BAD_MAGIC: /,
      ],
      [
        Buffer.from('version https://git-lfs.github.com/spec/v1\noid sha256:00\nsize 1\n'),
        'notes.gguf is not a GGUF model: it is a Git LFS pointer, not the file itself.',
        /^GGUF_BAD_MAGIC: /,
      ],
      [
        model.subarray(0, model.length - 100),
        'notes.gguf is incomplete: its end is missing.',
        /^GGUF_/,
      ],
      [
        mamba,
        'This page cannot run notes.gguf: the engine does not know its architecture.',
        /^MODEL_ARCH_UNSUPPORTED: .*mamba/,
      ],
    ]) {
      const message = wordsOf(await errorOf(load(bytes)), 'notes.gguf');
      assert.equal(message.text, text);
      assert.match(message.details, details);
    }
  });

  test('texts that are no trace', async () => {
    const trace = {
      format: 'tokenglass-trace',
      version: 1,
    };
    for (const [json, text] of [
      ['hello', 'This is not a tokenglass trace (it is not JSON).'],
      ['{}', "This is not a tokenglass trace (it has no 'format')."],
      [JSON.stringify(trace), /^This is not a tokenglass trace \(it has no '\w+'\)\.$/],
      ['[]', 'This is not a tokenglass trace (it is not an object).'],
    ]) {
      const message = wordsOf(await errorOf(() => importTrace(json)));
      if (typeof text === 'string') assert.equal(message.text, text);
      else assert.match(message.text, text);
      assert.match(message.details, /^TRACE_INVALID: /);
    }
  });

  test('other errors keep their message', () => {
    assert.equal(
      wordsOf(new Error('This link is damaged: part of it is missing.')),
      'This link is damaged: part of it is missing.',
    );
    assert.equal(wordsOf('a text'), 'a text');
    const syntax = new SyntaxError('Unexpected token');
    assert.deepEqual(wordsOf(syntax, 'This schema'), {
      text: 'This schema is not JSON.',
      details: 'Unexpected token',
    });
  });
});
