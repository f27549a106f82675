/** What differs between browsers and Node, in one interface: in, addresses; out, workers, wasm modules, opened sources. */
import { TokenglassError } from '../types/errors.js';
import { openSource } from './sources.js';
import type { ByteSource, SourceSpec } from './sources.js';

/** A thread to talk to. */
export interface Port {
  post(message: unknown, transfer: Transferable[]): void;
  /** Called for every message, and once when the thread has died. */
  listen(onMessage: (message: unknown) => void, onDeath: (reason: string) => void): void;
  /** Whether an answer is awaited: a program waits for that, but not for an idle worker. */
  busy(awaited: boolean): void;
  terminate(): void;
}

/** What the engine's thread needs. It is apart from the rest so that a worker's script does not name itself: bundlers follow that. */
export interface Opener {
  /** A worker with the script that this thread can start for help; undefined where there can be none. */
  spawnThread: (() => Port) | undefined;
  /** That can work at the same time. */
  cores(): number;
  openSource(spec: SourceSpec, signal: AbortSignal): Promise<ByteSource>;
  compile(url: string, signal: AbortSignal): Promise<WebAssembly.Module>;
}

/** What the caller's thread needs. */
export interface Platform {
  readonly opener: Opener;
  /** What a plain string names here. */
  namedSource(name: string): SourceSpec;
  blobSource(blob: Blob): SourceSpec;
  spawn(url: string | undefined): Port;
}

async function compile(url: string, signal: AbortSignal): Promise<WebAssembly.Module> {
  try {
    const response = await fetch(url, { signal });
    if (!response.ok) throw new Error(`the server answered ${response.status}`);
    // compileStreaming needs the right type from the server; the bytes do as well
    return response.headers.get('content-type') === 'application/wasm'
      ? await WebAssembly.compileStreaming(response)
      : await WebAssembly.compile(await response.arrayBuffer());
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

/** The port of a worker that is there already. */
export function workerPort(worker: Worker): Port {
  return {
    post: (message, transfer) => worker.postMessage(message, transfer),
    listen(onMessage, onDeath) {
      worker.onmessage = (event) => onMessage(event.data);
      worker.onmessageerror = () => onDeath('a message could not be read');
      worker.onerror = (event) => onDeath(event.message || 'its script could not be loaded');
    },
    busy: () => undefined, // a page lives as long as it is shown
    terminate: () => worker.terminate(),
  };
}

function spawn(url: string | undefined): Port {
  return workerPort(
    url
      ? new Worker(url, { type: 'module' })
      : new Worker(new URL('./worker.js', import.meta.url), { type: 'module' }),
  );
}

export const browserOpener: Opener = {
  openSource,
  compile,
  spawnThread: undefined,
  cores: () => navigator.hardwareConcurrency ?? 1,
};

export const browser: Platform = {
  opener: browserOpener,
  namedSource: (name) => ({ kind: 'url', url: new URL(name, globalThis.location?.href).href }),
  blobSource: (blob) => ({ kind: 'blob', blob }),
  spawn,
};

/** Lets other messages of this thread have their turn. */
export const turn: () => Promise<void> =
  typeof setImmediate === 'function'
    ? () => new Promise((resolve) => setImmediate(resolve))
    : () =>
        new Promise((resolve) => {
          const { port1, port2 } = new MessageChannel();
          port1.onmessage = () => {
            port1.close();
            resolve();
          };
          port2.postMessage(undefined);
        });
