// Vocabularies through the public API: characters that are composed first, warnings about a file's
// faults, and bytes that make no whole character at the end of a generation.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BYTE_ALPHABET } from '../support/byte-tokens.mjs';
import { generator, writeGguf } from '../support/gguf-writer.mjs';
import { collect, withModel } from '../support/support.mjs';
import { tinyLlama } from '../support/tiny-llama.mjs';

// ---- normalization ----

const encoder = new TextEncoder();

/** A vocabulary of the 256 bytes, so that the ids of a text are the bytes that it is encoded as. */
const bytesOnly = (pre) =>
  writeGguf({
    metadata: [
      ['tokenizer.ggml.model', 'string', 'gpt2'],
      ['tokenizer.ggml.pre', 'string', pre],
      ['tokenizer.ggml.tokens', 'array<string>', [...BYTE_ALPHABET, '<|end|>']],
      ['tokenizer.ggml.token_type', 'array<i32>', [...Array(256).fill(1), 3]],
      ['tokenizer.ggml.merges', 'array<string>', []],
    ],
  });

const vocabularyOnly = { worker: false, vocab_only: true };
const withBytes = (use, pre = 'qwen2') => withModel(bytesOnly(pre), vocabularyOnly, use);
const plain = { add_special: false };

async function assertComposed(model, text) {
  const ids = await model.tokenize(text, plain);
  const expected = encoder.encode(text.normalize('NFC'));
  if (Buffer.from(ids).equals(Buffer.from(expected))) return;
  assert.deepEqual(ids, [...expected], JSON.stringify(text));
}

/** Why tests beside String.normalize are skipped where the runtime's Unicode is older. */
const older =
  Number(process.versions.unicode.split('.')[0]) < 17
    ? `this runtime's Unicode is ${process.versions.unicode}`
    : false;
const isSurrogate = (code) => code >= 0xd800 && code < 0xe000;

test('every code point is composed as String.normalize does', { skip: older }, () =>
  withBytes(async (model) => {
    const CHUNK = 0x1000;
    for (let from = 0; from < 0x110000; from += CHUNK) {
      let text = '';
      for (let code = from; code < from + CHUNK; code++)
        if (!isSurrogate(code)) text += `|${String.fromCodePoint(code)}`;
      await assertComposed(model, text);
      await assertComposed(model, text.normalize('NFD'));
    }
  }),
);

/** Code points that change, join or combine with others. */
function restless() {
  const list = [];
  for (let code = 0; code < 0x110000; code++) {
    if (isSurrogate(code) || (code >= 0xac00 && code < 0xd7a4 && code % 97)) continue;
    const character = String.fromCodePoint(code);
    const decomposed = character.normalize('NFD');
    if (decomposed !== character)
      list.push(code, ...Array.from(decomposed, (c) => c.codePointAt(0)));
    else if (/^\p{M}$/u.test(character)) list.push(code);
  }
  for (let code = 0x1100; code < 0x1200; code++) list.push(code);
  return list;
}

/** Texts with many sequences that combine, and other characters in between. */
function* combining(seed, count) {
  const random = generator(seed);
  const below = (n) => Math.floor(random() * n);
  const codes = restless();
  const marks = codes.filter((code) => /^\p{M}$/u.test(String.fromCodePoint(code)));
  const one = (list) => String.fromCodePoint(list[below(list.length)]);
  for (let i = 0; i < count; i++) {
    let text = '';
    for (let n = 1 + below(12); n > 0; n--)
      text += [() => one(codes), () => one(marks), () => 'aeo 1é'[below(6)], () => '한😀'][
        below(4)
      ]();
    yield text;
  }
}

test('20,000 random sequences are composed as String.normalize does', { skip: older }, () =>
  withBytes(async (model) => {
    for (const text of combining(7, 20_000)) await assertComposed(model, text);
  }),
);

