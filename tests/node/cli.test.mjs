// The command line as a user types it: text, columns, JSON, scores, chat, and what it refuses.
import assert from 'node:assert/strict';
import { spawn, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, test } from 'node:test';
import { writeGguf } from '../support/gguf-writer.mjs';
import { chatModel, tinyLlama } from '../support/tiny-llama.mjs';
import { DEFAULT_CHAIN, collect, inTree, withModel } from '../support/support.mjs';

const folder = mkdtempSync(join(tmpdir(), 'tokenglass-cli-'));
after(() => rmSync(folder, { recursive: true }));

function run(args, { input = '', env = {} } = {}) {
  const done = spawnSync(process.execPath, [inTree('dist/cli.js'), ...args], {
    input,
    encoding: 'utf8',
    timeout: 60_000,
    env: { ...process.env, ...env },
  });
  return { ...done, lines: done.stdout.split('\n').slice(0, -1) };
}

function works(args, more) {
  const done = run(args, more);
  assert.equal(done.status, 0, done.stderr);
  assert.equal(done.stderr, '');
  return done;
}

const PROMPT = 'Once upon a time';

test('text comes as the package makes it, and the same seed gives the same', async () => {
  const args = [
    PROMPT,
    '--seed',
    '1',
    '--max-tokens',
    '20',
    '--temperature',
    '0.7',
    '--top-k',
    '50',
  ];
  const { stdout } = works(args);
  const steps = await withModel('storybook', { worker: false }, (model) =>
    collect(
      model
        .createSession({ seed: 1 })
        .generate(PROMPT, { max_tokens: 20, temperature: 0.7, top_k: 50 }),
    ),
  );
  assert.equal(stdout, `${PROMPT}${steps.map(({ text }) => text).join('')}\n`);
  assert.equal(works(args).stdout, stdout);
  assert.notEqual(works([...args.slice(0, 2), '2', ...args.slice(3)]).stdout, stdout);
});

test('--top shows candidates in columns, --json a trace a line', () => {
  const { lines } = works([PROMPT, '--seed', '1', '--max-tokens', '3', '--top', '4']);
  assert.equal(lines.length, 3 * 6);
  assert.match(lines[0], /^5 {2}, {2}u 0\.\d{4} in 0\.\d{4} to [01]\.\d{4}$/);
  for (const line of lines.slice(1, 5))
    assert.match(line, /^ {2}[› ] \S.{15} +\d+ +\d+\.\d{2} % +\d+\.\d{2} %( {2}\w+)?$/);
  assert.equal(lines.slice(1, 5).filter((line) => line.includes('›')).length, 1);
  assert.match(lines[5], /everything else +\d+\.\d{2} %/);
  assert.ok(!lines.join('').includes('\u001b'), 'no colour where there is no terminal');
  const traces = works([
    PROMPT,
    '--seed',
    '1',
    '--max-tokens',
    '3',
    '--json',
    '--top',
    '4',
  ]).lines.map((line) => JSON.parse(line));
  assert.equal(traces.length, 3);
  for (const [i, { token, trace }] of traces.entries()) {
    assert.equal(trace.draw.token, token);
    assert.equal(trace.candidates.length, 4);
    assert.equal(trace.stages.length, DEFAULT_CHAIN.length);
    assert.ok(lines[6 * i].startsWith(`${5 + i}  `));
  }
});

test('--score scores a file or what is sent', async () => {
  const text = 'The cat sat on the mat.';
  writeFileSync(join(folder, 'text.txt'), text);
  const scores = await withModel('storybook', { worker: false }, (model) => model.score(text));
  const { stdout, lines } = works(['--score', join(folder, 'text.txt')]);
  assert.equal(works(['--score', '-'], { input: text }).stdout, stdout);
  assert.equal(lines.length, scores.length + 2);
  for (const [i, { logprob, token }] of scores.entries()) {
    assert.ok(lines[i + 1].includes(` ${token}`), lines[i + 1]);
    if (i > 0) assert.ok(lines[i + 1].includes(logprob.toFixed(3)), lines[i + 1]);
  }
  const mean = scores.slice(1).reduce((sum, { logprob }) => sum + logprob, 0) / (scores.length - 1);
  assert.ok(lines.at(-1).includes(`perplexity ${Math.exp(-mean).toFixed(3)}`), lines.at(-1));
  const printed = works(['--score', '-', '--json', '--top', '2'], { input: text }).lines.map(
    (line) => JSON.parse(line),
  );
  assert.deepEqual(
    printed.map(({ token }) => token),
    scores.map(({ token }) => token),
  );
  assert.equal(printed[3].top.length, 2);
});

test('--chat talks, turn by turn', () => {
  const template = '{% for m in messages %}{{ m.role }}: {{ m.content }} {% endfor %}assistant:';
  const path = join(folder, 'chat.gguf');
  writeFileSync(path, chatModel(template, { n_embd: 64 }));
  const args = ['--chat', '--model', path, '--seed', '3', '--max-tokens', '5', '--n-ctx', '512'];
  const { lines } = works(args, { input: 'the an\nan the\n' });
  assert.equal(lines.length, 2, lines.join('\n'));
  assert.equal(
    works(args, { input: 'the an\n\nan the\n' }).lines.length,
    1,
    'an empty line ends it',
  );
  const bare = run(['--chat', 'hello']);
  assert.equal(bare.status, 1);
  assert.match(bare.stderr, /^tokenglass: TEMPLATE_MISSING: /);
});

