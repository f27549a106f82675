/** How Node, Deno and Bun do what differs from browsers: files, wasm modules, worker threads. */
import * as buffer from 'node:buffer';
import { existsSync } from 'node:fs';
import { open, readFile, stat } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { availableParallelism } from 'node:os';
import { fileURLToPath, pathToFileURL } from 'node:url';
import { Worker } from 'node:worker_threads';
import type { TransferListItem } from 'node:worker_threads';
import { TokenglassError } from '../types/errors.js';
import { openSource } from './browser.js';
import { compileError } from './platform.js';
import type { Platform, Port, WorkerPlatform } from './platform.js';
import { blobSource, sourceError, statusOf, streamSpec } from './sources.js';
import type { ByteSource, SourceSpec } from './sources.js';
import { withAnswer } from './timing.js';
import type { TimeLimits } from './timing.js';

/** What the codes of the file system mean. */
const MEANINGS: Record<string, string> = {
  ENOENT: 'there is no file',
  ENOTDIR: 'there is no file',
  EACCES: 'this program may not read',
  EPERM: 'this program may not read',
  EMFILE: 'too many files are open to read',
};

function fileError(path: string, error: unknown): TokenglassError {
  const { code = '', message } = error as NodeJS.ErrnoException;
  const missing = code === 'ENOENT' || code === 'ENOTDIR';
  const meaning = MEANINGS[code];
  return new TokenglassError(
    missing ? 'SOURCE_NOT_FOUND' : 'SOURCE_FAILED',
    meaning ? `${meaning} ${path} (${code})` : `cannot open ${path}: ${message}`,
    { cause: error },
  );
}

/** A file, read straight into the staging buffer. */
async function fileSource(path: string): Promise<ByteSource> {
  let file: Awaited<ReturnType<typeof open>>;
  let size: number;
  try {
    const stats = await stat(path); // first: to open a pipe could take for ever
    if (!stats.isFile())
      throw new Error(`${stats.isDirectory() ? 'it is a directory' : 'it is a device'}, no file`);
    file = await open(path);
    size = stats.size;
  } catch (error) {
    throw fileError(path, error);
  }
  let position = 0;
  let closed: Promise<void> | undefined;
  return {
    total: size || undefined,
    async pull(stagingBuffer) {
      try {
        // Yarn's files in archives take no Uint8Array as the first argument
        const { bytesRead } = await file.read({ buffer: stagingBuffer, position });
        position += bytesRead;
        return bytesRead ? stagingBuffer.subarray(0, bytesRead) : undefined;
      } catch (error) {
        throw sourceError(`${path} broke off at byte ${position}`, error);
      }
    },
    close: () => (closed ??= file.close()),
  };
}

/** The path that a file: address names. */
function pathOf(url: string): string {
  try {
    return fileURLToPath(url);
  } catch (error) {
    throw sourceError(`${url} names no file of this computer`, error, 'INVALID_ARGUMENT');
  }
}

/** What a string names: a URL or a path. */
function namedSource(name: string): SourceSpec {
  if (!/^[a-z][a-z0-9+.-]+:/i.test(name)) return { kind: 'path', path: name };
  // some runtimes do not have this function
  if (!name.startsWith('blob:') || !buffer.resolveObjectURL) return { kind: 'url', url: name };
  const blob = buffer.resolveObjectURL(name); // in this thread: workers do not know the address
  if (!blob)
    throw new TokenglassError(
      'SOURCE_NOT_FOUND',
      `${name}: the address was revoked, or never made`,
    );
  return streamSpec(blobSource(blob as Blob));
}

async function compile(url: string, limits: TimeLimits): Promise<WebAssembly.Module> {
  try {
    if (url.startsWith('file:'))
      return await WebAssembly.compile(await readFile(fileURLToPath(url)));
    return await withAnswer(url, limits, async (response) => {
      if (!response.ok) throw new Error(`the server ${statusOf(response)}`);
      return WebAssembly.compile(await response.arrayBuffer());
    });
  } catch (error) {
    throw compileError(url, error);
  }
}

/** Starts a worker thread with this script. */
export function spawnScript(script: URL): Port {
  // the program's own flags are not for the worker: --input-type, for example, would stop it
  const worker = new Worker(script, { execArgv: [] });
  return {
    post: (message, transfer) => worker.postMessage(message, transfer as TransferListItem[]),
    listen(onMessage, onDeath) {
      worker.on('message', onMessage);
      worker.on('messageerror', (error) => onDeath(error.message));
      worker.on('error', (error) => onDeath(error.message));
      worker.on('exit', (code) => onDeath(`exit code ${code}`));
    },
    busy: (awaited) => (awaited ? worker.ref() : worker.unref()),
    terminate: () => void worker.terminate(),
  };
}

/**
 * The address of a file of the package: beside this module or, where a bundle did not take the file
 * along, in the package that is installed where the bundle is or where the program was started.
 */
export function fileAt(name: string, locate: () => URL): string {
  let beside: URL | undefined;
  try {
    const url = locate();
    if (url.protocol === 'file:') beside = url;
    // A server renders the scripts of pages, too. There, Turbopack gives an address without a
    // protocol, which means nothing in Node.
    if (beside ? existsSync(beside) : url.protocol) return url.href;
  } catch {
    // a bundle in the form of a CommonJS module has no import.meta.url
  }
  for (const from of [beside?.href, pathToFileURL('./').href]) {
    try {
      const installed = createRequire(from!).resolve('tokenglass/package.json');
      return new URL(`dist/${name}`, pathToFileURL(installed)).href;
    } catch {
      // not installed there
    }
  }
  return beside?.href ?? pathToFileURL(name).href;
}

const WORKER = 'worker-node.mjs';
const worker = fileAt(WORKER, () => new URL('./worker-node.mjs', import.meta.url));
const spawn = (url: string) => spawnScript(new URL(url));

export const nodeWorkerPlatform: WorkerPlatform = {
  async openSource(spec, limits) {
    if (spec.kind === 'path') return fileSource(spec.path);
    if (spec.kind === 'url' && /^file:/i.test(spec.url)) return fileSource(pathOf(spec.url));
    return openSource(spec, limits);
  },
  compile,
  spawnThread: undefined,
  cores: availableParallelism, // Node 20 has no navigator
};

export const node: Platform = {
  workerPlatform: async () => ({ ...nodeWorkerPlatform, spawnThread: () => spawn(worker) }),
  namedSource,
  // Node cannot send a Blob of a file to another thread
  blobSource: (blob) => streamSpec(blobSource(blob)),
  fileAt,
  workerFile: WORKER,
  worker,
  whyNoWorker: () => undefined,
  spawn,
  explain: async (url, reason) => `the worker with the script ${url} did not start: ${reason}`,
};
