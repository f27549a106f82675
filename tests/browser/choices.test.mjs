// Showing and making choices, in real browsers: the numbers that the page shows, the waterfall,
// branches, the coloured text, the timeline, speed.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { serve } from '../../demo/serve.mjs';
import { inTree } from '../support/support.mjs';
import { browsers, open } from './browsers.mjs';
import { hand, program, read, shown } from './page.mjs';

const MAX_TOKENS_BEFORE_ANSWER = 3; // tokens that the page may show before it answers a press
const SLOW_MS = 500; // for a token at the slowest speed

/**
 * What a program computes on a prefix: raw logits of a fresh session, and the choice with these
 * options.
 */
const choiceAt = async ({ ids, options }) => {
  const { loadModel } = await import('/index.js');
  const model = await loadModel('/storybook-q8_0.gguf');
  const session = model.createSession();
  await session.sync(ids);
  const { candidates, stages, draw } = await session.candidates({ top_n: 100, ...options });
  const scores = await model.score(ids);
  await model.dispose();
  return {
    candidates: candidates.map(({ token, logit, p_final }) => [token, logit, p_final]),
    stages: stages.map(({ name, kept, removed, reason }) => ({ name, kept, removed, reason })),
    draw,
    scores: scores.map(({ token, logprob, rank, entropy }) => ({ token, logprob, rank, entropy })),
  };
};

