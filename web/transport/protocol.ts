/**
 * What crosses between a model in the caller's thread and the engine: method calls, and the
 * messages that carry them to a worker. All of it is plain data.
 */
import type { EngineModel } from '../engine/engine-model.js';
import type { EngineOptions } from '../engine/model-writer.js';
import type { SourceSpec } from '../platform/sources.js';
import { namedError } from '../types/errors.js';
import type { WireError } from '../types/errors.js';
import type { ModelInfo, Progress } from '../types/types.js';

type WithoutSignal<A extends unknown[]> = A extends [...infer Rest, AbortSignal] ? Rest : A;

/** The methods of EngineModel that can be called from another thread, without the signal. */
export type Methods = {
  [M in Exclude<keyof EngineModel, 'load' | 'dispose' | 'runAfter'>]: (
    ...args: WithoutSignal<Parameters<EngineModel[M]>>
  ) => Awaited<ReturnType<EngineModel[M]>>;
};

/** Calls a method of the model by name. Methods that do not take a signal ignore it. */
export async function invoke(
  model: EngineModel,
  method: keyof Methods,
  args: unknown[],
  signal: AbortSignal,
): Promise<unknown> {
  try {
    return await (model[method] as (...all: unknown[]) => unknown).call(model, ...args, signal);
  } catch (error) {
    throw namedError(error);
  }
}

/** How a model in the caller's thread reaches the engine. */
export interface Backend {
  load(
    spec: SourceSpec,
    options: EngineOptions,
    onProgress: (progress: Progress) => void,
    signal: AbortSignal,
  ): Promise<ModelInfo>;
  /**
   * Rejects with the signal's reason soon after the signal. transfer: buffers of the arguments that
   * move to the engine's thread.
   */
  call<M extends keyof Methods>(
    method: M,
    args: Parameters<Methods[M]>,
    signal?: AbortSignal,
    transfer?: ArrayBuffer[],
  ): Promise<ReturnType<Methods[M]>>;
  dispose(): Promise<void>;
}

/** A stream stays in the model's thread; the worker asks for its bytes by 'pull'. */
export type RemoteSource =
  Exclude<SourceSpec, { kind: 'stream' }> | { kind: 'remote'; total: number | undefined };

export type Call =
  | { method: 'load'; source: RemoteSource; options: EngineOptions }
  | { method: keyof Methods; args: unknown[] };

/** From the model's thread to the worker. */
export type Request =
  | { kind: 'call'; id: number; call: Call }
  | { kind: 'abort'; id: number }
  | { kind: 'chunk'; bytes: Uint8Array | undefined }
  | { kind: 'broken'; error: WireError };

/** From the worker to the model's thread. */
export type Answer =
  | { kind: 'ready' } // the worker's script runs
  | { kind: 'result'; id: number; value: unknown }
  | { kind: 'error'; id: number; error: WireError }
  | { kind: 'progress'; progress: Progress }
  | { kind: 'pull' };
