// Takes pictures of the page in Chromium: `npm run screenshot` writes build/screenshots/*.png. With
// --readme it also replaces the pictures that the README shows.
import { copyFileSync, mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { open } from '../tests/browser/browsers.mjs';
import { hand, shown } from '../tests/browser/page.mjs';
import { serve } from './serve.mjs';

const inTree = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url));
const DESKTOP = { width: 1280, height: 1000 };
const PHONE = { width: 360, height: 2300 };

const steps = async ({ press }, n) => {
  for (let i = 0; i < n; i++) await press('step');
};
/** Takes candidate n of the choice before a token of the text. */
const branch = async ({ at, all }, index, n) => {
  await at(`.text [data-index="${index}"]`);
  const { token } = (await all('[data-testid="candidate"]'))[n];
  await at(`[data-testid="candidate"][data-token="${token}"]`);
};
const story = async (view) => {
  await view.press('tour-skip');
  await steps(view, 14);
};
const withPaths = async (view) => {
  await story(view);
  await branch(view, 14, 9);
  await steps(view, 7);
  await branch(view, 17, 2);
  await steps(view, 5);
  await branch(view, 12, 1);
  await steps(view, 9);
};
const show = (panel) => (_, page) =>
  page.run((panel) => document.querySelector(panel).scrollIntoView({ block: 'start' }), panel);

const SHOTS = [
  { name: 'first-visit', ...DESKTOP, act: () => undefined },
  { name: 'page', ...DESKTOP, height: 1330, act: story, readme: true },
  { name: 'tokenization', ...DESKTOP, height: 620, act: async ({ press, set }, page) => {
    await press('tour-skip');
    await press('tokenizer');
    await set('tokenization-text', 'Once upon a time\u200b, naïve cats\t  went home.\n\nThe end…');
    await page.wait(() => document.querySelector('[data-testid="tokenization-summary"]').dataset.tokens > 20);
    await show('.tokenization-panel')(undefined, page);
  } },
  { name: 'waterfall', ...DESKTOP, height: 560, act: async (view, page) => {
    await story(view);
    await view.press('switch-top_n_sigma');
    await view.set('top-n-sigma', 1.6);
    await show('.stages-panel')(view, page);
  } },
  { name: 'tree', ...DESKTOP, height: 420, act: async (view, page) => (await withPaths(view), show('.paths-panel')(view, page)), readme: true },
  { name: 'compare', ...DESKTOP, height: 820, act: async (view, page) => {
    await story(view);
    await view.press('compare');
    await view.set('b-temperature', 1.2);
    await page.click('compare-run');
    await page.wait(() => document.querySelector('[data-testid="compared"]') !== null);
    await show('.compare-panel')(view, page);
  } },
  { name: 'earlier-choice', ...DESKTOP, act: async (view) => (await story(view), view.at('.text [data-index="14"]')) },
  { name: 'dark', ...DESKTOP, height: 1330, dark: true, act: story },
  { name: 'phone', ...PHONE, act: story },
  { name: 'phone-dark', ...PHONE, dark: true, act: withPaths },
]; // prettier-ignore

mkdirSync(inTree('build/screenshots'), { recursive: true });
const server = await serve({ port: 0, roots: [inTree('dist/demo')] });
for (const { name, act, readme, ...view } of SHOTS) {
  const page = await open('chromium', view);
  await page.goto(server.url);
  await page.wait(shown, 0);
  const by = hand(page);
  await by.settled(async () => {});
  await act(by, page);
  await new Promise((resolve) => setTimeout(resolve, 300)); // the bars are animated
  const path = inTree(`build/screenshots/${name}.png`);
  await page.screenshot(path);
  console.log(path);
  if (readme && process.argv.includes('--readme'))
    copyFileSync(path, inTree(`demo/screenshot-${name}.png`));
  await page.close();
}
await server.close();
