// Every test that needs a browser, in one process, so that each browser starts only once:
//   TOKENGLASS_BROWSER=chromium node --test tests/browser/all.mjs
// (or firefox; without the variable both, one after the other). A file runs by itself, too:
//   node --test tests/browser/page.test.mjs
import { pathToFileURL } from 'node:url';
import { browserTests } from './files.mjs';

for (const file of browserTests) await import(pathToFileURL(file));
