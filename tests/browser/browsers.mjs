// The real browsers of the tests, behind one small interface: in, a page's address; out, a page that can be driven, with all its requests and complaints.
// Chromium is driven by playwright-core, Firefox by puppeteer-core.
import { existsSync, mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';
import puppeteer from 'puppeteer-core';

const CHROMIUM_FLAGS = [
  ...['--no-sandbox', '--disable-gpu', '--disable-quic', '--no-first-run', '--disable-background-networking'],
  ...['--disable-component-update', '--disable-sync'],
];

const found = (variable, path) => process.env[variable] ?? (existsSync(path) ? path : undefined);

/** Where each browser is, or undefined when it is not installed. */
export const executables = {
  chromium: found('CHROMIUM', '/usr/bin/chromium'),
  firefox: found('FIREFOX', '/usr/bin/firefox-esr'),
};

/** What both drivers' pages have in common here. requests: addresses that were asked for; complaints: console errors and uncaught ones. */
function common(page, close) {
  const requests = [];
  const complaints = [];
  page.on('request', (request) => requests.push(request.url()));
  page.on('console', (message) => message.type() === 'error' && complaints.push(message.text()));
  page.on('pageerror', (error) => complaints.push(String(error)));
  return {
    requests,
    complaints,
    close,
    goto: (url) => page.goto(url, { waitUntil: 'load' }),
    /** Runs a function in the page; arguments and result are plain data. */
    run: (fn, ...args) =>
      page.evaluate(({ source, args: given }) => (0, eval)(`(${source})`)(...given), { source: String(fn), args }),
    screenshot: (path) => page.screenshot({ path }),
  };
}

const drivers = {
  async chromium(executablePath, { width, height, dark }) {
    const browser = await chromium.launch({ executablePath, args: CHROMIUM_FLAGS });
    const context = await browser.newContext({
      viewport: { width, height },
      colorScheme: dark ? 'dark' : 'light',
      bypassCSP: true,
    });
    const page = await context.newPage();
    return { ...common(page, () => browser.close()), evaluate: page.evaluate.bind(page) };
  },
  async firefox(executablePath, { width, height, dark }) {
    const userDataDir = mkdtempSync(join(tmpdir(), 'tokenglass-firefox-'));
    const browser = await puppeteer.launch({
      ...{ browser: 'firefox', executablePath, userDataDir, headless: true },
      extraPrefsFirefox: { 'ui.systemUsesDarkTheme': Number(dark) },
    });
    const page = await browser.newPage();
    await page.setViewport({ width, height });
    const close = async () => {
      await browser.close();
      rmSync(userDataDir, { recursive: true, force: true });
    };
    return { ...common(page, close), evaluate: page.evaluate.bind(page) };
  },
};

/** A fresh profile with one page in it. */
export function open(name, { width = 1280, height = 900, dark = false } = {}) {
  return drivers[name](executables[name], { width, height, dark });
}
