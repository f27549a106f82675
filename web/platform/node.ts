/** What Node, Deno and Bun do otherwise than browsers: in, paths and file URLs; out, opened files, compiled modules, worker threads. */
import { open, readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import type { TransferListItem } from 'node:worker_threads';
import { TokenglassError } from '../types/errors.js';
import type { Opener, Platform, Port } from './platform.js';
import { failed, openSource, streamSource, streamSpec } from './sources.js';
import type { ByteSource } from './sources.js';

/** A file, read straight into the window. */
async function fileSource(path: string): Promise<ByteSource> {
  let file: Awaited<ReturnType<typeof open>>;
  let size: number;
  try {
    file = await open(path);
    const stat = await file.stat();
    if (!stat.isFile()) {
      await file.close();
      throw new Error('it is no file');
    }
    size = stat.size;
  } catch (error) {
    const missing = (error as NodeJS.ErrnoException).code === 'ENOENT';
    if (missing)
      throw new TokenglassError('SOURCE_NOT_FOUND', `there is no file ${path}`, { cause: error });
    throw failed(`cannot open ${path}`, error);
  }
  let at = 0;
  let closed: Promise<void> | undefined;
  return {
    total: size || undefined,
    async pull(window) {
      try {
        const { bytesRead } = await file.read(window, 0, window.byteLength, at);
        at += bytesRead;
        return bytesRead ? window.subarray(0, bytesRead) : undefined;
      } catch (error) {
        throw failed(`${path} broke off at byte ${at}`, error);
      }
    },
    close: () => (closed ??= file.close()),
  };
}

async function compile(url: string, signal: AbortSignal): Promise<WebAssembly.Module> {
  try {
    const bytes = url.startsWith('file:')
      ? await readFile(fileURLToPath(url))
      : new Uint8Array(await (await fetch(url, { signal })).arrayBuffer());
    return await WebAssembly.compile(bytes);
  } catch (error) {
    throw new TokenglassError(
      'ENGINE_LOAD_FAILED',
      `${url}: ${error instanceof Error ? error.message : String(error)}`,
      {
        cause: error,
      },
    );
  }
}

/** A worker thread with this script. */
export function spawnScript(script: URL): Port {
  // flags of the program are not for the worker's script: --input-type, for one, would stop it
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

const spawn = (url: string | undefined) =>
  spawnScript(url ? new URL(url) : new URL('./worker-node.js', import.meta.url));

export const nodeOpener: Opener = {
  async openSource(spec, signal) {
    if (spec.kind === 'path') return fileSource(spec.path);
    if (spec.kind === 'url' && spec.url.startsWith('file:'))
      return fileSource(fileURLToPath(spec.url));
    return openSource(spec, signal);
  },
  compile,
  spawnThread: undefined,
  cores: availableParallelism, // Node 20 has no navigator
};

export const node: Platform = {
  opener: { ...nodeOpener, spawnThread: () => spawn(undefined) },
  namedSource: (name) =>
    /^[a-z][a-z0-9+.-]+:/i.test(name) ? { kind: 'url', url: name } : { kind: 'path', path: name },
  // a Blob of a file cannot be sent to another thread here
  blobSource: (blob) => streamSpec(streamSource(blob.stream(), blob.size, 'the file')),
  spawn,
};
