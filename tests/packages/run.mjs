// Installs the packed package in small apps, one for each environment, builds them, runs them and
// compares what they generate with what dist/ gives in this Node. Prints "ok", "not ok" or "skip"
// for each, and at the end "N passed, N failed, N skipped"; the exit code is 1 when one failed.
//   npm run test:packages                    every environment
//   npm run test:packages -- vite7 next      the environments whose name contains one of the words
//   npm run test:packages -- --quick         those of `npm test`: nothing comes from the network
//   npm run test:packages -- --write         rewrites the table in tests/README.md
// The first line says where the apps lie; they stay there, so that the next run installs less.
import { execFileSync } from 'node:child_process';
import { dirname } from 'node:path';
import { parseArgs } from 'node:util';
import { inTree } from '../support/support.mjs';
import { loadEnvironments } from './environments.mjs';
import { expectation } from './expectation.mjs';
import { packPackage, prepareApp } from './prepare.mjs';
import { browsersOf, runRow } from './row.mjs';
import { writeTable } from './table.mjs';

const { values: flags, positionals: words } = parseArgs({
  allowPositionals: true,
  options: { quick: { type: 'boolean' }, write: { type: 'boolean' } },
});

if (!process.env.TOKENGLASS_BUILT)
  execFileSync('./build.sh', ['dist'], {
    cwd: inTree('.'),
    stdio: ['ignore', 'inherit', 'inherit'],
  });

const rows = (await loadEnvironments()).filter(
  ({ name, inTest }) =>
    (!flags.quick || inTest) && (!words.length || words.some((word) => name.includes(word))),
);
const tarball = packPackage();
console.log(`apps: ${dirname(tarball)}`);
const expected = await expectation();
const counts = { passed: 0, failed: 0, skipped: 0 };
const outcomes = new Map(); // row -> its results by where it ran

for (const row of rows) {
  const start = Date.now();
  const seconds = () => `${((Date.now() - start) / 1000).toFixed(0)} s`;
  const why =
    row.run === 'browser' && !browsersOf(row).length
      ? 'no browser for it is installed'
      : await row.skip?.();
  if (why) {
    counts.skipped++;
    console.log(`skip ${row.name}: ${why}`);
    continue;
  }
  try {
    const folder = await prepareApp(row, tarball);
    const outcome = await runRow(row, folder, expected);
    outcomes.set(row, outcome);
    counts.passed++;
    console.log(`ok ${row.name} (${Object.keys(outcome).join(', ')}; ${seconds()})`);
  } catch (error) {
    counts.failed++;
    console.log(`not ok ${row.name} (${seconds()})\n  ${error.message.replaceAll('\n', '\n  ')}`);
  }
}
await expected.close();
if (flags.write) writeTable(rows, outcomes);
const skipped = counts.skipped ? `, ${counts.skipped} skipped` : '';
console.log(`${counts.passed} passed, ${counts.failed} failed${skipped}`);
process.exit(counts.failed ? 1 : 0);
