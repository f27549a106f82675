// The comparison of samplers and models, and the tokenizer's sheet, in real browsers.
import assert from 'node:assert/strict';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { serve } from '../../demo/serve.mjs';
import { tinyFile } from '../support/tiny-llama.mjs';
import { inTree } from '../support/support.mjs';
import { pageBrowsers, open } from './browsers.mjs';
import { hand, read, shown } from './page.mjs';

for (const { name, needs } of pageBrowsers) {
  describe(`comparisons in ${name}`, needs, () => {
    let server, page, other, folder, set, press, settled;
    const files = {};

    before(async () => {
      folder = mkdtempSync(join(tmpdir(), 'tokenglass-compare-'));
      for (const [file, bytes] of Object.entries({
        'one.gguf': tinyFile(1),
        'two.gguf': tinyFile(2),
      }))
        writeFileSync((files[file] = join(folder, file)), bytes);
      server = await serve({
        port: 0,
        roots: [inTree('dist/demo'), inTree('dist'), inTree('tests/browser/pages'), folder],
      });
      page = await open(name);
      other = await open(name);
      ({ set, press, settled } = hand(page));
      await other.goto(`${server.url}blank.html`);
      await begin();
    });
    after(async () => {
      await page?.close();
      await other?.close();
      await server?.close();
      rmSync(folder, { recursive: true, force: true });
    });

    const begin = async () => {
      await page.goto('about:blank');
      await page.goto(server.url);
      await page.wait(shown, 0);
      return settled(async () => {});
    };

    test('compare: the same settings are the same, others part; KL is 0 or says how far', async () => {
      await begin();
      await press('step');
      await press('compare');
      const compared = async () => {
        await page.click('compare-run');
        await page.wait(
          () =>
            document.querySelector('[data-testid="compared"]') &&
            document.querySelector('.compare-panel').ariaBusy === 'false',
        );
        const rows = await page.run(() =>
          [...document.querySelectorAll('[data-testid="pairs"] tbody tr')].map((row) => ({
            ...{
              raw: row.dataset.raw,
              p_final: row.dataset.p_final,
              parts: row.className === 'parts',
            },
            cells: [...row.cells].map((cell) => cell.textContent),
          })),
        );
        return {
          rows,
          ...(await page.run(() => ({
            ...document.querySelector('[data-testid="compared"]').dataset,
          }))),
        };
      };
      const same = await compared();
      assert.equal(same.same, 'true');
      assert.equal(same.rows.length, 24);
      for (const { raw, p_final, cells } of same.rows) {
        assert.equal(cells[1], cells[2]);
        assert.deepEqual([Number(raw), Number(p_final)], [0, 0]);
      }
      await set('b-temperature', 2);
      await set('b-seed', 99);
      const parted = await compared();
      assert.equal(parted.same, 'false');
      const n = Number(parted.parts);
      assert.ok(parted.rows[n].parts && parted.rows[n].cells[1] !== parted.rows[n].cells[2]);
      for (const [i, { raw, p_final }] of parted.rows.entries()) {
        if (i > n)
          assert.deepEqual([raw, p_final], [undefined, undefined], 'other texts are not compared');
        else {
          assert.equal(Number(raw), 0, 'one model');
          assert.ok(Number(p_final) > 0);
        }
      }
      await press('b-switch-top_k');
      await press('compare-copy');
      assert.equal((await compared()).same, 'true', 'the settings of A');
    });

    test('compare: shows how far it is, and can be cancelled', async () => {
      const steps = await page.run(async () => {
        const get = (id) => document.querySelector(`[data-testid="${id}"]`);
        const turn = () => new Promise((resolve) => setTimeout(resolve));
        const seen = new Set();
        get('compare-run').click();
        for (let done = false; !done; done = !get('compare-progress')) {
          await turn();
          seen.add(get('compare-progress')?.querySelector('[role="status"]').textContent);
        }
        return [...seen].filter(Boolean);
      });
      assert.ok(steps.length > 3, steps.join());
      const numbers = steps.map((text) => Number(/^Token (\d+) of 24$/.exec(text)[1]));
      assert.deepEqual(
        numbers,
        numbers.toSorted((a, b) => a - b),
      );
      await page.set('b-seed', 4321);
      const [before, after, n] = await page.run(async () => {
        const get = (id) => document.querySelector(`[data-testid="${id}"]`);
        const turn = () => new Promise((resolve) => setTimeout(resolve));
        const shown = () => get('pairs').textContent;
        const before = shown();
        get('compare-run').click();
        while (!get('compare-cancel')) await turn();
        get('compare-cancel').click();
        const n = get('compare-progress').querySelector('progress').value;
        while (get('compare-progress')) await turn();
        return [before, shown(), n];
      });
      assert.ok(n < 24, 'cancelled before the end');
      assert.equal(after, before, 'the last result stays');
    });

    test('compare: two models of one vocabulary side by side, with their divergence', async () => {
      await page.click('compare-model');
      await settled(async () => {});
      await page.upload('file', files['one.gguf']);
      await page.wait(
        () =>
          document.querySelector('[data-testid="compare-same"]') &&
          !document.querySelector('[data-testid="other-dialog"][open]'),
      );
      await page.click('compare-run');
      await page.wait(() =>
        /different vocabularies/.test(
          document.querySelector('[data-testid="compared"]')?.textContent ?? '',
        ),
      );
      await press('compare-dialog-close');
      await press('models');
      await page.upload('file', files['two.gguf']);
      await page.wait(() =>
        /tiny 2/.test(document.querySelector('[data-testid="models"]').textContent),
      );
      await press('compare');
      await page.click('compare-run');
      const raw = await page.wait(() =>
        Number(document.querySelector('[data-testid="pairs"] tbody tr')?.dataset.raw),
      );
      const { prompt } = await page.run(read);
      const logits = async (file) =>
        other.run(
          async ([file, prompt]) => {
            const { loadModel } = await import('/index.js');
            const model = await loadModel(file);
            const session = model.createSession();
            await session.sync(prompt);
            const all = Array.from(await session.logits());
            await model.dispose();
            return all;
          },
          [`/${file}`, prompt],
        );
      const softmax = (all) => {
        const top = Math.max(...all);
        const sum = all.reduce((total, x) => total + Math.exp(x - top), 0);
        return all.map((x) => Math.exp(x - top) / sum);
      };
      const [a, b] = [softmax(await logits('two.gguf')), softmax(await logits('one.gguf'))];
      const truth = a.reduce((sum, p, i) => sum + p * Math.log2(p / b[i]), 0);
      assert.ok(Math.abs(raw - truth) < 1e-6, `${raw} bits, ${truth}`);
      await press('compare-dialog-close');
    });

    test('the tokenizer: every token with its bytes, nothing invisible, and where another tokenizer differs', async () => {
      await begin();
      await press('tokenizer');
      const seen = () =>
        page.run(() => ({
          ...document.querySelector('[data-testid="tokenization-summary"]').dataset,
          stretches: [...document.querySelectorAll('.tokens .aligned')].map((stretch) => ({
            same: stretch.dataset.same === 'true',
            sides: ['a', 'b'].map((side) =>
              [...stretch.querySelectorAll(`.side-${side} .cell`)].map(
                ({ dataset, textContent }) => ({
                  ...{
                    id: Number(dataset.token),
                    start: Number(dataset.start),
                    end: Number(dataset.end),
                    text: textContent,
                  },
                }),
              ),
            ),
          })),
        }));
      const until = (n, which = 'tokens') =>
        page.wait(
          ([n, which]) =>
            document.querySelector('[data-testid="tokenization-summary"]')?.dataset[which] ===
            String(n),
          [n, which],
        );
      const tokenized = (file, text, options) =>
        other.run(
          async ([file, text, options]) => {
            const { loadModel } = await import('/index.js');
            const model = await loadModel(file, { vocab_only: true });
            const ids = await model.tokenize(text, options);
            await model.dispose();
            return ids;
          },
          [file, text, options],
        );
      const of = (stretches, side) => stretches.flatMap(({ sides }) => sides[side]);
      const text = 'One naïve\u200b cat\t</s> 漢\n';
      const bytes = new TextEncoder().encode(text);
      await set('tokenization-text', text);
      const ids = await tokenized('/storybook-q8_0.gguf', text);
      await until(ids.length);
      const alone = await seen();
      assert.deepEqual(
        of(alone.stretches, 0).map(({ id }) => id),
        ids,
      );
      let at = 0;
      for (const { start, end, text: shown } of of(alone.stretches, 0)) {
        assert.equal(start, at);
        at = end;
        assert.doesNotMatch(shown, /[\s\u200b]|^$/u, 'what cannot be seen is named');
      }
      assert.equal(at, bytes.length);
      assert.equal(alone.others, undefined);
      // special tokens only when asked for
      await press('tokenization-parse-special');
      const special = await tokenized('/storybook-q8_0.gguf', text, { parse_special: true });
      assert.notEqual(special.length, ids.length);
      await until(special.length);
      await press('tokenization-add-special');
      await until(special.length - 1);
      await press('tokenization-add-special');
      await press('tokenization-parse-special');
      await until(ids.length);
      // a token's bytes and characters, and a token that is a part of a character
      const part = of(alone.stretches, 0).findIndex(({ start }) => bytes[start] === 0xe6);
      await page.run((part) => document.querySelectorAll('.tokens .cell')[part].click(), part);
      await page.wait(() =>
        /E6.*part of U\+6F22/.test(
          document.querySelector('[data-testid="tokenization-selected"]').textContent,
        ),
      );
      await page.run(() =>
        document.querySelector('[data-testid="tokenization-table"]').setAttribute('open', ''),
      );
      assert.equal(
        await page.run(
          () => document.querySelectorAll('[data-testid="tokenization-table"] tbody tr').length,
        ),
        ids.length,
      );
      // another vocabulary
      await press('tokenization-other');
      await page.upload('file', inTree('tests/golden/valid/byte-level.gguf'));
      await page.wait(
        () =>
          Number(document.querySelector('[data-testid="tokenization-summary"]').dataset.others) > 0,
      );
      const both = await seen();
      assert.deepEqual(
        of(both.stretches, 0).map(({ id }) => id),
        ids,
      );
      assert.equal(Number(both.others), of(both.stretches, 1).length);
      assert.equal(Number(both.differ), both.stretches.filter(({ same }) => !same).length);
      for (const { same, sides } of both.stretches) {
        const ends = sides.map((side) => side.at(-1)?.end);
        if (sides.every((side) => side.length > 0))
          assert.equal(ends[0], ends[1], 'both sides of a stretch end together');
        const cuts = sides.map((side) => side.map(({ end }) => end).join());
        assert.equal(same, cuts[0] === cuts[1]);
      }
      assert.ok(
        both.stretches.some(({ same }) => same) && both.stretches.some(({ same }) => !same),
      );
      await press('tokenization-same');
      await page.wait(
        () =>
          document.querySelector('[data-testid="tokenization-summary"]').dataset.others ===
          undefined,
      );
      await set('tokenization-text', '');
      await until(1); // BOS
      await press('tokenizer-dialog-close');
    });
  });
}
