// Shared by tests of the page: reads what the page shows, by its documented test ids, and computes
// the same with the package in the same browser.
import { rmSync } from 'node:fs';
import { build } from 'esbuild';
import { inTree } from '../support/support.mjs';

/** Bundles a module of the page and imports it in this process. The modules share the process's
 *  signals, so that a test can watch them. */
export async function bundle(name) {
  const outfile = inTree(`build/tests/${name.replaceAll('/', '-')}-${process.pid}.mjs`);
  await build({
    entryPoints: [inTree(`demo/${name}.ts`)],
    outfile,
    bundle: true,
    format: 'esm',
    target: 'es2022',
    external: ['@preact/signals'],
  });
  try {
    return await import(outfile);
  } finally {
    rmSync(outfile);
  }
}

/** What the page shows, read from its documented test ids. */
export const read = () => {
  const all = (id) => [...document.querySelectorAll(`[data-testid="${id}"]`)];
  const textOf = (selector) =>
    [...document.querySelectorAll(`.text ${selector}`)].map((e) => e.textContent).join('');
  const [random] = all('random-number');
  const [status] = all('status');
  const [editor] = all('editor');
  const prompt = textOf('[data-prompt-id]');
  const text = editor?.value ?? prompt + textOf('[data-id]');
  return {
    text,
    prompt, // the typed text
    output: text.slice(prompt.length),
    ids: [...document.querySelectorAll('.text [data-id]')].map((e) => Number(e.dataset.id)),
    candidates: all('candidate').map(({ dataset, classList }) => ({
      ...{ token: Number(dataset.token), p: Number(dataset.p), p_final: Number(dataset.p_final) },
      next: classList.contains('next'),
    })),
    groups: all('group').map(({ dataset }) => ({
      removed_by: dataset.removedBy,
      p: Number(dataset.p),
    })),
    random: random && {
      u: Number(random.dataset.u),
      low: Number(random.dataset.low),
      high: Number(random.dataset.high),
    },
    decoded: Number(status?.dataset.decoded),
    note: all('note')[0]?.textContent,
    failure: all('failure')[0]?.textContent,
    values: Object.fromEntries(
      ['temperature', 'top-k', 'top-p', 'min-p', 'seed'].map((id) => [
        id,
        all(id)[0] ? Number(all(id)[0].value) : null,
      ]),
    ),
    disabled: Object.fromEntries(
      ['step', 'run', 'restart'].map((id) => [
        id,
        all(id)[0] && (all(id)[0].disabled || all(id)[0].ariaDisabled === 'true'),
      ]),
    ),
    overflow: document.documentElement.scrollWidth - window.innerWidth,
  };
};

/** True once the page shows n tokens after the typed ones and a choice for the next. */
export const shown = (n) => {
  const made = document.querySelectorAll('.text [data-id]').length;
  return document.querySelectorAll('[data-testid="candidate"]').length > 0 && made >= n;
};

/** True once the page has processed all input and loaded what was opened. */
export const quiet = () =>
  document.querySelector('main').ariaBusy === 'false' && !document.querySelector('[data-loading]');

/** Texts of the ledger and of the draw that have no room. */
export const cutTexts = () =>
  [...document.querySelectorAll('.stage-name, .preset > span, .strip span, .ledger th > small')]
    .filter((e) => e.checkVisibility() && e.scrollWidth > e.clientWidth + 1)
    .map((e) => e.textContent);

/**
 * What a program gets from the package in the same browser. There, codes of activations and of the
 * cache round as in the page.
 */
export const program = async ({ prompt, options }) => {
  const { loadModel } = await import('/index.js');
  const model = await loadModel('/storybook-q8_0.gguf');
  const session = model.createSession();
  await session.sync(prompt);
  const logits = Array.from(await session.logits());
  const { candidates } = await session.candidates({ top_n: 50 });
  const steps = [];
  if (options) {
    for await (const { token, text, eog } of session.generate(undefined, {
      trace: false,
      ...options,
    }))
      steps.push({ token, text, eog });
  }
  await model.dispose();
  return {
    logits,
    steps,
    candidates: candidates.map(({ token, text, bytes }) => ({ token, text, size: bytes.length })),
  };
};

/** Functions that tests use to operate a page. */
export const hand = (page) => {
  /** Makes a change and reads the page once it shows the result. */
  const settled = async (change) => {
    await change();
    await page.wait(quiet);
    return page.run(read);
  };
  return {
    settled,
    set: (id, value) => settled(() => page.set(id, value)),
    press: (id) => settled(() => page.click(id)),
    /** Ends a run, which may have ended by itself. */
    pause: () =>
      settled(() => page.run(() => document.querySelector('[data-testid="pause"]')?.click())),
    /** Selects an option of a <select>. */
    choose: (id, value) =>
      settled(() =>
        page.run(
          ([id, value]) => {
            const select = document.querySelector(`[data-testid="${id}"]`);
            select.value = value;
            select.dispatchEvent(new Event('change', { bubbles: true }));
          },
          [id, value],
        ),
      ),
    /** Clicks a token of the text, which lies under the editor. */
    token: (index) =>
      settled(async () => {
        const { x, y } = await page.run(async (index) => {
          const place = () => {
            const token = document.querySelector(`.text [data-index="${index}"]`);
            token.scrollIntoView({ block: 'nearest' });
            const box = [...token.getClientRects()].at(-1); // its space can be on the line before
            return { x: box.x + box.width / 2, y: box.y + box.height / 2 };
          };
          // what came last can still scroll the page: a person clicks when nothing moves
          for (let before = place(); ;) {
            for (let i = 0; i < 2; i++) await new Promise((done) => requestAnimationFrame(done));
            const now = place();
            if (now.x === before.x && now.y === before.y) return now;
            before = now;
          }
        }, index);
        await page.mouse.click(x, y);
      }),
    /** Clicks the first element that a selector finds. */
    at: (selector) => settled(() => page.clickAt(selector)),
    /** Attributes and text of all elements that a selector finds. */
    all: (selector) =>
      page.run(
        (selector) =>
          [...document.querySelectorAll(selector)].map((e) => ({
            ...e.dataset,
            text: e.textContent,
            class: e.getAttribute('class') ?? '',
          })),
        selector,
      ),
  };
};

/** Opens the page at an address and waits until the page has nothing more to do. Returns the page,
 *  and the functions that operate the page. */
export async function arrive(page, address) {
  await page.goto(address);
  await page.wait(shown, 0);
  await page.wait(quiet);
  return { page, ...hand(page) };
}
