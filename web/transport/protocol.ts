/**
 * What crosses between a model in the caller's thread and the engine: method calls, and the
 * messages that carry them to a worker. All of it is plain data.
 */
import type { Overflow, StepResult } from '../engine/choices.js';
import type { EngineModel } from '../engine/engine-model.js';
import type { EngineOptions } from '../engine/model-writer.js';
import type { SampleRequest } from '../engine/sampling.js';
import type { ScoreRequest } from '../engine/scoring.js';
import type { SeedWords } from '../engine/snapshot.js';
import type { SourceSpec } from '../platform/sources.js';
import type { WireError } from '../types/errors.js';
import type { Explanation, ModelInfo, Progress, StepTrace, TokenScore } from '../types/types.js';

/** The methods of EngineModel that can be called from another thread, without their last argument,
 * the signal. */
export interface Methods {
  tokenize(text: string, flags: number): Int32Array;
  tokenOffsets(text: string, flags: number): Int32Array;
  detokenize(ids: Int32Array): Uint8Array;
  tokenBytes(id: number): Uint8Array;
  tokenText(id: number): string;
  vocabulary(): { texts: string[]; ends: Int32Array };
  createSession(number: number): void;
  forkSession(from: number, number: number): Int32Array;
  disposeSession(number: number): void;
  sync(number: number, ids: Int32Array): void;
  rewind(number: number, n: number): void;
  append(number: number, token: number): void;
  logits(number: number): Float32Array;
  candidates(number: number, request: SampleRequest): StepTrace;
  step(number: number, request: SampleRequest, traced: boolean, overflow: Overflow): StepResult;
  explain(
    number: number,
    token: number,
    request: SampleRequest | undefined,
    position: number | undefined,
    defaults: SampleRequest,
  ): Explanation;
  save(number: number, seed: SeedWords): Uint8Array;
  loadSession(number: number, saved: Uint8Array): { tokens: Int32Array; seed: SeedWords };
  score(ids: Int32Array, request: ScoreRequest): TokenScore[];
  embed(ids: Int32Array, mean: boolean, normalize: boolean): Float32Array;
  stats(): ReturnType<EngineModel['stats']>;
}

/** Calls a method of the model by name. Methods that do not take a signal ignore it. */
export async function invoke(
  model: EngineModel,
  method: keyof Methods,
  args: unknown[],
  signal: AbortSignal,
): Promise<unknown> {
  return (model[method] as (...all: unknown[]) => unknown).call(model, ...args, signal);
}

/** How a model in the caller's thread reaches the engine. */
export interface Backend {
  load(
    spec: SourceSpec,
    options: EngineOptions,
    onProgress: (progress: Progress) => void,
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

/** A stream stays in the model's thread; the worker asks for its bytes by 'pull'. */
type RemoteSource =
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
  | { kind: 'result'; id: number; value: unknown }
  | { kind: 'error'; id: number; error: WireError }
  | { kind: 'progress'; progress: Progress }
  | { kind: 'pull' };
