// Measures how fast the page loads and how accessible it is: `npm run audit`. Prints the cost of a
// first visit in Chromium on a fast and on a slow connection, what axe-core finds in the light
// page, the dark page and the page at 360 px, and how fast the page feels in each browser. Exits
// with 1 when a limit is missed.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { axe, open } from '../tests/browser/browsers.mjs';
import { quiet, shown } from '../tests/browser/page.mjs';
import { slowLine } from '../tests/browser/slow-line.mjs';
import { auditSpeed } from './audit-speed.mjs';

const root = fileURLToPath(new URL('../dist/demo', import.meta.url));
const CONNECTIONS = [
  { name: 'fast connection', bytesPerSecond: Infinity, delay: 0 },
  { name: '20 Mbit/s, 40 ms', bytesPerSecond: 20e6 / 8, delay: 40 },
];
const LIMITS = { choice: 3000, shift: 0.1, blocked: 200 };
const VISITS = 3;
const LATER = /service-worker|workbox/; // files that are loaded after the first choice

/** The browser's performance entries: paints, layout shifts, and the time of long tasks above 50
 *  ms. */
const measure = () =>
  new Promise((resolve) => {
    const result = { choice: performance.now(), paint: 0, largest: 0, shift: 0, blocked: 0 };
    const handlers = {
      paint: ({ name, startTime }) =>
        name === 'first-contentful-paint' && (result.paint = startTime),
      'largest-contentful-paint': ({ startTime }) =>
        (result.largest = Math.max(result.largest, startTime)),
      'layout-shift': ({ value, hadRecentInput }) => (result.shift += hadRecentInput ? 0 : value),
      longtask: ({ duration }) => (result.blocked += duration - 50),
    };
    for (const [type, handler] of Object.entries(handlers))
      new PerformanceObserver((list) => list.getEntries().forEach(handler)).observe({
        type,
        buffered: true,
      });
    setTimeout(() => resolve(result), 200);
  });

const median = (values) => values.sort((a, b) => a - b)[values.length >> 1];
let n_missed = 0;
/** Prints a figure. limits: its minimum and maximum. */
const report = (label, value, { min, max } = {}, unit = '') => {
  const missed = value > max || value < min;
  if (missed) n_missed++;
  const limit = max === undefined ? min : max;
  const kind = max === undefined ? 'at least' : 'limit';
  const suffix = limit === undefined ? '' : `  ${kind} ${limit}${unit}${missed ? '  MISSED' : ''}`;
  console.log(
    `  ${label.padEnd(34)} ${value < 10 && value % 1 ? value.toFixed(3) : Math.round(value).toLocaleString('en')}${unit}${suffix}`,
  );
};

for (const { name, bytesPerSecond, delay } of CONNECTIONS) {
  const visits = [];
  const sent = new Set();
  for (let i = 0; i < VISITS; i++) {
    const server = await slowLine(root, { bytesPerSecond, delay });
    const page = await open('chromium', { own: true, calm: false });
    await page.goto(server.url);
    await page.wait(shown, 0);
    server.sent.forEach(({ name }) => sent.add(name));
    visits.push(await page.run(measure));
    await page.close();
    await server.close();
  }
  const of = (what) => median(visits.map((visit) => visit[what]));
  console.log(`first visit, ${name} (median of ${VISITS})`);
  report('first contentful paint', of('paint'), {}, ' ms');
  report('largest contentful paint', of('largest'), {}, ' ms');
  report('first choice shown', of('choice'), { max: LIMITS.choice }, ' ms');
  report('total blocking time', of('blocked'), { max: LIMITS.blocked }, ' ms');
  report('layout shift', of('shift'), { max: LIMITS.shift });
  const gzipped = (pattern) =>
    [...sent]
      .filter((file) => pattern.test(file) && !LATER.test(file))
      .reduce((sum, file) => sum + gzipSync(readFileSync(join(root, file))).length, 0) / 1000;
  report('page, JavaScript and CSS, gzipped', gzipped(/\.(html|js|css)$/), { max: 120 }, ' kB');
  report('engine, gzipped', gzipped(/\.wasm$/), {}, ' kB');
}

const server = await slowLine(root, { bytesPerSecond: Infinity, delay: 0 });
for (const [name, options] of Object.entries({
  light: {},
  dark: { dark: true },
  'phone, 360 px': { width: 360, height: 740 },
})) {
  const page = await open('chromium', options);
  await page.goto(server.url);
  await page.wait(shown, 0);
  for (let i = 0; i < 3; i++) {
    await page.click('step');
    await page.wait(quiet);
  }
  const found = await axe(page);
  console.log(`axe-core, ${name}`);
  report(
    'serious or critical',
    found.filter(({ impact }) => impact === 'serious' || impact === 'critical').length,
    { max: 0 },
  );
  report(
    'minor or moderate',
    found.filter(({ impact }) => impact === 'minor' || impact === 'moderate').length,
  );
  for (const { impact, help, where } of found)
    console.log(`    ${impact}: ${help}: ${where.join(' | ').slice(0, 300)}`);
  await page.close();
}
await server.close();
const models = mkdtempSync(join(tmpdir(), 'tokenglass-audit-'));
await auditSpeed(fileURLToPath(new URL('..', import.meta.url)), models, report);
rmSync(models, { recursive: true });
process.exitCode = n_missed ? 1 : 0;
