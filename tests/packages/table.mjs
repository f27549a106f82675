// The table of environments in tests/README.md.
import { existsSync, readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { inTree } from '../support/support.mjs';
import { folderOf } from './prepare.mjs';

const README = inTree('tests/README.md');
const BEGIN = '<!-- environments: written by npm run test:packages -- --write -->';
const END = '<!-- end of environments -->';

/** The installed version of a package in the row's app. */
function versionOf(row, packageName) {
  const places = [join(folderOf(row), 'node_modules'), inTree('node_modules')];
  const path = places
    .map((place) => join(place, packageName, 'package.json'))
    .find((file) => existsSync(file));
  return path ? JSON.parse(readFileSync(path, 'utf8')).version : '';
}

const titleOf = (row) =>
  row.title.replace(/\{([^}]+)\}/g, (_, packageName) => versionOf(row, packageName));

const WORDS = {
  chromium: 'Chromium',
  firefox: 'Firefox',
  node: 'the program',
  fetch: 'the server',
  check: 'all entries',
};

/** Writes the rows that ran; rows of earlier runs stay when this run had only some of the rows. */
export function writeTable(rows, outcomes) {
  const readme = readFileSync(README, 'utf8');
  const [before, rest] = readme.split(BEGIN);
  if (rest === undefined) throw new Error(`${README} has no line ${BEGIN}`);
  const [old, after] = rest.split(END);
  const lines = new Map(
    [...old.matchAll(/^\| `([^`]+)` .*$/gm)].map(([line, name]) => [name, line]),
  );
  for (const row of rows) {
    const outcome = outcomes.get(row);
    const works = outcome ? Object.keys(outcome).map((key) => WORDS[key] ?? key) : [];
    const result = outcome ? `works in ${works.join(' and ')}` : 'did not run';
    const cells = [titleOf(row), row.entry ?? '`tokenglass`', row.setting ?? 'none', result];
    lines.set(row.name, `| \`${row.name}\` | ${cells.join(' | ')} |`);
  }
  const head = '| name | environment | entries | setting | result |\n|---|---|---|---|---|';
  const table = [...lines.keys()].sort().map((name) => lines.get(name));
  writeFileSync(README, `${before}${BEGIN}\n\n${head}\n${table.join('\n')}\n\n${END}${after}`);
}
