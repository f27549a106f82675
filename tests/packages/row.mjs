// Builds and runs one prepared app; throws when a step fails or the result differs.
import { spawn } from 'node:child_process';
import { createServer } from 'node:net';
import { join } from 'node:path';
import { serve } from '../../demo/serve.mjs';
import { browsers as installed, open } from '../browser/browsers.mjs';
import { inTree } from '../support/support.mjs';

const MAX_COMMAND_MS = 300_000;
const MAX_PAGE_MS = 90_000;
const POLL_MS = 100;
const PLAIN = { 'Cache-Control': 'no-store' };
const LAST = 3000; // characters of a program's output that an error shows

const pause = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Starts a line of the shell in a process group of its own. */
function start(line, folder, env = {}) {
  const child = spawn('sh', ['-c', line], {
    cwd: folder,
    detached: true,
    env: {
      ...process.env,
      PATH: [join(folder, 'node_modules/.bin'), inTree('node_modules/.bin'), process.env.PATH].join(
        ':',
      ),
      NEXT_TELEMETRY_DISABLED: '1',
      ASTRO_TELEMETRY_DISABLED: '1',
      ...env,
    },
  });
  const program = { child, output: '', lines: '', ended: undefined };
  child.stdout.setEncoding('utf8').on('data', (text) => {
    program.lines += text;
    program.output += text;
  });
  child.stderr.setEncoding('utf8').on('data', (text) => (program.output += text));
  program.ended = new Promise((resolve) => child.on('close', resolve));
  program.kill = () => {
    try {
      process.kill(-child.pid, 'SIGKILL');
    } catch {
      // it has ended already
    }
  };
  return program;
}

/** Runs a line of the shell to its end; gives what it printed. */
async function runLine(line, folder, env) {
  const program = start(line, folder, env);
  const timer = setTimeout(program.kill, MAX_COMMAND_MS);
  const code = await program.ended;
  clearTimeout(timer);
  if (code !== 0)
    throw new Error(`${line} ended with ${code ?? 'a signal'}\n${program.output.slice(-LAST)}`);
  return program.lines;
}

const freePort = () =>
  new Promise((resolve) => {
    const server = createServer().listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });

/** Starts what `serve` of the row names: { url, close, modelUrl }. */
async function startServer({ serve: how }, folder, expected) {
  if (how.start) return how.start(folder, expected);
  if (how.folder !== undefined)
    return serve({ port: 0, roots: [join(folder, how.folder)], headers: how.headers ?? PLAIN });
  const port = await freePort();
  const program = start(how.command, folder, { PORT: String(port) });
  const url = `http://localhost:${port}/`;
  let ended = false;
  void program.ended.then(() => (ended = true));
  for (const end = Date.now() + MAX_PAGE_MS; ; await pause(POLL_MS)) {
    const answered = await fetch(url).then(
      (response) => response.arrayBuffer().then(() => true),
      () => false,
    );
    if (answered) break;
    if (ended || Date.now() > end) {
      program.kill();
      throw new Error(`${how.command} does not answer\n${program.output.slice(-LAST)}`);
    }
  }
  return { url, close: async () => program.kill(), output: () => program.output.slice(-LAST) };
}

/** Opens the app's page and waits for its result. A page that is loaded again starts again. */
async function resultInBrowser(browser, url) {
  const page = await open(browser);
  try {
    await page.goto(url);
    for (const end = Date.now() + MAX_PAGE_MS; Date.now() < end; await pause(POLL_MS)) {
      const result = await page.run(() => globalThis.result).catch(() => undefined);
      if (result) {
        if (result.error) result.cause = [result.cause, ...page.complaints].join('\n');
        return result;
      }
    }
    throw new Error(`the page gave no result; its errors:\n${page.complaints.join('\n')}`);
  } finally {
    await page.close();
  }
}

/** The row's browsers that are installed here. */
export const browsersOf = ({ browsers = ['chromium', 'firefox'] }) =>
  browsers.filter((name) => installed.some((one) => one.name === name && !one.needs.skip));

/** Builds and runs a row's app: { chromium: result, ... } */
export async function runRow(row, folder, expected) {
  for (const line of row.commands ?? []) await runLine(line, folder);
  if (row.run === 'check') return { check: true };
  if (row.run === 'node') {
    const output = await runLine(row.program, folder, { MODEL_URL: expected.modelUrl });
    const result = JSON.parse(output.trim().split('\n').at(-1));
    expected.check(result);
    return { node: result };
  }
  const server = await startServer(row, folder, expected);
  const outcome = {};
  try {
    const address = new URL(row.path ?? '/', server.url);
    address.searchParams.set('model', server.modelUrl ?? expected.modelUrl);
    if (row.inspect) return await row.inspect({ folder, address, server, expected });
    if (row.run === 'fetch') {
      outcome.fetch = await (await fetch(address)).json();
      expected.check(outcome.fetch);
    } else {
      for (const browser of browsersOf(row)) {
        const one = () => resultInBrowser(browser, address.href);
        const results = await Promise.all(Array.from({ length: row.tabs ?? 1 }, one));
        try {
          for (const result of results) expected.check(result, row);
        } catch (error) {
          throw new Error(`${browser}: ${error.message}`);
        }
        [outcome[browser]] = results;
      }
    }
  } catch (error) {
    throw new Error(`${error.message}\n${server.output?.() ?? ''}`.trim());
  } finally {
    await server.close();
  }
  return outcome;
}
