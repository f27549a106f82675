/** What differs between browsers and Node, as an interface. */
import { TokenglassError } from '../types/errors.js';
import type { ByteSource, SourceSpec } from './sources.js';
import type { TimeLimits } from './timing.js';

/** A worker that takes and sends messages. */
export interface Port {
  post(message: unknown, transfer: Transferable[]): void;
  /** onMessage is called for every message, onDeath when the worker has died. */
  listen(onMessage: (message: unknown) => void, onDeath: (reason: string) => void): void;
  /** Whether an answer is awaited. A program waits for answers, but not for an idle worker. */
  busy(awaited: boolean): void;
  terminate(): void;
}

/**
 * What the engine's thread needs. It is separate from Platform so that a worker's script does not
 * name its own file: bundlers follow such names without end.
 */
export interface WorkerPlatform {
  /** Starts a worker as an additional thread; undefined where there can be none. */
  spawnThread: (() => Port) | undefined;
  /** The number of cores. */
  cores(): number;
  openSource(spec: SourceSpec, limits: TimeLimits): Promise<ByteSource>;
  /** Rejects with ENGINE_LOAD_FAILED. */
  compile(url: string, limits: TimeLimits): Promise<WebAssembly.Module>;
}

/** What the caller's thread needs. */
export interface Platform {
  /** For an engine in the caller's thread. It is loaded only then. */
  workerPlatform(): Promise<WorkerPlatform>;
  /** What a string that is no built-in model names here: a URL or a path. */
  namedSource(name: string): SourceSpec;
  blobSource(blob: Blob): SourceSpec;
  /** The address of a file of the package. `locate` makes it from the module's own address. */
  fileAt(name: string, locate: () => URL): string;
  /** The name and the address of the worker's script. */
  workerFile: string;
  worker: string;
  /**
   * Why a worker with this script cannot start here; '' where it may be forbidden; undefined where
   * nothing speaks against it.
   */
  whyNoWorker(url: string): string | undefined;
  /** Starts a worker with the script at the address. */
  spawn(url: string): Port;
  /** Why a worker's script did not run, and what helps. `reason` is what the runtime says. */
  explain(url: string, reason: string): Promise<string>;
}

/** The error of a wasm file that could not be fetched or compiled. message: what is known. */
export function compileError(
  url: string,
  error: unknown,
  message = error instanceof Error ? error.message : String(error),
): TokenglassError {
  return new TokenglassError('ENGINE_LOAD_FAILED', `${url}: ${message}`, { cause: error });
}

/** Makes addresses of scripts that a page with Trusted Types accepts. */
interface ScriptPolicy {
  createScriptURL(url: string): string;
}

let policy: ScriptPolicy | undefined;

/**
 * Starts a module as a worker of a page or of another worker. Where the page requires Trusted
 * Types, the policy `tokenglass` makes the address.
 */
export function moduleWorker(url: string): Worker {
  try {
    policy ??= (
      globalThis as {
        trustedTypes?: { createPolicy(name: string, rules: ScriptPolicy): ScriptPolicy };
      }
    ).trustedTypes?.createPolicy('tokenglass', { createScriptURL: (address) => address });
  } catch {
    // the page does not allow this policy, but may allow plain addresses
  }
  return new Worker(policy?.createScriptURL(url) ?? url, { type: 'module' });
}

/**
 * The workers whose answers are awaited. Firefox collects a worker as garbage when nothing but the
 * worker itself leads to what waits for its messages: the wait would never end.
 */
const awaitedWorkers = new Set<Worker>();

/** The port of a browser's worker. ended: called when the port ends the worker. */
export function workerPort(worker: Worker, ended: () => void = () => undefined): Port {
  return {
    post: (message, transfer) => worker.postMessage(message, transfer),
    listen(onMessage, onDeath) {
      worker.onmessage = (event) => onMessage(event.data);
      worker.onmessageerror = () => onDeath('a message could not be read');
      worker.onerror = (event) => onDeath(event.message ?? '');
    },
    busy: (awaited) => void (awaited ? awaitedWorkers.add(worker) : awaitedWorkers.delete(worker)),
    terminate() {
      awaitedWorkers.delete(worker);
      worker.terminate();
      ended();
    },
  };
}

/** Resolves after the messages and events that are waiting in this thread. */
export const yieldToEventLoop: () => Promise<void> =
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
