/** What crosses between a model's thread and its worker: the calls of a core, and the messages that carry them. In, plain data; out, the same. */
import type { Core, Overflow, ScoreRequest, StepResult } from '../engine/core.js';
import type { WireError } from '../types/errors.js';
import type { CoreOptions } from '../engine/loading.js';
import type { SampleRequest } from '../engine/sampling.js';
import type { SourceSpec } from '../platform/sources.js';
import type { Explanation, Progress, StepTrace, TokenScore } from '../types/types.js';

/** The methods of Core that can be called from afar, with their arguments but for the signal. */
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
    usual: SampleRequest,
  ): Explanation;
  save(number: number, seed: [number, number]): Uint8Array;
  loadSession(number: number, saved: Uint8Array): { tokens: Int32Array; seed: [number, number] };
  score(ids: Int32Array, request: ScoreRequest): TokenScore[];
  embed(ids: Int32Array, mean: boolean, normalize: boolean): Float32Array;
  stats(): ReturnType<Core['stats']>;
}

/** Calls a method of the core by name; those that take a signal have it last. */
export async function invoke(
  core: Core,
  method: keyof Methods,
  args: unknown[],
  signal: AbortSignal,
): Promise<unknown> {
  return (core[method] as (...all: unknown[]) => unknown).call(core, ...args, signal);
}

/** A stream stays in the other thread: its bytes are asked for by 'pull'. */
type RemoteSource =
  Exclude<SourceSpec, { kind: 'stream' }> | { kind: 'remote'; total: number | undefined };

export type Call =
  | { method: 'load'; source: RemoteSource; options: CoreOptions }
  | { method: keyof Methods; args: unknown[] };

export type Request =
  | { kind: 'call'; id: number; call: Call }
  | { kind: 'abort'; id: number }
  | { kind: 'chunk'; bytes: Uint8Array | undefined }
  | { kind: 'broken'; error: WireError };

export type Answer =
  | { kind: 'result'; id: number; value: unknown }
  | { kind: 'error'; id: number; error: WireError }
  | { kind: 'progress'; progress: Progress }
  | { kind: 'pull' };
