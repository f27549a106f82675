// What fits and what moves: no name is cut in a narrow window, a drawn token flies to the text, and
// numbers of before are pale while the page works on new ones.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { serve } from '../../demo/serve.mjs';
import { inTree } from '../support/support.mjs';
import { pageBrowsers, open } from './browsers.mjs';
import { arrive, cutTexts, shown } from './page.mjs';

for (const { name, needs } of pageBrowsers) {
  describe(`room and motion in ${name}`, needs, () => {
    let server, blank;
    before(async () => {
      server = await serve({ port: 0, roots: [inTree('dist/demo')] });
      blank = await open(name); // keeps the shared browser open while a test uses another
    });
    after(async () => {
      await blank?.close();
      await server?.close();
    });

    const visit = async (options) => arrive(await open(name, options), server.url);

    for (const width of [1440, 1280, 1200, 1024, 800])
      test(`no name is cut and nothing covers another part: ${width} px`, async () => {
        const { page, press, choose } = await visit({ width, height: 800 });
        try {
          await press('introduction-close');
          await choose('output-format', 'json'); // a column more
          await press('step');
          assert.deepEqual(await page.run(cutTexts), []);
          const overlaps = await page.run(() => {
            const parts = [...document.querySelectorAll('.page-header > *, .page-header nav > *')];
            const boxes = parts.map((part) => [part, part.getBoundingClientRect()]);
            return boxes.flatMap(([a, { right, left, top, bottom }]) =>
              boxes
                .filter(([b, box]) => {
                  const apart =
                    box.left >= right ||
                    box.right <= left ||
                    box.top >= bottom ||
                    box.bottom <= top;
                  return a !== b && !a.contains(b) && !b.contains(a) && !apart;
                })
                .map(([b]) => `${a.textContent}: ${b.textContent}`),
            );
          });
          assert.deepEqual(overlaps, []);
        } finally {
          await page.close();
        }
      });

    for (const width of [1440, 1280])
      test(`the table stays in its place when an earlier token is chosen: ${width} px`, async () => {
        const { page, press, token } = await visit({ width, height: 900 });
        try {
          await press('introduction-close');
          await press('step');
          const top = () =>
            page.run(() => [
              document.querySelector('.ledger [role="grid"]').getBoundingClientRect().top,
              document.querySelector('[data-testid="to-end"]') !== null,
            ]);
          const [before, isEarlier] = await top();
          assert.equal(isEarlier, false);
          await token(4);
          assert.deepEqual(await top(), [before, true]);
        } finally {
          await page.close();
        }
      });

    for (const calm of [false, true])
      test(`a token that the user draws flies to the text, ${calm ? 'but not with reduced motion' : 'and tokens of a run do not'}`, async () => {
        const { page, press, pause } = await visit({ calm });
        try {
          await press('introduction-close');
          await page.run(() => {
            globalThis.flights = [];
            new MutationObserver((changes) => {
              for (const { addedNodes } of changes)
                for (const node of addedNodes)
                  if (node.classList.contains('flying')) globalThis.flights.push(node.textContent);
            }).observe(document.body, { childList: true });
          });
          const flights = () => page.run(() => globalThis.flights);
          const [next] = await page.run(() =>
            [...document.querySelectorAll('.next .piece')].map(({ textContent }) => textContent),
          );
          await press('step');
          if (!calm) await page.wait(() => globalThis.flights.length > 0);
          await page.wait(() => !document.querySelector('.flying'));
          await page.click('run');
          await page.wait(shown, 8);
          await pause();
          await page.frames(3);
          assert.deepEqual(await flights(), calm ? [] : [next]);
        } finally {
          await page.close();
        }
      });

    test('numbers of before are pale while the page works long on new ones', async () => {
      const { page, press, set } = await visit();
      try {
        await press('introduction-close');
        const opacity = () => getComputedStyle(document.querySelector('.ledger tbody')).opacity;
        assert.equal(await page.run(opacity), '1');
        const pasted = set('editor', 'The little girl went to the forest. '.repeat(400));
        await page.wait(
          () => getComputedStyle(document.querySelector('.ledger tbody')).opacity < 1,
        );
        const note = () => document.querySelector('[data-testid="note"]').textContent;
        assert.match(await page.run(note), /Reading the text: [\d,]+ tokens so far/);
        await pasted;
        await page.wait(
          () => getComputedStyle(document.querySelector('.ledger tbody')).opacity === '1',
        );
        assert.doesNotMatch(await page.run(note), /Reading/);
      } finally {
        await page.close();
      }
    });
  });
}
