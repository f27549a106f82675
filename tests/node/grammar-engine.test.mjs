// Grammars on both kinds of vocabulary, in a worker and in this thread: every text is one that the
// grammar describes, tokens that are no text never come, and nothing is left when a generation ends
// early.
import assert from 'node:assert/strict';
import { test } from 'node:test';
import { BYTE_ALPHABET, inByteAlphabet } from '../support/byte-tokens.mjs';
import { writeGguf } from '../support/gguf-writer.mjs';
import { collect, withModel } from '../support/support.mjs';
import { tinyLlama } from '../support/tiny-llama.mjs';

const NORMAL = 1;
const CONTROL = 3;
const UNUSED = 5;

/** The keys of a byte-level vocabulary: bytes, merged pieces, an unused token and the end. */
function byteLevelKeys() {
  const pieces = ['ca', 'cat', ' c', ' ca', ' cat', 'do', 'dog', ' d', ' dog', 'é', 'fé', '":'];
  const tokens = [...BYTE_ALPHABET, ...pieces.map(inByteAlphabet), 'a', '<|endoftext|>'];
  return [
    ['tokenizer.ggml.model', 'string', 'gpt2'],
    ['tokenizer.ggml.pre', 'string', 'gpt-2'],
    ['tokenizer.ggml.tokens', 'array<string>', tokens.map((t, i) => (i === 268 ? 'old a' : t))],
    [
      'tokenizer.ggml.token_type',
      'array<i32>',
      tokens.map((_, i) => (i === 268 ? UNUSED : i === 269 ? CONTROL : NORMAL)),
    ],
    ['tokenizer.ggml.merges', 'array<string>', []],
    ['tokenizer.ggml.bos_token_id', 'u32', 269],
    ['tokenizer.ggml.eos_token_id', 'u32', 269],
  ];
}

const EOS = { 'byte-level': 269, SentencePiece: 2 };
const BOS = { 'byte-level': 269, SentencePiece: 1 };
const N_VOCAB = { 'byte-level': 270, SentencePiece: 275 };

/** A random model with this kind of vocabulary. */
function modelFile(kind) {
  const { metadata, tensors } = tinyLlama({ n_vocab: N_VOCAB[kind] });
  const own = metadata.filter(([key]) => !key.startsWith('tokenizer.'));
  return writeGguf({
    metadata: kind === 'byte-level' ? [...own, ...byteLevelKeys()] : metadata,
    tensors,
  });
}

const files = { 'byte-level': modelFile('byte-level'), SentencePiece: modelFile('SentencePiece') };

const textOf = (steps) => steps.map(({ text }) => text).join('');

/** Grammars, each with an expression for its texts. */
const GRAMMARS = [
  ['root ::= "a cat" | "a dog"', /^a (cat|dog)$/],
  ['root ::= "\\"café\\"" | "[\\"naïve\\"]"', /^("café"|\["naïve"\])$/],
  ['root ::= " " root2\nroot2 ::= [a-c]{1,3}', /^ [a-c]{1,3}$/],
  ['root ::= [à-ü]{2,4} "."', /^[à-ü]{2,4}\.$/],
  ['root ::= "[" (root ("," root){0,1})? "]" | [0-9]', /^[[\]0-9,]+$/],
  ['root ::= %unordered("," : "a"!, "b", "cat"*){0,4}', /^(a|b|cat)(,(a|b|cat)){0,3}$/],
  ['root ::= "😀" | "a\\nb"', /^(😀|a\nb)$/],
];

for (const kind of Object.keys(files)) {
  for (const worker of [true, false]) {
    test(`every text is the grammar's: ${kind} vocabulary, worker: ${worker}`, () =>
      withModel(files[kind], { worker, n_threads: 1 }, async (model) => {
        for (const [text, expected] of GRAMMARS) {
          const grammar = await model.createGrammar({ type: 'ebnf', grammar: text });
          for (let seed = 0; seed < 6; seed++) {
            const session = model.createSession({ seed });
            const steps = await collect(
              session.generate(seed % 2 ? 'the' : [BOS[kind]], {
                grammar,
                max_tokens: 60,
                temperature: 2,
                logit_bias: { [EOS[kind]]: 3 },
              }),
            );
            const last = steps.at(-1);
            assert.ok(last.eog || steps.length === 60, text);
            if (last.eog) assert.match(textOf(steps), expected, text);
            assert.ok(steps.every(({ token }) => token !== 268 || kind !== 'byte-level'));
            const stage = last.trace.stages.find(({ name }) => name === 'grammar');
            assert.match(stage.reason, /^grammar: kept \d+ of 27/);
            // what explains the last choice is the mask of that time
            if (last.eog) assert.equal((await session.explain(last.token)).fate.type, 'drawn');
            await session.dispose();
          }
        }
      }));
  }
}

