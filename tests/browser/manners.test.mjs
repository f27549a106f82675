// The page's accessibility and security, in real browsers: the introduction, the whole journey by
// keyboard, by touch at 360 px, axe's findings, contrast, forced colours, reduced motion, and a
// vocabulary full of markup.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { serve } from '../../demo/serve.mjs';
import { writeGguf } from '../support/gguf-writer.mjs';
import { tinyLlama } from '../support/tiny-llama.mjs';
import { inTree } from '../support/support.mjs';
import { axe, pageBrowsers, open } from './browsers.mjs';
import { arrive, cutTexts, quiet, read, shown } from './page.mjs';

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

/**
 * The marks of the page, and their contrast to the panel behind them where it is under 3.
 */
const pale = () => {
  const context = new OffscreenCanvas(1, 1).getContext('2d', { willReadFrequently: true });
  const rgb = (colour) => {
    context.fillStyle = colour;
    context.fillRect(0, 0, 1, 1);
    return [...context.getImageData(0, 0, 1, 1).data].slice(0, 3);
  };
  const luminance = (colour) => {
    const [r, g, b] = rgb(colour).map((value) => {
      const share = value / 255;
      return share <= 0.04045 ? share / 12.92 : ((share + 0.055) / 1.055) ** 2.4;
    });
    return 0.2126 * r + 0.7152 * g + 0.0722 * b;
  };
  const contrast = (a, b) => {
    const [low, high] = [luminance(a), luminance(b)].toSorted((x, y) => x - y);
    return (high + 0.05) / (low + 0.05);
  };
  const panel = getComputedStyle(document.querySelector('section')).backgroundColor;
  const marks = [
    ...[0, 1, 2, 3, 4].map((level) => [`.legend .level-${level}`, 'borderBottomColor']),
    ['.tail', 'borderTopColor', '::after'],
    ['.text .token.selected', 'outlineColor'],
    ['.surprise .typed', 'fill'],
    ['.surprise .drawn', 'fill'],
    ['.surprise .uncertainty', 'stroke'],
    ['.map path', 'stroke'],
    ['.knot circle', 'stroke'],
    ['.ledger td.model .bar i, .ledger .bar i.model', 'backgroundColor'],
    ['.ledger .last .bar i, .ledger .pair .bar i:not(.model)', 'backgroundColor'],
    ['button', 'borderTopColor'],
    ['select', 'borderTopColor'],
  ];
  return marks.flatMap(([selector, property, pseudo]) => {
    const element = document.querySelector(selector);
    if (!element) return [`${selector} is missing`];
    const ratio = contrast(getComputedStyle(element, pseudo)[property], panel);
    return ratio < 3 ? [`${selector}: ${ratio.toFixed(2)}`] : [];
  });
};

