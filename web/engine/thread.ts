/** Threads that help one engine: in, a module, the memory they share and a model in it; out, the model's work done faster. Whoever starts them ends them. */
import { instantiate } from './engine.js';
import type { Port } from '../platform/platform.js';

export interface ThreadStart {
  kind: 'thread';
  module: WebAssembly.Module;
  memory: WebAssembly.Memory;
  /** Address of the model, number of the thread, end of its stack. */
  model: number;
  thread: number;
  stack: number;
}

export type ThreadAnswer = { kind: 'joined' } | { kind: 'died'; reason: string };

/** A thread's life, in its own worker: does not return until the worker is terminated. */
export function join(
  { module, memory, model, thread, stack }: ThreadStart,
  post: (answer: ThreadAnswer) => void,
): void {
  let tell = () => {};
  try {
    const exports = instantiate(module, memory);
    tell = () => void exports['model_thread_died']!(model);
    exports['_emscripten_stack_restore']!(stack);
    post({ kind: 'joined' });
    exports['model_join']!(model, thread);
  } catch (error) {
    tell(); // first: the engine may be waiting for this thread
    post({ kind: 'died', reason: String(error) });
  }
}

const START_MS = 1500; // a thread that has not come by then, while the weights are read, is not waited for; it helps nevertheless if it comes

/** The threads of one model. */
export class Threads {
  readonly #ports: Port[] = [];
  readonly #joining: Promise<boolean>[] = [];
  #ended = false;

  /** onDeath: a thread that had joined is gone. */
  constructor(spawn: () => Port, starts: ThreadStart[], onDeath: (reason: string) => void) {
    for (const start of starts) {
      this.#joining.push(
        new Promise((resolve) => {
          const timer = setTimeout(resolve, START_MS, false);
          let here = false;
          const settle = (joined: boolean) => {
            here ||= joined;
            clearTimeout(timer);
            resolve(joined);
          };
          const dead = (reason: string) => {
            settle(false);
            if (here && !this.#ended) onDeath(reason); // one that never came, be it late, is not missed
          };
          try {
            const port = spawn();
            this.#ports.push(port);
            port.listen((message) => {
              const answer = message as ThreadAnswer;
              if (answer.kind === 'joined') settle(true);
              else dead(answer.reason);
            }, dead);
            port.post(start, []);
            port.busy(false);
          } catch {
            settle(false); // no more workers to be had: it goes without
          }
        }),
      );
    }
  }

  /** How many have come. */
  async joined(): Promise<number> {
    return (await Promise.all(this.#joining)).filter(Boolean).length;
  }

  end(): void {
    this.#ended = true;
    for (const port of this.#ports) port.terminate();
  }
}

const PAGE = 65536;

/** Memory of at most so many bytes that threads can share; undefined when it cannot be had. */
export function sharedMemory(maximum: number): WebAssembly.Memory | undefined {
  try {
    return new WebAssembly.Memory({
      initial: 32,
      maximum: Math.min(Math.ceil(maximum / PAGE), 65536),
      shared: true,
    });
  } catch {
    return undefined;
  }
}

/** Why there can be no threads here; undefined when there can be. */
export function whyNoThreads(spawn: (() => Port) | undefined): string | undefined {
  if (globalThis.crossOriginIsolated === false) {
    return 'the page is not cross-origin isolated: threads need it to be served with Cross-Origin-Opener-Policy and Cross-Origin-Embedder-Policy';
  }
  if (typeof SharedArrayBuffer === 'undefined')
    return 'this browser or runtime has no SharedArrayBuffer';
  if (!spawn) return 'the engine runs in the thread of a page, which may not wait (worker: false)';
  return undefined;
}

/** Whether a build takes a memory that threads share. */
export const madeForThreads = (module: WebAssembly.Module) =>
  WebAssembly.Module.imports(module).some(({ kind }) => kind === 'memory');

/** As many threads as are likely to have a core each. */
export const usualThreads = (cores: number) => Math.min(8, Math.ceil(cores / 2));
