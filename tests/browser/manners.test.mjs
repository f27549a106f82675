// The page's accessibility and security, in real browsers: the whole journey by keyboard, by touch
// at 360 px, axe's findings, forced colours, reduced motion, the tour, and a vocabulary full of
// markup.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { serve } from '../../demo/serve.mjs';
import { writeGguf } from '../support/gguf-writer.mjs';
import { tinyLlama } from '../support/tiny-llama.mjs';
import { inTree } from '../support/support.mjs';
import { axe, browsers, open } from './browsers.mjs';
import { hand, quiet, read, shown } from './page.mjs';

const PIECES = [
  '<img src=x onerror=document.title=1>',
  '<script>document.title=2</script>',
  '</textarea>',
  '&amp;',
  '&lt;b&gt;',
  '"><svg onload=document.title=3>',
  "javascript:document.title='4'",
  '{{constructor}}',
  '${document.title=5}',
  '<!--',
  ']]>',
];

/** A model whose texts are all markup. */
function markup() {
  const { metadata, tensors } = tinyLlama({ seed: 4, n_vocab: 600 });
  const dressed = metadata.map(([key, type, value]) => {
    if (key === 'llama.context_length') return [key, type, 1024];
    if (key !== 'tokenizer.ggml.tokens') return [key, type, value];
    return [
      key,
      type,
      value.map((token, i) => (i >= 259 ? `${PIECES[i % PIECES.length]}${i}` : token)),
    ];
  });
  return writeGguf({ metadata: [...dressed, ['general.name', 'string', PIECES[0]]], tensors });
}

/** Fails if axe finds something serious in the page, or in the part that a selector finds. */
async function assertAccessible(page, selector) {
  const serious = (await axe(page, selector)).filter(({ impact }) =>
    ['serious', 'critical'].includes(impact),
  );
  assert.equal(serious.length, 0, JSON.stringify(serious, null, 1).slice(0, 3000));
}

