/** How Node, Deno and Bun do what differs from browsers: files, wasm modules, worker threads. */
import { open, readFile } from 'node:fs/promises';
import { availableParallelism } from 'node:os';
import { fileURLToPath } from 'node:url';
import { Worker } from 'node:worker_threads';
import type { TransferListItem } from 'node:worker_threads';
import { TokenglassError } from '../types/errors.js';
import { compileError } from './platform.js';
import type { Platform, Port, WorkerPlatform } from './platform.js';
import { openSource, sourceError, streamSource, streamSpec } from './sources.js';
import type { ByteSource } from './sources.js';

/** A file, read straight into the staging buffer. */
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
    throw sourceError(`cannot open ${path}`, error);
  }
  let position = 0;
  let closed: Promise<void> | undefined;
  return {
    total: size || undefined,
    async pull(stagingBuffer) {
      try {
        const { bytesRead } = await file.read(stagingBuffer, 0, stagingBuffer.byteLength, position);
        position += bytesRead;
        return bytesRead ? stagingBuffer.subarray(0, bytesRead) : undefined;
      } catch (error) {
        throw sourceError(`${path} broke off at byte ${position}`, error);
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

const spawn = (url: string | undefined) =>
  spawnScript(url ? new URL(url) : new URL('./worker-node.js', import.meta.url));

export const nodeWorkerPlatform: WorkerPlatform = {
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
  workerPlatform: { ...nodeWorkerPlatform, spawnThread: () => spawn(undefined) },
  namedSource: (name) =>
    /^[a-z][a-z0-9+.-]+:/i.test(name) ? { kind: 'url', url: name } : { kind: 'path', path: name },
  // Node cannot send a Blob of a file to another thread
  blobSource: (blob) => streamSpec(streamSource(blob.stream(), blob.size, 'the file')),
  spawn,
};
