// Every browser test in one process, so that each browser starts only once: node --test
// tests/browser/all.mjs, with TOKENGLASS_BROWSER=chromium or =firefox for one of them. Tests of one
// file run as usual: node --test tests/browser/page.test.mjs.
import { readdirSync } from 'node:fs';

const folder = new URL('.', import.meta.url);
for (const file of readdirSync(folder).sort()) {
  if (file.endsWith('.test.mjs')) await import(new URL(file, folder));
}
