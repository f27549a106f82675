// What messages about arguments say: the value that was given and its type, and the name that was
// probably meant where a name is unknown.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { after, before, describe, test } from 'node:test';
import { fetchModel, loadModel } from '../../dist/node.js';
import { recordTrace } from '../../dist/testing.js';
import { inTree } from '../support/support.mjs';

let model;
let session;
before(async () => {
  model = await loadModel('storybook', { worker: false });
  session = model.createSession({ seed: 1 });
});
after(() => model.dispose());

const generate = (options) => session.generate('Once', options).next();

/** Asserts that the call rejects with exactly this message, without the code. */
async function says(call, message) {
  const error = await Promise.resolve()
    .then(call)
    .then(
      () => assert.fail(`accepted; expected: ${message}`),
      (reason) => reason,
    );
  assert.equal(error.name, 'TokenglassError', String(error));
  assert.equal(error.message.slice(error.code.length + 2), message);
}

describe('the type that was given is named', () => {
  const cases = [
    ['0.5', 'temperature', '"0.5", a string', 'a number of 0 to 1000000'],
    [NaN, 'temperature', 'NaN', 'a number of 0 to 1000000'],
    [-1, 'temperature', '-1', 'a number of 0 to 1000000'],
    [true, 'top_k', 'true, a boolean', 'a whole number of 0 to 2147483647'],
    [5n, 'top_k', '5, a bigint', 'a whole number of 0 to 2147483647'],
    [1.5, 'top_k', '1.5', 'a whole number of 0 to 2147483647'],
    [Symbol('x'), 'top_k', 'Symbol(x), a symbol', 'a whole number of 0 to 2147483647'],
    [() => 1, 'top_k', 'a function', 'a whole number of 0 to 2147483647'],
    [[1], 'seed', 'an array', 'a whole number of 0 to 2^53 - 1 or a bigint of 64 bits'],
    ['1', 'seed', '"1", a string', 'a whole number of 0 to 2^53 - 1 or a bigint of 64 bits'],
    [-1n, 'seed', '-1, a bigint', 'a whole number of 0 to 2^53 - 1 or a bigint of 64 bits'],
    [null, 'max_tokens', 'null', 'a whole number of 0 to 2147483647'],
    [new Map(), 'max_tokens', 'a Map', 'a whole number of 0 to 2147483647'],
    [new Uint8Array(1), 'max_tokens', 'a Uint8Array', 'a whole number of 0 to 2147483647'],
    [{}, 'ignore_eos', 'an object', 'true or false'],
    [0, 'ignore_eos', '0, a number', 'true or false'],
    [{}, 'banned_tokens', 'an object', 'a list of token ids'],
    ['a', 'banned_tokens', '"a", a string', 'a list of token ids'],
    ['top_k', 'samplers', '"top_k", a string', 'a list'],
    ['a', 'logit_bias', '"a", a string', 'an object or a Map'],
    [5, 'signal', '5, a number', 'an AbortSignal'],
  ];
  for (const [value, name, shown, rule] of cases) {
    test(`${name}: ${shown}`, () =>
      says(() => generate({ [name]: value }), `${name} is ${shown}; it must be ${rule}`));
  }

  test('of the options themselves, and of what is in lists and objects', async () => {
    const list = 'the options of generate are an array; they must be an object';
    await says(() => generate([]), list);
    await says(
      () => generate({ samplers: ['top_k', 7] }),
      'samplers has 7, a number; each element must be a text',
    );
    await says(
      () => generate({ logit_bias: { 5: '1' } }),
      'logit_bias of token 5 is "1", a string; it must be a number or -Infinity',
    );
    await says(
      () => generate({ banned_tokens: ['5'] }),
      'token 0 of banned_tokens is "5", a string: no token id',
    );
    await says(
      () => generate({ grammar: [] }),
      'grammar is an array without begin(), which it must have',
    );
  });

  test('of a proxy and an object that cannot be looked at', async () => {
    const { proxy, revoke } = Proxy.revocable([], {});
    revoke();
    await says(
      () => generate({ temperature: new Proxy([], {}) }),
      'temperature is an array; it must be a number of 0 to 1000000',
    );
    await says(
      () => generate({ temperature: proxy }),
      'temperature is an object that cannot be shown; it must be a number of 0 to 1000000',
    );
  });

  test('of the arguments of the model', async () => {
    const load = (options) => loadModel('storybook', options);
    await says(
      () => load({ n_ctx: null }),
      'n_ctx is null; it must be a whole number of 0 to 1048576',
    );
    await says(
      () => load({ n_ctx: '512' }),
      'n_ctx is "512", a string; it must be a whole number of 0 to 1048576',
    );
    await says(
      () => load({ on_progress: true }),
      'on_progress is true, a boolean; it must be a function',
    );
    await says(
      () => load({ builds: ['simd128'] }),
      'an element of builds is "simd128", a string; it must be a build',
    );
    await says(() => loadModel(7), 'a model cannot be read from 7, a number');
    await says(() => fetchModel({}), 'the address is an object; it must be a text or a URL');
    await says(() => model.detokenize({}), 'the list is an object; it must be a list of token ids');
    await says(() => model.tokenize(5), 'the text is 5, a number; it must be a text');
    await says(() => model.tokenText('5'), 'the token is "5", a string: no token id');
    await says(
      () => model.loadSession([1]),
      'the saved session is an array; it must be a Uint8Array, an ArrayBuffer or a Blob',
    );
    await says(
      () => model.createGrammar('json'),
      'the grammar is "json", a string; it must be an object with a type',
    );
    await says(
      () => model.createGrammar({ type: 'ebnf', grammar: 1 }),
      'a grammar is 1, a number; it must be a text',
    );
    await says(
      () => recordTrace('model', []),
      'the model is "model", a string; it must be a Model',
    );
  });

  test('of the parameters of completions', async () => {
    const complete = (params) => model.createCompletion({ prompt: 'Once', ...params });
    await says(() => complete({ model: 5 }), 'model is 5, a number; it must be a text');
    await says(
      () => complete({ stream: 'yes' }),
      'stream is "yes", a string; it must be true or false',
    );
    await says(
      () => complete({ stop: ['a', 5] }),
      'stop has 5, a number; it must be at most 16 texts, none of them empty',
    );
    await says(
      () => complete({ temperature: '1' }),
      'temperature is "1", a string; it must be a number of 0 to 1000000',
    );
    await says(
      () => complete({ prompt: {} }),
      'prompt is an object; it must be a list of token ids',
    );
  });
});

