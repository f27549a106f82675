/**
 * Opens the sources of a model's bytes. A source gives its bytes in order, one portion at a time.
 */
import { TokenglassError } from '../types/errors.js';
import type { CallOptions } from '../types/types.js';

export interface ByteSource {
  /** The number of bytes, if the source says. */
  readonly total: number | undefined;
  /**
   * The next bytes, undefined at the end. A source that can read straight into the staging buffer
   * does so and returns the part of the buffer that it filled.
   */
  pull(stagingBuffer: Uint8Array<ArrayBuffer>): Promise<Uint8Array | undefined>;
  close(): Promise<void>;
}

/**
 * A source as it is sent to another thread. A stream stays in its thread; the other thread pulls
 * its bytes.
 */
export type SourceSpec =
  | { kind: 'url'; url: string }
  | { kind: 'path'; path: string }
  | { kind: 'blob'; blob: Blob }
  | { kind: 'bytes'; bytes: Uint8Array }
  | {
      kind: 'stream';
      total: number | undefined;
      pull: () => Promise<Uint8Array | undefined>;
      cancel: () => Promise<void>;
    };

/** The error of a source that failed. */
export function sourceError(what: string, error: unknown): TokenglassError {
  const message = error instanceof Error ? error.message : String(error);
  return new TokenglassError('SOURCE_FAILED', `${what}: ${message}`, { cause: error });
}

/** The bytes of a stream. name: for error messages. */
export function streamSource(
  stream: ReadableStream<Uint8Array>,
  total: number | undefined,
  name: string,
): ByteSource {
  const reader = stream.getReader();
  let position = 0;
  return {
    total,
    async pull() {
      try {
        const { done, value } = await reader.read();
        if (done) return undefined;
        // not instanceof: the stream may be of another realm
        if (!ArrayBuffer.isView(value) || value[Symbol.toStringTag] !== 'Uint8Array')
          throw new TypeError('the stream gives something other than Uint8Array');
        position += value.byteLength;
        return value;
      } catch (error) {
        if (error instanceof TokenglassError) throw error; // it has the better message
        throw sourceError(`${name} broke off at byte ${position}`, error);
      }
    },
    async close() {
      await reader.cancel().catch(() => undefined); // the stream may have failed already
    },
  };
}

/** A source that is read in this thread, whatever thread the engine runs in. */
export function streamSpec(source: ByteSource): SourceSpec {
  const noBuffer = new Uint8Array();
  return {
    kind: 'stream',
    total: source.total,
    pull: () => source.pull(noBuffer),
    cancel: () => source.close(),
  };
}

/** The length of a response, unless that is the length of its compressed form. */
function lengthOf(headers: Headers): number | undefined {
  const length = Number(headers.get('content-length') ?? NaN);
  return headers.get('content-encoding') || !Number.isSafeInteger(length) || length <= 0
    ? undefined
    : length;
}

export function responseSource(response: Response, name: string): ByteSource {
  if (!response.ok) {
    const code =
      response.status === 404 || response.status === 410 ? 'SOURCE_NOT_FOUND' : 'SOURCE_FAILED';
    throw new TokenglassError(
      code,
      `${name} answered ${response.status} ${response.statusText}`.trimEnd(),
    );
  }
  if (!response.body || response.bodyUsed)
    throw new TokenglassError('SOURCE_UNSUPPORTED', `${name} has no body that can be read`);
  return streamSource(response.body, lengthOf(response.headers), name);
}

const MAX_TRIES = 5; // in a row, without a byte between them
const FIRST_WAIT_MS = 250; // doubles with each try

/** Resolves after that time, or when the signal is aborted. */
const pause = (milliseconds: number, signal: AbortSignal) =>
  new Promise<void>((resolve) => {
    const done = () => {
      clearTimeout(timer);
      signal.removeEventListener('abort', done);
      resolve();
    };
    const timer = setTimeout(done, milliseconds);
    signal.addEventListener('abort', done);
  });

