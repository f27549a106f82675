/**
 * Reads the header of a model's file without its weights: keys, tensors, weight types and the
 * memory plan. A file that the engine refuses after its header still has keys and tensors.
 */
import type { BuildUrls } from '../platform/builds.js';
import type { WorkerPlatform } from '../platform/platform.js';
import type { SourceSpec } from '../platform/sources.js';
import { TokenglassError } from '../types/errors.js';
import { quants } from '../types/generated.js';
import type { QuantName } from '../types/generated.js';
import { cacheTypes } from '../types/generated-load.js';
import type { QuantTypeInfo } from '../types/types.js';
import { readAll } from './engine.js';
import { chooseBuild } from './choose-build.js';
import type { Engine } from './engine.js';
import { FileStart } from './file-start.js';
import { ModelWriter, STAGING_BYTES, planOf, warningsOf } from './model-writer.js';
import type { ModelOptions, PlannedMemory } from './model-writer.js';

export interface HeaderKey {
  name: string;
  /** The value as text; long strings and arrays are shortened. */
  value: string;
}

export interface HeaderTensor {
  name: string;
  type: QuantName;
  /** Number of weights along each axis; the first is the length of a row. */
  shape: number[];
  /** Index of its first byte in the file. */
  offset: number;
  bytes: number;
}

export interface Header {
  keys: HeaderKey[];
  tensors: HeaderTensor[];
  quant_types: QuantTypeInfo[];
  /** What the model needs in memory, in bytes; undefined when the engine refuses the file. */
  memory: PlannedMemory | undefined;
  /** Faults of the file that do not keep the model from running. */
  warnings: string[];
  /** Why the engine refuses the file. */
  error: TokenglassError | undefined;
}

const keysOf = (engine: Engine): HeaderKey[] =>
  readAll((index) => engine.modelGetKey(index)).map(({ name = '', value }) => ({ name, value }));

const tensorsOf = (engine: Engine): HeaderTensor[] =>
  readAll((index) => engine.modelGetTensor(index)).map(
    ({ name = '', type, n_dims, dim0, dim1, dim2, dim3, offset, size }) => ({
      name,
      type: quants[type]!.name,
      shape: [dim0, dim1, dim2, dim3].slice(0, n_dims).map(Number),
      offset: Number(offset),
      bytes: Number(size),
    }),
  );

function quantTypes(tensors: readonly HeaderTensor[]): QuantTypeInfo[] {
  const types = new Map<QuantName, QuantTypeInfo>();
  for (const { type, shape } of tensors) {
    const entry = types.get(type) ?? { name: type, tensors: 0, params: 0 };
    entry.tensors++;
    entry.params += shape.reduce((product, n) => product * n, 1);
    types.set(type, entry);
  }
  return [...types.values()].sort((a, b) => b.params - a.params);
}

/** n_ctx: context for the memory plan; 0: the default. timeout_ms: as in loadModel. */
export async function readHeader(
  platform: WorkerPlatform,
  spec: SourceSpec,
  builds: BuildUrls,
  n_ctx: number,
  timeout_ms: number,
): Promise<Header> {
  const limits = { signal: new AbortController().signal, timeout_ms };
  const options: ModelOptions = {
    n_ctx,
    n_kv: 0,
    cache_type_k: cacheTypes.length,
    cache_type_v: cacheTypes.length,
    vocab_only: false,
    profile: false,
  };
  const source = await platform.openSource(spec, limits);
  const start = new FileStart(source);
  try {
    const module = await platform.compile(chooseBuild(builds, undefined, 1, undefined).url, limits);
    const writer = new ModelWriter(module, undefined, source.total ?? 0, 1, options);
    const { engine } = writer;
    let error: TokenglassError | undefined;
    try {
      for (let planned = false; !planned;) {
        const chunk = await start.pull(writer.stagingBuffer);
        if (!chunk) {
          writer.finish(); // throws: the file ended inside its header
          break;
        }
        for (let i = 0; i < chunk.byteLength && !planned; i += STAGING_BYTES)
          planned = writer.write(chunk.subarray(i, i + STAGING_BYTES), true);
      }
    } catch (cause) {
      if (!(cause instanceof TokenglassError)) throw cause;
      error = cause;
    }
    const keys = keysOf(engine);
    if (error && keys.length === 0) throw await start.explain(error); // not a GGUF file
    const tensors = tensorsOf(engine);
    const memory = error ? undefined : planOf(engine);
    const warnings = warningsOf(engine);
    return { keys, tensors, quant_types: quantTypes(tensors), memory, warnings, error };
  } finally {
    await source.close();
  }
}