test('--info prints the header of a file, also of one that cannot run', () => {
  const { metadata, tensors } = tinyLlama({ type: 'Q8_0' });
  const file = (name, change) => {
    const path = join(folder, name);
    writeFileSync(path, writeGguf({ metadata: change(metadata), tensors }));
    return path;
  };
  const path = file('tiny.gguf', (keys) => keys);
  const { stdout } = works(['--info', path]);
  for (const [key] of metadata) assert.ok(stdout.includes(`  ${key} `), key);
  for (const { name, type, dims } of tensors)
    assert.match(stdout, new RegExp(`  ${name} +${type} +${dims.join(' x ')} `));
  assert.match(stdout, /general\.architecture +llama\n/);
  assert.match(stdout, /tokenizer\.ggml\.tokens +\[275\] /);
  const header = JSON.parse(works(['--info', path, '--json', '--n-ctx', '32']).stdout);
  assert.equal(header.error, null);
  assert.equal(header.keys.length, metadata.length);
  assert.equal(header.tensors.length, tensors.length);
  const total = tensors.reduce((sum, { dims }) => sum + dims.reduce((a, b) => a * b), 0);
  assert.equal(
    header.quant_types.reduce((sum, { params }) => sum + params, 0),
    total,
  );
  assert.deepEqual(header.quant_types.map(({ name }) => name).sort(), ['F32', 'Q8_0']);
  for (const name of ['file', 'header', 'weights', 'kv', 'scratch'])
    assert.ok(header.memory[name] > 0, name);
  assert.ok(header.memory.kv < JSON.parse(works(['--info', path, '--json']).stdout).memory.kv);

  const unknown = file('unknown.gguf', (keys) => [
    ['general.architecture', 'string', 'mamba\u001b[2J'],
    ...keys.slice(1),
  ]);
  const refused = works(['--info', unknown]).stdout;
  assert.match(refused, /general\.architecture +mamba␛\[2J\n/);
  assert.match(refused, /token_embd\.weight +Q8_0 +32 x 275 /);
  assert.match(refused, /cannot run the file: MODEL_ARCH_UNSUPPORTED: /);
  assert.doesNotMatch(refused, /memory plan|\u001b/);

  const cut = join(folder, 'cut.gguf');
  writeFileSync(cut, writeGguf({ metadata, tensors }).slice(0, 1000));
  const { error, keys } = JSON.parse(works(['--info', cut, '--json']).stdout);
  assert.match(error.code, /^GGUF_/);
  assert.ok(keys.length > 0 && keys.length < metadata.length);
});

test('control characters are shown, not sent', () => {
  const text = 'a\u001b[31mred\u0007 \u202e\u009b2J';
  const { stdout } = works(['--score', '-'], { input: text });
  for (const character of ['\u001b', '\u0007', '\u202e', '\u009b'])
    assert.ok(!stdout.includes(character), escape(character));
  const shown = works(['\u001b[2Jhello', '--seed', '1', '--max-tokens', '1']);
  assert.ok(shown.stdout.startsWith('␛[2Jhello'), JSON.stringify(shown.stdout));
});

test('wrong usage is reported with the reason', () => {
  const refused = (args, status, words) => {
    const done = run(args);
    assert.equal(done.status, status, done.stderr);
    assert.match(done.stderr, words);
    assert.match(done.stderr, /^tokenglass: /);
    assert.equal(done.stdout, '');
  };
  refused([], 2, /no prompt/);
  refused(['a', 'b'], 2, /more than one prompt/);
  refused(['a', '--temprature', '1'], 2, /temprature/);
  refused(['a', '--temperature', 'hot'], 2, /--temperature hot: a number/);
  refused(['a', '--top', '-1'], 2, /top/);
  refused(['a', '--top', 'x'], 2, /--top x/);
  refused(['a', '--seed', '1.5'], 2, /--seed/);
  refused(['a', '--top-p', '2', '--seed', '1'], 1, /SAMPLER_BAD_OPTION: top_p is 2/);
  refused(['a', '--samplers', 'top_q'], 1, /SAMPLER_BAD_OPTION/);
  refused(['a', '--model', join(folder, 'none.gguf')], 1, /SOURCE_NOT_FOUND/);
  refused(['--score', join(folder, 'none.txt')], 1, /none\.txt/);
  refused(['--info', join(folder, 'none.gguf')], 1, /SOURCE_NOT_FOUND/);
  refused(['--info', inTree('package.json')], 1, /GGUF_BAD_MAGIC.*JSON/);
  refused(['a', '--timeout-ms', 'soon'], 2, /--timeout-ms soon: a whole number/);
  assert.match(works(['--help']).stdout, /--xtc-probability/);
  assert.match(works(['--version']).stdout, /^\d+\.\d+\.\d+\n$/);
});

test('the reader of the output may stop reading', async () => {
  const child = spawn(
    process.execPath,
    [
      inTree('dist/cli.js'),
      PROMPT,
      '--seed',
      '1',
      '--ignore-eos',
      '--max-tokens',
      '100000',
      '--shift',
    ],
    {
      stdio: ['ignore', 'pipe', 'pipe'],
    },
  );
  let errors = '';
  child.stderr.on('data', (part) => (errors += part));
  await new Promise((resolve) => child.stdout.once('data', resolve));
  child.stdout.destroy();
  const code = await new Promise((resolve) => child.once('exit', resolve));
  assert.equal(code, 0, errors);
  assert.equal(errors, '');
});
