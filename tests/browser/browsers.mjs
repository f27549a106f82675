// The real browsers of the tests behind one small interface: in, a browser's name; out, a fresh profile with one page in it, all its requests and
// complaints. Chromium is driven by playwright-core, Firefox by puppeteer-core.
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import puppeteer from 'puppeteer-core';

const CHROMIUM_FLAGS = [
  ...[
    '--no-sandbox',
    '--disable-gpu',
    '--disable-quic',
    '--no-first-run',
    '--disable-background-networking',
  ],
  ...['--disable-component-update', '--disable-sync'],
];
const POLL_MS = 20;

const found = (variable, path) => process.env[variable] ?? (existsSync(path) ? path : undefined);
const executables = {
  chromium: found('CHROMIUM', '/usr/bin/chromium'),
  firefox: found('FIREFOX', '/usr/bin/firefox-esr'),
};

/** Each browser with the options of a test that needs it. */
export const browsers = Object.entries(executables).map(([name, path]) => ({
  name,
  needs: path ? {} : { skip: `${name} is not installed; set ${name.toUpperCase()} to its path` },
}));

const byTestId = (id) => `[data-testid="${id}"]`;

/** What both drivers' pages have in common. */
function common(page, close, attach, early) {
  const requests = [];
  const complaints = [];
  page.on('request', (request) => requests.push(request.url()));
  page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
  page.on('pageerror', (error) => complaints.push(String(error)));
  /** Runs a function in the page; its one argument and its result are plain data. */
  const run = (fn, argument) => page.evaluate(fn, argument);
  return {
    ...{ requests, complaints, close, run },
    /** Runs a function in every document that is opened from now on, before the document's own scripts. */
    early,
    goto: (url) => page.goto(url, { waitUntil: 'load' }),
    click: (id) => page.click(byTestId(id)),
    clickAt: (selector) => page.click(selector),
    tap: (selector) => page.tap(selector),
    upload: (id, path) => attach(byTestId(id), path),
    press: (key) => page.keyboard.press(key),
    type: (text) => page.keyboard.type(text),
    mouse: page.mouse,
    screenshot: (path) => page.screenshot({ path }),
    /** Waits until the function gives something true in the page, and returns that. */
    async wait(fn, argument, milliseconds = 20_000) {
      for (const end = Date.now() + milliseconds; ;) {
        const result = await run(fn, argument);
        if (result) return result;
        if (Date.now() > end) throw new Error(`waited ${milliseconds} ms for ${fn}`);
        await new Promise((resolve) => setTimeout(resolve, POLL_MS));
      }
    },
    /** Sets an input as a hand would leave it. */
    set: (id, value) =>
      run(
        ([selector, given]) => {
          const input = document.querySelector(selector);
          Object.getOwnPropertyDescriptor(Object.getPrototypeOf(input), 'value').set.call(
            input,
            given,
          );
          input.dispatchEvent(new Event('input', { bubbles: true }));
        },
        [byTestId(id), String(value)],
      ),
  };
}

const drivers = {
  async chromium(executablePath, { width, height, dark, wasm, touch, calm, forced }) {
    const args = [...CHROMIUM_FLAGS, ...(wasm ? [] : ['--js-flags=--jitless'])];
    const browser = await chromium.launch({ executablePath, args });
    const context = await browser.newContext({
      ...{ viewport: { width, height }, hasTouch: touch, isMobile: touch },
      ...{
        colorScheme: dark ? 'dark' : 'light',
        reducedMotion: calm ? 'reduce' : null,
        forcedColors: forced ? 'active' : null,
      },
    });
    const page = await context.newPage();
    return common(
      page,
      () => browser.close(),
      (selector, path) => page.setInputFiles(selector, path),
      (fn) => page.addInitScript(fn),
    );
  },
  async firefox(executablePath, { width, height, dark, wasm, touch, calm, forced }) {
    const userDataDir = mkdtempSync(join(tmpdir(), 'tokenglass-firefox-'));
    const browser = await puppeteer.launch({
      ...{ browser: 'firefox', executablePath, userDataDir, headless: true },
      extraPrefsFirefox: {
        ...{
          'layout.css.prefers-color-scheme.content-override': dark ? 0 : 1,
          'javascript.options.wasm': wasm,
        },
        ...{
          'ui.prefersReducedMotion': calm ? 1 : 0,
          'browser.display.document_color_use': forced ? 2 : 0,
        },
        ...{ 'dom.w3c_touch_events.enabled': touch ? 1 : 2 },
      },
    });
    const page = await browser.newPage();
    await page.setViewport({ width, height });
    return common(
      page,
      async () => {
        await browser.close();
        rmSync(userDataDir, { recursive: true, force: true });
      },
      async (selector, path) => (await page.$(selector)).uploadFile(path),
      (fn) => page.evaluateOnNewDocument(fn),
    );
  },
};

const USUAL = {
  width: 1280,
  height: 900,
  dark: false,
  wasm: true,
  touch: false,
  calm: false,
  forced: false,
};

/** A fresh profile with one page; wasm false: in a browser that has no WebAssembly; touch: with a finger; calm: reduced motion; forced: forced colours. */
export function open(name, options = {}) {
  return drivers[name](executables[name], { ...USUAL, ...options });
}

const axeSource = readFileSync(
  createRequire(import.meta.url).resolve('axe-core/axe.min.js'),
  'utf8',
);

/** What axe-core finds wrong with the page as it is: by rule, how bad and where. */
export async function axe(page) {
  await page.run(axeSource);
  return page.run(async () => {
    const { violations } = await globalThis.axe.run(document, { resultTypes: ['violations'] });
    return violations.map(({ id, impact, help, nodes }) => ({
      id,
      impact,
      help,
      where: nodes.map(({ target, failureSummary }) => `${target}: ${failureSummary}`),
    }));
  });
}
