// The first text of the page: what a visitor gets who presses Run is the paragraph that was chosen,
// in every build of the engine, and its first choice is worth looking at.
import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { loadModel } from '../../dist/node.js';
import { bundle } from './page.mjs';

const PARAGRAPH =
  ' looked up very slowly. Then she looked back at the top of the side of the door. She saw a' +
  ' tiny one, and she sat down again, holding it in her hand, and ran away.';

describe('the first text', () => {
  let first;
  before(async () => {
    first = await bundle('state/first-text');
  });

  for (const kernels of ['simd128', 'relaxed'])
    test(`the ${kernels} build`, async (t) => {
      let model;
      try {
        model = await loadModel('storybook', { worker: false, kernels });
      } catch (error) {
        if (error.code === 'ENGINE_UNSUPPORTED') return t.skip(error.message);
        throw error;
      }
      try {
        const session = model.createSession({ seed: first.FIRST_SEED });
        await session.sync(first.FIRST_TEXT);
        const { candidates, draw, entropy } = await session.candidates({ top_n: 100 });
        const kept = candidates.filter(({ removed_by }) => removed_by === undefined);
        assert.ok(kept.length >= 5);
        assert.notEqual(draw.token, kept[0].token, 'the most probable token is not drawn');
        assert.ok(entropy / Math.LN2 > 3 && entropy / Math.LN2 < 6);
        let text = '';
        for await (const step of session.generate(undefined, { max_tokens: 60, trace: false })) {
          text += step.text;
          if (text.length >= PARAGRAPH.length) break;
        }
        assert.equal(text, PARAGRAPH);
      } finally {
        await model.dispose();
      }
    });
});
