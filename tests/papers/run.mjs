// Checks every paper of demo/papers for which the package claims something, on the built package
// and the built-in model or a toy, and prints the table of all papers with the figures of this run.
// The exit code is 1 when a check fails.
//   npm run papers                 all checks
//   npm run papers -- 4 63         the checks of these papers
//   npm run papers -- --write      writes the table to demo/papers/README.md, too
import { readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { loadModel } from '../../dist/node.js';
import { DOCUMENT, cellsOf, checks, papers, tableOf } from './list.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { write: { type: 'boolean' } },
});
const wanted = positionals.map(Number);
for (const [i, number] of wanted.entries())
  if (!papers.some((paper) => paper.number === number))
    throw new Error(`no paper ${positionals[i]}`);

const story = await loadModel('storybook', { worker: false, n_ctx: 512, n_kv: 2048 });
const figures = {};
const failed = [];
for (const paper of papers) {
  const { number, name } = paper;
  if (wanted.length > 0 && !wanted.includes(number)) continue;
  if (paper.why !== undefined) {
    console.log(`      ${number} ${name}: ${paper.why}`);
    continue;
  }
  const start = performance.now();
  try {
    figures[number] = await checks[number](story);
    console.log(`ok    ${number} ${name} (${Math.round(performance.now() - start)} ms)`);
    console.log(`      ${cellsOf(paper, figures[number]).slice(3).join('\n      ')}`);
  } catch (error) {
    failed.push(number);
    console.log(`FAILS ${number} ${name}: ${error.stack}`);
  }
}
await story.dispose();

const count = Object.keys(figures).length;
const others = papers.filter(({ why }) => why !== undefined).length;
console.log(
  `${count} checks passed, ${failed.length} failed; ${others} of ${papers.length} papers are not carried`,
);
if (failed.length > 0) process.exitCode = 1;
else if (values.write && wanted.length === 0) {
  const text = readFileSync(DOCUMENT, 'utf8');
  const table = tableOf(figures);
  writeFileSync(
    DOCUMENT,
    text.replace(
      /(<!-- papers[^]*?-->\n)[^]*(<!-- end -->)/,
      `$1\n${table.replaceAll('$', '$$$$')}\n\n$2`,
    ),
  );
}
