/**
 * loadModel: reads the options, chooses where the engine runs, and passes the source to the engine.
 */
import type { EngineOptions } from '../engine/model-writer.js';
import { buildNames, fileOf, urlsOf } from '../platform/builds.js';
import type { BuildUrls } from '../platform/builds.js';
import type { Platform } from '../platform/platform.js';
import type { SourceSpec, specOfStream } from '../platform/sources.js';
import { openBackend } from '../transport/backend.js';
import type { Backend } from '../transport/backend.js';
import { TokenglassError, messageOf, typed } from '../types/errors.js';
import { MAX_THREADS, cacheTypes, kernelVariants } from '../types/generated-load.js';
import { withSignal } from '../types/signals.js';
import type { EngineBuild, LoadOptions, Model, ModelSource } from '../types/types.js';
import {
  MAX_POSITIONS,
  bytesOf,
  flag,
  indexIn,
  invalid,
  isBlob,
  listOf,
  readOptions,
  reading,
  tagOf,
  textOf,
  wholeNumber,
} from '../types/arguments.js';
import { timeoutOf } from './timeout.js';

const LOAD_OPTIONS = [
  'on_progress',
  'signal',
  'timeout_ms',
  'n_ctx',
  'n_kv',
  'cache_type_k',
  'cache_type_v',
  'vocab_only',
  'worker',
  'kernels',
  'n_threads',
  'profile',
  'builds',
  'base_url',
  'wasm_url',
  'worker_url',
];
const STORYBOOK = 'storybook-q8_0.gguf';
const here = import.meta.url; // not in new URL(): a bundler would copy the built-in model

/** What is read in this thread: a stream, or what has one. */
type Streamed = Parameters<typeof specOfStream>[0];

/** The source as plain data, or what is read in this thread. */
function readSource(source: ModelSource, platform: Platform): SourceSpec | Streamed {
  if (typeof source === 'string') return platform.namedSource(source);
  const bytes = bytesOf(source, 'the source');
  if (bytes) return { kind: 'bytes', bytes };
  const value = source as URL | Blob | Response | ReadableStream<Uint8Array>;
  if (value instanceof Blob) return platform.blobSource(value);
  if (isBlob(value)) return { type: 'Blob', value };
  switch (tagOf(value)) {
    case 'URL':
      return platform.namedSource(String((value as URL).href));
    case 'Response':
      return { type: 'Response', value: value as Response };
    case 'ReadableStream':
      return { type: 'ReadableStream', value: value as ReadableStream<Uint8Array> };
  }
  throw new TokenglassError('SOURCE_UNSUPPORTED', `a model cannot be read from ${typed(source)}`);
}

/** Throws SOURCE_UNSUPPORTED for what cannot be read. */
async function specOf(
  source: ModelSource,
  platform: Platform,
  timeout_ms: number,
): Promise<SourceSpec> {
  const read = <T>(use: () => T) => reading('the source', use, 'SOURCE_UNSUPPORTED');
  const result = read(() => readSource(source, platform));
  if ('kind' in result) return result;
  const { specOfStream } = await import('../platform/sources.js');
  return read(() => specOfStream(result, timeout_ms));
}

const absolute = (
  url: string | URL,
  name: string,
  base: string = globalThis.location?.href ?? here,
) => reading(name, () => new URL(url, base).href);

/** The address of each build that the options name. */
function buildUrls(
  { builds, base_url, wasm_url }: LoadOptions,
  own: readonly EngineBuild[],
): BuildUrls {
  const named =
    builds === undefined
      ? own
      : listOf(builds, 'builds', (build) => {
          if (Object(build) !== build)
            throw invalid(`an element of builds is ${typed(build)}; it must be a build`);
          const { name, url } = build as EngineBuild;
          indexIn(buildNames, name ?? null, "a build's name");
          return { name, url: textOf(url, `the url of build ${name}`) };
        });
  if (named.length === 0) throw invalid('builds is empty: there must be a build of the engine');
  const address = ({ name, url }: EngineBuild) => {
    if (wasm_url !== undefined) return absolute(wasm_url, 'wasm_url');
    return base_url === undefined ? absolute(url, 'builds') : inBase(base_url, fileOf(name));
  };
  return urlsOf(named.map((build) => ({ name: build.name, url: address(build) })));
}

