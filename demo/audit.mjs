// How the page loads and whether everybody can use it: `npm run audit`. In: the built page. Out: for a quick and for a slow line what a first visit costs, in Chromium, and what axe-core finds in
// light, dark and at 360 px; exit code 1 where a limit is missed.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { axe, open } from '../tests/browser/browsers.mjs';
import { quiet, shown } from '../tests/browser/page.mjs';
import { slowLine } from '../tests/browser/slow-line.mjs';

const root = fileURLToPath(new URL('../dist/demo', import.meta.url));
const LINES = [
  { name: 'quick line', bytesPerSecond: Infinity, delay: 0 },
  { name: '20 Mbit/s, 40 ms', bytesPerSecond: 20e6 / 8, delay: 40 },
];
const LIMITS = { choice: 3000, shift: 0.1, blocked: 200 };
const VISITS = 3;
const LATER = /service-worker|workbox/; // what comes after the first choice

/** What the browser has noted: paints, layout shifts, tasks of over 50 ms by what is over. */
const noted = () =>
  new Promise((resolve) => {
    const found = { choice: performance.now(), paint: 0, largest: 0, shift: 0, blocked: 0 };
    const take = {
      paint: ({ name, startTime }) =>
        name === 'first-contentful-paint' && (found.paint = startTime),
      'largest-contentful-paint': ({ startTime }) =>
        (found.largest = Math.max(found.largest, startTime)),
      'layout-shift': ({ value, hadRecentInput }) => (found.shift += hadRecentInput ? 0 : value),
      longtask: ({ duration }) => (found.blocked += duration - 50),
    };
    for (const [type, each] of Object.entries(take))
      new PerformanceObserver((list) => list.getEntries().forEach(each)).observe({
        type,
        buffered: true,
      });
    setTimeout(() => resolve(found), 200);
  });

const middle = (values) => values.sort((a, b) => a - b)[values.length >> 1];
let missed = 0;
const line = (what, value, limit, unit = '') => {
  const over = limit !== undefined && value > limit;
  if (over) missed++;
  const said = limit === undefined ? '' : `  limit ${limit}${unit}${over ? '  MISSED' : ''}`;
  console.log(
    `  ${what.padEnd(34)} ${value < 10 && value % 1 ? value.toFixed(3) : Math.round(value).toLocaleString('en')}${unit}${said}`,
  );
};

for (const { name, bytesPerSecond, delay } of LINES) {
  const visits = [];
  const sent = new Set();
  for (let i = 0; i < VISITS; i++) {
    const server = await slowLine(root, { bytesPerSecond, delay });
    const page = await open('chromium');
    await page.goto(server.url);
    await page.wait(shown, 0);
    server.sent.forEach((file) => sent.add(file));
    visits.push(await page.run(noted));
    await page.close();
    await server.close();
  }
  const of = (what) => middle(visits.map((visit) => visit[what]));
  console.log(`first visit, ${name} (the middle of ${VISITS})`);
  line('first contentful paint', of('paint'), undefined, ' ms');
  line('largest contentful paint', of('largest'), undefined, ' ms');
  line('first choice shown', of('choice'), LIMITS.choice, ' ms');
  line('total blocking time', of('blocked'), LIMITS.blocked, ' ms');
  line('layout shift', of('shift'), LIMITS.shift);
  const gzipped = (pattern) =>
    [...sent]
      .filter((file) => pattern.test(file) && !LATER.test(file))
      .reduce((sum, file) => sum + gzipSync(readFileSync(join(root, file))).length, 0) / 1000;
  line('page, JavaScript and CSS, gzipped', gzipped(/\.(html|js|css)$/), 200, ' kB');
  line('engine, gzipped', gzipped(/\.wasm$/), undefined, ' kB');
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
  line(
    'serious or critical',
    found.filter(({ impact }) => impact === 'serious' || impact === 'critical').length,
    0,
  );
  line(
    'minor or moderate',
    found.filter(({ impact }) => impact === 'minor' || impact === 'moderate').length,
  );
  for (const { impact, help, where } of found)
    console.log(`    ${impact}: ${help}: ${where.join(' | ').slice(0, 300)}`);
  await page.close();
}
await server.close();
process.exitCode = missed ? 1 : 0;
