/**
 * How a model in the caller's thread reaches the engine: in the same thread or in a worker. Both
 * ways take and return the same plain data.
 */
import type { EngineOptions } from '../engine/model-writer.js';
import type { Platform, Port } from '../platform/platform.js';
import type { SourceSpec } from '../platform/sources.js';
import {
  TokenglassError,
  fromWire,
  messageOf,
  shown,
  throwIfAborted,
  toWire,
} from '../types/errors.js';
import { untilAborted } from '../types/signals.js';
import type { ModelInfo, Progress } from '../types/types.js';
import type { Answer, Backend, Call, Methods, RemoteSource, Request } from './protocol.js';

export type { Backend } from './protocol.js';

/** An engine, and why it is not in a worker although no caller asked for this thread. */
export interface Opened {
  backend: Backend;
  note: string | undefined;
}

/** The engine in this thread: a module of its own, which a page with a worker does not load. */
async function openHere(platform: Platform): Promise<Backend> {
  try {
    const { LocalBackend } = await import('./local-backend.js');
    return new LocalBackend(await platform.workerPlatform());
  } catch (error) {
    const isServiceWorker = 'ServiceWorkerGlobalScope' in globalThis;
    throw new TokenglassError(
      'ENGINE_LOAD_FAILED',
      (isServiceWorker
        ? "a service worker cannot import modules later: import 'tokenglass/service-worker': "
        : '') + String(error),
      { cause: error },
    );
  }
}

/** The engine in a worker. Rejects with WORKER_FAILED where the runtime refuses to make one. */
async function openWorker(platform: Platform, url: string): Promise<RemoteBackend> {
  const explain = (reason: string) => platform.explain(url, reason);
  let port: Port;
  try {
    port = platform.spawn(url);
  } catch (error) {
    throw new TokenglassError('WORKER_FAILED', await explain(shown(error)), { cause: error });
  }
  return new RemoteBackend(port, explain);
}

/**
 * The engine in a worker with the script at the address; in this thread without an address. Where
 * fallback allows it, the engine also runs in this thread when there can be no worker, or when the
 * page's policy forbids the worker of a script of another origin.
 */
export async function openBackend(
  platform: Platform,
  url: string | undefined,
  fallback: boolean,
  signal: AbortSignal,
): Promise<Opened> {
  if (url === undefined) return { backend: await openHere(platform), note: undefined };
  const why = platform.whyNoWorker(url);
  const here = async (reason: string) => ({
    backend: await openHere(platform),
    note: `the model runs in the caller's thread: ${reason}`,
  });
  if (why && fallback) return here(why);
  try {
    const backend = await openWorker(platform, url);
    await backend.started(signal);
    return { backend, note: undefined };
  } catch (error) {
    throwIfAborted(signal);
    if (why === undefined || !fallback) throw error;
    return here(error instanceof TokenglassError ? messageOf(error) : shown(error));
  }
}

/** A call that has no answer yet. */
interface Pending {
  resolve(value: unknown): void;
  reject(error: unknown): void;
  signal: AbortSignal | undefined;
  /** Removes the listener of the signal. */
  settled(): void;
}

const PORTION_BYTES = 2 ** 20;

/** Bytes as a stream: the worker pulls only what it needs. */
function portions(bytes: Uint8Array): SourceSpec {
  let position = 0;
  return {
    kind: 'stream',
    total: bytes.byteLength,
    async pull() {
      const portion = bytes.subarray(position, position + PORTION_BYTES);
      position += portion.byteLength;
      return portion.byteLength > 0 ? portion : undefined;
    },
    cancel: async () => undefined,
  };
}

/** What is sent to the worker. Bytes are copied, for the same reasons as in #pull. */
function remoteSource(spec: SourceSpec): RemoteSource {
  if (spec.kind === 'stream') return { kind: 'remote', total: spec.total };
  return spec.kind === 'bytes' ? { ...spec, bytes: new Uint8Array(spec.bytes) } : spec;
}

/** The engine in a worker. The worker serves one model and ends with it. */
class RemoteBackend implements Backend {
  readonly #port: Port;
  readonly #pending = new Map<number, Pending>();
  #nextId = 1;
  #onProgress: (progress: Progress) => void = () => undefined;
  #stream: Extract<SourceSpec, { kind: 'stream' }> | undefined;
  #dead: { error: unknown } | undefined;
  /** Resolves when the script runs; rejects when the worker ends before. */
  readonly #ready: Promise<void>;
  #setReady: () => void = () => undefined;