/** The address of a file in the folder that base_url names. */
function inBase(base_url: string | URL, name: string): string {
  const folder = absolute(base_url, 'base_url');
  return absolute(name, 'base_url', folder.endsWith('/') ? folder : `${folder}/`);
}

function engineOptionsOf(options: LoadOptions, own: readonly EngineBuild[]): EngineOptions {
  const { n_ctx = 0, n_kv = 0, kernels, n_threads } = options;
  if (kernels !== undefined) indexIn(kernelVariants.slice(1), kernels, 'kernels');
  return {
    n_ctx: wholeNumber(n_ctx, 'n_ctx', 0, MAX_POSITIONS),
    n_kv: wholeNumber(n_kv, 'n_kv', 0, 2 * MAX_POSITIONS),
    cache_type_k: indexIn(cacheTypes, options.cache_type_k, 'cache_type_k'),
    cache_type_v: indexIn(cacheTypes, options.cache_type_v, 'cache_type_v'),
    vocab_only: flag(options.vocab_only, 'vocab_only', false),
    n_threads:
      n_threads === undefined ? undefined : wholeNumber(n_threads, 'n_threads', 1, MAX_THREADS),
    profile: flag(options.profile, 'profile', false),
    timeout_ms: timeoutOf(options),
    kernels,
    builds: buildUrls(options, own),
  };
}

/** The address of the worker's script. */
function workerUrl({ worker_url, base_url }: LoadOptions, platform: Platform): string {
  if (worker_url !== undefined) return absolute(worker_url, 'worker_url');
  return base_url === undefined ? platform.worker : inBase(base_url, platform.workerFile);
}

/** The address of the built-in model. A bundle does not contain the model, unless it imports it. */
function storybookUrl({ base_url }: LoadOptions, platform: Platform): string {
  return base_url === undefined
    ? platform.fileAt(STORYBOOK, () => new URL(STORYBOOK, here))
    : inBase(base_url, STORYBOOK);
}

/** The error of a built-in model that is not where it is looked for. */
function storybookError(error: unknown, url: string): unknown {
  const codes = ['SOURCE_NOT_FOUND', 'SOURCE_FAILED', 'GGUF_BAD_MAGIC'];
  if (!(error instanceof TokenglassError && codes.includes(error.code))) return error;
  return new TokenglassError(
    error.code,
    `the built-in model is not at ${url} (${messageOf(error)}). In a bundle: import storybook ` +
      "from 'tokenglass/storybook', then loadModel(storybook)",
    { cause: error },
  );
}

/** Loads a model. own: the builds that the entry of the package contains. */
export async function load(
  platform: Platform,
  own: readonly EngineBuild[],
  source: ModelSource,
  options?: LoadOptions,
): Promise<Model> {
  const read = readOptions(options, LOAD_OPTIONS, 'loadModel');
  return withSignal(read.signal, async (signal) => {
    const { on_progress = () => undefined } = read;
    if (typeof on_progress !== 'function')
      throw invalid(`on_progress is ${typed(on_progress)}; it must be a function`);
    const worker = flag(read.worker, 'worker', true);
    const fallback = read.worker === undefined;
    const engineOptions = engineOptionsOf(read, own);
    const script = worker ? workerUrl(read, platform) : undefined;
    const story = source === 'storybook' ? storybookUrl(read, platform) : undefined;
    const spec: SourceSpec = story
      ? { kind: 'url', url: story }
      : await specOf(source, platform, engineOptions.timeout_ms);
    // loads while the worker starts and the file arrives
    const modelClass = import('./model.js');
    modelClass.catch(() => undefined); // reported below
    let backend: Backend | undefined;
    try {
      const opened = await openBackend(platform, script, fallback, signal);
      backend = opened.backend;
      const info = await backend.load(spec, engineOptions, on_progress, signal);
      const { ModelImpl } = await modelClass;
      return new ModelImpl(backend, { ...info, worker_note: opened.note });
    } catch (error) {
      if (spec.kind === 'stream') await spec.cancel(); // the backend may not have seen it
      await backend?.dispose();
      throw story ? storybookError(error, story) : error;
    }
  });
}
