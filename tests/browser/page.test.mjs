// The page in real browsers: it opens with its first choice, shows honest numbers, answers every control, and asks nobody else.
import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { serve } from '../../demo/serve.mjs';
import { loadModel } from '../../dist/node.js';
import { softmax } from '../js/measures.mjs';
import { inTree } from '../js/support.mjs';
import { browsers, open } from './browsers.mjs';

const FIRST_CHOICE_MS = 3000;

/** What the page shows, read from its documented test ids. */
const read = () => {
  const all = (id) => [...document.querySelectorAll(`[data-testid="${id}"]`)];
  const [rest] = all('everything-else');
  const [coin] = all('coin');
  const [status] = all('status');
  return {
    prompt: all('prompt')[0].value,
    output: all('output')[0].textContent,
    ids: [...document.querySelectorAll('[data-testid="output"] [data-id]')].map((e) => Number(e.dataset.id)),
    candidates: all('candidate').map(({ dataset, className }) => ({
      ...{ token: Number(dataset.token), p: Number(dataset.p), final: Number(dataset.final) },
      drawn: className.includes('drawn'),
    })),
    rest: Number(rest?.dataset.p),
    coin: coin && { u: Number(coin.dataset.u), low: Number(coin.dataset.low), high: Number(coin.dataset.high) },
    decoded: Number(status?.dataset.decoded),
    note: document.querySelector('.note')?.textContent,
    failure: all('failure')[0]?.textContent,
    values: Object.fromEntries(['temperature', 'top-k', 'top-p', 'min-p', 'seed'].map((id) => [id, Number(all(id)[0].value)])),
    disabled: Object.fromEntries(
      ['step', 'run', 'pause', 'reset'].map((id) => [id, all(id)[0].disabled || all(id)[0].ariaDisabled === 'true']),
    ),
    overflow: document.documentElement.scrollWidth - window.innerWidth,
  };
};

/** Works once the page has shown a choice; with `n`, once so many tokens are there and a choice for the next. */
const shown = (n) => {
  const made = document.querySelectorAll('[data-testid="output"] [data-id]').length;
  return document.querySelectorAll('[data-testid="candidate"]').length > 0 && made >= n;
};

