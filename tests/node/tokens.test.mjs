// Tokenizers through the public API: published vectors, and any text to ids and back.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { writeGguf } from '../support/gguf-writer.mjs';
import { shared, withModel } from '../support/support.mjs';
import { tinyLlama, tinyVocabulary } from '../support/tiny-llama.mjs';
import { vocabularyModels } from '../support/vocabulary-models.mjs';

const SEPARATOR = '\n__ggml_vocab_test__\n';

for (const name of ['llama-spm', 'phi-3', 'gpt-2', 'falcon', 'starcoder', 'deepseek-coder']) {
  const vocabulary = shared(`tokenizers/ggml-vocab-${name}.gguf`);
  test(`46 of 46 vectors of ${name}`, vocabulary.needs, () =>
    withModel(vocabulary.path, { worker: false, vocab_only: true }, async (model) => {
      const texts = readFileSync(`${vocabulary.path}.inp`, 'utf8').split(SEPARATOR).slice(0, 46);
      const lines = readFileSync(`${vocabulary.path}.out`, 'utf8').split('\n');
      assert.equal(texts.length, 46);
      for (const [i, text] of texts.entries()) {
        const ids = await model.tokenize(text, { add_special: false });
        assert.equal(ids.join(' '), lines[i].trim(), JSON.stringify(text));
        assert.equal(await model.detokenize(ids), text);
        const parts = await model.tokenOffsets(text, { add_special: false });
        assert.deepEqual(
          parts.map(({ token }) => token),
          ids,
        );
        const bytes = Buffer.from(text);
        let at = 0;
        for (const { token, start, end } of parts) {
          assert.equal(start, at);
          at = end;
          const tokenBytes = Buffer.from(await model.tokenBytes(token));
          // a space that the tokenizer adds before the text
          const prefix =
            start === 0 && tokenBytes[0] === 0x20 && tokenBytes.length === end + 1 ? 1 : 0;
          assert.deepEqual(bytes.subarray(start, end), tokenBytes.subarray(prefix));
        }
        assert.equal(at, bytes.length);
      }
    }),
  );
}

const PLAN = [{ worker: false }, { worker: true, n_threads: 1 }, { worker: true, n_threads: 2 }];
for (const options of PLAN) {
  const where = options.worker ? `in a worker, ${options.n_threads} threads` : 'in this thread';
  const sources = {
    'the built-in model': 'storybook',
    ...Object.fromEntries(Object.entries(vocabularyModels).map(([kind, { file }]) => [kind, file])),
  };
  for (const [name, source] of Object.entries(sources)) {
    test(`tokenTexts gives what tokenText gives for each id of ${name}, ${where}`, () =>
      withModel(source, options, async (model) => {
        const { n_vocab } = model.info;
        const texts = await model.tokenTexts();
        const one = await Promise.all(
          Array.from({ length: n_vocab }, (_, id) => model.tokenText(id)),
        );
        assert.deepEqual(texts, one);
        assert.ok(texts.some((text) => text.includes('\ufffd'))); // a byte alone is no character
        texts.fill('changed'); // the list is the caller's
        assert.deepEqual(await model.tokenTexts(), one);
      }));
  }

  test(`tokenTexts of 262,144 tokens, ${where}`, () => {
    const n_vocab = 262_144;
    const { metadata } = tinyLlama();
    const own = metadata.filter(([key]) => !key.startsWith('tokenizer.'));
    const file = writeGguf({ metadata: [...own, ...tinyVocabulary(n_vocab)], tensors: [] });
    return withModel(file, { ...options, vocab_only: true }, async (model) => {
      const texts = await model.tokenTexts();
      assert.equal(texts.length, n_vocab);
      for (const id of [0, 1, 258, 259, 262, 131_072, n_vocab - 1])
        assert.equal(texts[id], await model.tokenText(id));
    });
  });
}

/** xorshift32 */
function generator(state) {
  return (n) => {
    state ^= state << 13;
    state ^= state >>> 17;
    state ^= state << 5;
    return (state >>> 0) % n;
  };
}

/** Texts of every kind: words, all planes, lone surrogates, control characters, runs of spaces. */
function randomText(random) {
  const words = [
    'the',
    'Once',
    ' upon',
    "don't",
    '\n\n',
    '  ',
    '😀',
    'ﬁ',
    '…',
    '</s>',
    '<s>',
    '<0x41>',
    '1234',
    'ÀÉ',
    '\u0301',
  ];
  const kinds = [
    () => words[random(words.length)],
    () => ' '.repeat(1 + random(40)),
    () => String.fromCharCode(random(32)),
    () => String.fromCharCode(32 + random(95)),
    () => String.fromCharCode(random(0x10000)), // lone surrogates, too
    () => String.fromCodePoint(random(0x110000)),
    () => 'a'.repeat(random(30)),
  ];
  let text = '';
  for (let n = random(12); n > 0; n--) text += kinds[random(kinds.length)]();
  return text.replaceAll('\u2581', '');
}

for (const { name, source, needs } of [
  { name: 'the built-in model', source: 'storybook', needs: {} },
  {
    name: 'the 32,000 of llama-spm',
    source: shared('tokenizers/ggml-vocab-llama-spm.gguf').path,
    needs: shared('tokenizers/ggml-vocab-llama-spm.gguf').needs,
  },
  {
    name: 'phi-3, where </s> is user-defined', // and so matched in every text
    source: shared('tokenizers/ggml-vocab-phi-3.gguf').path,
    needs: shared('tokenizers/ggml-vocab-phi-3.gguf').needs,
  },
]) {
  test(`10,000 random texts come back from their tokens: ${name}`, needs, () =>
    withModel(source, { worker: false, vocab_only: true }, async (model) => {
      const random = generator(20261123);
      for (let i = 0; i < 10000; i++) {
        const text = randomText(random);
        const ids = await model.tokenize(text, { add_special: i % 2 === 0 });
        assert.equal(
          await model.detokenize(ids),
          text.toWellFormed?.() ?? Buffer.from(text).toString(),
          JSON.stringify(text),
        );
      }
    }),
  );
}

test('special tokens are text unless they are asked for', () =>
  withModel('storybook', { worker: false }, async (model) => {
    const plain = await model.tokenize('<s>hello</s>', { add_special: false });
    assert.ok(!plain.includes(1) && !plain.includes(2));
    assert.equal(await model.detokenize(plain), '<s>hello</s>');
    const parsed = await model.tokenize('<s>hello</s>', {
      add_special: false,
      parse_special: true,
    });
    assert.equal(parsed[0], 1);
    assert.equal(parsed.at(-1), 2);
    assert.equal(await model.detokenize(parsed), 'hello');
    assert.deepEqual(await model.tokenize(''), [1]);
    assert.deepEqual(await model.tokenize('', { add_special: false }), []);
  }));

test('a megabyte of one letter, of spaces or of emoji is tokenized and comes back', () =>
  withModel('storybook', { worker: false }, async (model) => {
    for (const unit of ['a', ' ', '😀', 'ab ', '\u0301']) {
      const text = unit.repeat(2 ** 20 / Buffer.byteLength(unit));
      assert.ok((await model.detokenize(await model.tokenize(text))) === text, unit);
    }
  }));