test('offsets of composed characters lead into the text that was given', () =>
  withBytes(async (model) => {
    const parts = async (text) =>
      (await model.tokenOffsets(text, plain)).map(({ start, end }) => [start, end]);
    // "á" is 2 bytes of a token each; the text has 3: the first token has them all
    assert.deepEqual(await parts('xa\u0301y'), [
      [0, 1],
      [1, 4],
      [4, 4],
      [4, 5],
    ]);
    // what is composed already is divided at its own bytes
    assert.deepEqual(await parts('á'), [
      [0, 1],
      [1, 2],
    ]);
    // e + acute + cedilla is ȩ + acute: the first is made of all three characters
    assert.deepEqual(await parts('e\u0301\u0327'), [
      [0, 5],
      [5, 5],
      [5, 5],
      [5, 5],
    ]);
    assert.deepEqual((await parts('\u1100\u1161\u11a8')).at(0), [0, 9]); // 각
    for (const text of combining(3, 3000)) {
      const length = encoder.encode(text).length;
      let at = 0;
      for (const [start, end] of await parts(text)) {
        assert.ok(start === at && end >= start, JSON.stringify(text));
        at = end;
      }
      assert.equal(at, length, JSON.stringify(text));
    }
    // a text that is composed already: each token has the bytes that it covers
    for (const text of combining(4, 1000)) {
      const composed = text.normalize('NFC');
      const bytes = encoder.encode(composed);
      const found = await model.tokenOffsets(composed, plain);
      assert.deepEqual(
        found.map(({ token, start, end }) => [token, start, end]),
        [...bytes].map((byte, i) => [byte, i, i + 1]),
      );
    }
  }));

test('special tokens are found before characters are composed, and other families do not compose', async () => {
  await withBytes(async (model) => {
    const ids = await model.tokenize('a\u0301<|end|>\u0301', { ...plain, parse_special: true });
    assert.deepEqual(ids, [0xc3, 0xa1, 256, 0xcc, 0x81]);
  });
  await withBytes(async (model) => {
    assert.deepEqual(await model.tokenize('a\u0301', plain), [0x61, 0xcc, 0x81]);
  }, 'llama-bpe');
});

test('a megabyte of combining marks or of jamo is composed in a moment', () =>
  withBytes(async (model) => {
    // what n repetitions after "a" become; the runtime's own normalize takes minutes for some
    const cases = {
      '\u0301': (n) => `á${'\u0301'.repeat(n - 1)}`,
      '\u0327\u0301': (n) => `á${'\u0327'.repeat(n)}${'\u0301'.repeat(n - 1)}`,
      'a\u0301': (n) => `a${'á'.repeat(n)}`,
      '\u1100\u1161\u11a8': (n) => `a${'각'.repeat(n)}`,
      '\u0344': (n) => `ä\u0301${'\u0308\u0301'.repeat(n - 1)}`,
    };
    for (const [unit, expected] of Object.entries(cases))
      for (const n of [3, Math.floor(2 ** 20 / encoder.encode(unit).length)]) {
        const text = `a${unit.repeat(n)}`;
        if (n === 3) assert.equal(expected(n), text.normalize('NFC'), JSON.stringify(unit));
        const start = performance.now();
        const ids = await model.tokenize(text, plain);
        assert.ok(performance.now() - start < 10_000, JSON.stringify(unit));
        assert.ok(Buffer.from(ids).equals(Buffer.from(expected(n))), JSON.stringify(unit));
      }
  }));

// ---- warnings ----

const tiny = (change = (metadata) => metadata) => {
  const { metadata, tensors } = tinyLlama();
  return writeGguf({ metadata: change(metadata), tensors });
};
const withKeys =
  (...keys) =>
  (metadata) => [
    ...metadata.filter(([name]) => !keys.some(([key]) => key === name)),
    ...keys.filter(([, type]) => type),
  ];
const warningsOf = (file) => withModel(file, { worker: false }, (model) => model.info.warnings);

