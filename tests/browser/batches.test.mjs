// Sessions that share batches, and speculation, in real browsers: the bits are those of each
// session alone, those of a plain run, and those of Node.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { loadModel } from '../../dist/node.js';
import { browsers, openBlank, scenariosIn } from './browsers.mjs';
import * as scenarios from './pages/batches.mjs';

// one build, so that Node and the browsers compute the same bits
const OPTIONS = { kernels: 'simd128' };
const inNode = new Map(); // results by scenario
const nodeResult = async (scenario, options) => {
  if (!inNode.has(scenario)) inNode.set(scenario, scenarios[scenario](loadModel, options));
  return inNode.get(scenario);
};

for (const { name, needs } of browsers) {
  describe(`batches and speculation in ${name}`, needs, () => {
    let page, close;
    before(async () => {
      ({ page, close } = await openBlank(name));
    });
    after(() => close?.());

    const inPage = scenariosIn(() => page, 'batches.mjs');

    test('six sessions at the same time have the bits of runs alone, in fewer passes', async (t) => {
      const { alone, together } = await inPage('shared', OPTIONS);
      const expected = (await nodeResult('shared', OPTIONS)).alone.steps;
      assert.equal(new Set(expected).size, 6);
      assert.deepEqual(alone.steps, expected);
      assert.deepEqual(together.steps, expected);
      assert.deepEqual(await inPage('inWorker', OPTIONS), expected);
      // the same tokens run, in passes of several sessions
      const sum = ({ passes }) => passes.reduce((all, rows) => all + rows, 0);
      assert.equal(together.decoded, alone.decoded);
      assert.equal(sum(alone), alone.decoded);
      assert.equal(sum(together), together.decoded);
      const [many, few] = [alone, together].map(({ passes }) => passes.length);
      t.diagnostic(`${many} passes alone, ${few} together`);
      assert.ok(few * 2 < many, `${many} passes alone, ${few} together`);
    });

    test('every setting of speculate gives the steps of the plain run', async (t) => {
      const [plain, ...others] = await inPage('speculated', OPTIONS);
      const [expected] = await nodeResult('speculated', OPTIONS);
      assert.deepEqual(plain, { steps: expected.steps, proposed: 0, accepted: 0 });
      assert.equal(others.length, scenarios.SETTINGS.length);
      for (const [i, { steps, proposed, accepted }] of others.entries()) {
        const setting = JSON.stringify(scenarios.SETTINGS[i]);
        assert.deepEqual(steps, plain.steps, setting);
        t.diagnostic(`${setting}: ${accepted} of ${proposed} tokens accepted`);
        assert.ok(accepted > 0 && accepted <= proposed, setting);
      }
    });
  });
}
