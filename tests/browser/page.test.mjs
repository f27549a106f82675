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

const SHOWN = 100; // candidates

for (const { name, needs } of browsers) {
  describe(`the page in ${name}`, needs, () => {
    let server, page, other;

    before(async () => {
      server = await serve({
        port: 0,
        roots: [inTree('dist/demo'), inTree('dist'), inTree('tests/browser/pages')],
      });
      page = await open(name);
      ({ settled, set, press, choose } = hand(page));
      other = await open(name);
      await other.goto(`${server.url}blank.html`);
    });
    after(async () => {
      await page?.close();
      await other?.close();
      await server?.close();
    });

    const byProgram = (given) => other.run(program, given);

    let settled, set, press, choose;

    test('opens with a prompt and its first choice, and asks no other server', async (t) => {
      await page.goto(server.url);
      const loaded = Date.now();
      await page.wait(shown, 0);
      t.diagnostic(`first choice ${Date.now() - loaded} ms after the page's load`);
      const { prompt, candidates, failure, disabled } = await page.run(read);
      assert.ok(prompt.length > 10);
      assert.equal(candidates.length, SHOWN);
      assert.equal(failure, undefined);
      assert.deepEqual(disabled, { step: false, run: false, pause: true, reset: true });
      assert.ok(
        // Firefox loads the marker of <details> from a data: address
        page.requests.every((url) => url.startsWith(server.url) || url.startsWith('data:')),
        page.requests.join('\n'),
      );
      assert.deepEqual(page.complaints, []);
    });

    test('bars and everything else are the softmax of the logits over the whole vocabulary', async () => {
      const { prompt, candidates, rest, coin } = await page.run(read);
      const truth = softmax((await byProgram({ prompt })).logits);
      for (const { token, p } of candidates)
        assert.ok(Math.abs(p - truth[token]) < 1e-6, `token ${token}: ${p}, ${truth[token]}`);
      assert.ok(Math.abs(candidates.reduce((sum, { p }) => sum + p, rest) - 1) < 1e-6);
      assert.ok(coin.low <= coin.u && coin.u < coin.high);
      const drawn = candidates.filter((candidate) => candidate.drawn);
      assert.equal(drawn.length, 1);
      assert.ok(Math.abs(drawn[0].p_final - (coin.high - coin.low)) < 1e-9);
    });

    test('sliders and seed change the shown choice at once, and the model is not run', async () => {
      const start = await page.run(read);
      const survivors = ({ candidates }) => candidates.filter(({ p_final }) => p_final > 0).length;
      const few = await set('top-k', 3);
      assert.equal(survivors(few), 3);
      const greedy = await set('temperature', 0);
      assert.deepEqual(
        greedy.candidates.map(({ p_final }) => p_final),
        [1, ...Array(SHOWN - 1).fill(0)],
      );
      await set('temperature', 0.8);
      await set('min-p', 0);
      const open = await set('top-k', 0);
      assert.ok(survivors(open) > 3);
      const nucleus = await set('top-p', 0.3);
      assert.ok(survivors(nucleus) < survivors(open));
      await set('top-p', 1);
      const near = await set('min-p', 0.5);
      assert.ok(
        near.candidates.every(({ p, p_final }) => p_final > 0 === p >= 0.5 * near.candidates[0].p),
      );
      const coins = new Set([near.coin.u]);
      for (const seed of [1, 2, 3]) coins.add((await set('seed', seed)).coin.u);
      assert.equal(coins.size, 4);
      const end = await page.run(read);
      assert.equal(end.decoded, start.decoded);
      assert.deepEqual(
        end.candidates.map(({ p }) => p),
        start.candidates.map(({ p }) => p),
        'raw probabilities stay',
      );
      for (const [id, value] of Object.entries(start.values)) await set(id, value);
      assert.deepEqual(await page.run(read), start);
    });

    test('any token is found by its text or id, with its probability and the stage that removed it', async () => {
      const start = await page.run(read);
      const { prompt } = start;
      const { logits } = await byProgram({ prompt });
      const truth = softmax(logits);
      const order = [...truth.keys()].sort((a, b) => truth[b] - truth[a] || a - b);
      const found = () =>
        page.run(() =>
          [...document.querySelectorAll('[data-testid="found"]')].map(
            ({ dataset, textContent }) => ({
              ...{
                token: Number(dataset.token),
                rank: Number(dataset.rank),
                p: Number(dataset.p),
                p_final: Number(dataset.p_final),
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
      assert.match(byId.text, /top_k/);
      await set('search', 'QUEEN');
      const byText = await found();
      assert.ok(
        byText.length > 0 && byText.every(({ text }) => /queen/i.test(text)),
        JSON.stringify(byText),
      );
      for (const { token, rank } of byText) assert.equal(order[rank], token);
      await set('search', 'zzzzqqq');
      assert.deepEqual(await found(), []);
      const end = await set('search', '');
      assert.equal(end.decoded, start.decoded, 'the model is not run');
      assert.deepEqual(end, start);
    });

    test('the second bars show probabilities after any stage', async () => {
      await press('switch-penalties');
      const start = await page.run(read);
      const bars = () =>
        page.run(() =>
          [...document.querySelectorAll('[data-testid="candidate"]')].map(({ dataset }) => [
            Number(dataset.token),
            Number(dataset.after),
          ]),
        );
      const after = (stage) => choose('after', stage);
      assert.deepEqual(
        await bars(),
        start.candidates.map(({ token, p_final }) => [token, p_final]),
      );
      const survivors = [];
      for (const stage of ['min_p', 'top_p', 'top_k', 'penalties']) {
        await after(stage);
        const shown = await bars();
        survivors.push(shown.filter(([, after]) => after > 0).length);
        const kept = start.candidates.filter((_, i) => shown[i][1] > 0);
        const sum = kept.reduce((total, { p }) => total + p, 0);
        // temperature is the last stage: before it, probabilities are raw ones, renormalized
        if (stage !== 'penalties')
          for (const { token, p } of kept)
            assert.ok(Math.abs(new Map(shown).get(token) - p / sum) < 1e-9);
        else
          for (const [i, { p }] of start.candidates.entries())
            assert.ok(Math.abs(shown[i][1] - p) < 1e-9);
      }
      assert.ok(
        survivors.every((n, i) => i === 0 || n >= survivors[i - 1]),
        survivors.join(),
      );
      assert.deepEqual(await after(''), start);
      await press('switch-penalties');
    });

    test('100 draws of the shown choice go as the probabilities promise, and the text does not', async () => {
      const start = await set('seed', 5);
      const end = await press('draws');
      assert.deepEqual(end, start);
      const { n, rows } = await page.run(() => {
        const table = document.querySelector('[data-testid="trials"]');
        const rows = [...table.querySelectorAll('tbody tr')].map((row) =>
          [...row.cells].slice(1).map((cell) => Number(cell.textContent)),
        );
        return { n: Number(table.dataset.n), rows };
      });
      assert.equal(n, 100);
      assert.equal(
        rows.reduce((sum, [, drawn]) => sum + drawn, 0),
        100,
      );
      const chi = rows
        .filter(([expected]) => expected > 0)
        .reduce((sum, [expected, drawn]) => sum + (drawn - expected) ** 2 / expected, 0);
      // at most 6 degrees of freedom: the limit of 99.9 %
      assert.ok(chi < 22, `chi-square ${chi} over ${rows.length} rows`);
      await press('draws');
      const gone = await set('temperature', 0.5).then(() =>
        page.run(() => document.querySelector('[data-testid="trials"]') === null),
      );
      assert.ok(gone, 'draws of other settings are not shown');
      await set('temperature', start.values.temperature);
    });

    test('step takes the drawn token; the same seed tells the same text again', async () => {
      const texts = [];
      for (const seed of [5, 5, 6]) {
        const start = await set('seed', seed);
        for (let i = 0; i < 6; i++) {
          const { candidates } = await page.run(read);
          const { ids } = await press('step');
          assert.equal(ids.length, i + 1);
          assert.equal(ids.at(-1), candidates.find(({ drawn }) => drawn).token);
        }
        texts.push((await page.run(read)).output);
        const { candidates, output } = await press('reset');
        assert.equal(output, '');
        assert.deepEqual(candidates, start.candidates);
      }
      assert.equal(texts[0], texts[1]);
      assert.notEqual(texts[0], texts[2]);
      assert.ok(texts[0].length > 6);
    });

    test('run goes on until pause, and pause stops it within a token', async () => {
      await page.click('run');
      await page.wait(shown, 5);
      const [atPause, paused] = await page.run(() => {
        const count = () => document.querySelectorAll('[data-testid="output"] [data-id]').length;
        const n = count();
        document.querySelector('[data-testid="pause"]').click();
        return new Promise((resolve) => {
          const settle = () =>
            document.querySelector('main').ariaBusy === 'false'
              ? resolve([n, count()])
              : requestAnimationFrame(settle);
          settle();
        });
      });
      assert.ok(paused <= atPause + 1, `${atPause} tokens at the pause, ${paused} later`);
      await page.frames(10);
      assert.equal((await page.run(read)).ids.length, paused);
      assert.deepEqual((await press('reset')).ids, []);
    });

    test('at temperature 0 the text is the greedy one, and a full context says so', async () => {
      // leaves room for some tens of tokens
      const prompt = 'The frog said to the king. '.repeat(28);
      await set('temperature', 0);
      await set('prompt', prompt);
      await page.click('run');
      await page.wait(
        () => /ended|full/.test(document.querySelector('.note').textContent),
        undefined,
        60_000,
      );
      const { ids, output, note, disabled } = await page.run(read);
      const { steps } = await byProgram({ prompt, options: { temperature: 0 } });
      assert.ok(ids.length >= 20, `${ids.length} tokens`);
      assert.deepEqual(
        ids,
        steps.map(({ token }) => token),
      );
      assert.equal(output, steps.map(({ text }) => text).join(''));
      assert.match(note, /full/);
      assert.equal(disabled.step && disabled.run && !disabled.reset, true);
      assert.deepEqual(page.complaints, []);
    });

    test('markup in the prompt stays text', async () => {
      const { candidates } = await set(
        'prompt',
        '<img src=x onerror="document.title=1"><b>bold</b>',
      );
      assert.equal(candidates.length, SHOWN);
      assert.ok(
        await page.run(() =>
          document.querySelector('.text .prompt').textContent.includes('onerror'),
        ),
      );
      assert.equal(await page.run(() => document.querySelectorAll('.text img, .text b').length), 0);
    });

    test('step at once after typing takes the new prompt', async () => {
      await set('seed', 5);
      await set('temperature', 0.8);
      await page.set('prompt', 'The old king lived');
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

    test('a prompt that does not fit is refused in words, and a shorter one goes on', async () => {
      const refused = await set('prompt', 'word '.repeat(400));
      assert.match(refused.failure, /context|positions/i);
      assert.equal(refused.disabled.step && refused.disabled.run, true);
      assert.deepEqual(refused.candidates, [], 'no choice of another text is shown');
      const { failure, disabled, candidates } = await set('prompt', 'Once');
      assert.equal(failure, undefined);
      assert.equal(candidates.length, SHOWN);
      assert.equal(disabled.step, false);
    });

    test('control tokens are framed, and white space has marks that are not copied', async () => {
      const { candidates } = await byProgram({ prompt: 'The end.' });
      const control = candidates.find(({ size }) => size === 0);
      await set('prompt', 'The end.');
      const framed = await page.run(() =>
        [...document.querySelectorAll('.rows .control')].map((e) => [
          Number(e.closest('[data-token]').dataset.token),
          e.textContent,
        ]),
      );
      assert.deepEqual(framed, [[control.token, control.text]]);
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
            await other.set('prompt', 'Another prompt');
            await other.wait(quiet);
            const { failure, disabled } = await other.run(read);
            assert.match(failure, expected);
            assert.deepEqual(disabled, { step: true, run: true, pause: true, reset: true });
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
