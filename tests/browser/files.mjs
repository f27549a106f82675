// The test files of this folder: those that need a browser, and those of the page's state and
// server, which need none.
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';

const folder = fileURLToPath(new URL('.', import.meta.url));
const files = readdirSync(folder)
  .filter((file) => file.endsWith('.test.mjs'))
  .sort()
  .map((file) => join(folder, file));
const needsBrowser = (file) => readFileSync(file, 'utf8').includes("from './browsers.mjs'");

export const browserTests = files.filter(needsBrowser);
export const otherTests = files.filter((file) => !needsBrowser(file));
