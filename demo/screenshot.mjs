// Pictures of the page in Chromium, to look at: `npm run screenshot`. In: the built page. Out: build/screenshots/*.png, wide and narrow, light and dark, and
// with --readme the one that the README shows.
import { mkdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { open } from '../tests/browser/browsers.mjs';
import { serve } from './serve.mjs';

const inTree = (path) => fileURLToPath(new URL(`../${path}`, import.meta.url));
const SHOTS = [
  { name: 'desktop-light', width: 1280, height: 1000, dark: false },
  { name: 'desktop-dark', width: 1280, height: 1000, dark: true },
  { name: 'phone-light', width: 360, height: 2600, dark: false },
  { name: 'phone-dark', width: 360, height: 2600, dark: true },
];
const STEPS = 14;
const made = (n) => document.querySelectorAll('[data-testid="output"] [data-id]').length >= n;

mkdirSync(inTree('build/screenshots'), { recursive: true });
const server = await serve({ port: 0, roots: [inTree('dist/demo')] });
for (const { name, ...view } of SHOTS) {
  const page = await open('chromium', view);
  await page.goto(server.url);
  await page.wait(() => document.querySelectorAll('[data-testid="candidate"]').length > 0);
  for (let i = 1; i <= STEPS; i++) {
    await page.click('step');
    await page.wait(made, i);
  }
  await new Promise((resolve) => setTimeout(resolve, 300)); // the bars' last movement
  const path = inTree(`build/screenshots/${name}.png`);
  await page.screenshot(path);
  console.log(path);
  if (name === 'desktop-light' && process.argv.includes('--readme')) await page.screenshot(inTree('demo/screenshot.png'));
  await page.close();
}
await server.close();