describe('an unknown name', () => {
  const KNOWN_STAGES = /; known: logit_bias, /;

  test('suggests the option that was probably meant', async () => {
    const option = (name, meant) =>
      says(
        () => generate({ [name]: 1 }),
        `generate has no option "${name}"; did you mean ${meant}?`,
      );
    await option('max_token', 'max_tokens');
    await option('maxTokens', 'max_tokens');
    await option('max-tokens', 'max_tokens');
    await option('maxtoekns', 'max_tokens');
    await option('temprature', 'temperature');
    await option('Temperature', 'temperature');
    await option('topK', 'top_k');
    await option('sampler', 'samplers');
    await says(
      () => loadModel('storybook', { nCtx: 512 }),
      'loadModel has no option "nCtx"; did you mean n_ctx?',
    );
    await says(
      () => loadModel('storybook', { cache_type: 'q8_0' }),
      'loadModel has no option "cache_type"; did you mean cache_type_k or cache_type_v?',
    );
    await says(
      () => model.score('a', { topn: 1 }),
      'score has no option "topn"; did you mean top_n?',
    );
    assert.throws(() => model.createSession({ sed: 1 }), {
      message: 'INVALID_ARGUMENT: createSession has no option "sed"; did you mean seed?',
    });
  });

  test('lists what is known when nothing is near', async () => {
    await says(
      () => model.score('a', { banana: 1 }),
      'score has no option "banana"; known: top_n, stride, signal',
    );
    await says(
      () => model.embed('a', { '': 1 }),
      'embed has no option ""; known: pooling, normalize, signal',
    );
    await says(
      () => model.embed('a', { x: 1 }),
      'embed has no option "x"; known: pooling, normalize, signal',
    );
  });

  test('of a huge option costs little', async () => {
    const name = 'signal'.repeat(1_000_000);
    await assert.rejects(model.score('a', { [name]: 1 }), ({ message }) => message.length < 300);
  });

  test('suggests values', async () => {
    await says(() => generate({ overflow: 'shfit' }), 'overflow is "shfit"; did you mean shift?');
    await says(() => generate({ overflow: 5 }), 'overflow is 5, a number; known: error, shift');
    await says(
      () => generate({ samplers: ['topk'] }),
      'there is no sampler stage "topk"; did you mean top_k?',
    );
    await assert.rejects(generate({ samplers: ['banana'] }), KNOWN_STAGES);
    const load = (options) => loadModel('storybook', options);
    await says(() => load({ kernels: 'simd' }), 'kernels is "simd"; known: simd128, relaxed');
    await says(() => load({ kernels: 'relaxd' }), 'kernels is "relaxd"; did you mean relaxed?');
    await says(() => load({ cache_type_k: 'Q8' }), 'cache_type_k is "Q8"; known: f32, f16, q8_0');
    await says(() => load({ cache_type_v: 'q80' }), 'cache_type_v is "q80"; did you mean q8_0?');
    await says(
      () => load({ builds: [{ name: 'simd', url: '' }] }),
      'a build\'s name is "simd"; known: simd128, relaxed, simd128.threads, relaxed.threads',
    );
    await says(
      () => load({ builds: [{ name: 'relaxed.thread', url: '' }] }),
      'a build\'s name is "relaxed.thread"; did you mean relaxed.threads?',
    );
    await says(
      () => model.embed('a', { pooling: 'maen' }),
      'pooling is "maen"; did you mean mean?',
    );
    await says(
      () => model.createGrammar({ type: 'jsonschema', schema: {} }),
      'type of the grammar is "jsonschema"; did you mean json_schema?',
    );
  });

  test('suggests parameters of completions and roles', async () => {
    const complete = (params) => model.createCompletion({ prompt: 'Once', ...params });
    await says(
      () => complete({ max_token: 5 }),
      'createCompletion has no option "max_token"; did you mean max_tokens?',
    );
    await says(
      () => complete({ response_format: { type: 'json' } }),
      'response_format.type is "json"; known: text, json_object, json_schema',
    );
    await says(
      () => complete({ response_format: { type: 'json_shema' } }),
      'response_format.type is "json_shema"; did you mean json_schema?',
    );
    // a parameter that is not supported is never suggested
    await assert.rejects(complete({ suffx: 'a' }), /has no option "suffx"; known: /);
    await assert.rejects(complete({ suffix: 'a' }), { code: 'OPTION_UNSUPPORTED' });
    const chat = (params) => model.createChatCompletion({ messages: [], ...params });
    await says(
      () => chat({ message: [] }),
      'createChatCompletion has no option "message"; did you mean messages?',
    );
    await says(
      () => chat({ max_completion_token: 5 }),
      'createChatCompletion has no option "max_completion_token"; ' +
        'did you mean max_completion_tokens?',
    );
  });

  test('on the command line', () => {
    const run = (...args) =>
      spawnSync(process.execPath, [inTree('dist/cli.js'), ...args], { encoding: 'utf8' });
    const refuses = (args, message) => {
      const { status, stderr } = run(...args);
      assert.equal(stderr, `tokenglass: ${message}; see --help\n`);
      assert.equal(status, 2);
    };
    refuses(
      ['--max-token', '5', 'Once'],
      'there is no option --max-token; did you mean --max-tokens?',
    );
    refuses(
      ['Once', '--temprature=1'],
      'there is no option --temprature; did you mean --temperature?',
    );
    refuses(['--n_ctx', '5', 'Once'], 'there is no option --n_ctx; did you mean --n-ctx?');
    refuses(['-x', 'Once'], 'there is no option -x');
    assert.match(run('--banana', 'Once').stderr, /no option --banana; known: .*--model, /);
  });
});
