// Links to a text, in real browsers: a link restores the same text in another browser, a page that
// is opened by a link computes and shows nothing else first, and foreign, broken or hostile links
// do no harm.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { serve } from '../../demo/serve.mjs';
import { inTree } from '../support/support.mjs';
import { pageBrowsers, open } from './browsers.mjs';
import { hand, read, shown } from './page.mjs';

for (const { name, needs } of pageBrowsers) {
  describe(`links in ${name}`, needs, () => {
    let server, page, set, press, at, all, settled;

    before(async () => {
      server = await serve({ port: 0, roots: [inTree('dist/demo')] });
      page = await open(name);
      ({ set, press, at, all, settled } = hand(page));
    });
    after(async () => {
      await page?.close();
      await server?.close();
    });

    const begin = async (url = server.url) => {
      await page.goto('about:blank');
      await page.goto(url);
      await page.wait(shown, 0);
      return settled(async () => {});
    };
    const link = async () => {
      await press('share');
      const value = await page.wait(() => document.querySelector('[data-testid="link"]')?.value);
      await press('share-dialog-close');
      return value;
    };
    const notice = () =>
      page.run(() => document.querySelector('[data-testid="notice"]')?.textContent);
    const candidate = async (n) =>
      at(
        `[data-testid="candidate"][data-token="${(await page.run(read)).candidates[n].token}"] .take`,
      );

    test('a link reproduces the text in a clean profile, with its settings, and its replay agrees', async () => {
      await begin();
      await set('editor', 'The wolf ran “away” & <b>then</b>');
      await set('temperature', 1.3);
      await set('seed', 77);
      await press('move-min_p'); // its menu
      await press('remove-min_p');
      for (let i = 0; i < 4; i++) await press('step');
      await candidate(7);
      const start = await press('step');
      const address = await link();
      const clean = await open(name);
      try {
        await clean.goto(address);
        await clean.wait(shown, 6);
        const view = hand(clean);
        const there = await view.settled(async () => {});
        const { disabled: _, ...rest } = there;
        const { disabled: __, ...wanted } = start;
        assert.deepEqual({ ...rest, decoded: 0 }, { ...wanted, decoded: 0 });
        await view.press('more');
        assert.match((await view.press('check')).note, /the same 6 tokens came again/);
        assert.deepEqual(clean.complaints, []);
      } finally {
        await clean.close();
      }
    });

    /** Records every text and every choice that a page shows, from its start. */
    const noteAll = () => {
      globalThis.noted = { texts: [], choices: [] };
      const add = (list, entry) => entry !== undefined && list.at(-1) !== entry && list.push(entry);
      const look = () => {
        const { texts, choices } = globalThis.noted;
        add(texts, document.querySelector('[data-testid="editor"]')?.value);
        const tokens = [...document.querySelectorAll('.text [data-index]')];
        add(
          texts,
          tokens
            .map(({ textContent }) => textContent)
            .join('')
            .trim(),
        );
        const rows = [...document.querySelectorAll('[data-testid="candidate"]')];
        if (rows.length) add(choices, rows.map(({ dataset }) => dataset.token).join());
      };
      new MutationObserver(look).observe(document, {
        subtree: true,
        childList: true,
        attributes: true,
        characterData: true,
      });
    };

    test('a page that is opened by a link shows the link’s text and choice first, and runs nothing else', async () => {
      await begin();
      await set('editor', 'The wolf ran');
      await press('step');
      const start = await press('step');
      const n_prompt = (await all('[data-prompt-id]')).length;
      const address = await link();
      const clean = await open(name);
      try {
        await clean.early(noteAll);
        await clean.goto(address);
        await clean.wait(shown, 2);
        const { decoded, ids, candidates } = await hand(clean).settled(async () => {});
        assert.deepEqual([ids, candidates], [start.ids, start.candidates]);
        const { texts, choices } = await clean.run(() => globalThis.noted);
        assert.ok(texts.includes(start.text));
        for (const text of texts)
          assert.ok(start.text.startsWith(text.replace(/^<s> ?/, '')), `${text} is of the link`);
        assert.deepEqual(choices, [candidates.map(({ token }) => token).join()]);
        // each token runs once: it is scored and fills the cache; nothing runs for another text
        assert.equal(decoded, n_prompt + ids.length);
      } finally {
        await clean.close();
      }
    });

    test('a link of another model warns; broken and hostile links are inert', async () => {
      const start = await begin();
      const moment = (change) =>
        page.run(async (change) => {
          const value = {
            v: 1,
            m: 'f'.repeat(64),
            n: '<img src=x onerror=alert(1)>',
            p: 'A hen',
            s: ['top_k'],
            o: { top_k: 3 },
            d: 9,
            t: [5, 6],
            c: [],
            ...change,
          };
          const stream = new Blob([JSON.stringify(value)])
            .stream()
            .pipeThrough(new CompressionStream('deflate-raw'));
          const bytes = new Uint8Array(await new Response(stream).arrayBuffer());
          return `moment=${btoa(String.fromCharCode(...bytes))
            .replaceAll('+', '-')
            .replaceAll('/', '_')
            .replaceAll('=', '')}`;
        }, change);
      const warned = await begin(`${server.url}#${await moment({})}`);
      assert.match(await notice(), /another model, <img/);
      assert.equal(await page.run(() => document.querySelectorAll('.notice img').length), 0);
      assert.deepEqual(
        [warned.text, warned.ids, warned.values.seed, warned.values['top-k']],
        ['A hen', [], 9, 3],
      );
      for (const hash of [
        'moment=AAAA',
        'moment=<script>',
        await moment({ p: 7 }),
        await moment({ t: [-1] }),
      ]) {
        const state = await begin(`${server.url}#${hash}`);
        assert.match(await notice(), /This link/);
        assert.deepEqual({ ...state, decoded: 0 }, { ...start, decoded: 0 });
      }
      const plain = await begin(`${server.url}#anything`);
      assert.equal(await notice(), undefined);
      assert.deepEqual(plain.candidates, start.candidates);
    });
  });
}
