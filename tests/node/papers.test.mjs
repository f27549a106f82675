// The list of papers: its rows are complete, what they name exists in the package, and the table in
// the documents is that of the list. `npm run papers` runs the checks themselves.
import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { lenses } from '../../dist/node-lenses.js';
import { methods } from '../../dist/node-methods.js';
import { DOCUMENT, cellsOf, checks, papers, rowsOf, runChecks } from '../papers/list.mjs';
import { publicDeclarations } from '../support/declarations.mjs';
import { inTree, shared } from '../support/support.mjs';

const KINDS = ['decode', 'lens', 'embed', 'tokenizer', 'arch', 'domain', 'train'];
const carried = papers.filter(({ why }) => why === undefined);

test('numbers 1 to 66 are there once, each with a title, a year, a kind and a sentence', () => {
  assert.deepEqual(
    papers.map(({ number }) => number),
    Array.from({ length: 66 }, (_, i) => i + 1),
  );
  for (const { number, name, title, year, kind, sentence } of papers) {
    assert.ok(name && title, String(number));
    assert.ok(year > 1990 && year < 2100 && KINDS.includes(kind), String(number));
    assert.match(sentence, /^[A-Z].{30,}[.]$/, String(number));
  }
});

test('a row says what works and how it is checked, or why nothing works', () => {
  for (const paper of papers) {
    const { number, api, works, check, missing, why } = paper;
    const texts = why === undefined ? [works, check, missing ?? 'None.'] : [why];
    for (const text of texts) assert.match(text, /^[A-Z][^]*[.]$/, String(number));
    assert.equal(api === undefined, why !== undefined, String(number));
    assert.equal(typeof checks[number], why === undefined ? 'function' : 'undefined');
  }
  assert.equal(Object.keys(checks).length, carried.length);
});

test('what the rows name exists in the package', () => {
  const declared = new Set(publicDeclarations().entries.map(({ name }) => name));
  for (const { number, api } of carried) {
    assert.ok(api.length > 0, String(number));
    for (const name of api) {
      const [kind, id] = name.split(' ');
      const list = { method: methods, lens: lenses }[kind];
      if (list) {
        const row = list.find((one) => one.name === id);
        assert.ok(row, `${number}: there is no ${name}`);
        assert.equal(row.source.paper, number);
      } else assert.ok(declared.has(name), `${number}: there is no ${name}`);
    }
  }
  // and every method and lens whose source is in the list is named by its paper
  for (const [kind, list] of Object.entries({ method: methods, lens: lenses }))
    for (const { name, source } of list)
      if (source.paper !== undefined) {
        const { api, title } = papers[source.paper - 1];
        assert.ok(api?.includes(`${kind} ${name}`), `paper ${source.paper}: ${kind} ${name}`);
        assert.equal(source.title, title);
      }
});

test('the table in the documents is that of the list, with figures for every check', () => {
  const rows = rowsOf(readFileSync(DOCUMENT, 'utf8'));
  assert.equal(rows.length, papers.length);
  for (const [i, paper] of papers.entries()) {
    const figures = rows[i].at(-1);
    assert.equal(figures !== '', paper.why === undefined, `figures of ${paper.number}`);
    assert.deepEqual(rows[i], cellsOf(paper, figures));
  }
});

const list = shared('papers.tsv');
test('titles and years are those of the founding list', list.needs, () => {
  assert.ok(existsSync(list.path));
  const rows = readFileSync(list.path, 'utf8').trim().split('\n').slice(1);
  assert.deepEqual(
    papers.map(({ number, year, title }) => `${number}\t${year}\t${title}`),
    rows.map((row) =>
      row
        .split('\t')
        .filter((_, column) => column !== 2)
        .join('\t'),
    ),
  );
});

test('a check that fails is told, and the others still run', async () => {
  const printed = [];
  const own = {
    4: () => 'seven',
    20: () => assert.equal(1, 2),
    36: (story) => `story ${story}`,
  };
  const list = papers.filter(({ number }) => [4, 5, 20, 36].includes(number));
  const { figures, failed } = await runChecks(list, own, 9, (line) => printed.push(line));
  assert.deepEqual(figures, { 4: 'seven', 36: 'story 9' });
  assert.deepEqual(failed, [20]);
  assert.match(printed.join('\n'), /^ok {4}4 [^]*\n {6}5 [^]*\nFAILS 20 [^]*\nok {4}36 /);
});

const whole = process.env.TOKENGLASS_ALL ? {} : { skip: 'npm run papers runs all checks' };
test('all checks pass', whole, () => {
  const { status, stdout, stderr } = spawnSync(process.execPath, [inTree('tests/papers/run.mjs')], {
    encoding: 'utf8',
  });
  assert.equal(status, 0, stdout + stderr);
  assert.match(stdout, new RegExp(`^${carried.length} checks passed, 0 failed`, 'm'));
});
