// Real browsers behind one small interface: open(name) opens a page in a fresh profile and records
// its requests and errors. Playwright drives Chromium, Puppeteer drives Firefox.
//
// A browser starts once in a process, and each page gets a separate context, so that storage,
// caches and service workers are fresh. Options that can only be set when a browser starts
// (Firefox's preferences, no WebAssembly) start another browser. A browser without pages closes by
// itself.
import { existsSync, mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import puppeteer from 'puppeteer-core';
import { serve } from '../../demo/serve.mjs';
import { all, inTree } from '../support/support.mjs';

const CHROMIUM_FLAGS = [
  '--no-sandbox',
  '--disable-gpu',
  '--disable-quic',
  '--no-first-run',
  '--disable-background-networking',
  '--disable-component-update',
  '--disable-sync',
];
const POLL_MS = 20;
const MAX_RUN_MS = 180_000; // for one call into a page
const IDLE_MS = 500; // how long a browser without pages stays open for the next one

const executable = (variable, path) =>
  process.env[variable] ?? (existsSync(path) ? path : undefined);
const executables = {
  chromium: executable('CHROMIUM', '/usr/bin/chromium'),
  firefox: executable('FIREFOX', '/usr/bin/firefox-esr'),
};

/**
 * The browsers to test in, each with the options of its tests. TOKENGLASS_BROWSER restricts them to
 * one.
 */
export const browsers = Object.entries(executables)
  .filter(([name]) => [undefined, '', name].includes(process.env.TOKENGLASS_BROWSER))
  .map(([name, path]) => ({
    name,
    needs: path ? {} : { skip: `${name} is not installed; set ${name.toUpperCase()} to its path` },
  }));

/** The browsers for tests of how the page looks and moves: Firefox only in the long form. */
export const pageBrowsers = browsers.map((browser) =>
  browser.name === 'firefox' && !all
    ? { ...browser, needs: { skip: 'npm run test:all has it' } }
    : browser,
);

const byTestId = (id) => `[data-testid="${id}"]`;

/** The promise, or an error when the promise takes longer: a page that hangs must not stop the
 *  whole run. */
async function within(milliseconds, promise, message) {
  let timer;
  const late = new Promise((_, reject) => {
    timer = setTimeout(() => reject(new Error(`${message()} in ${milliseconds} ms`)), milliseconds);
  });
  try {
    return await Promise.race([promise, late]);
  } finally {
    clearTimeout(timer);
  }
}

/** What the pages of both drivers have in common. */
function common(page, { close, attach, early }) {
  const requests = [];
  const complaints = [];
  page.on('request', (request) => requests.push(request.url()));
  page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
  page.on('pageerror', (error) => complaints.push(String(error)));
  /** Runs a function in the page. Its argument and its result are plain data. */
  const run = (fn, argument) =>
    within(MAX_RUN_MS, page.evaluate(fn, argument), () => `the page did not answer ${fn}`);
  return {
    requests,
    complaints,
    close,
    run,
    /**
     * Runs a function in every document that is opened later, before the document's own scripts.
     */
    early,
    goto: (url) => page.goto(url, { waitUntil: 'load' }),
    click: (id) => page.click(byTestId(id)),
    clickAt: (selector) => page.click(selector),
    tap: (selector) => page.tap(selector),
    tapAt: (x, y) => page.touchscreen.tap(x, y),
    upload: (id, path) => attach(byTestId(id), path),
    press: (key) => page.keyboard.press(key),
    /** Presses a key while another one is held. */
    async chord(held, key) {
      await page.keyboard.down(held);
      await page.keyboard.press(key);
      await page.keyboard.up(held);
    },
    type: (text) => page.keyboard.type(text),
    mouse: page.mouse,
    screenshot: (path) => page.screenshot({ path }),
    /** Waits until the function returns something true in the page, and returns that. */
    async wait(fn, argument, milliseconds = 20_000) {
      for (const end = Date.now() + milliseconds; ;) {
        const result = await run(fn, argument);
        if (result) return result;
        if (Date.now() > end) throw new Error(`waited ${milliseconds} ms for ${fn}`);
        await new Promise((resolve) => setTimeout(resolve, POLL_MS));
      }
    },
    /** Waits until the page has drawn n frames. */
    frames: (n) =>
      run(async (n) => {
        for (let i = 0; i < n; i++) await new Promise((resolve) => requestAnimationFrame(resolve));
      }, n),
    /** Sets an input's value and fires the events of a user's edit. */
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

/**
 * How to start each browser, with options that must be set at the start, and how to open a page in
 * a new context.
 */
const drivers = {
  chromium: {
    startOptions: ({ wasm, v8_flags }) => ({ wasm, v8_flags }),
    async start({ wasm, v8_flags }) {
      const v8 = wasm ? v8_flags : [...v8_flags, '--jitless'];
      const args = v8.length ? [...CHROMIUM_FLAGS, `--js-flags=${v8.join(',')}`] : CHROMIUM_FLAGS;
      const browser = await chromium.launch({ executablePath: executables.chromium, args });
      return { browser, stop: () => browser.close() };
    },
    async openPage(browser, { width, height, dark, touch, calm, forced }) {
      const context = await browser.newContext({
        viewport: { width, height },
        hasTouch: touch,
        isMobile: touch,
        colorScheme: dark ? 'dark' : 'light',
        reducedMotion: calm ? 'reduce' : null,
        forcedColors: forced ? 'active' : null,
      });
      const page = await context.newPage();
      return {
        page,
        attach: (selector, path) => page.setInputFiles(selector, path),
        early: (fn) => page.addInitScript(fn),
        closePage: () => context.close(),
      };
    },
  },
  firefox: {
    startOptions: ({ wasm, dark, touch, calm, forced }) => ({ wasm, dark, touch, calm, forced }),
    async start({ wasm, dark, touch, calm, forced }) {
      const userDataDir = mkdtempSync(join(tmpdir(), 'tokenglass-firefox-'));
      const browser = await puppeteer.launch({
        browser: 'firefox',
        executablePath: executables.firefox,
        userDataDir,
        headless: true,
        extraPrefsFirefox: {
          'browser.display.document_color_use': forced ? 2 : 0,
          'dom.w3c_touch_events.enabled': touch ? 1 : 2,
          'javascript.options.wasm': wasm,
          'layout.css.prefers-color-scheme.content-override': dark ? 0 : 1,
          'ui.prefersReducedMotion': calm ? 1 : 0,
        },
      });
      const stop = async () => {
        await browser.close();
        rmSync(userDataDir, { recursive: true, force: true });
      };
      return { browser, stop };
    },
    async openPage(browser, { width, height }) {
      const context = await browser.createBrowserContext();
      // Firefox throttles a background tab, so each page gets a window
      const page = await context.newPage({ type: 'window' });
      await page.setViewport({ width, height });
      return {
        page,
        attach: async (selector, path) => (await page.$(selector)).uploadFile(path),
        early: (fn) => page.evaluateOnNewDocument(fn),
        closePage: () => context.close(),
      };
    },
  },
};

/** Running browsers, by name and start options. */
const running = new Map();

/** Reserves a browser for another page. Returns the browser and a function that releases it. */
async function take(name, options, own) {
  const { startOptions, start } = drivers[name];
  const key = own ? Symbol('own') : `${name} ${JSON.stringify(startOptions(options))}`;
  if (!running.has(key)) running.set(key, { pages: 0, started: start(options) });
  const entry = running.get(key);
  entry.pages++;
  clearTimeout(entry.timer);
  const giveBack = async () => {
    if (--entry.pages > 0) return;
    const { stop } = await entry.started;
    const end = () => {
      if (running.get(key) === entry) running.delete(key);
      return stop();
    };
    if (own) await end();
    else entry.timer = setTimeout(end, IDLE_MS);
  };
  try {
    return { browser: (await entry.started).browser, giveBack };
  } catch (error) {
    running.delete(key);
    throw error;
  }
}

const DEFAULTS = {
  width: 1280,
  height: 900,
  dark: false,
  wasm: true,
  v8_flags: [],
  touch: false,
  calm: true,
  forced: false,
};

/**
 * Opens a page in a fresh profile. width, height: of the window, in CSS pixels; wasm false: without
 * WebAssembly; v8_flags: of Chromium's V8; touch: touch input instead of a mouse; calm: reduced
 * motion (the default, since animations take most of the time); forced: forced colours; own: in a
 * browser of its own.
 */
export async function open(name, { own = false, ...given } = {}) {
  const options = { ...DEFAULTS, ...given };
  const { browser, giveBack } = await take(name, options, own);
  const { page, attach, early, closePage } = await drivers[name].openPage(browser, options);
  const close = async () => {
    await within(MAX_RUN_MS, closePage(), () => 'the page did not close');
    await giveBack();
  };
  return common(page, { close, attach, early });
}

/**
 * A blank page, and its server, which has the files of the package, of tests/browser/pages and of
 * the other `roots`. close() ends both.
 */
export async function openBlank(name, { roots = [], headers } = {}) {
  const server = await serve({
    port: 0,
    roots: [inTree('dist'), inTree('tests/browser/pages'), ...roots],
    headers,
  });
  let page;
  const close = async () => {
    await page?.close();
    await server.close();
  };
  try {
    page = await open(name);
    await page.goto(`${server.url}blank.html`);
  } catch (error) {
    await close();
    throw error;
  }
  return { page, url: server.url, close };
}

/**
 * Calls a scenario of a file of pages/ in the page, with the page's loadModel. Give the page as a
 * function: the tests open it later.
 */
export const scenariosIn = (page, file) => (scenario, options) =>
  page().run(
    async ({ file, scenario, options }) => {
      const { loadModel } = await import('/index.js');
      const scenarios = await import(file);
      return scenarios[scenario](loadModel, options);
    },
    { file: `/${file}`, scenario, options },
  );

const axeSource = readFileSync(
  createRequire(import.meta.url).resolve('axe-core/axe.min.js'),
  'utf8',
);

/**
 * What axe-core finds wrong with the current page, or with the part that a selector finds: rule,
 * impact and element.
 */
export async function axe(page, selector = 'html') {
  if (!(await page.run(() => 'axe' in globalThis))) await page.run(axeSource);
  return page.run(async (selector) => {
    const { violations } = await globalThis.axe.run(selector, { resultTypes: ['violations'] });
    return violations.map(({ id, impact, help, nodes }) => ({
      id,
      impact,
      help,
      where: nodes.map(({ target, failureSummary }) => `${target}: ${failureSummary}`),
    }));
  }, selector);
}
