// Takes pictures of the page in Chromium: `npm run screenshot` writes build/screenshots/*.png. With
// --readme it also replaces the pictures that the README shows.
import { copyFileSync, mkdirSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { open } from '../tests/browser/browsers.mjs';
import { hand, shown } from '../tests/browser/page.mjs';
import { stages } from '../dist/index.js';
import { openModel, writeModels } from './audit-speed.mjs';
import { serve } from './serve.mjs';

const inTree = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url));
const DESKTOP = { width: 1440, height: 900 };
const PHONE = { width: 360, height: 740, touch: true };

const dismiss = async ({ press }) => press('introduction-close');
const steps = async ({ press }, n) => {
  for (let i = 0; i < n; i++) await press('step');
};
const story = async (view) => {
  await dismiss(view);
  await steps(view, 14);
};
/** Takes row n of the choice before a token of the text. */
const branch = async ({ token, at, all }, index, n) => {
  await token(index);
  const row = (await all('[data-testid="candidate"]'))[n];
  await at(`[data-testid="candidate"][data-token="${row.token}"] button`);
};
const withBranches = async (view) => {
  await story(view);
  await branch(view, 14, 5);
  await steps(view, 7);
  await branch(view, 17, 2);
  await steps(view, 5);
  await branch(view, 12, 1);
  await steps(view, 9);
};
/** The page with one more stage, which the menu adds. */
const withStage = (name) => async (view) => {
  await story(view);
  await view.press('add-stage');
  await view.press(`add-${name}`);
};
const opened = (sheet, isReady) => async (view, page) => {
  await story(view);
  await view.press(sheet);
  await page.wait(isReady);
};

const SHOTS = [
  { name: 'first-visit', act: () => undefined },
  { name: 'page', act: story, readme: true },
  { name: 'earlier-choice', act: async (view) => (await story(view), view.token(14)) },
  ...stages
    .filter(({ chain }) => chain === 'USUAL')
    .filter(({ name }) => !['top_k', 'top_p', 'min_p'].includes(name))
    .map(({ name }) => ({ name: `stage-${name}`, act: withStage(name) })),
  { name: 'stage-temperature', act: async (view) => (await story(view), view.set('temperature', 1.8)) },
  { name: 'stage-format', act: async (view) => (await story(view), view.choose('output-format', 'json')) },
  { name: 'draws', act: async (view) => (await story(view), view.press('draws')) },
  { name: 'branches', act: withBranches, readme: true },
  { name: 'developers', act: opened('developers', () => /npm i/.test(document.querySelector('dialog[open]')?.textContent)) },
  { name: 'models', act: opened('models', () => document.querySelector('[data-testid="address"]') !== null) },
  { name: 'compare', act: async (view, page) => {
    await opened('compare', () => document.querySelector('[data-testid="compare-run"]') !== null)(view, page);
    await view.set('b-temperature', 1.2);
    await page.click('compare-run');
    await page.wait(() => document.querySelector('[data-testid="compared"]') !== null);
  } },
  { name: 'large-vocabulary', act: async (view, page, url) => {
    await dismiss(view);
    await openModel(page, `${url}large.gguf`);
    await steps(view, 5);
  } },
  { name: 'dark', dark: true, act: withBranches },
  { name: 'forced-colours', forced: true, act: withBranches },
  { name: 'laptop', width: 1280, height: 800, act: story },
  { name: 'wide', width: 1920, height: 1080, act: withBranches },
  { name: 'phone-first-visit', ...PHONE, act: () => undefined },
  { name: 'phone', ...PHONE, act: story },
  { name: 'phone-slider', ...PHONE, act: async (view) => (await story(view), view.press('chip-temperature')) },
  { name: 'phone-dark', ...PHONE, dark: true, act: story },
  { name: 'phone-whole', ...PHONE, height: 2000, act: withBranches },
]; // prettier-ignore

mkdirSync(inTree('build/screenshots'), { recursive: true });
const models = mkdtempSync(join(tmpdir(), 'tokenglass-pictures-'));
writeModels(models);
const server = await serve({ port: 0, roots: [inTree('dist/demo'), models] });
const only = process.argv.slice(2).filter((name) => !name.startsWith('--'));
for (const { name, act, readme, ...view } of SHOTS) {
  if (only.length > 0 && !only.includes(name)) continue;
  const page = await open('chromium', { ...DESKTOP, ...view });
  await page.goto(server.url);
  await page.wait(shown, 0);
  const by = hand(page);
  await by.settled(async () => {});
  await act(by, page, server.url);
  await new Promise((resolve) => setTimeout(resolve, 300)); // the bars are animated
  const path = inTree(`build/screenshots/${name}.png`);
  await page.screenshot(path);
  console.log(path);
  if (readme && process.argv.includes('--readme'))
    copyFileSync(path, inTree(`demo/screenshot-${name}.png`));
  await page.close();
}
await server.close();
rmSync(models, { recursive: true });
