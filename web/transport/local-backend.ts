/**
 * The backend that runs the engine in the caller's thread. It is loaded only for `worker: false`.
 */
import { EngineModel } from '../engine/engine-model.js';
import type { EngineOptions } from '../engine/model-writer.js';
import type { WorkerPlatform } from '../platform/platform.js';
import type { SourceSpec } from '../platform/sources.js';
import type { ModelInfo, Progress } from '../types/types.js';
import { invoke } from './protocol.js';
import type { Backend, Methods } from './protocol.js';

const neverAborted = new AbortController().signal;

export class LocalBackend implements Backend {
  readonly #model: EngineModel;

  constructor(platform: WorkerPlatform) {
    this.#model = new EngineModel(platform);
  }

  async load(
    spec: SourceSpec,
    options: EngineOptions,
    onProgress: (progress: Progress) => void,
    signal: AbortSignal,
  ): Promise<ModelInfo> {
    try {
      return await this.#model.load(spec, options, onProgress, signal);
    } finally {
      // also after an abort before the load; a source that is closed already does nothing
      if (spec.kind === 'stream') await spec.cancel();
    }
  }

  async call<M extends keyof Methods>(
    method: M,
    args: Parameters<Methods[M]>,
    signal = neverAborted,
  ): Promise<ReturnType<Methods[M]>> {
    return (await invoke(this.#model, method, args, signal)) as ReturnType<Methods[M]>;
  }

  async dispose(): Promise<void> {
    this.#model.dispose();
  }
}