for (const { name, needs } of browsers) {
  describe(`manners in ${name}`, needs, () => {
    let server, blank;
    before(async () => {
      server = await serve({ port: 0, roots: [inTree('dist/demo')] });
      blank = await open(name); // keeps the shared browser open while a test uses another
    });
    after(async () => {
      await blank?.close();
      await server?.close();
    });

    const visit = async (options, address = server.url) => {
      const page = await open(name, options);
      await page.goto(address);
      await page.wait(shown, 0);
      await page.wait(quiet);
      return { page, ...hand(page) };
    };

    test('the whole journey by keyboard: step, run, look back, take another, undo, find, share, close', async () => {
      const { page, settled, all } = await visit();
      try {
        const press = (key) => settled(() => page.press(key));
        const focus = () =>
          page.run(() => document.activeElement.dataset.testid ?? document.activeElement.className);
        /** Presses Tab until the element has the focus. */
        const tabTo = async (id) => {
          for (let i = 0; i < 80; i++) {
            if ((await focus()) === id) return;
            await page.press('Tab');
          }
          assert.fail(`Tab does not come to ${id}`);
        };
        await tabTo('tour-skip');
        await press('Enter');
        assert.equal((await press('s')).ids.length, 1);
        await press('s');
        await page.press(' ');
        await page.wait(shown, 5);
        await page.press(' ');
        const { ids } = await settled(async () => {});
        const n = (await page.run(read)).ids.length;
        await press('ArrowLeft');
        await press('ArrowLeft');
        const index = await page.run(() =>
          Number(document.querySelector('.choice-panel').dataset.index),
        );
        const prompt = (await all('[data-prompt-id]')).length;
        assert.equal(index, prompt + n - 2);
        await page.press('ArrowDown');
        for (let i = 0; i < 3; i++) await page.press('ArrowDown');
        const token = await page.run(() =>
          Number(document.activeElement.closest('[data-token]').dataset.token),
        );
        const taken = await press('Enter');
        assert.equal(taken.ids.length, n - 1);
        assert.equal(taken.ids.at(-1), token);
        await page.run(() => document.activeElement.blur());
        assert.equal((await press('z')).ids.length, n);
        assert.equal((await press('y')).ids.at(-1), token);
        // along the text
        await page.run(() => document.querySelector('.text .token.current').focus());
        await page.press('ArrowLeft');
        await press('Enter');
        assert.equal(
          await page.run(() => document.activeElement.getAttribute('aria-pressed')),
          'true',
        );
        await press('Escape');
        assert.equal(
          await page.run(() => document.querySelector('.choice-panel').dataset.index),
          undefined,
        );
        await page.press('/');
        assert.equal(await focus(), 'search');
        await settled(() => page.type('king'));
        assert.ok((await all('[data-testid="found"]')).length > 0);
        await page.run(() => document.activeElement.blur());
        await page.press('?');
        await page.wait(() => document.querySelector('[data-testid="keys"]') !== null);
        assert.match((await all('[data-testid="keys"]'))[0].text, /Space.*undo, redo.*this list/s);
        await page.press('Escape');
        await page.wait(() => document.querySelector('dialog[open]') === null);
        await page.run(() => document.activeElement.blur());
        assert.deepEqual((await press('r')).ids, []);
        await tabTo('share');
        await page.press('Enter');
        await page.wait(() =>
          document.querySelector('[data-testid="link"]')?.value.includes('#moment='),
        );
        await page.press('Escape');
        await page.wait(() => document.querySelector('dialog[open]') === null);
        assert.equal(await focus(), 'share', 'the focus is back where it was');
        // typed letters are text, and single-key shortcuts can be turned off
        await settled(() => page.set('prompt', ''));
        await page.run(() => document.querySelector('[data-testid="prompt"]').focus());
        const typed = await settled(async () => {
          await page.type('yzrs ?');
          await page.wait(
            () => document.querySelector('[data-testid="prompt"]').value === 'yzrs ?',
          );
        });
        assert.deepEqual([typed.prompt, typed.ids], ['yzrs ?', []]);
        await page.run(() => document.activeElement.blur());
        await page.press('?');
        await page.wait(() => document.querySelector('[data-testid="single-keys"]') !== null);
        await page.click('single-keys');
        await page.press('Escape');
        await page.run(() => document.activeElement.blur());
        assert.deepEqual((await press('s')).ids, []);
        assert.deepEqual(page.complaints, []);
      } finally {
        await page.close();
      }
    });

    test('with a finger at 360 px: everything is reached by taps, and nothing scrolls sideways', async () => {
      const { page, settled, all } = await visit({ width: 360, height: 740, touch: true });
      try {
        const tap = (selector) => settled(() => page.tap(selector));
        const id = (name) => `[data-testid="${name}"]`;
        await tap(id('tour-skip'));
        for (let i = 0; i < 3; i++) assert.equal((await tap(id('step'))).ids.length, i + 1);
        const { ids } = await page.run(read);
        const prompt = (await all('[data-prompt-id]')).length;
        await tap(`.text [data-index="${prompt + 1}"]`);
        assert.equal(
          await page.run(() => Number(document.querySelector('.choice-panel').dataset.index)),
          prompt + 1,
        );
        const other = (await page.run(read)).candidates.find(({ token }) => token !== ids[1]).token;
        assert.deepEqual((await tap(`${id('candidate')}[data-token="${other}"]`)).ids, [
          ids[0],
          other,
        ]);
        assert.deepEqual((await tap(id('undo'))).ids, ids);
        await tap(id('switch-min_p'));
        await tap('.paths-panel summary');
        await tap('[data-testid="paths"] button');
        for (const sheet of ['models', 'share', 'compare', 'tokenizer', 'developers', 'help']) {
          await tap(id(sheet));
          const { overflow } = await page.run(read);
          assert.ok(overflow <= 0, sheet);
          const over = await page.run(
            () =>
              document.querySelector('dialog[open]').scrollWidth -
              document.querySelector('dialog[open]').clientWidth,
          );
          assert.ok(over <= 0, `${sheet}: ${over} px too wide`);
          await tap(`dialog[open] ${id(`${sheet}-dialog-close`)}`);
        }
        const order = await page.run(() =>
          ['.text-panel', '.choice-panel', '.stages-panel'].map(
            (panel) => document.querySelector(panel).getBoundingClientRect().y,
          ),
        );
        assert.ok(order[0] < order[1] && order[1] < order[2], 'the choice is right under the text');
        const small = await page.run(() =>
          [...document.querySelectorAll('button:not(.take):not(.grip)')]
            .filter((button) => button.offsetHeight > 0 && button.offsetHeight < 26)
            .map((button) => button.textContent),
        );
        assert.deepEqual(small, [], 'buttons are large enough for a finger');
      } finally {
        await page.close();
      }
    });

    for (const options of [{}, { dark: true }, { width: 360, height: 740 }]) {
      test(`axe finds nothing serious: ${JSON.stringify(options)}`, async () => {
        const { page, press, at } = await visit(options);
        try {
          await assertAccessible(page);
          await press('tour-skip');
          for (let i = 0; i < 3; i++) await press('step');
          await at('.text [data-index="4"]');
          for (const table of (await page.run(
            () => document.querySelectorAll('.data-table').length,
          ))
            ? ['choice-table', 'stages-table', 'timeline-table']
            : []) {
            await page.run(
              (id) => document.querySelector(`[data-testid="${id}"]`).setAttribute('open', ''),
              table,
            );
            assert.ok(
              (await page.run(
                (id) => document.querySelectorAll(`[data-testid="${id}"] tbody tr`).length,
                table,
              )) >= 4,
              table,
            );
          }
          await assertAccessible(page);
          for (const sheet of ['models', 'share', 'help']) {
            await press(sheet);
            await assertAccessible(page, 'dialog[open]');
            await page.press('Escape');
            await page.wait(() => document.querySelector('dialog[open]') === null);
          }
        } finally {
          await page.close();
        }
      });
    }

    test('forced colours keep the bars, the coin and the levels apart; reduced motion moves nothing', async () => {
      const { page, press } = await visit({ calm: true, forced: true });
      try {
        await press('step');
        const seen = await page.run(() => {
          const style = (selector) => getComputedStyle(document.querySelector(selector));
          return {
            forced: matchMedia('(forced-colors: active)').matches,
            calm: matchMedia('(prefers-reduced-motion: reduce)').matches,
            before: style('.row .bar i').borderTopStyle,
            bars: [
              style('.row.drawn .bar b').backgroundColor,
              style('.panel, section').backgroundColor,
            ],
            coin: style('.coin').backgroundColor,
            moves: style('.row .bar i').transitionDuration,
            column: style('.column span').transitionDuration,
          };
        });
        assert.ok(seen.forced && seen.calm, JSON.stringify(seen));
        assert.equal(seen.before, 'solid');
        assert.notEqual(seen.bars[0], seen.bars[1]);
        assert.notEqual(seen.coin, seen.bars[1]);
        assert.ok(
          /^0s(, 0s)*$/.test(seen.moves) && /^0s(, 0s)*$/.test(seen.column),
          `${seen.moves} ${seen.column}`,
        );
      } finally {
        await page.close();
      }
    });

    test('the first tour: five stops, skipped or done it is not shown again, and it comes back on demand', async () => {
      const { page, press, all } = await visit();
      try {
        const stops = [];
        for (let i = 0; i < 5; i++) {
          stops.push((await all('[data-testid="tour"]'))[0].text);
          assert.equal((await all('.toured')).length, 1);
          await press('tour-next');
        }
        assert.equal(new Set(stops).size, 5);
        assert.equal((await all('[data-testid="tour"]')).length, 0);
        await page.goto('about:blank');
        await page.goto(server.url);
        await page.wait(shown, 0);
        assert.equal((await all('[data-testid="tour"]')).length, 0);
        await press('help');
        await press('tour-again');
        assert.equal((await all('[data-testid="tour"]')).length, 1);
        await press('tour-skip');
        assert.equal((await all('[data-testid="tour"]')).length, 0);
      } finally {
        await page.close();
      }
    });

    test('what is read aloud comes when a run rests, not at every token', async () => {
      const { page } = await visit();
      try {
        await page.run(() => {
          globalThis.heard = [];
          const live = document.querySelector('.heard');
          new MutationObserver(() => globalThis.heard.push(live.textContent)).observe(live, {
            childList: true,
            characterData: true,
            subtree: true,
          });
        });
        await page.click('run');
        await page.wait(shown, 12);
        await page.click('pause');
        await page.wait(quiet);
        await page.wait(() => globalThis.heard.some(Boolean));
        await page.frames(3);
        const heard = (await page.run(() => globalThis.heard)).filter(Boolean);
        assert.equal(heard.length, 1, heard.join('\n'));
        assert.match(heard[0], /id \d+, .* %/);
      } finally {
        await page.close();
      }
    });

    test('a vocabulary full of markup is text, everywhere', async () => {
      const folder = mkdtempSync(join(tmpdir(), 'tokenglass-markup-'));
      writeFileSync(join(folder, 'storybook-q8_0.gguf'), markup());
      const dressed = await serve({ port: 0, roots: [folder, inTree('dist/demo')] });
      const { page, press, set, all, at } = await visit({}, dressed.url);
      try {
        const elements = () =>
          page.run(
            () =>
              document.querySelectorAll(
                'main :is(img, script, textarea ~ textarea, b > b), main svg[onload], header img',
              ).length,
          );
        await set('prompt', '<img src=x onerror=alert(1)> &amp; </textarea>');
        await press('switch-top_k');
        for (let i = 0; i < 6; i++) {
          const token = (await page.run(read)).candidates.find(
            ({ token }) => token >= 259 && token % PIECES.length === i,
          )?.token;
          await at(`[data-testid="candidate"][data-token="${token}"]`);
        }
        await set('search', '<');
        assert.ok((await all('[data-testid="found"]')).length > 0);
        await page.run(() =>
          document
            .querySelectorAll('details')
            .forEach((details) => details.setAttribute('open', '')),
        );
        await press('tokenizer');
        await page.wait(() => document.querySelectorAll('.tokens .cell').length > 0);
        await press('tokenizer-dialog-close');
        await press('compare');
        await press('compare-run');
        await page.wait(() => document.querySelector('[data-testid="compared"]') !== null);
        const { ids, output } = await page.run(read);
        assert.equal(ids.length, 6);
        for (const piece of PIECES.slice(0, 6))
          assert.ok(output.includes(piece), `${piece} in ${output}`);
        assert.equal(await elements(), 0);
        assert.match(await page.run(() => document.title), /^tokenglass/);
        assert.match(
          await page.run(() => document.querySelector('[data-testid="status"]').textContent),
          /^<img src=x/,
        );
        assert.deepEqual(page.complaints, []);
        // the page's policy also stops what would run if the text were ever treated as markup
        const stopped = await page.run(() => {
          const script = document.createElement('script');
          script.textContent = 'document.title = "run"';
          document.body.append(script);
          return document.title;
        });
        assert.match(stopped, /^tokenglass/);
      } finally {
        await page.close();
        await dressed.close();
        rmSync(folder, { recursive: true });
      }
    });
  });
}
