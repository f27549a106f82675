// The examples of the README, of web/README.md, of web/methods/README.md, of web/lenses/README.md
// and of the JSDoc comments type-check in strict TypeScript and run. The commands of web/README.md
// run as printed.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { test } from 'node:test';
import { errorCodes, stages } from '../../dist/node.js';
import { publicDeclarations } from '../support/declarations.mjs';
import { examplesOf, runExample, typeErrors, withPrelude } from '../support/examples.mjs';
import { inTree } from '../support/support.mjs';

const { entries } = publicDeclarations();
const PAGES = ['web/README.md', 'web/methods/README.md', 'web/lenses/README.md'];
const reference = PAGES.map((path) => readFileSync(inTree(path), 'utf8')).join('\n');
const first = examplesOf('README.md');
const pages = [...first, ...PAGES.flatMap(examplesOf)];
const comments = entries.flatMap(({ name, examples }) =>
  examples.map((code, i) => ({ name: `${name.replace(/\W+/g, '_')}_${i}`, code })),
);

function run(code) {
  const { status, stdout, stderr } = runExample(code);
  assert.equal(status, 0, `${stderr}\n${code}`);
  return stdout;
}

for (const resolution of ['node16', 'bundler']) {
  test(`every example type-checks in strict TypeScript, resolution ${resolution}`, () => {
    const declared = 'declare const model: Model;\ndeclare const session: Session;\n';
    const programs = [
      ...pages,
      ...comments.map(({ name, code }) => ({ name, code: withPrelude(code, declared) })),
    ];
    assert.ok(pages.length > 8 && comments.length > 40);
    // `await using` and node: modules need more type libraries than a page has
    const needsMore = ({ code }) => /await using|from 'node:/.test(code);
    assert.equal(
      typeErrors(
        programs.filter((program) => !needsMore(program)),
        resolution,
      ),
      '',
    );
    const more = programs.filter(needsMore);
    assert.ok(more.length > 0);
    const typeRoots = [inTree('node_modules/@types')];
    const options = { lib: ['ESNext', 'DOM'], types: ['node'], typeRoots, skipLibCheck: true };
    assert.equal(typeErrors(more, resolution, options), '');
  });
}

test('the type check reports an error in an example', () => {
  const code = "import { loadModel } from 'tokenglass';\nawait loadModel('x', { n_ctxt: 5 });\n";
  assert.match(typeErrors([{ name: 'wrong', code }], 'bundler'), /n_ctxt/);
});

test('the ten-line example of the README runs as printed', () => {
  assert.ok(first[0].code.trim().split('\n').length <= 10);
  const stdout = run(first[0].code);
  assert.equal(stdout.trim().split('\n').length, 13, stdout);
  assert.match(stdout, /most probable: "[^"]+" 0\.\d{3}/);
  assert.match(stdout, /Once upon a time/);
});

test('the examples of the pages run as printed', () => {
  const output = pages
    .slice(1)
    .map(({ code }) => run(code))
    .join('\n');
  assert.match(output, /removed_by: 'top_k'|stage: 'top_k'/);
  assert.match(output, /top_k 40 3032 top_k: kept the 40 highest of 3072/);
  assert.match(output, /The old man opened the door and/);
  assert.match(output, /^192$/m);
  assert.match(output, /finish_reason: 'stop'/);
  assert.match(output, /TEMPLATE_MISSING/);
  assert.match(output, /^(ok 1 - |✔ )the model chooses as it did/m);
  assert.match(output, /^GGUF_/m);
});

test('the examples of the JSDoc comments run', () => {
  // the built-in model has no chat template, and tests do not use the internet
  const runnable = comments.filter(({ code }) => !/[cC]hat|https:/.test(code));
  assert.ok(runnable.length > 30);
  const setup = `const model: Model = await loadModel('storybook', { worker: false });
const session: Session = model.createSession({ seed: 1 });
await session.sync('Once upon a time there was');
`;
  const [ending, others] = [/model\.dispose|session\.dispose/, []];
  for (const { code } of runnable) if (!ending.test(code)) others.push(`{\n${code}\n}`);
  const last = runnable.filter(({ code }) => ending.test(code)).map(({ code }) => code);
  run(withPrelude([...others, ...last.sort().reverse()].join('\n'), setup));
});

test('the reference names every call, stage, option and error', () => {
  const calls = entries.filter(({ call }) => call);
  for (const { name } of calls) {
    if (/\[Symbol|\.constructor$/.test(name)) continue;
    const call = name.split('.').at(-1);
    assert.ok(reference.includes(`${call}(`) || reference.includes(`\`${call}\``), name);
  }
  for (const { name, options, lists } of stages) {
    assert.ok(reference.includes(`| \`${name}\` |`), name);
    for (const option of [...options.map((each) => each.name), ...lists])
      assert.ok(reference.includes(`\`${option}\``), option);
  }
  const listed = [...reference.matchAll(/^\| `([A-Z_0-9]+)` \| (.*) \|$/gm)].map(
    ([, name, meaning]) => ({ name, meaning }),
  );
  assert.deepEqual(
    listed,
    errorCodes.map(({ name, meaning }) => ({ name, meaning })),
  );
});

test('the commands of the reference run as printed', () => {
  const [, commands] = reference.match(/## The command line\n[^`]*```sh\n([^`]*)```/);
  const folder = inTree('build/readme');
  mkdirSync(folder, { recursive: true });
  writeFileSync(`${folder}/story.txt`, 'The cat sat on the mat.');
  const lines = commands
    .trim()
    .split('\n')
    .map((line) => line.replace(/ +#.*$/, ''))
    .filter((line) => !line.includes('--chat'));
  assert.ok(lines.length >= 4);
  for (const command of lines) {
    assert.match(command, /^npx tokenglass /);
    const line = command
      .replace('npx tokenglass', `${process.execPath} ${inTree('dist/cli.js')}`)
      .replace('FILE.gguf', inTree('dist/storybook-q8_0.gguf'));
    const { status, stdout, stderr } = spawnSync('sh', ['-c', line], {
      cwd: folder,
      encoding: 'utf8',
      timeout: 60_000,
    });
    assert.equal(status, 0, `${command}: ${stderr}`);
    assert.ok(stdout.length > 20, command);
  }
});