for (const { name, needs } of browsers) {
  describe(`choices in ${name}`, needs, () => {
    let server, page, other, set, press, choose, at, all, settled;

    before(async () => {
      server = await serve({
        port: 0,
        roots: [inTree('dist/demo'), inTree('dist'), inTree('tests/browser/pages')],
      });
      page = await open(name);
      other = await open(name);
      ({ set, press, choose, at, all, settled } = hand(page));
      await other.goto(`${server.url}blank.html`);
      await page.goto(server.url);
      await page.wait(shown, 0);
      await press('tour-skip'); // dismisses the tour permanently
    });
    after(async () => {
      await page?.close();
      await other?.close();
      await server?.close();
    });

    const promptIds = async () =>
      (await all('[data-prompt-id]')).map(({ promptId }) => Number(promptId));
    const selectToken = (index) => at(`.text [data-index="${index}"]`);
    /** The page as it opens. */
    const fresh = async () => {
      await page.goto('about:blank');
      await page.goto(server.url);
      await page.wait(shown, 0);
      return settled(async () => {});
    };

    test('looking changes nothing: with everything opened, the same seed gives the same tokens as a program gets', async () => {
      await fresh();
      const ids = [];
      for (let i = 0; i < 6; i++) {
        await press('step');
        await at('.choice-panel .data-table summary');
        await at('.stages-panel .data-table summary');
        await set('search', 'the');
        if (i % 2) await press('draws');
        await selectToken((await promptIds()).length + i);
        await press('to-end');
        ids.push((await page.run(read)).ids.at(-1));
      }
      await set('search', '');
      const { prompt } = await page.run(read);
      const { steps } = await other.run(program, { prompt, options: { seed: 5, max_tokens: 6 } });
      assert.deepEqual(
        ids,
        steps.map(({ token }) => token),
      );
    });

    test('every removal is accounted for, stage by stage and token by token', async () => {
      await fresh();
      await press('switch-top_n_sigma');
      await press('switch-typ_p');
      await set('typical-p', 0.8);
      await set('top-n-sigma', 2);
      const stages = (await all('.stages .stage:not(.off)')).map((stage) => ({
        ...{
          name: stage.name,
          kept: Number(stage.kept),
          removed: Number(stage.removed),
          text: stage.text,
        },
      }));
      assert.deepEqual(
        stages.map((stage) => stage.name),
        ['top_n_sigma', 'top_k', 'typ_p', 'top_p', 'min_p', 'temperature'],
      );
      let survivors = 3072;
      for (const { kept, removed } of stages) {
        assert.equal(kept + removed, survivors);
        survivors = kept;
      }
      const ids = await promptIds();
      const options = {
        seed: 5,
        samplers: stages.map((stage) => stage.name),
        typical_p: 0.8,
        top_n_sigma: 2,
      };
      const truth = await other.run(choiceAt, { ids, options });
      for (const [i, { name, kept, removed, text }] of stages.entries()) {
        assert.deepEqual(
          { name, kept, removed },
          (({ name, kept, removed }) => ({ name, kept, removed }))(truth.stages[i]),
        );
        assert.ok(text.includes(truth.stages[i].reason.replace(/^\w+: /, '')), text);
      }
      // for each token: the tokens that a row counts as removed are those that the table lists
      // under that stage
      const rows = await all('[data-testid="candidate"]');
      const removed = await page.run(() =>
        [...document.querySelectorAll('[data-testid="stages-table"] tbody tr')].map((row) => [
          row.dataset.stage,
          row.cells[5].textContent,
        ]),
      );
      for (const [stage, listed] of removed) {
        const pieces = rows
          .filter(({ removedBy }) => removedBy === stage)
          .map(({ token }) => token);
        assert.equal(listed === '' ? 0 : listed.split('  ').length, pieces.length, stage);
      }
      assert.equal(rows.filter(({ removedBy }) => !removedBy).length, survivors);
    });

    test('stages are switched off and put in another order, by key and by dragging; the model is not run', async () => {
      const start = await fresh();
      const ids = await promptIds();
      const order = async () => (await all('.stages .stage:not(.off)')).map((stage) => stage.name);
      const rows = async () =>
        (await all('[data-testid="candidate"]')).map(({ token, p_final }) => [
          Number(token),
          Number(p_final),
        ]);
      const truth = async (samplers) =>
        (await other.run(choiceAt, { ids, options: { seed: 5, samplers } })).candidates.map(
          ([token, , p_final]) => [token, p_final],
        );
      assert.deepEqual(await order(), ['top_k', 'top_p', 'min_p', 'temperature']);
      await press('switch-min_p');
      assert.deepEqual(await rows(), await truth(['top_k', 'top_p', 'temperature']));
      await press('switch-min_p');
      await page.run(() => document.querySelector('[data-testid="grip-temperature"]').focus());
      for (let i = 0; i < 8; i++) await settled(() => page.press('ArrowLeft'));
      assert.deepEqual(await order(), ['temperature', 'top_k', 'top_p', 'min_p']);
      assert.equal(
        await page.run(() => document.activeElement.dataset.testid),
        'grip-temperature',
        'the focus stays with it',
      );
      assert.deepEqual(await rows(), await truth(['temperature', 'top_k', 'top_p', 'min_p']));
      const [from, to] = await page.run(() => {
        document.querySelector('.stages-panel').scrollIntoView({ block: 'center' });
        return ['top_k', 'min_p'].map((name) => {
          const { x, y, width, height } = document
            .querySelector(`[data-testid="grip-${name}"]`)
            .getBoundingClientRect();
          return { x: x + width / 2, y: y + height / 2 };
        });
      });
      const moved = () => {
        const [k, p] = ['top_k', 'top_p'].map((name) =>
          document.querySelector(`[data-testid="grip-${name}"]`),
        );
        return Boolean(p.compareDocumentPosition(k) & Node.DOCUMENT_POSITION_FOLLOWING);
      };
      await settled(async () => {
        await page.mouse.move(from.x, from.y);
        await page.mouse.down();
        for (let i = 1; i <= 12; i++)
          await page.mouse.move(from.x + ((to.x + 20 - from.x) * i) / 12, from.y);
        await page.wait(moved); // the component checks the pointer at intervals
        await page.mouse.up();
        await page.wait(() => document.querySelector('.sortable-chosen, .sortable-ghost') === null);
      });
      const dragged = await order();
      assert.ok(dragged.indexOf('top_k') > dragged.indexOf('top_p'), dragged.join());
      assert.deepEqual(await rows(), await truth(dragged));
      const end = await page.run(read);
      assert.equal(end.decoded, start.decoded);
    });

    test('a click on a candidate branches there; the old path is kept; undo and redo go along the tree', async () => {
      await fresh();
      for (let i = 0; i < 4; i++) await press('step');
      const before = await page.run(read);
      const ids = await promptIds();
      await selectToken(ids.length + 1);
      const rows = await all('[data-testid="candidate"]');
      assert.equal(rows.filter((row) => row.class.includes('taken')).length, 1);
      assert.equal(Number(rows.find((row) => row.class.includes('taken')).token), before.ids[1]);
      const token = Number(rows.find((row) => !row.class.includes('taken') && row.removedBy).token);
      const branched = await at(`[data-testid="candidate"][data-token="${token}"]`);
      assert.deepEqual(branched.ids, [before.ids[0], token]);
      const truth = await other.run(choiceAt, {
        ids: [...ids, ...branched.ids],
        options: { seed: 5 },
      });
      const logits = (trace) => trace.map(([token, , p_final]) => [token, p_final]);
      assert.deepEqual(
        branched.candidates.map(({ token, p_final }) => [token, p_final]),
        logits(truth.candidates),
        'a branch is a real run',
      );
      await press('step');
      await at('.paths-panel summary');
      assert.equal((await all('[data-testid="path"]')).length, 2);
      assert.ok((await all('[data-testid="knot"]')).length >= 4);
      assert.equal((await all('.text .token sup')).length, 1, 'the fork is marked in the text');
      assert.deepEqual((await press('undo')).ids, branched.ids);
      assert.deepEqual((await press('undo')).ids, before.ids);
      assert.deepEqual((await press('redo')).ids, branched.ids);
      await at('[data-testid="paths"] [aria-pressed="false"]');
      assert.deepEqual((await page.run(read)).ids.slice(0, 2).length, 2);
      const deep = (await all('[data-testid="knot"]')).find(({ depth }) => depth === '1');
      assert.ok(deep);
      assert.deepEqual((await at('[data-testid="knot"][data-depth="1"]')).ids, [before.ids[0]]);
      // in the prompt, too
      await selectToken(3);
      const inside = (await all('[data-testid="candidate"]'))[5];
      const cut = await at(`[data-testid="candidate"][data-token="${inside.token}"]`);
      assert.deepEqual(cut.ids, [Number(inside.token)]);
      assert.deepEqual(await promptIds(), ids.slice(0, 3));
      assert.equal((await press('undo')).prompt, before.prompt);
    });

    test('bytes are bytes: halves of characters are shown as such, complete each other, and go on as the tokens that they are', async () => {
      const start = await fresh();
      const ids = await promptIds();
      const texts = [];
      for (const byte of ['F0', '9F', '98', '80', '80']) {
        await set('search', `‹${byte}›`);
        texts.push((await at('[data-testid="found"]')).output);
      }
      assert.deepEqual(texts, ['', '', '', '😀', '😀\ufffd']);
      await set('search', '');
      const { ids: path, candidates } = await page.run(read);
      assert.equal(path.length, 5);
      const truth = await other.run(choiceAt, { ids: [...ids, ...path], options: { seed: 5 } });
      assert.deepEqual(
        candidates.map(({ token, p_final }) => [token, p_final]),
        truth.candidates.map(([token, , p_final]) => [token, p_final]),
      );
      assert.equal((await all('.text .token.part')).length, 3);
      // in a prompt with byte tokens, whose text together is the prompt
      await set('prompt', 'A 😀é end');
      const parts = await all('[data-prompt-id]:not(.special)');
      assert.equal(parts.map(({ text }) => text).join(''), 'A 😀é end');
      assert.ok(parts.filter((part) => part.class.includes('part')).length >= 3);
      assert.equal((await set('prompt', start.prompt)).prompt, start.prompt);
    });

    test('random actions and as many undos give the state at the beginning', async () => {
      const start = await fresh();
      const depth = () =>
        page.run(() =>
          document.querySelector('[data-testid="undo"]').getAttribute('aria-disabled'),
        );
      const actions = [
        'step',
        'branch',
        'reset',
        'step',
        'select',
        'undo',
        'redo',
        'step',
        'branch',
        'path',
      ];
      let seed = 7;
      for (let i = 0; i < 40; i++) {
        seed = (seed * 1103515245 + 12345) % 2 ** 31;
        const act = actions[(seed >> 8) % actions.length];
        const rows = await all('[data-testid="candidate"]');
        if (act === 'branch')
          await at(`[data-testid="candidate"][data-token="${rows[seed % 40].token}"]`);
        else if (act === 'select')
          await settled(() =>
            page.run(
              (index) => document.querySelector(`.text [data-index="${index}"]`)?.click(),
              2 + (seed % 5),
            ),
          );
        else if (act === 'path') {
          const knots = await all('[data-testid="knot"]');
          await settled(() =>
            page.run(
              (n) =>
                document
                  .querySelectorAll('[data-testid="knot"]')
                  [n]?.dispatchEvent(new MouseEvent('click', { bubbles: true })),
              knots.length ? seed % knots.length : 0,
            ),
          );
        } else
          await settled(() =>
            page.run((id) => document.querySelector(`[data-testid="${id}"]`).click(), act),
          );
      }
      // everything that this page has done, including in the tests before
      for (
        let i = 0;
        i < 300 && (await page.run(read)).ids !== undefined && (await depth()) === 'false';
        i++
      )
        await press('undo');
      const end = await page.run(read);
      assert.equal(end.prompt, start.prompt);
      assert.deepEqual(end.ids, []);
      assert.deepEqual(end.candidates, start.candidates);
      assert.equal((await all('[data-testid="knot"]')).length, 0);
    });

    test('the text is coloured by surprisal, rank or entropy, as a scorer has them, the prompt too', async () => {
      await fresh();
      for (let i = 0; i < 4; i++) await press('step');
      const { ids: path } = await page.run(read);
      const ids = [...(await promptIds()), ...path];
      const { scores } = await other.run(choiceAt, { ids, options: {} });
      const ends = { surprisal: [1, 3, 6, 10], rank: [1, 10, 100, 1000], entropy: [1, 2, 4, 6] };
      const value = {
        surprisal: ({ logprob }) => -logprob / Math.LN2,
        rank: ({ rank }) => rank + 1,
        entropy: ({ entropy }) => entropy / Math.LN2,
      };
      const styles = new Set();
      for (const measure of ['surprisal', 'rank', 'entropy']) {
        await choose('colour-by', measure);
        const tokens = await all('.text .token');
        assert.equal(tokens.length, ids.length);
        for (const [i, token] of tokens.entries()) {
          if (i === 0) assert.equal(token.level, undefined, 'the first token has no level');
          else {
            const x = value[measure](scores[i]);
            const level = ends[measure].filter((end) => x > end).length;
            assert.equal(Number(token.level), level, `${measure} of token ${i}: ${x}`);
          }
        }
        for (const style of await page.run(() =>
          [...document.querySelectorAll('.legend .token')].map(
            (e) =>
              `${getComputedStyle(e).borderBottomStyle} ${getComputedStyle(e).borderBottomWidth}`,
          ),
        ))
          styles.add(style);
      }
      assert.equal(styles.size, 5, 'a pattern for each level');
      await choose('colour-by', 'surprisal');
      const bars = await all('[data-testid="timeline-bar"]');
      assert.equal(bars.length, ids.length - 1);
      for (const { index, surprisal } of bars)
        assert.ok(
          Math.abs(Number(surprisal) + scores[Number(index)].logprob / Math.LN2) < 2e-3,
          `${index}: ${surprisal}`,
        );
    });

    test('a place of the timeline is the token of the text: selected in one, selected in the other', async () => {
      await fresh();
      for (let i = 0; i < 3; i++) await press('step');
      const n = (await promptIds()).length;
      await settled(async () => {
        await page.run((index) => {
          const bar = document
            .querySelector(`[data-testid="timeline-bar"][data-index="${index}"]`)
            .getBoundingClientRect();
          const chart = document.querySelector('.timeline-panel svg');
          const where = { bubbles: true, clientX: bar.x + bar.width / 2, clientY: bar.y };
          chart.dispatchEvent(new MouseEvent('click', where));
        }, n + 1);
        await page.wait((index) => document.activeElement.dataset.index === index, `${n + 1}`);
      });
      const state = () =>
        page.run(() => ({
          focus: document.activeElement.dataset.index,
          pressed: [...document.querySelectorAll('.text .token[aria-pressed="true"]')].map(
            (e) => e.dataset.index,
          ),
          choice: document.querySelector('.choice-panel').dataset.index,
          scrub: document.querySelector('[data-testid="scrub"]').value,
        }));
      const place = String(n + 1);
      assert.deepEqual(await state(), {
        focus: place,
        pressed: [place],
        choice: place,
        scrub: place,
      });
      await set('scrub', n);
      assert.deepEqual((await state()).pressed, [String(n)]);
      await set('scrub', n + 3);
      assert.deepEqual((await state()).pressed, []);
    });

    test('while it runs, the page answers between tokens; the speed is kept', async (t) => {
      await fresh();
      await page.click('run');
      await page.wait(shown, 5);
      const answers = await page.run(async () => {
        const count = () => document.querySelectorAll('[data-testid="output"] [data-id]').length;
        const help = document.querySelector('[data-testid="help"]');
        const answers = [];
        for (let i = 0; i < 8; i++) {
          const [start, n] = [performance.now(), count()];
          setTimeout(() => help.click());
          while (!document.querySelector('dialog[open]'))
            await new Promise((resolve) => requestAnimationFrame(() => setTimeout(resolve)));
          answers.push({ tokens: count() - n, ms: performance.now() - start });
          // the page forgets the dialog at the event "close", which may come after the next task
          const closed = new Promise((done) => {
            document.querySelector('dialog[open]').addEventListener('close', done, { once: true });
          });
          document.querySelector('dialog[open]').close();
          await closed;
        }
        return answers;
      });
      t.diagnostic(`answered after ${answers.map(({ ms }) => ms.toFixed(0)).join(', ')} ms`);
      for (const { tokens } of answers)
        assert.ok(tokens <= MAX_TOKENS_BEFORE_ANSWER, JSON.stringify(answers));
      await press('pause');
      await press('reset');
      await set('speed', 1);
      await page.click('run');
      const arrival = (n) => page.wait(shown, n).then(() => page.run(() => performance.now()));
      const [first, third] = [await arrival(1), await arrival(3)];
      assert.ok(third - first > 1.5 * SLOW_MS, `two tokens in ${third - first} ms`);
      const { ids } = await press('pause');
      await page.run((ms) => new Promise((resolve) => setTimeout(resolve, ms)), 1.5 * SLOW_MS);
      assert.deepEqual((await page.run(read)).ids, ids, 'a slow run ends at once');
      await set('speed', 6);
      await press('reset');
    });
  });
}
