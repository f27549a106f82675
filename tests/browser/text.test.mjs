// The text of the page: the editor lies exactly over the coloured tokens, copying gives the text, a
// click selects the token under the pointer, and the end of the text is in view during a run.
import assert from 'node:assert/strict';
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { serve } from '../../demo/serve.mjs';
import { inTree } from '../support/support.mjs';
import { chatModel } from '../support/tiny-llama.mjs';
import { pageBrowsers, open } from './browsers.mjs';
import { hand, quiet, read, shown } from './page.mjs';

const TEXTS = {
  Latin: 'Once upon a time, there was a (very) small girl; she said: "Ähem – naïve café!"',
  Arabic: 'كان يا ما كان في قديم الزمان ملك لا ينام',
  Hebrew: 'היה היה מלך זקן, ולו שלוש בנות',
  mixed: 'The word سلام means peace.\nשלום, she said (in 1999).\n\n123 كتاب abc',
  emoji: 'A cat 🐈, a family 👨‍👩‍👧‍👦, a flag 🇫🇷, a wave 👋🏽, and an accent e\u0301.',
  'long lines': `${'Once upon a time there was a little girl. '.repeat(24)}${'a'.repeat(400)}  \n\tend`,
};

const TEMPLATE = '{% for m in messages %}{{ m.role }}: {{ m.content }}</s>{% endfor %}assistant:';

/** Draws only the characters of the tokens, or only those of the editor, in black. */
const drawOnly = (which) => {
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(`
    .text, .text * { background: #fff !important; outline: 0 !important; }
    .text .layer * { border-color: #fff !important; color: #000 !important; background: none !important; }
    .text :is(.start, .tail), .text :is(.line, .tab)::before { visibility: hidden !important; }
    .text textarea { color: #000 !important; background: none !important; }
    .text ${which === 'tokens' ? 'textarea' : '.layer'} { visibility: hidden !important; }
    .text ${which === 'tokens' ? 'textarea' : '.layer *'} { visibility: hidden !important; }
  `);
  document.adoptedStyleSheets = which ? [sheet] : [];
};

/** Compares two pictures of the page, where the text is. Counts the dark pixels that are not within
 *  one pixel of a dark one in the other picture. */
const compare = async ([a, b]) => {
  const { left, top, width, height } = document.querySelector('.text').getBoundingClientRect();
  const dark = async (base64) => {
    const bytes = Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
    const image = await createImageBitmap(new Blob([bytes], { type: 'image/png' }));
    const canvas = new OffscreenCanvas(image.width, image.height);
    const context = canvas.getContext('2d');
    context.drawImage(image, 0, 0);
    const { data } = context.getImageData(left, top, width, height);
    return Array.from({ length: data.length / 4 }, (_, i) => data[4 * i + 1] < 128);
  };
  const [inA, inB] = [await dark(a), await dark(b)];
  const alone = (in1, in2) =>
    in1.filter((is, i) => is && !in2[i - 1] && !in2[i] && !in2[i + 1]).length;
  return { dark: inA.filter(Boolean).length, alone: alone(inA, inB) + alone(inB, inA) };
};

