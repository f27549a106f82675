/** What a model asks of the engine, wherever it runs: in this thread (LocalBackend) or in a worker (RemoteBackend). In, plain data; out, promises of it. */
import { Core } from '../engine/core.js';
import type { CoreOptions } from '../engine/loading.js';
import { TokenglassError, abortError, fromWire } from '../types/errors.js';
import type { Platform, Port } from '../platform/platform.js';
import { invoke } from './protocol.js';
import type { Answer, Call, Methods, Request } from './protocol.js';
import type { SourceSpec } from '../platform/sources.js';
import type { ModelInfo, Progress } from '../types/types.js';

export interface Backend {
  load(
    spec: SourceSpec,
    options: CoreOptions,
    progress: (p: Progress) => void,
    signal?: AbortSignal,
  ): Promise<ModelInfo>;
  /** Rejects with AbortError soon after the signal. */
  call<M extends keyof Methods>(
    method: M,
    args: Parameters<Methods[M]>,
    signal?: AbortSignal,
  ): Promise<ReturnType<Methods[M]>>;
  dispose(): Promise<void>;
}

const never = new AbortController().signal;

export class LocalBackend implements Backend {
  readonly #core: Core;

  constructor(platform: Platform) {
    this.#core = new Core(platform.opener);
  }

  load(
    spec: SourceSpec,
    options: CoreOptions,
    progress: (p: Progress) => void,
    signal = never,
  ): Promise<ModelInfo> {
    return this.#core.load(spec, options, progress, signal);
  }

  async call<M extends keyof Methods>(
    method: M,
    args: Parameters<Methods[M]>,
    signal = never,
  ): Promise<ReturnType<Methods[M]>> {
    return (await invoke(this.#core, method, args, signal)) as ReturnType<Methods[M]>;
  }

  async dispose(): Promise<void> {
    this.#core.dispose();
  }
}

interface Pending {
  resolve(value: unknown): void;
  reject(error: Error): void;
  settled(): void;
}

export class RemoteBackend implements Backend {
  readonly #port: Port;
  readonly #pending = new Map<number, Pending>();
  #next = 1;
  #progress: (p: Progress) => void = () => undefined;
  #stream: Extract<SourceSpec, { kind: 'stream' }> | undefined;
  #dead: Error | undefined;

  constructor(platform: Platform, worker_url: string | undefined) {
    try {
      this.#port = platform.spawn(worker_url);
    } catch (error) {
      throw new TokenglassError('WORKER_FAILED', `the worker could not start: ${String(error)}`, {
        cause: error,
      });
    }
    this.#port.listen(
      (message) => this.#receive(message as Answer),
      (reason) => this.#die(new TokenglassError('WORKER_FAILED', `the worker ended: ${reason}`)),
    );
  }

  #die(error: Error): void {
    this.#dead ??= error;
    for (const { reject, settled } of this.#pending.values()) {
      settled();
      reject(error);
    }
    this.#pending.clear();
    this.#port.busy(false);
    this.#port.terminate();
  }

  #receive(message: Answer): void {
    if (message.kind === 'progress') return this.#tell(message.progress);
    if (message.kind === 'pull') return void this.#pull();
    const pending = this.#pending.get(message.id);
    if (!pending) return;
    this.#pending.delete(message.id);
    this.#port.busy(this.#pending.size > 0);
    pending.settled();
    if (message.kind === 'result') pending.resolve(message.value);
    else pending.reject(fromWire(message.error));
  }

  /** What the caller's function throws ends the load, as it does without a worker. */
  #tell(progress: Progress): void {
    try {
      this.#progress(progress);
    } catch (error) {
      this.#die(error as Error);
    }
  }

  /** The worker wants the next bytes of a stream that stays in this thread. */
  async #pull(): Promise<void> {
    try {
      const chunk = await this.#stream?.pull();
      // a copy: the chunk may be a view of more than it shows, and its owner may go on using it
      const bytes = chunk && new Uint8Array(chunk); // slice() of a Buffer is a view
      this.#post({ kind: 'chunk', bytes }, bytes ? [bytes.buffer as ArrayBuffer] : []);
    } catch (error) {
      const { code, message } = error as TokenglassError;
      this.#post({
        kind: 'broken',
        error: {
          name: 'TokenglassError',
          code: code ?? 'SOURCE_FAILED',
          message,
          offset: undefined,
        },
      });
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
      if (this.#dead) return reject(this.#dead);
      if (signal?.aborted) return reject(abortError(signal.reason));
      const id = this.#next++;
      const abort = () => this.#post({ kind: 'abort', id });
      signal?.addEventListener('abort', abort);
      this.#pending.set(id, {
        resolve,
        reject,
        settled: () => signal?.removeEventListener('abort', abort),
      });
      this.#port.busy(true);
      try {
        this.#port.post({ kind: 'call', id, call } satisfies Request, transfer);
      } catch (error) {
        this.#pending.delete(id);
        this.#port.busy(this.#pending.size > 0);
        reject(
          new TokenglassError(
            'SOURCE_UNSUPPORTED',
            `cannot be sent to a worker: ${String(error)}`,
            { cause: error },
          ),
        );
      }
    });
  }

  async load(
    spec: SourceSpec,
    options: CoreOptions,
    progress: (p: Progress) => void,
    signal?: AbortSignal,
  ): Promise<ModelInfo> {
    this.#progress = progress;
    this.#stream = spec.kind === 'stream' ? spec : undefined;
    // the worker goes with its model: an abort need not wait until its script is there and listens
    const abort = () => this.#die(abortError(signal?.reason));
    signal?.addEventListener('abort', abort);
    try {
      if (spec.kind === 'stream') {
        return (await this.#send(
          { method: 'load', source: { kind: 'remote', total: spec.total }, options },
          signal,
        )) as ModelInfo;
      }
      // of bytes a copy: they may be a view of much more than they show, and slice() of a Buffer is one, too
      const source = spec.kind === 'bytes' ? { ...spec, bytes: new Uint8Array(spec.bytes) } : spec;
      const transfer = source.kind === 'bytes' ? [source.bytes.buffer as ArrayBuffer] : [];
      return (await this.#send({ method: 'load', source, options }, signal, transfer)) as ModelInfo;
    } finally {
      signal?.removeEventListener('abort', abort);
      await this.#stream?.cancel();
      this.#stream = undefined;
    }
  }

  async call<M extends keyof Methods>(
    method: M,
    args: Parameters<Methods[M]>,
    signal?: AbortSignal,
  ): Promise<ReturnType<Methods[M]>> {
    return (await this.#send({ method, args }, signal)) as ReturnType<Methods[M]>;
  }

  async dispose(): Promise<void> {
    this.#die(new TokenglassError('DISPOSED', 'the model was disposed'));
  }
}