test('model.info.warnings names the faults of a file', async () => {
  assert.deepEqual(await warningsOf('storybook'), []);
  assert.deepEqual(await warningsOf(tiny()), []);
  const outside = tiny(
    withKeys(
      ['tokenizer.ggml.bos_token_id', 'u32', 275],
      ['tokenizer.ggml.eos_token_id', 'i32', -1],
      ['tokenizer.ggml.padding_token_id', 'u32', 4294967295],
    ),
  );
  await withModel(outside, {}, async (model) => {
    assert.deepEqual(
      model.info.warnings.map((text) =>
        /^tokenizer\.ggml\.(\w+) is (-?\d+), but/.exec(text)?.slice(1),
      ),
      [
        ['bos_token_id', '275'],
        ['eos_token_id', '-1'],
        ['padding_token_id', '4294967295'],
      ],
    );
    assert.equal(model.info.bos, undefined);
    assert.equal(model.info.eos, undefined);
    assert.ok((await model.tokenize('the')).every((id) => id < 275));
    assert.equal(
      (await collect(model.createSession().generate('the', { max_tokens: 3 }))).length,
      3,
    );
  });
  const [size, ...others] = await warningsOf(tiny(withKeys(['llama.vocab_size', 'u32', 32_064])));
  assert.match(size, /^llama\.vocab_size is 32064, but tokenizer\.ggml\.tokens has 275 tokens/);
  assert.deepEqual(others, []);
  assert.deepEqual(await warningsOf(tiny(withKeys(['llama.vocab_size', 'u32', 275]))), []);
  const equal = tiny(withKeys(['tokenizer.ggml.scores', 'array<f32>', Array(275).fill(-1000)]));
  assert.match(
    (await warningsOf(equal)).join(),
    /^all scores in tokenizer\.ggml\.scores are equal/,
  );
});

// ---- the end of a generation ----

test('bytes that are no whole character show as U+FFFD at the end of a generation', () =>
  withModel(tiny(), { worker: false, n_ctx: 64 }, async (model) => {
    const byte = (value) => 3 + value; // the id of a byte token
    const only = (...values) => Object.fromEntries(values.map((value) => [byte(value), 100]));
    const texts = async (prompt, options) =>
      (await collect(model.createSession().generate(prompt, options))).map(({ text }) => text);
    const start = [1];
    const greedy = { temperature: 0 };
    // by max_tokens
    assert.deepEqual(await texts(start, { ...greedy, logit_bias: only(0xe2), max_tokens: 1 }), [
      '\ufffd',
    ]);
    assert.deepEqual(await texts(start, { ...greedy, logit_bias: only(0xe2), max_tokens: 3 }), [
      '',
      '\ufffd',
      '\ufffd\ufffd',
    ]);
    // by the end of the context
    assert.equal(
      (await texts([...Array(62).fill(1)], { ...greedy, logit_bias: only(0xf0) })).at(-1),
      '\ufffd\ufffd',
    );
    // nothing is added to whole characters
    assert.deepEqual(await texts(start, { ...greedy, logit_bias: only(0x41), max_tokens: 2 }), [
      'A',
      'A',
    ]);
    // by EOS: a grammar lets one byte pass, then EOS
    const masks = [byte(0xe2), 2].map((id) =>
      Int32Array.from({ length: 9 }, (_, i) => (i === id >> 5 ? 1 << (id & 31) : 0)),
    );
    const grammar = () => ({
      begin: () => {
        let n = 0;
        return { ended: false, allowed: () => masks[n], accept: () => n++ };
      },
    });
    assert.deepEqual(await texts(start, { ...greedy, grammar: grammar(), max_tokens: 9 }), [
      '',
      '\ufffd',
    ]);
    const asked = { prompt: start, max_tokens: 9, temperature: 0, logprobs: 1 };
    const answer = async (options) =>
      (await model.createCompletion({ ...asked, ...options })).choices[0];
    const ended = await answer({ grammar: grammar() });
    assert.equal(ended.text, '\ufffd');
    assert.equal(ended.finish_reason, 'stop');
    const cut = await answer({ logit_bias: only(0xe2), max_tokens: 2 });
    assert.equal(cut.text, '\ufffd\ufffd');
    assert.equal(cut.finish_reason, 'length');
    let streamed = '';
    for await (const { choices } of await model.createCompletion({
      ...asked,
      logit_bias: only(0xe2),
      max_tokens: 2,
      stream: true,
    }))
      streamed += choices[0]?.text ?? '';
    assert.equal(streamed, '\ufffd\ufffd');
  }));
