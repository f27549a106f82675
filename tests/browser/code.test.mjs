// The code that the sheet for developers shows: for each kind of text and of settings, every form
// generates what the page's own options generate, or says what the form cannot do.
import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { pathToFileURL } from 'node:url';
import { promisify } from 'node:util';
import { loadModel } from '../../dist/node.js';
import { chatModel } from '../support/tiny-llama.mjs';
import { inTree } from '../support/support.mjs';
import { bundle } from './page.mjs';

const execute = promisify(execFile);
const ENTRY = pathToFileURL(inTree('dist/node.js')).href;
const TEMPLATE =
  "{{ bos_token }}{% for m in messages %}[{{ m['role'] }}] {{ m['content'] }} {% endfor %}[assistant]";

describe('code for developers', () => {
  let code, chains, model, folder;
  before(async () => {
    [code, chains] = [await bundle('state/code'), await bundle('state/chain')];
    model = await loadModel('storybook', { worker: false });
    folder = mkdtempSync(join(tmpdir(), 'tokenglass-code-'));
  });
  after(async () => {
    await model.dispose();
    rmSync(folder, { recursive: true, force: true });
  });

  const stateOf = (given) => ({
    source: 'storybook',
    isFile: false,
    text: 'The king said',
    ids: undefined,
    chat: undefined,
    chain: chains.defaultChain,
    seed: 7,
    window: 0,
    format: undefined,
    ...given,
  });
  const formsOf = (given) =>
    Object.fromEntries(code.codeForms(stateOf(given)).map((form) => [form.id, form]));

  /** What a form's code prints. The package is that of dist/. */
  async function run({ id, code: text }) {
    if (id === 'command-line') {
      const bin = `'${process.execPath}' '${inTree('dist/cli.js')}'`;
      const line = text.replace(/^npx tokenglass/, bin);
      return (await execute('sh', ['-c', line])).stdout;
    }
    const file = join(folder, `${id}.mjs`);
    writeFileSync(file, text.replace("from 'tokenglass'", `from '${ENTRY}'`));
    return (await execute(process.execPath, [file], { cwd: folder })).stdout;
  }
  const tokensIn = (printed) =>
    printed
      .trim()
      .split('\n')
      .map((line) => Number(line.split(' ')[0]));

  /** The tokens that the page's own options generate, and their text. */
  async function truth({ text, ids, chain, seed, window }) {
    const session = model.createSession();
    const options = { ...chains.optionsOf(chain), seed, sample_index: window, max_tokens: 20 };
    const steps = [];
    for await (const step of session.generate(ids ?? text, { ...options, trace: false }))
      steps.push(step);
    await session.dispose();
    return {
      tokens: steps.map(({ token }) => token),
      text: steps.map((step) => step.text).join(''),
    };
  }

  const on =
    (...names) =>
    (chain) =>
      names.reduce(chains.withStage, chain);
  const CASES = {
    'the default settings': [{}, /^(?!.*(samplers|top_k|temperature))/s],
    'quotes, line ends, signs and a dash at the start': [
      { text: '- "It\'s" `$HOME` \\n\n“Who?” é 🐈 ' },
      /prompt = '- "It\\'s"/,
    ],
    'values that are not the defaults': [
      {
        chain: (chain) => chains.withValue(chains.withValue(chain, 'temperature', 1.7), 'top_k', 9),
      },
      /^(?!.*samplers).*temperature: 1\.7.*/s,
    ],
    'a stage that is off': [
      { chain: (chain) => chains.switchStage(chain, 'min_p', false) },
      /samplers: \['top_k', 'top_p', 'temperature'\]/,
    ],
    'another order': [
      { chain: (chain) => chains.moveStage(chain, 'temperature', 0) },
      /samplers: \['temperature', 'top_k', 'top_p', 'min_p'\]/,
    ],
    'more stages, with a negative value': [
      {
        chain: (chain) =>
          chains.withValue(on('penalties', 'dry', 'xtc')(chain), 'penalty_last_n', -1),
      },
      /^(?!.*samplers).*penalty_last_n: -1.*xtc_probability/s,
    ],
    mirostat: [{ chain: on('mirostat') }, /mirostat: 2.*samplers: .*'mirostat'/s],
  };
  for (const [kind, [given, pattern]] of Object.entries(CASES))
    test(kind, async () => {
      const chain = (given.chain ?? ((same) => same))(chains.defaultChain);
      const state = stateOf({ ...given, chain });
      const forms = formsOf(state);
      assert.match(forms.javascript.code, pattern);
      const expected = await truth(state);
      const [javascript, command, openai] = await Promise.all(Object.values(forms).map(run));
      assert.deepEqual(tokensIn(javascript), expected.tokens);
      assert.equal(openai, `${expected.text}\n`);
      const visible = (text) => text.replaceAll(/[^\p{L}\p{N}]/gu, '');
      assert.equal(visible(command), visible(state.text + expected.text));
    });

  test('tokens that the text does not give, and a window of a long text', async () => {
    const ids = [1, ...(await model.tokenize('The king', { add_special: false })), 300, 301];
    const state = stateOf({ ids, window: 2 });
    const { javascript, openai, 'command-line': command } = formsOf(state);
    assert.deepEqual(tokensIn(await run(javascript)), (await truth(state)).tokens);
    assert.match(javascript.notes.join(), /longer than what the model sees/);
    assert.match(openai.notes.join(), /no such option, so its tokens are others/);
    assert.equal(command.code, '');
    assert.match(command.notes.join(), /split into other tokens/);
  });

  test('a conversation with a model from a file', async () => {
    writeFileSync(join(folder, 'chat.gguf'), chatModel(TEMPLATE, { seed: 3 }));
    const chat = [{ role: 'user', content: 'it\'s "me"' }];
    const forms = formsOf({ source: 'chat.gguf', isFile: true, chat });
    const { javascript, openai, 'command-line': command } = forms;
    assert.match(javascript.code, /loadModel\('\.\/chat\.gguf'\)/);
    assert.match(javascript.notes.join(), /write the path of chat\.gguf/);
    assert.equal(tokensIn(await run(javascript)).length, 20);
    assert.ok((await run(openai)).length > 10);
    assert.match(command.code, /--chat --model \.\/chat\.gguf .*'it'\\''s "me"'\n$/);
    const longer = formsOf({ chat: [{ role: 'system', content: 'be short' }, ...chat] });
    assert.equal(longer['command-line'].code, '');
    assert.match(longer['command-line'].notes.join(), /no system prompt/);
  });

  test('a banned token, and what the numbers are', async () => {
    const chain = chains.withBias(chains.defaultChain, 300, -Infinity);
    const { javascript, openai } = formsOf({ chain });
    assert.match(openai.code, /logit_bias: \{ '?300'?: -Infinity \}/);
    assert.match(openai.notes.join(), /JSON cannot hold the -Infinity .* -100 to 100/);
    assert.match(javascript.code, /modelSays = Math\.exp\(logprob\); \/\/ .* before sampling/);
    const allowed = formsOf({ chain: chains.withBias(chains.defaultChain, 300, 4) });
    assert.doesNotMatch(allowed.openai.notes.join(), /JSON cannot/);
  });

  test('output formats', async () => {
    const schema = '{ "type": "object", "properties": { "a-b": { "type": "integer" } } }';
    const forms = formsOf({ format: { kind: 'schema', schema } });
    assert.match(forms.javascript.code, /schema: \{ type: 'object', properties: \{ 'a-b': /);
    assert.match(forms.javascript.notes.join(), /starts at the end of the typed text/);
    assert.match(await run(forms.javascript), /"\{/);
    assert.match(await run(forms.openai), /^ ?\{/);
    assert.equal(forms['command-line'].code, '');
    assert.match(forms['command-line'].notes.join(), /no output formats/);
  });
});
