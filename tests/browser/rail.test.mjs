// The panels beside the ledger, in real browsers: the map and the list of branches, and the chart
// of surprise along the text, each compared with the text.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { serve } from '../../demo/serve.mjs';
import { inTree } from '../support/support.mjs';
import { pageBrowsers, open } from './browsers.mjs';
import { hand, read, shown } from './page.mjs';

const PROMPT = 'Once upon a time there was a little girl who';
const id = (name) => `[data-testid="${name}"]`;

for (const { name, needs } of pageBrowsers) {
  describe(`the rail in ${name}`, needs, () => {
    let server, page, settled, set, press, token, at, all;
    before(async () => {
      server = await serve({ port: 0, roots: [inTree('dist/demo')] });
      page = await open(name, { width: 1440, height: 900 });
      ({ settled, set, press, token, at, all } = hand(page));
      await page.goto(server.url);
      await page.wait(shown, 0);
      await press('introduction-close');
    });
    after(async () => {
      await page?.close();
      await server?.close();
    });

    const openList = (name) =>
      settled(() =>
        page.run((selector) => (document.querySelector(selector).open = true), id(name)),
      );
    const n_tokens = () => page.run(() => document.querySelectorAll('.text [data-index]').length);
    const knots = () =>
      page.run(() => {
        const all = [...document.querySelectorAll('[data-testid="knot"]')];
        const isCurrent = (knot) => knot.classList.contains('current');
        const plain = (knot) => ({
          depth: Number(knot.dataset.depth),
          text: knot.querySelector('text')?.textContent,
        });
        return {
          leaves: all.map(plain).filter(({ text }) => text !== undefined),
          current: all.filter(isCurrent).map((knot) => plain(knot).depth),
        };
      });

    test('a branch is a line as long as its text, and the bold one is on screen', async () => {
      await set('editor', PROMPT);
      for (let i = 0; i < 4; i++) await press('step');
      const first = await page.run(read);
      await token((await n_tokens()) - 3);
      const other = first.candidates.length && (await page.run(read)).candidates;
      const taken = other.find((candidate) => candidate.token !== first.ids.at(-3)).token;
      const second = await at(`${id('candidate')}[data-token="${taken}"] button`);
      assert.equal(second.ids.at(-1), taken);
      const { leaves, current } = await knots();
      assert.equal(leaves.length, 2);
      const length = await n_tokens();
      assert.deepEqual(current, [length]);
      assert.deepEqual(
        leaves.map(({ depth }) => depth).toSorted((a, b) => a - b),
        [length, length + 2],
      );
      // the places of the knots are in proportion to their numbers of tokens
      const places = await page.run(() =>
        [...document.querySelectorAll('[data-testid="knot"]')].map((knot) => ({
          depth: Number(knot.dataset.depth),
          x: knot.transform.baseVal[0].matrix.e,
        })),
      );
      const [root] = places;
      const scale = (places.at(-1).x - root.x) / places.at(-1).depth;
      for (const { depth, x } of places)
        assert.ok(Math.abs(x - root.x - depth * scale) < 0.01, JSON.stringify(places));
    });

    test('a click near a circle of the map opens its branch', async () => {
      const before = await page.run(read);
      const targets = await page.run(() =>
        [...document.querySelectorAll('[data-testid="knot-target"]')].map((target) => {
          const { x, y, width, height } = target.getBoundingClientRect();
          return { depth: Number(target.dataset.depth), x, y, width, height };
        }),
      );
      for (const { width, height } of targets) assert.ok(width >= 24 && height >= 24);
      const longest = targets.toSorted((a, b) => a.depth - b.depth).at(-1);
      const opened = await settled(() => page.mouse.click(longest.x + 3, longest.y + 3));
      assert.notEqual(opened.text, before.text);
      assert.equal(await n_tokens(), longest.depth);
      assert.equal((await press('undo')).text, before.text);
    });

    test('the list has all branches, and each can be opened again', async () => {
      await openList('branches-list');
      const before = await page.run(read);
      const buttons = await all(id('branch'));
      assert.ok(buttons.length >= 2);
      const index = await page.run(() =>
        [...document.querySelectorAll('[data-testid="branch"]')].findIndex(
          (button) => button.ariaPressed === 'false',
        ),
      );
      const opened = await at(`.branches li:nth-child(${index + 1}) button`);
      assert.notEqual(opened.text, before.text);
      assert.equal((await press('undo')).text, before.text);
    });

    test('texts that were only typed are in the list, not on the map', async () => {
      const before = (await knots()).leaves.length;
      await set('editor', 'Once upon');
      await set('editor', 'A dog');
      await set('editor', PROMPT);
      await press('step');
      const { leaves } = await knots();
      const texts = leaves.map(({ text }) => text).join('\n');
      assert.doesNotMatch(texts, /dog/);
      assert.ok(leaves.length <= before + 1);
      assert.match((await all('.branches'))[0].text, /dog/);
      const { text } = await press('prune');
      assert.equal((await knots()).leaves.length, 1);
      assert.equal((await page.run(read)).text, text);
      assert.equal((await press('undo')).text, text);
      assert.ok((await all(id('branch'))).length > 2, 'undo brings the branches back');
    });

    test('the sum of the surprise is that of the output, and the table has each token', async () => {
      await set('editor', PROMPT);
      for (let i = 0; i < 5; i++) await press('step');
      await openList('surprise-table');
      await page.wait(() => document.querySelectorAll('.surprise-panel tbody tr').length > 0);
      const rows = await page.run(() =>
        [...document.querySelectorAll('.surprise-panel tbody tr')].map((row) =>
          [...row.cells].map(({ textContent }) => textContent),
        ),
      );
      const length = await n_tokens();
      assert.deepEqual(
        rows.map(([, position]) => Number(position)),
        Array.from({ length: length - 1 }, (_, i) => i + 2),
      );
      const sum = rows.slice(-5).reduce((sum, [, , , bits]) => sum + Number(bits), 0);
      const [{ bits, text }] = await all(id('surprise-sum'));
      assert.ok(Math.abs(Number(bits) - sum) < 0.05, `${bits} ${sum}`);
      assert.match(text, /^[\d.]+ bits in 5 tokens since your text: as hard/);
      const typed = (await page.run(read)).prompt.length;
      await press('restart');
      const [whole] = await all(id('surprise-sum'));
      assert.match(whole.text, /^[\d.]+ bits in \d+ tokens of the text: as hard/);
      assert.equal((await page.run(read)).text.length, typed);
      await press('undo');
    });

    test('a click on a bar selects its token; behind the last bar is the next choice', async () => {
      const chart = await page.run(() => {
        const { left, top, width, height } = document
          .querySelector('[data-testid="surprise-chart"]')
          .getBoundingClientRect();
        return { left, y: top + height / 2, width };
      });
      const [{ first, shown: n }] = await all(id('surprise-chart'));
      assert.equal(Number(first), 0);
      const pitch = Math.min(14, chart.width / (Number(n) + 1));
      const selected = () => page.run(() => document.querySelector('.ledger').dataset.index);
      await settled(() => page.mouse.click(chart.left + 4.5 * pitch, chart.y));
      assert.equal(await selected(), '4');
      await settled(() => page.mouse.click(chart.left + (Number(n) + 0.5) * pitch, chart.y));
      assert.equal(await selected(), undefined);
      await set('scrub', 6);
      assert.equal(await selected(), '6');
      await set('scrub', await n_tokens());
      assert.equal(await selected(), undefined);
    });

    test('of a long text, the chart shows the part around the selected token', async () => {
      await set('editor', `${PROMPT} went. `.repeat(14));
      const length = await n_tokens();
      const chart = async () => {
        const [{ first, shown: n }] = await all(id('surprise-chart'));
        return { first: Number(first), end: Number(first) + Number(n) };
      };
      const last = await chart();
      assert.equal(last.end, length);
      assert.ok(last.first > 0, 'the bars are too wide for the whole text');
      await set('scrub', 20);
      const around = await chart();
      assert.ok(around.first <= 20 && around.end > 20 && around.end < length);
      assert.deepEqual(page.complaints, []);
    });
  });
}