for (const { name, needs } of pageBrowsers) {
  describe(`the text in ${name}`, needs, () => {
    const folder = mkdtempSync(join(tmpdir(), 'tokenglass-text-'));
    let server, page, settled, set, press;
    before(async () => {
      server = await serve({ port: 0, roots: [inTree('dist/demo')] });
      page = await open(name);
      ({ settled, set, press } = hand(page));
      await page.goto(server.url);
      await page.wait(shown, 0);
      await press('introduction-close');
    });
    after(async () => {
      await page?.close();
      await server?.close();
      rmSync(folder, { recursive: true });
    });

    /** A picture of the page as base64. */
    const picture = async () => {
      const path = join(folder, 'page.png');
      await page.screenshot(path);
      return readFileSync(path, 'base64');
    };

    /** Compares the tokens with the editor, at the beginning of the text and at its end. */
    async function assertAligned() {
      const { heights, ends } = await page.run(() => {
        const editor = document.querySelector('[data-testid="editor"]');
        const { scrollHeight, clientHeight } = document.querySelector('.text');
        return {
          heights: [editor.scrollHeight, editor.clientHeight],
          ends: [...new Set([0, scrollHeight - clientHeight])],
        };
      });
      assert.equal(heights[0], heights[1], 'the editor has no scrolling of its own');
      for (const end of ends) {
        const pictures = [];
        for (const which of ['tokens', 'editor']) {
          await page.run(drawOnly, which);
          await page.run((end) => (document.querySelector('.text').scrollTop = end), end);
          pictures.push(await picture());
        }
        await page.run(drawOnly, '');
        const { dark, alone } = await page.run(compare, pictures);
        assert.ok(dark > 400, `${dark} dark pixels`);
        assert.ok(alone <= dark / 40, `${alone} of ${dark} pixels are elsewhere`);
      }
    }

    for (const [kind, text] of Object.entries(TEXTS)) {
      test(`the editor and the tokens are in the same place: ${kind}`, async () => {
        const { text: written } = await set('editor', text);
        assert.equal(written, text);
        await assertAligned();
      });
    }

    test('what a reader calls one character is one box, whatever its tokens', async () => {
      await set('editor', TEXTS.emoji);
      const boxes = await page.run(() =>
        [...document.querySelectorAll('.text .token')].map(({ textContent, dataset }) => ({
          text: textContent.trim(),
          n: Number(dataset.n),
        })),
      );
      for (const character of ['🐈', '👨‍👩‍👧‍👦', '🇫🇷', '👋🏽']) {
        const box = boxes.find(({ text }) => text === character);
        const bytes = new TextEncoder().encode(character).length;
        assert.equal(box?.n, bytes, `${character} has a tick for each of its tokens, its bytes`);
      }
    });

    test('selecting all and copying gives exactly the text, without marks', async () => {
      await set('editor', TEXTS.mixed);
      await press('step');
      await press('step');
      const { text } = await page.run(read);
      const selected = await page.run(() => {
        const editor = document.querySelector('[data-testid="editor"]');
        editor.focus();
        editor.select();
        const copied = editor.value.slice(editor.selectionStart, editor.selectionEnd);
        getSelection().selectAllChildren(document.querySelector('.text .layer'));
        const layer = getSelection().toString();
        getSelection().removeAllRanges();
        editor.blur();
        return { copied, layer };
      });
      assert.ok(text.startsWith(TEXTS.mixed) && text.length > TEXTS.mixed.length);
      assert.deepEqual(selected, { copied: text, layer: text });
    });

    test('a click on a token selects that token, and a click behind the text its end', async () => {
      await set('editor', 'Once upon a time, 🐈 שלום\nin a');
      const marks = await page.run(() =>
        [...document.querySelectorAll('.text .layer [data-index]:not(.start)')].map((token) => {
          const { left, width, top, height } = token.getClientRects()[0];
          const n = Number(token.dataset.n ?? 1);
          return { index: Number(token.dataset.index), n, left, width, y: top + height / 2 };
        }),
      );
      const wholes = marks.filter(({ width }) => width > 0);
      assert.ok(wholes.length < marks.length, 'some tokens share a character');
      const clicked = async (x, y) => {
        await settled(() => page.mouse.click(x, y));
        return page.run(() => {
          const token = document.querySelector('.text .token.selected');
          if (!token) return undefined;
          const { index, n } = token.dataset;
          if (n === undefined) return Number(index);
          return Number(index) - n + 1 + Number(token.style.getPropertyValue('--at'));
        });
      };
      for (const { index, n, left, width, y } of wholes) {
        const seen = [];
        for (let i = 0; i < n; i++) seen.push(await clicked(left + (width * (i + 0.5)) / n, y));
        const all = Array.from({ length: n }, (_, i) => index - n + 1 + i);
        assert.deepEqual(
          seen.toSorted((a, b) => a - b),
          all,
        );
      }
      const { left, y } = wholes.at(-1);
      assert.equal(await clicked(left + 200, y), undefined);
    });

    test('typing in the middle keeps the tokens before, and the caret stays', async () => {
      await set('editor', 'Once upon a time there was a king');
      const before = await page.run(read);
      const tokens = (length) =>
        page.run(
          (length) =>
            [...document.querySelectorAll('.text [data-index]')]
              .slice(0, length)
              .map(({ dataset }) => dataset.promptId ?? dataset.id),
          length,
        );
      const kept = await tokens(5);
      await page.run(() => {
        const editor = document.querySelector('[data-testid="editor"]');
        editor.focus();
        editor.setSelectionRange(16, 16);
      });
      const typed = await settled(() => page.type(' long'));
      assert.equal(typed.text, 'Once upon a time long there was a king');
      assert.deepEqual(await tokens(5), kept);
      const caret = () =>
        page.run(() => document.querySelector('[data-testid="editor"]').selectionStart);
      assert.equal(await caret(), 21);
      const undone = await settled(async () => {
        await page.chord('Control', 'z');
      });
      assert.equal(undone.text, before.text);
      assert.equal(await caret(), 16);
      assert.equal((await settled(() => page.chord('Control', 'y'))).text, typed.text);
    });

    test('the caret of the keyboard selects the token it is at', async () => {
      await set('editor', 'Once upon a time');
      await page.run(() => {
        const editor = document.querySelector('[data-testid="editor"]');
        editor.focus();
        editor.setSelectionRange(16, 16);
      });
      /** Waits until this is the text of the selected token; null: the end is selected. */
      const selects = (text) =>
        page.wait(
          (text) =>
            document.querySelector('main').ariaBusy === 'false' &&
            (document.querySelector('.text .token.selected')?.textContent ?? null) === text,
          text,
        );
      await page.press('ArrowLeft');
      await selects(' time');
      for (let i = 0; i < 5; i++) await page.press('ArrowLeft');
      await selects(' a');
      await page.press('End');
      await selects(null);
      await page.wait(() => document.querySelector('.heard').textContent.startsWith('time, '));
    });

    test('the box of a token is on one line: a space at the end of a line is not in it', async () => {
      await set('editor', TEXTS['long lines']);
      const { broken, wrong } = await page.run(() => {
        const layer = document.querySelector('.text .layer');
        const split = [...layer.querySelectorAll('.lead')].filter((token) => {
          const [first, second] = token.getClientRects();
          return second && first.width < 14;
        });
        const hasBox = (element) => getComputedStyle(element).borderBottomStyle !== 'none';
        return {
          broken: split.length,
          wrong: split.filter((token) => hasBox(token) || !hasBox(token.querySelector('b'))).length,
        };
      });
      assert.ok(broken > 2, `${broken} tokens`);
      assert.equal(wrong, 0);
    });

    test('a run keeps the end of the text in view, unless the reader scrolls up', async () => {
      await set('editor', 'Once upon a time there was a little girl who');
      const hidden = () =>
        page.run(() => {
          const box = document.querySelector('.text');
          const { bottom } = document.querySelector('.text .tail').getBoundingClientRect();
          return {
            overflow: box.scrollHeight - box.clientHeight,
            below: bottom - box.getBoundingClientRect().bottom,
          };
        });
      await page.click('run');
      let seen;
      do {
        seen = await hidden();
        assert.ok(seen.below <= 1, JSON.stringify(seen));
        await page.frames(2);
      } while (seen.overflow < 60);
      await page.run(() => (document.querySelector('.text').scrollTop = 0));
      await page.frames(6);
      assert.equal(await page.run(() => document.querySelector('.text').scrollTop), 0);
      await page.run(() => document.querySelector('[data-testid="pause"]')?.click());
      await page.wait(quiet);
      assert.deepEqual(page.complaints, []);
    });

    test('the end token is a mark behind the text; typing goes on without it', async () => {
      await set('editor', 'Once upon a time');
      await set('search', '</s>');
      const ended = await settled(() => page.clickAt('.found button'));
      await set('search', '');
      assert.equal(ended.text, 'Once upon a time');
      assert.match(ended.note, /The model ended the text \(end token\)\./);
      assert.deepEqual(ended.disabled, { step: true, run: true, restart: false });
      const marks = () =>
        page.run(() =>
          [...document.querySelectorAll('.text .special')].map(({ dataset }) => dataset.piece),
        );
      assert.deepEqual(await marks(), ['end']);
      const typed = await set('editor', 'Once upon a time there');
      assert.equal(typed.text, 'Once upon a time there');
      assert.deepEqual(await marks(), []);
      assert.equal(typed.disabled.step, false);
      const undone = await press('undo');
      assert.deepEqual([undone.text, await marks()], ['Once upon a time', ['end']]);
    });

    test('a conversation has no editor: its tokens are buttons, its control tokens have frames', async () => {
      const path = join(folder, 'chat.gguf');
      writeFileSync(path, chatModel(TEMPLATE, { seed: 3 }));
      await press('models');
      await page.upload('file', path);
      await page.wait(() => document.querySelector('[data-testid="mode-chat"]') !== null);
      await page.wait(quiet);
      await press('mode-chat');
      await set('say', 'Hello');
      await page.click('send');
      await page.wait(shown, 3);
      await page.run(() => document.querySelector('[data-testid="pause"]')?.click());
      await page.wait(quiet);
      const seen = await page.run(() => {
        const tokens = [...document.querySelectorAll('.text [role="button"]')];
        const controls = tokens.filter((token) => token.classList.contains('special'));
        const frame = (token) => getComputedStyle(token, '::before').borderTopStyle;
        return {
          editors: document.querySelectorAll('.text textarea').length,
          buttons: tokens.length,
          inTabOrder: tokens.filter((token) => token.tabIndex === 0).length,
          names: new Set(tokens.map((token) => token.ariaLabel)).size,
          frames: controls.map((token) => `${token.dataset.piece} ${frame(token)}`),
        };
      });
      assert.equal(seen.editors, 0);
      assert.ok(seen.buttons > 10, `${seen.buttons} buttons`);
      assert.equal(seen.inTabOrder, 1);
      assert.equal(seen.names, seen.buttons);
      assert.deepEqual([...new Set(seen.frames)], ['</s> solid']);
      // one of them is in the tab order; arrow keys move among them
      await page.run(() => document.querySelector('.text [role="button"][tabindex="0"]').focus());
      await page.press('ArrowLeft');
      await page.press('ArrowLeft');
      await settled(() => page.press('Enter'));
      const index = await page.run(() => document.querySelector('.ledger').dataset.index);
      assert.equal(index, await page.run(() => document.activeElement.dataset.index));
      assert.equal(await page.run(() => document.activeElement.ariaPressed), 'true');
    });
  });
}
