// Opens a page of an unpacked extension in Chromium.
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { chromium } from 'playwright-core';

const MAX_MS = 90_000;

/** The result of a page of the extension in the folder; its address has the given query. */
export async function resultInExtension(folder, page, query) {
  const profile = mkdtempSync(join(tmpdir(), 'tokenglass-extension-'));
  const context = await chromium.launchPersistentContext(profile, {
    executablePath: process.env.CHROMIUM ?? '/usr/bin/chromium',
    ignoreDefaultArgs: ['--disable-extensions'],
    args: [
      '--no-sandbox',
      '--disable-gpu',
      `--load-extension=${folder}`,
      `--disable-extensions-except=${folder}`,
      '--disable-features=DisableLoadExtensionCommandLineSwitch',
    ],
  });
  try {
    const [worker] = context.serviceWorkers();
    const background = worker ?? (await context.waitForEvent('serviceworker', { timeout: 20_000 }));
    const tab = await context.newPage();
    await tab.goto(new URL(`${page}${query}`, background.url()).href);
    await tab.waitForFunction(() => globalThis.result, undefined, { timeout: MAX_MS });
    return await tab.evaluate(() => globalThis.result);
  } finally {
    await context.close();
    rmSync(profile, { recursive: true, force: true });
  }
}
