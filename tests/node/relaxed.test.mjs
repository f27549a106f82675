// Runs the API's tests again in a Node that has relaxed SIMD (TOKENGLASS_NODE24), where the relaxed
// build is the default.
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { test } from 'node:test';
import { all, inTree } from '../support/support.mjs';

const LONG = ['api', 'sessions', 'stage-table', 'session-score', 'divergence'];
const FILES = ['trace', 'turns', 'threads', ...(all ? LONG : [])].map((name) =>
  inTree(`tests/node/${name}.test.mjs`),
);
const newer = process.env.TOKENGLASS_NODE24;
const skip = !newer && 'TOKENGLASS_NODE24 names no newer Node';

test(
  'sessions, traces, turns and threads with relaxed kernels, in a newer Node',
  { skip, timeout: 300_000 },
  (t) => {
    const env = { ...process.env };
    delete env.NODE_TEST_CONTEXT; // the child reports to this test, not to the test runner
    const load = `const { loadModel } = await import(${JSON.stringify(inTree('dist/node.js'))});
    const model = await loadModel('storybook');
    console.log(model.info.kernel_variant);
    await model.dispose();`;
    const variant = execFileSync(newer, ['--input-type=module', '-e', load], {
      env,
      encoding: 'utf8',
    });
    assert.equal(variant.trim(), 'relaxed');
    const { status, stdout, stderr } = spawnSync(
      newer,
      ['--test', '--test-reporter=tap', '--test-concurrency=1', ...FILES],
      {
        env,
        encoding: 'utf8',
      },
    );
    assert.equal(status, 0, stdout + stderr);
    const [, passed] = stdout.match(/^# pass (\d+)$/m);
    assert.ok(Number(passed) > (all ? 30 : 10), stdout);
    t.diagnostic(`${passed} passed`);
  },
);
