// The page in real browsers: it opens with its first choice, shows correct numbers, reacts to every
// control, and sends requests only to its own server.
import assert from 'node:assert/strict';
import { copyFileSync, mkdtempSync, readdirSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { serve } from '../../demo/serve.mjs';
import { softmax } from '../support/measures.mjs';
import { inTree } from '../support/support.mjs';
import { browsers, open } from './browsers.mjs';
import { hand, program, quiet, read, shown } from './page.mjs';

const ROWS = 15; // of the ledger, without a search

for (const { name, needs } of browsers) {
  describe(`the page in ${name}`, needs, () => {
    let server, page, other;

    before(async () => {
      server = await serve({
        port: 0,
        roots: [inTree('dist/demo'), inTree('dist'), inTree('tests/browser/pages')],
      });
      page = await open(name);
      ({ settled, set, press } = hand(page));
      other = await open(name);
      await other.goto(`${server.url}blank.html`);
    });
    after(async () => {
      await page?.close();
      await other?.close();
      await server?.close();
    });

    const byProgram = (given) => other.run(program, given);

    let settled, set, press;

    test('opens with a text and its first choice, and asks no other server', async (t) => {
      await page.goto(server.url);
      const loaded = Date.now();
      await page.wait(shown, 0);
      t.diagnostic(`first choice ${Date.now() - loaded} ms after the page's load`);
      const { text, candidates, failure, disabled } = await settled(() =>
        page.click('introduction-close'),
      );
      assert.ok(text.length > 10);
      assert.equal(candidates.length, ROWS);
      assert.equal(failure, undefined);
      assert.deepEqual(disabled, { step: false, run: false, restart: true });
      assert.ok(
        // Firefox loads the marker of <details> from a data: address
        page.requests.every((url) => url.startsWith(server.url) || url.startsWith('data:')),
        page.requests.join('\n'),
      );
      assert.deepEqual(page.complaints, []);
    });

    test('the rows and the groups are the softmax of the logits over the whole vocabulary', async () => {
      const { prompt, candidates, groups, random } = await page.run(read);
      const truth = softmax((await byProgram({ prompt })).logits);
      for (const { token, p } of candidates)
        assert.ok(Math.abs(p - truth[token]) < 1e-6, `token ${token}: ${p}, ${truth[token]}`);
      const sum = [...candidates, ...groups].reduce((total, { p }) => total + p, 0);
      assert.ok(Math.abs(sum - 1) < 1e-6);
      assert.ok(random.low <= random.u && random.u < random.high);
      const next = candidates.filter((candidate) => candidate.next);
      assert.equal(next.length, 1);
      assert.ok(Math.abs(next[0].p_final - (random.high - random.low)) < 1e-9);
    });

    test('sliders, number fields and seed change the shown choice at once, and the model is not run', async () => {
      const start = await page.run(read);
      const survivors = ({ candidates }) => candidates.filter(({ p_final }) => p_final > 0).length;
      const few = await set('top-k', 3);
      assert.equal(survivors(few), 3);
      const greedy = await set('temperature', 0);
      assert.deepEqual(
        greedy.candidates.map(({ p_final }) => p_final),
        [1, ...Array(ROWS - 1).fill(0)],
      );
      await set('temperature', 0.8);
      await set('min-p', 0);
      const open = await set('top-k', 0);
      assert.ok(survivors(open) > 3);
      const nucleus = await set('top-p', 0.3);
      assert.ok(survivors(nucleus) < survivors(open));
      await set('top-p', 1);
      const near = await set('min-p', 0.5);
      const best = near.candidates[0].p;
      assert.ok(near.candidates.every(({ p, p_final }) => p_final > 0 === p >= 0.5 * best));
      // a number field takes what its slider does not reach, and nothing that is not allowed
      const half = await set('min-p-number', 0.9);
      assert.equal(half.values['min-p'], 0.5, 'the slider is at its end');
      assert.ok(half.candidates.every(({ p, p_final }) => p_final > 0 === p >= 0.9 * best));
      for (const refused of [7, -1, '']) {
        const { candidates } = await set('min-p-number', refused);
        assert.deepEqual(candidates, half.candidates);
      }
      const field = () =>
        page.run(() => {
          const input = document.querySelector('[data-testid="min-p-number"]');
          const limits = document.querySelector('[data-testid="min-p-number-limits"]');
          return [input.value, input.ariaInvalid, limits?.textContent, limits?.checkVisibility()];
        });
      const comma = await set('min-p-number', '0,25');
      assert.deepEqual(await field(), ['0,25', 'false', undefined, undefined]);
      assert.ok(comma.candidates.every(({ p, p_final }) => p_final > 0 === p >= 0.25 * best));
      for (const wrong of ['1,5', '2.', '-0.1', '0.1.2', 'a']) {
        assert.deepEqual((await set('min-p-number', wrong)).candidates, comma.candidates);
        assert.deepEqual(await field(), [wrong, 'true', '0 to 1', true]);
      }
      // typed by hand; the arrow keys change the value by a step, and leaving the field shows it
      await page.clickAt('[data-testid="min-p-number"]');
      await set('min-p-number', '');
      await settled(() => page.type(',5'));
      await settled(() => page.press('ArrowUp'));
      assert.deepEqual(await field(), ['0.505', 'false', undefined, undefined]);
      await set('min-p-number', 9);
      // Firefox sends no such event in a window behind another one
      await settled(() =>
        page.run(() => document.activeElement.dispatchEvent(new FocusEvent('blur'))),
      );
      assert.deepEqual(await field(), ['0.505', 'false', undefined, undefined]);
      const { random } = await page.run(read);
      for (const wrong of ['1.5', '1,000', '-1']) {
        assert.deepEqual((await set('seed', wrong)).random, random);
        const text = await page.run(
          () => document.querySelector('[data-testid="seed-limits"]').textContent,
        );
        assert.equal(text, 'a whole number, 0 to 9,007,199,254,740,991');
      }
      const numbers = new Set([near.random.u]);
      for (const seed of [1, 2, 3]) numbers.add((await set('seed', seed)).random.u);
      assert.equal(numbers.size, 4);
      const end = await page.run(read);
      assert.equal(end.decoded, start.decoded);
      for (const [id, value] of Object.entries(start.values)) await set(id, value);
      assert.deepEqual(await page.run(read), { ...start, disabled: end.disabled });
    });

    test('any token is found by its text or id, with its probability and the stage that removed it', async () => {
      const start = await page.run(read);
      const { prompt } = start;
      const { logits } = await byProgram({ prompt });
      const truth = softmax(logits);
      const order = [...truth.keys()].sort((a, b) => truth[b] - truth[a] || a - b);
      const found = () =>
        page.run(() =>
          [...document.querySelectorAll('[data-testid="candidate"].found')].map(
            ({ dataset, textContent }) => ({
              ...{
                token: Number(dataset.token),
                rank: Number(dataset.rank),
                p: Number(dataset.p),
                p_final: Number(dataset.p_final),
                removed_by: dataset.removedBy,
              },
              text: textContent,
            }),
          ),
        );
      const far = order[2500];
      await set('search', String(far));
      const byId = (await found()).find(({ token }) => token === far);
      assert.equal(byId.rank, 2500);
      assert.ok(Math.abs(byId.p - truth[far]) < 1e-6);
      assert.equal(byId.p_final, 0);
      assert.equal(byId.removed_by, 'top_k');
      for (const query of ['QUEEN', '␣queen', ' queen']) {
        await set('search', query);
        const byText = await found();
        assert.ok(
          byText.length > 0 && byText.every(({ text }) => /queen/i.test(text)),
          JSON.stringify(byText),
        );
        for (const { token, rank } of byText) assert.equal(order[rank], token);
      }
      await set('search', 'zzzzqqq');
      assert.deepEqual(await found(), []);
      const says = await page.run(
        () => document.querySelector('.find [role="status"]').textContent,
      );
      assert.equal(says, 'No token contains “zzzzqqq”.');
      const end = await set('search', '');
      assert.equal(end.decoded, start.decoded, 'the model is not run');
      assert.deepEqual(end, start);
    });

    test('100 draws of the shown choice go as the probabilities promise, and the text does not', async () => {
      const start = await set('seed', 5);
      const end = await press('draws');
      assert.deepEqual(end, start);
      await page.wait(() => {
        const { bottom } = document.querySelector('[data-testid="trials"]').getBoundingClientRect();
        return bottom <= innerHeight; // the page scrolls to the result
      });
      const { n, rows } = await page.run(() => {
        const table = document.querySelector('[data-testid="trials"]');
        const rows = [...table.querySelectorAll('tbody tr')].map((row) =>
          [...row.cells].slice(2).map((cell) => Number(cell.textContent)),
        );
        return { n: Number(table.dataset.n), rows };
      });
      assert.equal(n, 100);
      assert.equal(
        rows.reduce((sum, [, got]) => sum + got, 0),
        100,
      );
      const chi = rows
        .filter(([expected]) => expected > 0)
        .reduce((sum, [expected, got]) => sum + (got - expected) ** 2 / expected, 0);
      // at most 6 degrees of freedom: the limit of 99.9 %
      assert.ok(chi < 22, `chi-square ${chi} over ${rows.length} rows`);
      await press('draws');
      const gone = await set('temperature', 0.5).then(() =>
        page.run(() => document.querySelector('[data-testid="trials"]') === null),
      );
      assert.ok(gone, 'draws of other settings are not shown');
      await set('temperature', start.values.temperature);
    });

    test('step takes the next token; the same seed tells the same text again', async () => {
      const texts = [];
      for (const seed of [5, 5, 6]) {
        const start = await set('seed', seed);
        for (let i = 0; i < 6; i++) {
          const { candidates } = await page.run(read);
          const { ids } = await press('step');
          assert.equal(ids.length, i + 1);
          assert.equal(ids.at(-1), candidates.find(({ next }) => next).token);
        }
        texts.push((await page.run(read)).output);
        const { candidates, output } = await press('restart');
        assert.equal(output, '');
        assert.deepEqual(candidates, start.candidates);
      }
      assert.equal(texts[0], texts[1]);
      assert.notEqual(texts[0], texts[2]);
      assert.ok(texts[0].length > 6);
    });

    test('run goes on until pause, and then the text stays', async () => {
      await page.click('run');
      await page.wait(shown, 5);
      const paused = await page.run(() => {
        document.querySelector('[data-testid="pause"]').click();
        return new Promise((resolve) => {
          const settle = () =>
            document.querySelector('main').ariaBusy === 'false'
              ? resolve(document.querySelectorAll('.text [data-id]').length)
              : requestAnimationFrame(settle);
          settle();
        });
      });
      await page.frames(10);
      assert.equal((await page.run(read)).ids.length, paused);
      assert.deepEqual((await press('restart')).ids, []);
    });

    test('at temperature 0 the text is the greedy one, and a full context says so', async () => {
      // leaves room for some tens of tokens
      const prompt = 'The frog said to the king. '.repeat(28);
      await set('temperature', 0);
      await set('editor', prompt);
      await page.click('run');
      await page.wait(
        () => /ended|used up/.test(document.querySelector('[data-testid="note"]').textContent),
        undefined,
        60_000,
      );
      const { ids, output, note, disabled, random } = await settled(async () => {});
      const { steps } = await byProgram({ prompt, options: { temperature: 0 } });
      assert.ok(ids.length >= 20, `${ids.length} tokens`);
      assert.deepEqual(
        ids,
        steps.map(({ token }) => token),
      );
      assert.equal(output, steps.map(({ text }) => text).join(''));
      assert.match(note, /used up/);
      assert.equal(random, undefined, 'no token is next');
      assert.equal(disabled.step && disabled.run && !disabled.restart, true);
      assert.deepEqual(page.complaints, []);
    });

    test('a window slides over a text that is longer than the context; nothing below the text moves', async () => {
      const top = () => document.querySelector('.ledger').getBoundingClientRect().top;
      const n_full = (await page.run(read)).ids.length;
      await page.click('slide');
      await page.wait((n) => document.querySelectorAll('.text [data-id]').length > n, n_full + 40);
      const before = await page.run(top);
      await page.wait((n) => document.querySelectorAll('.text [data-id]').length > n, n_full + 150);
      assert.equal(await page.run(top), before);
      const { note } = await press('pause');
      assert.match(note, /sees 256 tokens at a time/);
      const { sentence, n } = await page.run(() => ({
        sentence: document.querySelector('[data-testid="draw-sentence"]').textContent,
        n: document.querySelectorAll('.text [data-index]').length,
      }));
      assert.match(
        sentence,
        new RegExp(`\\(token ${(n + 1).toLocaleString('en')}\\)`),
        'the place in the text',
      );
      await press('restart');
      // in the page: the run may end, which shows a note, before an answer comes back from there
      const tops = await page.run(async () => {
        const frame = () => new Promise(requestAnimationFrame);
        const made = () => document.querySelectorAll('.text [data-id]').length;
        const seen = new Set();
        document.querySelector('[data-testid="run"]').click();
        while (document.querySelector('main').className !== 'running') await frame();
        for (; made() < 15; await frame())
          seen.add(document.querySelector('.ledger').getBoundingClientRect().top);
        return [...seen];
      });
      assert.equal(tops.length, 1, tops.join());
      await press('restart');
      assert.deepEqual(page.complaints, []);
    });

    test('markup in the text stays text', async () => {
      const markup = '<img src=x onerror="document.title=1"><b>bold</b>';
      const { candidates, text } = await set('editor', markup);
      assert.equal(candidates.length, ROWS);
      assert.equal(text, markup);
      assert.equal(await page.run(() => document.querySelectorAll('.text img, .text b').length), 0);
    });

    test('step at once after typing takes the new text', async () => {
      await set('seed', 5);
      await set('temperature', 0.8);
      await page.set('editor', 'The old king lived');
      const { ids } = await press('step');
      const { steps } = await byProgram({
        prompt: 'The old king lived',
        options: { seed: 5, max_tokens: 1 },
      });
      assert.deepEqual(
        ids,
        steps.map(({ token }) => token),
      );
    });

    test('control tokens are framed, and white space has marks that are not copied', async () => {
      const { candidates } = await byProgram({ prompt: 'The end.' });
      const control = candidates.find(({ size }) => size === 0);
      await set('editor', 'The end.');
      await set('search', control.token);
      const framed = await page.run(() =>
        [...document.querySelectorAll('.ledger tbody .control')].map((e) => [
          Number(e.closest('[data-token]').dataset.token),
          e.textContent,
        ]),
      );
      assert.deepEqual(framed, [[control.token, control.text]]);
      await set('search', '');
      const { output } = await press('step');
      assert.ok(!/[␣⏎⇥]/.test(output), output);
    });

    test('a browser without WebAssembly and a server without the model are reported in words, permanently', async () => {
      const folder = mkdtempSync(join(tmpdir(), 'tokenglass-page-'));
      for (const file of readdirSync(inTree('dist/demo'))) {
        if (/\.(html|js|css|wasm|svg)$/.test(file))
          copyFileSync(inTree(`dist/demo/${file}`), join(folder, file));
      }
      const bare = await serve({ port: 0, roots: [folder] });
      try {
        for (const [url, wasm, expected] of [
          [server.url, false, /WebAssembly/],
          [bare.url, true, /storybook/],
        ]) {
          const other = await open(name, { wasm });
          try {
            await other.goto(url);
            await other.wait(quiet);
            await other.set('editor', 'Another text');
            await other.wait(quiet);
            const { failure, disabled } = await other.run(read);
            assert.match(failure, expected);
            assert.deepEqual(disabled, { step: true, run: true, restart: true });
          } finally {
            await other.close();
          }
        }
      } finally {
        await bare.close();
        rmSync(folder, { recursive: true });
      }
    });

    test('a phone shows all of it without a horizontal scroll bar', async () => {
      const phone = await open(name, { width: 360, height: 740, dark: true });
      try {
        await phone.goto(server.url);
        await phone.wait(shown, 0);
        assert.ok((await phone.run(read)).overflow <= 0);
        for (let i = 0; i < 3; i++) await phone.click('step');
        await phone.wait(shown, 3);
        assert.ok((await phone.run(read)).overflow <= 0);
      } finally {
        await phone.close();
      }
    });
  });
}
