// observe, edits and lenses in real browsers: in a worker and in the page's thread, the bits are
// those of Node.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { loadModel } from '../../dist/node.js';
import { browsers, openBlank, scenariosIn } from './browsers.mjs';
import * as scenarios from './pages/inside.mjs';

// one build, so that Node and the browsers compute the same bits
const OPTIONS = { kernels: 'simd128' };

for (const { name, needs } of browsers) {
  describe(`inside the model in ${name}`, needs, () => {
    let page, close;
    before(async () => {
      ({ page, close } = await openBlank(name));
    });
    after(() => close?.());

    const inPage = scenariosIn(() => page, 'inside.mjs');

    for (const worker of [true, false]) {
      const where = worker ? 'in a worker' : "in the page's thread";

      test(`observations and a generation under an edit have the bits of Node ${where}`, async () => {
        const expected = await scenarios.observed(loadModel, { ...OPTIONS, worker: false });
        assert.notEqual(expected.edited.logits, expected.stock.logits);
        assert.equal(expected.tokens.length, 12);
        assert.deepEqual(await inPage('observed', { ...OPTIONS, worker }), expected);
      });

      test(`lenses give what they give in Node ${where}`, async () => {
        const expected = JSON.parse(
          await scenarios.lenses(loadModel, { ...OPTIONS, worker: false }),
        );
        const found = JSON.parse(await inPage('lenses', { ...OPTIONS, worker }));
        const { pawn, logitLens, attribute } = found;
        // Math.exp and Math.log of runtimes may differ in their last bit
        assert.deepEqual(logitLens.positions, expected.logitLens.positions);
        assert.deepEqual(attribute.parts, expected.attribute.parts);
        assert.equal(pawn.tokens.length, expected.pawn.tokens.length);
        for (const [i, { top_p, ...token }] of pawn.tokens.entries()) {
          const { top_p: other, ...same } = expected.pawn.tokens[i];
          assert.deepEqual(token, same);
          assert.ok(Math.abs(top_p - other) < 1e-12);
        }
      });
    }
  });
}