for (const { name, needs } of pageBrowsers) {
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

    const visit = async (options, address = server.url) =>
      arrive(await open(name, options), address);
    const id = (name) => `[data-testid="${name}"]`;
    const selectedIndex = () => {
      const { index } = document.querySelector('[data-testid="ledger"]').dataset;
      return index === undefined ? undefined : Number(index);
    };

    for (const options of [
      { width: 1440, height: 900 },
      { width: 1280, height: 800 },
      { width: 1920, height: 1080 },
      { width: 360, height: 740 },
    ])
      test(`the introduction is in the window and covers nothing that it explains: ${options.width} px`, async () => {
        const { page, press, all } = await visit(options);
        try {
          const explained = [
            '.text-panel',
            '.ledger table',
            options.width > 700 ? '.ledger thead' : '.chips',
            '.branches-panel',
          ];
          const sentences = [];
          for (const selector of explained) {
            sentences.push((await all(id('introduction')))[0].text);
            const { card, panel, overlap, inside } = await page.run((selector) => {
              const [card, panel] = ['[data-testid="introduction"]', selector].map((each) =>
                document.querySelector(each).getBoundingClientRect(),
              );
              const bar = document.querySelector('.action-bar');
              const end = bar ? bar.getBoundingClientRect().top : innerHeight;
              return {
                card: card.toJSON(),
                panel: panel.toJSON(),
                overlap: Math.min(card.bottom, panel.bottom) - Math.max(card.top, panel.top),
                inside:
                  card.top >= 0 &&
                  card.bottom <= end &&
                  panel.bottom > 0 &&
                  panel.top < innerHeight,
              };
            }, selector);
            const places = JSON.stringify({ selector, card, panel });
            assert.ok(inside, places);
            assert.ok(overlap <= 0, places);
            await press('introduction-next');
          }
          assert.equal(new Set(sentences).size, 4);
          assert.match(sentences[0], /^New here\?/);
          assert.equal((await all(id('introduction'))).length, 0);
          if (options.width < 700)
            assert.equal(await page.run(() => scrollY), 0, 'back at the top');
          if (options.width !== 1280) return;
          await page.goto('about:blank');
          await page.goto(server.url);
          await page.wait(shown, 0);
          assert.equal((await all(id('introduction'))).length, 0, 'seen once');
          await press('help');
          await press('introduction-again');
          assert.equal((await all(id('introduction'))).length, 1);
          await press('introduction-close');
          assert.equal((await all(id('introduction'))).length, 0);
        } finally {
          await page.close();
        }
      });

    test('the whole journey by keyboard: next token, run, look back, take another, undo, find, share, close', async () => {
      const { page, settled, all } = await visit();
      try {
        const press = (key) => settled(() => page.press(key));
        const blur = () => page.run(() => document.activeElement.blur());
        const focus = () =>
          page.run(() => document.activeElement.dataset.testid ?? document.activeElement.className);
        /** Presses Tab, from the beginning of the page, until the element has the focus. */
        const tabTo = async (id) => {
          await page.run(() => document.querySelector('.skip').focus());
          for (let i = 0; i < 80; i++) {
            if ((await focus()) === id) return;
            await page.press('Tab');
          }
          assert.fail(`Tab does not come to ${id}`);
        };
        await page.press('Tab');
        assert.equal(await focus(), 'skip');
        await page.press('Enter');
        assert.equal(await page.run(() => document.activeElement.id), 'text-title');
        await tabTo('introduction-close');
        await press('Enter');
        await blur();
        assert.equal((await press('s')).ids.length, 1);
        await press('s');
        await page.press(' ');
        await page.wait(shown, 5);
        await page.press(' ');
        await settled(async () => {});
        const { ids, prompt } = await page.run(read);
        const n_prompt = (await all('.text [data-prompt-id]')).length;
        await press('ArrowLeft');
        await press('ArrowLeft');
        assert.equal(await page.run(selectedIndex), n_prompt + ids.length - 2);
        // along the rows of the ledger
        await page.press('ArrowDown');
        const focused = () =>
          page.run(() => Number(document.activeElement.closest('[data-token]').dataset.token));
        for (let i = 0; i < 3; i++) await page.press('ArrowDown');
        // the text's own token would be no branch
        if ((await focused()) === ids.at(-2)) await page.press('ArrowDown');
        const token = await focused();
        const taken = await press('Enter');
        assert.equal(taken.ids.length, ids.length - 1);
        assert.equal(taken.ids.at(-1), token);
        await blur();
        assert.deepEqual((await press('z')).ids, ids);
        assert.equal((await press('y')).ids.at(-1), token);
        // along the text: the caret selects
        await tabTo('editor');
        await page.press('Home');
        await page.wait(() => document.querySelector('.text .token.selected') !== null);
        await page.press('ArrowRight');
        assert.ok((await settled(async () => {})).prompt === prompt);
        const escaped = await press('Escape');
        assert.equal(await page.run(selectedIndex), undefined);
        // typed letters are text, not shortcuts
        await page.press('End');
        await settled(() => page.type(' yzrs/?'));
        const typed = await page.run(read);
        assert.equal(typed.text, `${escaped.text} yzrs/?`);
        assert.equal((await settled(() => page.chord('Control', 'z'))).text, escaped.text);
        const stepped = await settled(() => page.chord('Control', 'Enter'));
        assert.equal(stepped.ids.length, taken.ids.length + 1);
        await blur();
        await page.press('/');
        assert.equal(await focus(), 'search');
        await settled(() => page.type('king'));
        assert.ok((await all('.found')).length > 0);
        await blur();
        await page.press('?');
        await page.wait(() => document.querySelector('[data-testid="keys"]') !== null);
        assert.match((await all(id('keys')))[0].text, /Space.*undo, redo.*this list/s);
        await page.press('Escape');
        await page.wait(() => document.querySelector('dialog[open]') === null);
        await blur();
        assert.ok((await press('r')).ids.length > 0, 'R alone does nothing');
        assert.deepEqual((await settled(() => page.chord('Shift', 'R'))).ids, []);
        await tabTo('share');
        await page.press('Enter');
        await page.wait(() =>
          document.querySelector('[data-testid="link"]')?.value.includes('#moment='),
        );
        await page.press('Escape');
        await page.wait(() => document.querySelector('dialog[open]') === null);
        assert.equal(await focus(), 'share', 'the focus is back where it was');
        // single-letter shortcuts can be turned off, for the next visit, too
        await blur();
        await page.press('?');
        await page.wait(() => document.querySelector('[data-testid="single-keys"]') !== null);
        await page.click('single-keys');
        await page.press('Escape');
        await blur();
        assert.deepEqual((await press('s')).ids, []);
        await page.goto('about:blank');
        await page.goto(server.url);
        await page.wait(shown, 0);
        assert.deepEqual((await press('s')).ids, []);
        assert.deepEqual(page.complaints, []);
      } finally {
        await page.close();
      }
    });

    test('with a finger at 360 px: the whole loop without scrolling, and all else by taps', async () => {
      const { page, settled, all } = await visit({ width: 360, height: 740, touch: true });
      try {
        const tap = (selector) => settled(() => page.tap(selector));
        /** Taps a token of the text, which is below the editor, and waits until it is selected. */
        const tapToken = async (index) => {
          const { x, y } = await page.run((index) => {
            const token = document.querySelector(`.text [data-index="${index}"]`);
            const box = [...token.getClientRects()].at(-1); // its space can be on the line before
            return { x: box.x + box.width / 2, y: box.y + box.height / 2 };
          }, index);
          await page.tapAt(x, y);
          await page.wait(
            (index) => document.querySelector('.ledger').dataset.index === String(index),
            index,
          );
          await page.wait(quiet);
        };
        /** Elements that are not, or only partly, in the window above the bar, or in the bar. */
        const outside = (selectors) =>
          page.run((selectors) => {
            const bar = document.querySelector('.action-bar').getBoundingClientRect();
            return selectors.filter((selector) => {
              const element = document.querySelector(selector);
              const { top, bottom } = element.getBoundingClientRect();
              const end = element.closest('.action-bar') ? innerHeight : bar.top;
              return top < 0 || bottom > end;
            });
          }, selectors);
        const loop = ['.text', id('candidate'), '.next', '.strip', id('step'), id('run'), '.chips'];
        await tap(id('introduction-close'));
        // four lines of text
        for (let i = 0; i < 12; i++) {
          assert.equal((await tap(id('step'))).ids.length, i + 1);
          assert.deepEqual(await outside(loop), []);
          assert.deepEqual(await page.run(cutTexts), []);
        }
        const { ids } = await page.run(read);
        const n_prompt = (await all('.text [data-prompt-id]')).length;
        await tapToken(n_prompt + 1);
        assert.equal(await page.run(() => document.activeElement.inputMode), 'none');
        assert.deepEqual(await outside(['.text', '#ledger-title', id('candidate')]), []);
        const other = (await page.run(read)).candidates.find(({ token }) => token !== ids[1]).token;
        const branched = await tap(`${id('candidate')}[data-token="${other}"] button`);
        assert.deepEqual(branched.ids, [ids[0], other]);
        assert.equal(await page.run(() => scrollY), 0, 'nothing scrolled');
        assert.deepEqual((await tap(id('undo'))).ids, ids);
        const undone = await page.run(read);
        assert.deepEqual((await tap(id('redo'))).ids, branched.ids, 'redo is in a panel below');
        assert.deepEqual((await tap(id('undo'))).ids, undone.ids);
        await page.run(() => scrollTo(0, 0));
        // the slider of a chip is in the window together with the ledger
        await tap(id('chip-temperature'));
        assert.deepEqual(await outside(['.chip-panel', id('temperature'), id('candidate')]), []);
        const before = (await page.run(read)).candidates[0].p_final;
        const { candidates } = await settled(() => page.set('temperature', 2));
        assert.notEqual(candidates[0].p_final, before);
        await tap(id('chip-close'));
        // typing
        await tap(id('edit'));
        assert.equal(await page.run(() => document.activeElement.inputMode), 'text');
        await settled(() => page.type('!'));
        assert.match((await page.run(read)).text, /!/);
        await tap(id('edit'));
        await tap(id('undo'));
        // the other panels
        await tapToken(n_prompt + 1);
        await tap(`${id('candidate')}[data-token="${other}"] button`);
        await tap(`${id('branches')} summary`);
        await tap(id('branch'));
        for (const sheet of ['models', 'share', 'compare', 'tokenizer', 'developers', 'help']) {
          await tap(id('menu'));
          await tap(id(sheet));
          if (sheet === 'help') assert.match((await all(id('touch')))[0].text, /^Tap a word/);
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
          ['text', 'ledger', 'why', 'branches', 'surprise', 'settings'].map(
            (panel) => document.querySelector(`.${panel}-panel`).getBoundingClientRect().y,
          ),
        );
        assert.deepEqual(
          order,
          order.toSorted((a, b) => a - b),
        );
        const small = await page.run(() =>
          [...document.querySelectorAll('button, summary, select, input:not([type="checkbox"])')]
            .filter((target) => target.offsetHeight > 0)
            .filter((target) => (target.closest('tr') ?? target).offsetHeight < 44)
            .map((target) => target.dataset.testid ?? target.textContent),
        );
        assert.deepEqual(small, [], 'targets are large enough for a finger');
      } finally {
        await page.close();
      }
    });

    for (const options of [{}, { dark: true }, { width: 360, height: 740 }]) {
      test(`axe finds nothing serious, and what carries meaning has a contrast of 3: ${JSON.stringify(options)}`, async () => {
        const { page, press, token } = await visit(options);
        try {
          await assertAccessible(page);
          await press('introduction-close');
          for (let i = 0; i < 3; i++) await press('step');
          await token(4);
          await page.run(() =>
            document.querySelectorAll('details').forEach((details) => (details.open = true)),
          );
          await page.wait(
            () => document.querySelectorAll('[data-testid="surprise-table"] tbody tr').length > 4,
          );
          assert.deepEqual(await page.run(pale), []);
          await assertAccessible(page);
        } finally {
          await page.close();
        }
      });
    }

    test('forced colours keep marks, levels and what is off apart; reduced motion moves nothing', async () => {
      const { page, press, token } = await visit({ calm: true, forced: true });
      try {
        await press('introduction-close');
        await press('step');
        await token(4);
        const seen = await page.run(() => {
          const style = (selector, pseudo) =>
            getComputedStyle(document.querySelector(selector), pseudo);
          const levels = [0, 1, 2, 3, 4].map((level) => {
            const { borderBottomStyle, borderBottomWidth } = style(`.legend .level-${level}`);
            return `${borderBottomStyle} ${borderBottomWidth}`;
          });
          return {
            forced: matchMedia('(forced-colors: active)').matches,
            calm: matchMedia('(prefers-reduced-motion: reduce)').matches,
            levels: new Set(levels).size,
            editor: style('.text textarea').backgroundColor,
            selected: style('.text .token.selected').outlineStyle,
            bar: style('.ledger .bar i').borderTopStyle,
            colours: ['.ledger .last .bar i', '.pointer', '.surprise .drawn'].map(
              (selector) =>
                style(selector)[selector.startsWith('.surprise') ? 'fill' : 'backgroundColor'],
            ),
            panel: style('section').backgroundColor,
            off: style('[data-testid="redo"]').color,
            on: style('[data-testid="undo"]').color,
            moves: style('.ledger .bar i').transitionDuration,
          };
        });
        assert.ok(seen.forced && seen.calm, JSON.stringify(seen));
        assert.equal(seen.levels, 5);
        assert.equal(seen.editor, 'rgba(0, 0, 0, 0)', 'the tokens are seen through the editor');
        assert.equal(seen.selected, 'solid');
        assert.equal(seen.bar, 'solid');
        for (const colour of seen.colours) assert.notEqual(colour, seen.panel);
        assert.notEqual(seen.off, seen.on);
        assert.match(seen.moves, /^0s(, 0s)*$/);
      } finally {
        await page.close();
      }
    });

    test('what is read aloud comes when a run rests, not at every token', async () => {
      const { page } = await visit();
      try {
        await page.run(() => {
          globalThis.heard = [];
          const live = document.querySelector('.text-panel .heard');
          new MutationObserver(() => globalThis.heard.push(live.textContent)).observe(live, {
            childList: true,
            characterData: true,
            subtree: true,
          });
        });
        await page.click('run');
        await page.wait(shown, 12);
        await page.run(() => document.querySelector('[data-testid="pause"]')?.click());
        await page.wait(quiet);
        await page.wait(() => globalThis.heard.some(Boolean));
        await page.frames(3);
        const heard = (await page.run(() => globalThis.heard)).filter(Boolean);
        assert.equal(heard.length, 1, heard.join('\n'));
        assert.match(heard[0], / %, .* bits, rank \d+, token \d+, id \d+/);
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
        await press('introduction-close');
        await set('editor', '<img src=x onerror=alert(1)> &amp; </textarea>');
        for (const piece of PIECES.slice(0, 6)) {
          await set('search', piece);
          await at('.found button');
        }
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
          await page.run(() => document.querySelector('[data-testid="models"]').textContent),
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
