// Checks every paper of demo/papers for which the package claims something, on the built package
// and the built-in model or a toy, and prints the table of all papers with the figures of this run.
// The exit code is 1 when a check fails.
//   npm run papers                 all checks
//   npm run papers -- 4 63         the checks of these papers
//   npm run papers -- --write      writes the table to demo/papers/README.md, too
import { readFileSync, writeFileSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { loadModel } from '../../dist/node.js';
import { DOCUMENT, checks, papers, runChecks, tableOf } from './list.mjs';

const { values, positionals } = parseArgs({
  allowPositionals: true,
  options: { write: { type: 'boolean' } },
});
const wanted = positionals.map(Number);
for (const [i, number] of wanted.entries())
  if (!papers.some((paper) => paper.number === number))
    throw new Error(`no paper ${positionals[i]}`);
const chosen = papers.filter(({ number }) => wanted.length === 0 || wanted.includes(number));

const story = await loadModel('storybook', { worker: false, n_ctx: 512, n_kv: 2048 });
const { figures, failed } = await runChecks(chosen, checks, story, console.log);
await story.dispose();
const others = chosen.filter(({ why }) => why !== undefined).length;
console.log(
  `${Object.keys(figures).length} checks passed, ${failed.length} failed; ` +
    `${others} of ${chosen.length} papers are not carried`,
);
if (failed.length > 0) process.exitCode = 1;
else if (values.write && wanted.length === 0) {
  const table = tableOf(figures);
  const text = readFileSync(DOCUMENT, 'utf8').replace(
    /(<!-- papers[^]*?-->\n)[^]*(<!-- end -->)/,
    (_, begin, end) => `${begin}\n${table}\n\n${end}`,
  );
  writeFileSync(DOCUMENT, text);
}