  constructor(port: Port, explain: (reason: string) => Promise<string>) {
    this.#port = port;
    this.#ready = new Promise((resolve, reject) => {
      let running = false;
      this.#setReady = () => {
        running = true;
        resolve();
      };
      this.#port.listen(
        (message) => this.#receive(message as Answer),
        async (reason) => {
          const failed = (message: string) => {
            const error = new TokenglassError('WORKER_FAILED', message);
            this.#die(error);
            reject(error);
          };
          if (running) return failed(`the worker ended: ${reason || 'the runtime says no more'}`);
          this.#port.terminate();
          failed(await explain(reason));
        },
      );
    });
    this.#ready.catch(() => undefined); // reported by started()
    this.#port.busy(true);
  }

  /** Waits until the worker's script runs. Rejects with WORKER_FAILED or the signal's reason. */
  async started(signal: AbortSignal): Promise<void> {
    try {
      await untilAborted(this.#ready, [signal]);
    } catch (error) {
      this.#die(error);
      throw error;
    }
  }

  #die(error: unknown): void {
    this.#dead ??= { error };
    for (const { reject, settled } of this.#pending.values()) {
      settled();
      reject(error);
    }
    this.#pending.clear();
    this.#port.busy(false);
    this.#port.terminate();
  }

  #receive(message: Answer): void {
    if (message.kind === 'progress') return this.#reportProgress(message.progress);
    if (message.kind === 'pull') return void this.#pull();
    if (message.kind === 'ready') return this.#setReady();
    const pending = this.#take(message.id);
    if (!pending) return;
    if (message.kind === 'result') pending.resolve(message.value);
    // the reason of an abort stays in this thread
    else if (message.error.name === 'AbortError' && pending.signal?.aborted)
      pending.reject(pending.signal.reason);
    else pending.reject(fromWire(message.error));
  }

  /** Takes a call off the list of those that have no answer. */
  #take(id: number): Pending | undefined {
    const pending = this.#pending.get(id);
    if (!pending) return undefined;
    this.#pending.delete(id);
    this.#port.busy(this.#pending.size > 0);
    pending.settled();
    return pending;
  }

  /** An error of the caller's function ends the load, as it does without a worker. */
  #reportProgress(progress: Progress): void {
    try {
      this.#onProgress(progress);
    } catch (error) {
      this.#die(error);
    }
  }

  /** Sends the next bytes of a stream that stays in this thread. */
  async #pull(): Promise<void> {
    try {
      const chunk = await this.#stream?.pull();
      // a copy: the chunk may be a view of a larger buffer, and its owner may go on using it;
      // slice() of a Node Buffer is no copy
      const bytes = chunk && new Uint8Array(chunk);
      this.#post({ kind: 'chunk', bytes }, bytes ? [bytes.buffer as ArrayBuffer] : []);
    } catch (error) {
      const wire = toWire(error);
      const aborted = wire.name === 'AbortError'; // a download of fetchModel was aborted
      const code = wire.code ?? (aborted ? undefined : 'SOURCE_FAILED');
      this.#post({ kind: 'broken', error: { ...wire, code } });
    }
  }

  #post(message: Request, transfer: Transferable[] = []): void {
    if (!this.#dead) this.#port.post(message, transfer);
  }

  #send(
    call: Call,
    signal: AbortSignal | undefined,
    transfer: Transferable[] = [],
  ): Promise<unknown> {
    return new Promise((resolve, reject) => {
      if (this.#dead) return reject(this.#dead.error);
      if (signal?.aborted) return reject(signal.reason);
      const id = this.#nextId++;
      const abort = () => this.#post({ kind: 'abort', id });
      signal?.addEventListener('abort', abort);
      this.#pending.set(id, {
        resolve,
        reject,
        signal,
        settled: () => signal?.removeEventListener('abort', abort),
      });
      this.#port.busy(true);
      try {
        this.#port.post({ kind: 'call', id, call } satisfies Request, transfer);
      } catch (error) {
        this.#take(id);
        const isLoad = call.method === 'load';
        reject(
          new TokenglassError(
            isLoad ? 'SOURCE_UNSUPPORTED' : 'INVALID_ARGUMENT',
            `${isLoad ? 'the source' : 'an argument'} cannot be sent to a worker: ${shown(error)}`,
            { cause: error },
          ),
        );
      }
    });
  }

  async load(
    spec: SourceSpec,
    options: EngineOptions,
    onProgress: (progress: Progress) => void,
    signal: AbortSignal,
  ): Promise<ModelInfo> {
    this.#onProgress = onProgress;
    if (spec.kind === 'bytes' && options.vocab_only) spec = portions(spec.bytes);
    this.#stream = spec.kind === 'stream' ? spec : undefined;
    let complete = false;
    // the worker ends with its model: an abort need not wait until the worker's script runs
    const abort = () => this.#die(signal.reason);
    signal.addEventListener('abort', abort);
    try {
      const source = remoteSource(spec);
      const transfer = source.kind === 'bytes' ? [source.bytes.buffer as ArrayBuffer] : [];
      const info = await this.#send({ method: 'load', source, options }, signal, transfer);
      complete = true;
      return info as ModelInfo;
    } finally {
      signal.removeEventListener('abort', abort);
      await this.#stream?.cancel(complete);
      this.#stream = undefined;
    }
  }

  async call<M extends keyof Methods>(
    method: M,
    args: Parameters<Methods[M]>,
    signal?: AbortSignal,
    transfer?: ArrayBuffer[],
  ): Promise<ReturnType<Methods[M]>> {
    return (await this.#send({ method, args }, signal, transfer)) as ReturnType<Methods[M]>;
  }

  async dispose(): Promise<void> {
    this.#die(new TokenglassError('DISPOSED', 'the model was disposed'));
  }
}
