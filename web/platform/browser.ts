/** What the engine's thread needs in browsers: sources and compiled modules. */
import { TokenglassError } from '../types/errors.js';
import { whyNoAnswer, whyNotFile } from './explain.js';
import { compileError } from './platform.js';
import type { WorkerPlatform } from './platform.js';
import { blobSource, bytesSource, statusOf } from './sources.js';
import type { ByteSource, SourceSpec } from './sources.js';
import { withAnswer } from './timing.js';
import type { TimeLimits } from './timing.js';

async function compile(url: string, limits: TimeLimits): Promise<WebAssembly.Module> {
  let why: string | undefined;
  try {
    return await withAnswer(url, limits, async (response) => {
      const isWasm = response.headers.get('content-type') === 'application/wasm';
      if (!response.ok || !isWasm) why = whyNotFile(url, response);
      if (!response.ok) throw new Error(`the server ${statusOf(response)}`);
      // compileStreaming refuses any other type
      return isWasm
        ? WebAssembly.compileStreaming(response)
        : WebAssembly.compile(await response.arrayBuffer());
    });
  } catch (error) {
    if (error instanceof TypeError && why === undefined) why = whyNoAnswer(error);
    else if (why !== undefined && error instanceof WebAssembly.CompileError)
      why = `${error.message}: ${why}`;
    throw compileError(url, error, why);
  }
}

/** Opens what every runtime can open: everything but paths. */
export async function openSource(spec: SourceSpec, limits: TimeLimits): Promise<ByteSource> {
  switch (spec.kind) {
    case 'url':
      return (await import('./download.js')).openDownload(spec.url, limits);
    case 'blob':
      return blobSource(spec.blob);
    case 'bytes':
      return bytesSource(spec.bytes);
    case 'stream':
      return { total: spec.total, pull: spec.pull, close: spec.cancel };
    case 'path':
      throw new TokenglassError(
        'SOURCE_UNSUPPORTED',
        `this runtime has no file system to read ${spec.path} from`,
      );
  }
}

export const browserWorkerPlatform: WorkerPlatform = {
  openSource,
  compile,
  spawnThread: undefined,
  cores: () => navigator.hardwareConcurrency ?? 1,
};