for (const { name, needs } of browsers) {
  describe(`the page in ${name}`, needs, () => {
    let server, page, model;

    before(async () => {
      server = await serve({ port: 0, roots: [inTree('dist/demo')] });
      model = await loadModel('storybook', { worker: false });
      page = await open(name);
    });
    after(async () => {
      await page?.close();
      await model?.dispose();
      await server?.close();
    });

    /** Waits for the numbers to be those of the settings as they are. */
    const settled = async (change) => {
      const before = JSON.stringify((await page.run(read)).candidates);
      await change();
      await page.wait((old) => {
        const now = [...document.querySelectorAll('[data-testid="candidate"]')].map(({ dataset, className }) => ({
          ...{ token: Number(dataset.token), p: Number(dataset.p), final: Number(dataset.final) },
          drawn: className.includes('drawn'),
        }));
        return JSON.stringify(now) !== old;
      }, before);
      return page.run(read);
    };
    const step = async () => {
      const { length } = (await page.run(read)).ids;
      await page.click('step');
      await page.wait(shown, length + 1);
      // the next choice follows the token
      await page.wait(
        (n) => Number(document.querySelector('[data-testid="status"]').dataset.decoded) >= n,
        (await page.run(read)).decoded,
      );
      return page.run(read);
    };

    test('opens with a prompt and its first choice within 3 s, asking nobody else', async (t) => {
      await page.goto(server.url);
      const loaded = Date.now();
      await page.wait(shown, 0, FIRST_CHOICE_MS);
      t.diagnostic(`first choice ${Date.now() - loaded} ms after the page's load`);
      const { prompt, candidates, failure, disabled } = await page.run(read);
      assert.ok(prompt.length > 10);
      assert.equal(candidates.length, 50);
      assert.equal(failure, undefined);
      assert.deepEqual(disabled, { step: false, run: false, pause: true, reset: true });
      assert.ok(
        page.requests.every((url) => url.startsWith(server.url)),
        page.requests.join('\n'),
      );
      assert.deepEqual(page.complaints, []);
    });

    test('bars and everything else are the softmax of the logits over the whole vocabulary', async () => {
      const { prompt, candidates, rest, coin } = await page.run(read);
      const session = model.createSession();
      await session.sync(prompt);
      const truth = softmax(await session.logits());
      for (const { token, p } of candidates)
        assert.ok(Math.abs(p - truth[token]) < 1e-6, `token ${token}: ${p}, ${truth[token]}`);
      assert.ok(Math.abs(candidates.reduce((sum, { p }) => sum + p, rest) - 1) < 1e-6);
      assert.ok(coin.low <= coin.u && coin.u < coin.high);
      const drawn = candidates.filter((candidate) => candidate.drawn);
      assert.equal(drawn.length, 1);
      assert.ok(Math.abs(drawn[0].final - (coin.high - coin.low)) < 1e-9);
    });

    test('sliders and seed change the shown choice at once, and the model is not run', async () => {
      const start = await page.run(read);
      const few = await settled(() => page.set('top-k', 3));
      assert.equal(few.candidates.filter(({ final }) => final > 0).length, 3);
      const greedy = await settled(() => page.set('temperature', 0));
      assert.deepEqual(
        greedy.candidates.map(({ final }) => final),
        [1, ...Array(49).fill(0)],
      );
      await settled(() => page.set('temperature', 0.8));
      await page.set('min-p', 0);
      const open = await settled(() => page.set('top-k', 0));
      assert.ok(open.candidates.filter(({ final }) => final > 0).length > 3);
      const nucleus = await settled(() => page.set('top-p', 0.3));
      assert.ok(
        nucleus.candidates.filter(({ final }) => final > 0).length < open.candidates.filter(({ final }) => final > 0).length,
      );
      await page.set('top-p', 1);
      const near = await settled(() => page.set('min-p', 0.5));
      assert.ok(near.candidates.every(({ p, final }) => final === 0 || p >= 0.5 * near.candidates[0].p));
      const us = new Set();
      for (const seed of [1, 2, 3]) {
        await page.set('seed', seed);
        us.add(
          await page.wait(
            (old) => {
              const u = document.querySelector('[data-testid="coin"]').dataset.u;
              return !old.includes(u) && u;
            },
            [...us, String(near.coin.u)],
          ),
        );
      }
      const end = await page.run(read);
      assert.equal(end.decoded, start.decoded);
      assert.deepEqual(
        end.candidates.map(({ p }) => p),
        start.candidates.map(({ p }) => p),
        'raw probabilities stay',
      );
      await page.set('min-p', 0.05);
      await page.set('top-p', 0.95);
      await page.set('top-k', 40);
      await page.set('seed', 5);
    });

    test('step takes the drawn token; the same seed tells the same text again', async () => {
      const texts = [];
      for (const seed of [5, 5, 6]) {
        await page.set('seed', seed);
        await new Promise((resolve) => setTimeout(resolve, 150));
        for (let i = 0; i < 6; i++) {
          const { candidates } = await page.run(read);
          const { ids } = await step();
          assert.equal(ids.length, i + 1);
          assert.equal(ids.at(-1), candidates.find(({ drawn }) => drawn).token);
        }
        texts.push((await page.run(read)).output);
        await page.click('reset');
        await page.wait(() => document.querySelectorAll('[data-testid="output"] [data-id]').length === 0);
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
        return new Promise((resolve) => setTimeout(() => resolve([n, count()]), 400));
      });
      assert.ok(paused <= atPause + 1, `${atPause} tokens at the pause, ${paused} later`);
      await new Promise((resolve) => setTimeout(resolve, 300));
      assert.equal((await page.run(read)).ids.length, paused);
      await page.click('reset');
      await page.wait(() => document.querySelectorAll('[data-testid="output"] [data-id]').length === 0);
    });

    test('at temperature 0 the text is the greedy one, and a full context says so', async () => {
      await page.set('temperature', 0);
      await page.set('prompt', 'The frog said to the king');
      await page.wait(() => document.querySelector('.text .prompt').textContent.startsWith('The frog'));
      await new Promise((resolve) => setTimeout(resolve, 400));
      await page.click('run');
      await page.wait(() => /ended|full/.test(document.querySelector('.note').textContent), undefined, 60_000);
      const { ids, output, note, disabled } = await page.run(read);
      const session = model.createSession();
      const steps = [];
      for await (const made of session.generate('The frog said to the king', { temperature: 0 })) steps.push(made);
      assert.deepEqual(
        ids,
        steps.map(({ token }) => token),
      );
      assert.equal(output, steps.map(({ text }) => text).join(''));
      assert.match(note, steps.at(-1).eog ? /ended/ : /full/);
      assert.equal(disabled.step && disabled.run && !disabled.reset, true);
      assert.deepEqual(page.complaints, []);
    });

    test('markup in the prompt stays text', async () => {
      await page.set('prompt', '<img src=x onerror="document.title=1"><b>bold</b>');
      await page.wait(() => document.querySelector('.text .prompt').textContent.includes('onerror'));
      await page.wait(shown, 0);
      assert.equal(await page.run(() => document.querySelectorAll('.text img, .text b').length), 0);
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