test('a completion is the grammar on a byte-level vocabulary', () =>
  withModel(files['byte-level'], { worker: false }, async (model) => {
    for (let seed = 0; seed < 5; seed++) {
      const { choices } = await model.createCompletion({
        prompt: 'I see ',
        grammar: 'root ::= "a cat" | "a dog"',
        max_tokens: 20,
        seed,
      });
      assert.match(choices[0].text, /^a (cat|dog)$/);
    }
  }));

test("the space before a text is none of the grammar's", () =>
  withModel(files.SentencePiece, { worker: false }, async (model) => {
    const [space] = await model.tokenize(' ', { add_special: false }); // an empty text's prefix
    const grammar = await model.createGrammar({ type: 'ebnf', grammar: 'root ::= "the" "n"?' });
    const the = 269; // "▁the"
    assert.equal(await model.tokenText(the), ' the');
    const fateOf = async (session, token) => (await session.explain(token, { grammar })).fate;
    const empty = model.createSession();
    await empty.sync([1]);
    assert.notEqual((await fateOf(empty, the)).stage, 'grammar');
    assert.notEqual((await fateOf(empty, space)).stage, 'grammar');
    const begun = model.createSession();
    await begun.sync('a');
    assert.equal((await fateOf(begun, the)).stage, 'grammar');
    const steps = await collect(
      empty.generate([1], { grammar, max_tokens: 9, logit_bias: { [the]: 50, 2: 20 } }),
    );
    assert.equal(steps[0].token, the);
    assert.match(textOf(steps), /^then?$/);
  }));

test('states of a grammar: what is allowed, accepted, refused, ended', () =>
  withModel(files['byte-level'], {}, async (model) => {
    const grammar = await model.createGrammar({
      type: 'ebnf',
      grammar: 'root ::= "a cat" | "a dog"',
    });
    const ids = async (state) => {
      const bits = await state.allowed();
      assert.ok(bits instanceof Int32Array && bits.length === 9);
      return Array.from({ length: 9 * 32 }, (_, id) => id).filter(
        (id) => (bits[id >> 5] >> (id & 31)) & 1,
      );
    };
    const [a] = await model.tokenize('a', { add_special: false });
    const state = await grammar.begin();
    assert.deepEqual(await ids(state), [a]);
    assert.throws(() => state.accept(a + 1), { code: 'GRAMMAR_INVALID' });
    assert.throws(() => state.accept(-1), { code: 'GRAMMAR_INVALID' });
    state.accept(a);
    assert.equal((await ids(state)).length, 6); // " ", " c", " ca", " cat", " d", " dog"
    const other = await grammar.begin();
    other.accept(a);
    const [cat] = [260]; // " cat"
    other.accept(cat);
    assert.equal(other.ended, false);
    assert.deepEqual(await ids(other), [269]);
    other.accept(269);
    assert.equal(other.ended, true);
    assert.deepEqual(await ids(other), []);
    assert.throws(() => other.accept(269), { code: 'GRAMMAR_INVALID' });
    other.dispose();
    await assert.rejects(other.allowed(), { code: 'DISPOSED' });
    // several tokens in a row: the wrong one is told when it is known
    state.accept(cat);
    state.accept(a);
    await assert.rejects(state.allowed(), {
      code: 'GRAMMAR_INVALID',
      message: /does not allow token/,
    });
    state.dispose();
    // a state that lives longer than its grammar
    const late = await grammar.begin();
    grammar.dispose();
    late.accept(a);
    assert.ok((await ids(late)).includes(cat));
    late.dispose();
    await assert.rejects(grammar.begin(), { code: 'DISPOSED' });
    await assert.rejects(collect(model.createSession().generate('a', { grammar })), {
      code: 'DISPOSED',
    });
  }));

