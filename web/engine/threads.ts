/**
 * The additional threads of one model. Each is a worker with its own instance of the module over
 * the shared memory; the model's own thread gives them work.
 */
import { instantiate } from './instance.js';
import type { Port } from '../platform/platform.js';

/** What a worker gets to become a thread of a model. */
export interface ThreadStart {
  kind: 'thread';
  module: WebAssembly.Module;
  memory: WebAssembly.Memory;
  /** The address of the model. */
  model: number;
  /** The number of the thread, from 1. */
  thread: number;
  /** The address where the thread's stack ends: stacks grow downwards. */
  stack: number;
}

export type ThreadAnswer = { kind: 'joined' } | { kind: 'died' };

/** Runs as a thread of a model. Does not return until the worker is terminated. */
export function runThread(
  { module, memory, model, thread, stack }: ThreadStart,
  post: (answer: ThreadAnswer) => void,
): void {
  let reportDeath = () => {};
  try {
    const exports = instantiate(module, memory);
    reportDeath = () => void exports.model_thread_died(model);
    exports._emscripten_stack_restore!(stack);
    post({ kind: 'joined' });
    exports.model_thread_main(model, thread);
  } catch {
    reportDeath(); // before the message: the engine may be waiting for this thread
    post({ kind: 'died' });
  }
}

/** How long a load waits for a thread to start. A thread that starts later works, too. */
const START_MS = 1500;

export class Threads {
  readonly #ports: Port[] = [];
  readonly #starts: Promise<boolean>[];
  #ended = false;

  /** onDeath: called when a thread that had joined has died. */
  constructor(spawn: () => Port, starts: ThreadStart[], onDeath: () => void) {
    this.#starts = starts.map((start) => this.#start(spawn, start, onDeath));
  }

  /** Starts a worker; resolves to whether the thread joined in time. */
  #start(spawn: () => Port, start: ThreadStart, onDeath: () => void): Promise<boolean> {
    return new Promise((resolve) => {
      const timer = setTimeout(resolve, START_MS, false);
      let joined = false;
      const settle = (result: boolean) => {
        joined ||= result;
        clearTimeout(timer);
        resolve(result);
      };
      const die = () => {
        settle(false);
        if (joined && !this.#ended) onDeath(); // the model never waited for other threads
      };
      try {
        const port = spawn();
        this.#ports.push(port);
        port.listen((message) => {
          const { kind } = message as ThreadAnswer;
          if (kind === 'joined') settle(true);
          else if (kind === 'died') die();
        }, die);
        port.post(start, []);
        port.busy(false);
      } catch {
        settle(false); // the runtime gives no more workers: the model does without
      }
    });
  }

  /** How many threads joined in time. */
  async joined(): Promise<number> {
    return (await Promise.all(this.#starts)).filter(Boolean).length;
  }

  end(): void {
    this.#ended = true;
    for (const port of this.#ports) port.terminate();
  }
}

const WASM_PAGE_BYTES = 65536;
const MAX_PAGES = 65536;
const INITIAL_PAGES = 32; // as rules.mk gives builds without threads

/** Shared memory of at most maxBytes; undefined when the runtime refuses. */
export function sharedMemory(maxBytes: number): WebAssembly.Memory | undefined {
  try {
    return new WebAssembly.Memory({
      initial: INITIAL_PAGES,
      maximum: Math.min(Math.ceil(maxBytes / WASM_PAGE_BYTES), MAX_PAGES),
      shared: true,
    });
  } catch {
    return undefined;
  }
}

/** Why this runtime or thread cannot have threads; undefined when it can. */
export function whyNoThreads(spawn: (() => Port) | undefined): string | undefined {
  if (globalThis.crossOriginIsolated === false) {
    return (
      'the page is not cross-origin isolated: threads need it to be served with ' +
      'Cross-Origin-Opener-Policy and Cross-Origin-Embedder-Policy'
    );
  }
  if (typeof SharedArrayBuffer === 'undefined')
    return 'this browser or runtime has no SharedArrayBuffer';
  if (!spawn) return 'the engine runs in the thread of a page, which may not wait (worker: false)';
  return undefined;
}

/** Whether a build imports its memory: then it is made for threads. */
export const isMadeForThreads = (module: WebAssembly.Module) =>
  WebAssembly.Module.imports(module).some(({ kind }) => kind === 'memory');

/** The default number of threads: as many as are likely to have a core each. */
export const defaultThreads = (cores: number) => Math.min(8, Math.ceil(cores / 2));
