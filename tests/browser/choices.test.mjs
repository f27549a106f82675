// The ledger and the draw in real browsers: each column holds the probabilities after its stage,
// each cut has a sign and a reason, the draw's sentence is true, and every control works by mouse,
// key and touch.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { serve } from '../../demo/serve.mjs';
import { inTree } from '../support/support.mjs';
import { pageBrowsers, open } from './browsers.mjs';
import { byteToken, choiceAt, readLedger } from './ledger.mjs';
import { cutTexts, hand, program, quiet, read, shown } from './page.mjs';

const LIMIT = 1e-9;
const SEED = 5; // draws a surprising token, and no end token, in the first steps
const near = (a, b, what) => assert.ok(Math.abs(a - b) <= LIMIT, `${what}: ${a}, not ${b}`);

for (const { name, needs } of pageBrowsers) {
  describe(`choices in ${name}`, needs, () => {
    let server, page, other, set, press, choose, at, all, settled, selectToken;

    before(async () => {
      server = await serve({
        port: 0,
        roots: [inTree('dist/demo'), inTree('dist'), inTree('tests/browser/pages')],
      });
      page = await open(name, { width: 1280, height: 800 });
      other = await open(name);
      ({ set, press, choose, at, all, settled, token: selectToken } = hand(page));
      await other.goto(`${server.url}blank.html`);
      await page.goto(server.url);
      await page.wait(shown, 0);
      await settled(async () => {});
      await press('introduction-close'); // permanently
    });
    after(async () => {
      await page?.close();
      await other?.close();
      await server?.close();
    });

    const idsOf = () =>
      page.run(() =>
        [...document.querySelectorAll('.text [data-prompt-id], .text [data-id]')].map(
          ({ dataset }) => Number(dataset.promptId ?? dataset.id),
        ),
      );
    const ledger = () => page.run(readLedger);
    /** The page as it opens. */
    const fresh = async () => {
      await page.goto('about:blank');
      await page.goto(server.url);
      await page.wait(shown, 0);
      return set('seed', SEED);
    };
    const add = async (...stages) => {
      for (const stage of stages) {
        await press('add-stage');
        await press(`add-${stage}`);
      }
    };
    const remove = async (stage) => {
      await press(`move-${stage}`);
      await press(`remove-${stage}`);
    };
    const order = async () =>
      (await ledger()).stages.map((stage) => stage.name).filter((stage) => stage !== 'model');

    /** Checks the table on the page: sums, signs, the drawn token. Returns the table. */
    const checkLedger = async (what) => {
      const table = await ledger();
      const stages = table.stages.map((stage) => stage.name);
      for (const stage of stages) {
        const sum = [...table.rows, ...table.groups].reduce(
          (total, { cells }) => total + (cells[stage] ?? 0),
          0,
        );
        near(sum, 1, `${what}: the column ${stage}`);
      }
      for (const row of table.rows) {
        assert.deepEqual(
          row.signs.map(([stage, text, striped]) => [stage, text.includes('✕'), striped]),
          row.removed_by ? [[row.removed_by, true, true]] : [],
          `${what}: the sign of token ${row.token}`,
        );
        assert.equal(row.removed_by === undefined, row.p_final > 0, `${what}: ${row.token}`);
      }
      const drawn = table.rows.filter((row) => row.next);
      assert.equal(drawn.length, 1, `${what}: the drawn token is listed`);
      assert.ok(drawn[0].p_final > 0, what);
      return table;
    };

    /** Compares the table with what a program computes. */
    const checkTruth = async (options, what) => {
      const table = await checkLedger(what);
      const samplers = table.stages.map((stage) => stage.name).slice(1);
      const tokens = table.rows.map(({ token }) => token);
      const truth = await other.run(choiceAt, {
        ids: await idsOf(),
        tokens,
        options: { seed: SEED, ...options, samplers },
      });
      assert.deepEqual(table.stages.slice(1), truth.stages, what);
      for (const [column, stage] of ['model', ...samplers].entries())
        for (const [i, row] of table.rows.entries())
          near(row.cells[stage], truth.columns[column][i], `${what}: ${stage}, token ${row.token}`);
      // every removed token is a row or in a group of the stage
      for (const { name: stage, removed } of truth.stages) {
        const rows = table.rows.filter((row) => row.removed_by === stage).length;
        const group = table.groups.find((group) => group.removed_by === stage);
        assert.equal(rows + (group?.n ?? 0), removed, `${what}: removed by ${stage}`);
        if (group) assert.ok(group.reason.length > 5, `${what}: why ${stage} cut`);
      }
      assert.equal(table.rows.find((row) => row.next).token, truth.draw.token, what);
      return table;
    };

    test('each column adds up to 1 and equals the choice with the stages up to it; every removal is accounted for', async () => {
      await fresh();
      assert.deepEqual(await order(), ['top_k', 'top_p', 'min_p', 'temperature']);
      await checkTruth({}, 'at first');
      await set('top-k-number', 100);
      await set('min-p', 0.02);
      await set('temperature-number', 3.5);
      await checkTruth({ top_k: 100, min_p: 0.02, temperature: 3.5 }, 'other values');
      await add('penalties', 'typ_p');
      await remove('top_k');
      const before = await ledger();
      assert.ok(before.groups.length >= 1);
      await checkTruth(
        { min_p: 0.02, temperature: 3.5, penalty_repeat: 1.1, typical_p: 0.9 },
        'stages added and removed',
      );
    });

    test('a stage that is added has an effect at once, says what it does, and can be undone', async () => {
      const start = await fresh();
      for (const [stage, id, value] of [
        ['penalties', 'penalty-repeat', '1.1'],
        ['dry', 'dry-multiplier', '0.8'],
        ['top_n_sigma', 'top-n-sigma', '1'],
        ['typ_p', 'typical-p', '0.9'],
        ['xtc', 'xtc-probability', '0.5'],
        ['mirostat', 'mirostat-tau', '3'],
      ]) {
        await add(stage);
        assert.ok((await order()).includes(stage), stage);
        assert.equal(
          await page.run((id) => document.querySelector(`[data-testid="${id}"]`).value, id),
          value,
        );
        const [why] = await all('[data-testid="why"]');
        assert.match(why.text, /Invented/, 'Why speaks of the new stage');
      }
      await page.run(() => document.querySelector('[data-testid="groups"]')?.click());
      await checkLedger('all stages');
      for (let i = 0; i < 6; i++) await press('undo');
      assert.deepEqual(await order(), ['top_k', 'top_p', 'min_p', 'temperature']);
      assert.deepEqual((await page.run(read)).candidates, start.candidates);
    });

    test('Escape closes the panel of a stage, and nothing else', async () => {
      await selectToken(5);
      const state = () => {
        const { index } = document.querySelector('[data-testid="ledger"]').dataset;
        const open = document.querySelectorAll(':popover-open').length;
        return { open, index, focus: document.activeElement.dataset.testid };
      };
      for (const id of ['add-stage', 'move-top_p']) {
        await page.click(id);
        assert.equal((await page.run(state)).open, 1, id);
        await settled(() => page.press('Escape'));
        assert.deepEqual(await page.run(state), { open: 0, index: '5', focus: id });
      }
      await settled(() => page.press('Escape'));
      assert.equal((await page.run(state)).index, undefined, 'the end of the text');
    });

    test('a token is favoured or banned from Why; undo takes that back', async () => {
      const start = await fresh();
      const { token } = start.candidates.find(({ next }) => next);
      await at(`[data-testid="candidate"][data-token="${token}"] [data-stage="model"]`);
      await press(`ban-${token}`);
      const banned = await checkTruth({ logit_bias: { [token]: -Infinity } }, 'banned');
      assert.equal(banned.stages[1].name, 'logit_bias');
      const row = banned.rows.find((row) => row.token === token);
      assert.equal(row.removed_by, 'logit_bias');
      const { ids } = await press('step');
      assert.notEqual(ids[0], token);
      await press('undo');
      await press('undo');
      assert.deepEqual((await page.run(read)).candidates, start.candidates);
      const other = start.candidates.find(({ next }) => !next).token;
      await at(`[data-testid="candidate"][data-token="${other}"] [data-stage="model"]`);
      await set(`bias-${other}-number`, 4);
      await checkTruth({ logit_bias: { [other]: 4 } }, 'favoured');
      await press('move-logit_bias');
      await press('remove-logit_bias');
      assert.deepEqual((await page.run(read)).candidates, start.candidates);
    });

    test('presets and defaults set the whole chain', async () => {
      const start = await fresh();
      await choose('preset', 'model');
      const asItIs = await checkTruth({}, 'no stage');
      for (const row of asItIs.rows) near(row.p, row.p_final, 'no stage changes it');
      await choose('preset', 'creative');
      await checkTruth({ min_p: 0.1, temperature: 1.5 }, 'creative');
      await choose('preset', 'greedy');
      const greedy = await checkTruth({ temperature: 0 }, 'greedy');
      assert.equal(greedy.rows.filter(({ p_final }) => p_final > 0).length, 1);
      const back = await press('defaults');
      assert.deepEqual(back.candidates, start.candidates);
      assert.equal(
        await page.run(() => document.querySelector('[data-testid="preset"]').value),
        'default',
      );
    });

    test('in 30 random settings and in a format: the sums are 1, no cut is without a sign, the drawn token is listed', async () => {
      await fresh();
      let state = 5;
      const random = () => (state = (state * 1103515245 + 12345) % 2 ** 31) / 2 ** 31;
      await add('xtc', 'typ_p', 'penalties');
      await page.run(() => document.querySelector('[data-testid="groups"]')?.click());
      const ids = [
        'temperature',
        'top-k',
        'top-p',
        'min-p',
        'xtc-probability',
        'typical-p',
        'penalty-repeat',
      ];
      for (let i = 0; i < 30; i++) {
        await settled(() =>
          page.run(
            ([ids, shares]) => {
              for (const [i, id] of ids.entries()) {
                const input = document.querySelector(`[data-testid="${id}"]`);
                const [min, max] = [Number(input.min), Number(input.max)];
                input.value = String(min + (max - min) * shares[i]);
                input.dispatchEvent(new Event('input', { bubbles: true }));
              }
            },
            [ids, ids.map(random)],
          ),
        );
        await set('seed', i);
        await checkLedger(`settings ${i}`);
      }
      await choose('preset', 'model');
      await set('seed', SEED);
      await add('temperature');
      await set('temperature', 2);
      await checkLedger('temperature 2');
      await choose('output-format', 'json');
      const table = await checkLedger('JSON');
      assert.equal(table.stages[1].name, 'grammar');
      assert.ok(table.rows.find((row) => row.next).cells.grammar > 0);
      const cut = table.groups.find((group) => group.removed_by === 'grammar');
      assert.match(cut.reason, /the format does not allow/);
      await choose('output-format', 'free');
    });

    test('stages are moved by key, by menu and by dragging; the model is not run', async () => {
      const start = await fresh();
      await press('move-min_p');
      await press('later-min_p');
      assert.deepEqual(await order(), ['top_k', 'top_p', 'temperature', 'min_p']);
      await press('move-min_p');
      await press('earlier-min_p');
      assert.deepEqual(await order(), ['top_k', 'top_p', 'min_p', 'temperature']);
      await page.run(() => document.querySelector('[data-testid="move-temperature"]').focus());
      for (let i = 0; i < 5; i++) await settled(() => page.press('ArrowLeft'));
      assert.deepEqual(await order(), ['temperature', 'top_k', 'top_p', 'min_p']);
      assert.equal(
        await page.run(() => document.activeElement.dataset.testid),
        'move-temperature',
        'the focus stays with the stage',
      );
      await checkTruth({}, 'temperature first');
      const [from, to] = await page.run(() => {
        document.querySelector('.ledger').scrollIntoView({ block: 'start' });
        return ['move-top_k', 'stage-min_p'].map((id) => {
          const element = document.querySelector(`[data-testid="${id}"]`);
          const { x, y, width, height } = element.getBoundingClientRect();
          return { x: x + width / 2, y: y + Math.min(12, height / 2) };
        });
      });
      await settled(async () => {
        await page.mouse.move(from.x, from.y);
        await page.mouse.down();
        for (let i = 1; i <= 6; i++)
          await page.mouse.move(from.x + ((to.x + 10 - from.x) * i) / 6, from.y);
        await page.mouse.up();
      });
      assert.deepEqual(await order(), ['temperature', 'top_p', 'min_p', 'top_k']);
      assert.equal(
        await page.run(() => document.querySelector('.popover:popover-open')),
        null,
        'a drag opens no menu',
      );
      await checkTruth({}, 'dragged');
      assert.equal((await page.run(read)).decoded, start.decoded);
    });

    test('the sentence under the draw is true: at the end, after Step, at an earlier place, after the end', async () => {
      await fresh();
      const say = async () => {
        const { rows, sentence } = await ledger();
        const { random } = await page.run(read);
        const [u, low, high] = /^([\d.]+) falls in .*\(([\d.]+) to ([\d.]+)\)/
          .exec(sentence)
          .slice(1);
        assert.ok(Math.abs(u - random.u) < 6e-5 && +low < +u && +u < +high, sentence);
        assert.ok(Math.abs(low - random.low) < 6e-4 && Math.abs(high - random.high) < 6e-4);
        const row = rows.find((row) => row.next);
        near(row.p_final, random.high - random.low, 'the share');
        return { token: row.token, mark: row.mark, sentence };
      };
      for (let i = 0; i < 3; i++) {
        const { token, mark, sentence } = await say();
        assert.match(sentence, /is next\./);
        assert.equal(mark, '◀ next');
        assert.equal((await press('step')).ids.at(-1), token, 'Step takes the token that is next');
      }
      const ids = await idsOf();
      await selectToken(ids.length - 2);
      const there = await say();
      assert.match(there.sentence, /would be drawn here\./);
      assert.equal(there.mark, '◀ used here');
      assert.equal(there.token, ids.at(-2), 'with the same settings and seed');
      await set('seed', 6);
      const seed6 = await ledger();
      assert.equal(seed6.rows.find(({ token }) => token === ids.at(-2)).mark, '◀ used here');
      const wouldBe = seed6.rows.find((row) => row.next);
      if (wouldBe.token !== ids.at(-2)) assert.equal(wouldBe.mark, 'would be drawn');
      assert.equal((await press('step')).ids.length, 4, 'Step goes on at the end');
      // after the end of the text nothing is next
      const end = await page.run(() => document.querySelectorAll('.mark-next').length);
      assert.equal(end, 1);
      await set('search', '</s>');
      await at('[data-testid="candidate"].found button');
      await set('search', '');
      const ended = await ledger();
      assert.equal(ended.sentence, undefined);
      assert.ok(ended.rows.length > 0 && ended.rows.every((row) => !row.next && row.mark === ''));
      assert.deepEqual(await all('[data-testid="random-number"]'), []);
    });

    test('a click on a number, a head or a cut says why', async () => {
      await fresh();
      const why = async () => (await all('[data-testid="why"]'))[0].text;
      assert.match(await why(), /^Why.*is ␣?\S+ next\?/);
      await at('[data-testid="candidate"] [data-stage="top_p"]');
      assert.match(await why(), /What did top-p do to .*becomes/);
      await at('td.cut');
      assert.match(await why(), /Why was .* cut\?/);
      await press('ask-top_k');
      assert.match(await why(), /kept the 40 most probable of 3,072/);
      assert.equal((await all('[data-testid="kept-top_k"]'))[0].text, 'kept 40 of 3,072');
      // a group counts the tokens without a row, and says so where rows were cut too
      const groups = await page.run(() =>
        [...document.querySelectorAll('[data-testid="group"]')].map((group) => {
          const by = group.dataset.removedBy;
          const rows = document.querySelectorAll(
            `[data-testid="candidate"]${by ? `[data-removed-by="${by}"]` : ':not(.removed)'}`,
          );
          return [group.querySelector('th').textContent, rows.length];
        }),
      );
      assert.ok(groups.some(([, n]) => n > 0) && groups.some(([, n]) => n === 0));
      for (const [title, n] of groups) assert.equal(/^[\d,]+ more /.test(title), n > 0, title);
      await press('ask-model');
      assert.match(await why(), /softmax/);
      await at('[data-testid="group"] .cut');
      assert.match(await why(), /kept/);
    });

    test('by keyboard: arrows move between the cells, Enter takes a token, and the focus goes to the next choice', async () => {
      // a window of its own: Firefox presses no buttons of a window behind another one
      const page = await open(name);
      const { press, settled, all } = hand(page);
      try {
        await page.goto(server.url);
        await page.wait(shown, 0);
        await press('introduction-close');
        const focus = () =>
          page.run(() => {
            const { activeElement } = document;
            const row = activeElement.closest('[data-testid="candidate"]');
            const rows = [...document.querySelectorAll('[data-testid="candidate"]')];
            return {
              row: rows.indexOf(row),
              stage: activeElement.dataset.stage,
              next: row?.classList.contains('next'),
              token: Number(row?.dataset.token),
            };
          });
        await page.run(() => document.querySelector('.next [data-roving]').focus());
        const first = await focus();
        await page.press('ArrowDown');
        await page.press('ArrowDown');
        assert.equal((await focus()).row, first.row + 2);
        await page.press('ArrowRight');
        await page.press('ArrowRight');
        await page.press('ArrowRight');
        assert.equal((await focus()).stage, 'top_k');
        await page.wait(() =>
          /What did top-k do to/.test(document.querySelector('[data-testid="why"]').textContent),
        );
        await page.press('Home');
        const { token } = await focus();
        const { ids } = await settled(async () => {
          await page.press('Enter');
          await page.wait(shown, 1);
        });
        assert.deepEqual(ids, [token]);
        await page.wait(() => document.activeElement.closest('.next') !== null);
        assert.equal((await focus()).next, true);
        // the table has one tab stop, and each row a name with its numbers
        const names = await page.run(() =>
          [...document.querySelectorAll('[data-testid="candidate"] .take')].map((button) => [
            button.tabIndex,
            button.ariaLabel,
          ]),
        );
        assert.equal(names.filter(([tabIndex]) => tabIndex === 0).length, 1);
        for (const [, label] of names)
          assert.match(label, /, [\d.<]+ percent, (final [\d.<]+|cut by )/);
      } finally {
        await page.close();
      }
    });

    test('a slider and its numbers are in one viewport, and its stage is told to screen readers', async () => {
      await fresh();
      const boxes = await page.run(() => {
        scrollTo(0, 0);
        return [
          '[data-testid="temperature"]',
          '[data-testid="temperature-number"]',
          '[data-testid="candidate"]:nth-child(6)',
          '[data-testid="step"]',
        ]
          .map((selector) => document.querySelector(selector).getBoundingClientRect())
          .map(({ top, bottom }) => ({ top, bottom }));
      });
      for (const { top, bottom } of boxes)
        assert.ok(top >= 0 && bottom <= 800, JSON.stringify(boxes));
      await set('temperature', 1.7);
      const spoken = await page.run(
        () => [...document.querySelectorAll('.ledger [aria-live]')].at(-1).textContent,
      );
      assert.match(spoken, /^\d+ kept; next: \S+/);
    });

    test('on a phone: a chip opens its slider over the text, the numbers stay in view; a cut says why', async () => {
      const phone = await open(name, { width: 360, height: 740, touch: true });
      try {
        const at = hand(phone);
        await phone.goto(server.url);
        await phone.wait(shown, 0);
        await at.settled(async () => {});
        await at.press('introduction-close');
        assert.ok((await phone.run(read)).overflow <= 0, 'no horizontal scroll bar');
        const before = await phone.run(readLedger);
        const n_rows = before.rows.length; // as many as the window has room for
        assert.ok(n_rows >= 5 && n_rows <= 8, `${n_rows} rows`);
        await at.press('chip-temperature');
        await at.set('temperature', 1.9);
        const after = await phone.run(readLedger);
        assert.notEqual(after.rows[0].p_final, before.rows[0].p_final);
        const view = await phone.run(() => {
          const box = (selector) => document.querySelector(selector).getBoundingClientRect();
          const [panel, slider, head, row, bar] = [
            ...[
              '.chip-panel',
              '[data-testid="temperature"]',
              '.ledger thead',
              '.ledger tbody tr:nth-child(4)',
              '[data-testid="chip-temperature"]',
            ],
          ].map(box);
          return {
            slider: slider.top >= 0 && slider.bottom <= panel.bottom,
            ledger: head.top >= panel.bottom - 1 && row.bottom <= bar.top,
            heights: [...document.querySelectorAll('.ledger tbody tr')].map(
              (row) => row.getBoundingClientRect().height,
            ),
          };
        });
        assert.ok(view.slider && view.ledger, JSON.stringify(view));
        assert.ok(
          view.heights.every((height) => height >= 43.5),
          view.heights.join(),
        );
        assert.equal(
          await phone.run(() => document.querySelector('.chip-panel small').textContent),
          '',
        );
        await at.press('chip-close');
        await at.press('chip-top_k');
        assert.equal(
          await phone.run(() => document.querySelector('.chip-panel small').textContent),
          'kept 40 of 3,072',
        );
        await at.press('chip-close');
        await at.press('groups');
        const open_ = await phone.run(readLedger);
        assert.equal(open_.rows.length, 15);
        near(
          [...open_.rows, ...open_.groups].reduce((sum, { cells }) => sum + cells.model, 0),
          1,
          'the model’s column',
        );
        assert.deepEqual(await phone.run(cutTexts), []);
        const reasons = await phone.run(() =>
          [...document.querySelectorAll('.group small')].map((part) => ({
            text: part.textContent,
            cut: part.scrollWidth > part.clientWidth || part.scrollHeight > part.clientHeight + 1,
          })),
        );
        assert.ok(reasons.length > 0);
        for (const { text, cut } of reasons) assert.ok(/^\w/.test(text) && !cut, text);
        await phone.tap('td.cut button');
        await phone.wait(quiet);
        assert.match(
          await phone.run(() => document.querySelector('.why-row').textContent),
          /Why was .* cut\?/,
        );
        assert.ok((await phone.run(read)).overflow <= 0);
      } finally {
        await phone.close();
      }
    });

    test('looking changes nothing: with everything opened, the same seed gives the same tokens as a program gets', async () => {
      const { prompt } = await fresh();
      for (let i = 0; i < 6; i++) {
        await press('step');
        await press('ask-min_p');
        await set('search', 'the');
        if (i % 2) await press('draws');
        await selectToken((await idsOf()).length - 1);
        await press('to-end');
      }
      await set('search', '');
      const { ids } = await page.run(read);
      const { steps } = await other.run(program, {
        prompt,
        options: { seed: SEED, max_tokens: 6 },
      });
      assert.deepEqual(
        ids,
        steps.map(({ token }) => token),
      );
    });

    test('bytes are bytes: halves of characters are shown as such, complete each other, and go on as the tokens that they are', async () => {
      await fresh();
      const texts = [];
      for (const byte of [0xf0, 0x9f, 0x98, 0x80, 0x80]) {
        await set('search', await other.run(byteToken, byte));
        texts.push((await at('[data-testid="candidate"].found button')).output);
      }
      assert.deepEqual(texts, ['', '', '', '😀', '😀\ufffd']);
      await set('search', '');
      await checkTruth({}, 'after bytes');
    });
  });
}