test('grammars of another model, and calls after the end', async () => {
  let kept;
  await withModel(files['byte-level'], { worker: false }, async (model) => {
    kept = await model.createGrammar({ type: 'ebnf', grammar: 'root ::= "a"' });
    await withModel(files.SentencePiece, { worker: false }, async (other) => {
      const session = other.createSession();
      await session.sync('a');
      for (const call of [
        () => collect(session.generate('a', { grammar: kept })),
        () => session.candidates({ grammar: kept }),
        () => session.explain(3, { grammar: kept }),
      ])
        await assert.rejects(call(), { code: 'INVALID_ARGUMENT', message: /another model/ });
      assert.equal((await collect(session.generate('a', { max_tokens: 2 }))).length, 2);
    });
  });
  await assert.rejects(async () => kept.begin());
});

test('many generations at once, some of which end early', () =>
  withModel(files['byte-level'], {}, async (model) => {
    const grammar = await model.createGrammar({ type: 'ebnf', grammar: 'root ::= [h-m]{50}' });
    const other = await model.createGrammar({ type: 'ebnf', grammar: 'root ::= [0-9]{50}' });
    const texts = await Promise.all(
      Array.from({ length: 12 }, async (_, i) => {
        const session = model.createSession({ seed: i });
        const controller = new AbortController();
        const own = i % 2 ? grammar : other;
        const steps = [];
        try {
          for await (const step of session.generate('a', {
            grammar: own,
            max_tokens: 40,
            signal: controller.signal,
          })) {
            steps.push(step);
            if (i % 4 === 2 && steps.length === 5) break;
            if (i % 4 === 3 && steps.length === 5) controller.abort();
          }
        } catch (error) {
          assert.equal(error.name, 'AbortError');
        }
        if (i === 0) grammar.dispose(); // others still follow it
        await session.dispose();
        return textOf(steps);
      }),
    );
    for (const [i, text] of texts.entries()) {
      assert.match(text, i % 2 ? /^[h-m]{5,40}$/ : /^[0-9]{5,40}$/);
      assert.equal(text.length, i % 4 < 2 ? 40 : 5);
    }
  }));

test('memory of grammars and of abandoned generations is given back', () =>
  withModel(files['byte-level'], { worker: false }, async (model) => {
    const round = async () => {
      for (let i = 0; i < 20; i++) {
        const grammar = await model.createGrammar({
          type: 'ebnf',
          grammar: `root ::= [a-z]{0,200} (${'"word" | '.repeat(2000)} "x")`,
        });
        const session = model.createSession();
        const steps = session.generate('a', { grammar });
        await steps.next(); // and nothing more
        await session.dispose();
        const state = await grammar.begin();
        state.dispose();
        grammar.dispose();
      }
      return (await model.stats()).memory.total;
    };
    const first = await round();
    for (let i = 0; i < 3; i++) assert.equal(await round(), first);
  }));

test('limits and bad grammars are errors, and later grammars work', () =>
  withModel(files['byte-level'], { worker: false }, async (model) => {
    const create = (grammar) => model.createGrammar({ type: 'ebnf', grammar });
    const invalid = (message) => ({ code: 'GRAMMAR_INVALID', message });
    await assert.rejects(
      create('root ::= "a"\nx ::= <think>'),
      invalid(/line 2, column 7.*tokens/),
    );
    await assert.rejects(create('root ::= root "a" | "b"'), invalid(/left recursion.*root/));
    await assert.rejects(create('root ::= "a" root'), invalid(/no text matches root/));
    await assert.rejects(create(`root ::= ${'('.repeat(5000)}"a"`), invalid(/group has no end/));
    await create(`root ::= ${'('.repeat(5000)}"a"${')'.repeat(5000)}`);
    const nested = await create('root ::= "a" ((("a"{0,1000}){0,1000}){0,1000}){0,1000}');
    const session = model.createSession();
    const steps = await collect(session.generate('a', { grammar: nested, max_tokens: 50 }));
    assert.match(textOf(steps), /^a{1,50}$/);
    const missing = await create('root ::= "a" "\\u0007"'); // every byte is there
    assert.equal(textOf(await collect(session.generate('a', { grammar: missing }))), 'a\u0007');
    const { choices } = await model.createCompletion({ prompt: 'a', grammar: 'root ::= "abc"' });
    assert.equal(choices[0].text, 'abc');
  }));