/** A value that stays the same as long as the server's file does. */
const versionOf = ({ headers }: Response) =>
  headers.get('etag')?.replace(/^W\/.*/, '') || headers.get('last-modified') || undefined;

/**
 * The bytes of a response. When the connection is lost, the rest is fetched, if the server still
 * has the same file and can give a part of it.
 */
function resumedSource(url: string, first: Response, signal: AbortSignal): ByteSource {
  let source = responseSource(first, url);
  const { total } = source;
  const version = versionOf(first);
  let resumable =
    total !== undefined && version !== undefined && first.headers.get('accept-ranges') === 'bytes';
  let position = 0;
  let tries = 0;

  async function resume(): Promise<void> {
    await pause(FIRST_WAIT_MS * 2 ** tries++, signal);
    // other origins would have to allow If-Range
    const response = await fetch(url, {
      signal,
      headers: position > 0 ? { Range: `bytes=${position}-` } : {},
    });
    if (
      response.status !== (position > 0 ? 206 : 200) ||
      versionOf(response) !== version ||
      !response.body
    ) {
      resumable = false;
      throw new TokenglassError(
        'SOURCE_FAILED',
        `${url} broke off at byte ${position}, and the server no longer has the same file`,
      );
    }
    source = streamSource(response.body, undefined, url);
  }

  return {
    total,
    async pull(stagingBuffer) {
      for (let lost: unknown; ;) {
        try {
          if (lost !== undefined) await resume();
          const bytes = await source.pull(stagingBuffer);
          if (bytes === undefined && resumable && position < total!)
            throw sourceError(`${url} broke off at byte ${position}`, 'the connection ended');
          position += bytes?.byteLength ?? 0;
          tries = 0;
          return bytes;
        } catch (error) {
          if (!resumable || signal.aborted || tries >= MAX_TRIES)
            throw error instanceof TokenglassError ? error : (lost ?? error);
          lost ??= error;
        }
      }
    },
    close: () => source.close(),
  };
}

export async function urlSource(url: string, signal: AbortSignal): Promise<ByteSource> {
  let response: Response;
  try {
    response = await fetch(url, { signal });
  } catch (error) {
    if (signal.aborted) throw error;
    throw sourceError(`cannot fetch ${url}`, error);
  }
  return resumedSource(url, response, signal);
}

/**
 * Fetches a model's file in the calling thread and returns a Response for loadModel. When the
 * connection breaks, the body asks the server for the missing bytes and continues. Pages with a
 * service worker need this: in Firefox, a worker of such a page cannot stop a download.
 *
 * Rejects with SOURCE_NOT_FOUND or SOURCE_FAILED, or with the signal's reason.
 *
 * @example
 * const response = await fetchModel('https://example.org/model.gguf');
 * const downloaded = await loadModel(response);
 */
export async function fetchModel(url: string | URL, options: CallOptions = {}): Promise<Response> {
  const signal = options.signal ?? new AbortController().signal;
  const { total, pull, close } = await urlSource(String(url), signal);
  const noBuffer = new Uint8Array();
  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        const bytes = await pull(noBuffer);
        if (bytes) controller.enqueue(bytes);
        else controller.close();
      },
      cancel: close,
    },
    { highWaterMark: 0 },
  );
  const headers = new Headers();
  if (total !== undefined) headers.set('Content-Length', String(total));
  return new Response(body as BodyInit, { headers });
}

/** Bytes in memory. */
export function bytesSource(bytes: Uint8Array): ByteSource {
  let remaining: Uint8Array | undefined = bytes;
  return {
    total: bytes.byteLength,
    async pull() {
      const result = remaining;
      remaining = undefined;
      return result;
    },
    async close() {},
  };
}

/** Opens what every runtime can open: everything but paths. */
export async function openSource(spec: SourceSpec, signal: AbortSignal): Promise<ByteSource> {
  switch (spec.kind) {
    case 'url':
      return urlSource(spec.url, signal);
    case 'blob':
      return streamSource(spec.blob.stream(), spec.blob.size, 'the file');
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
