/**
 * The sources of a model's bytes. A source gives its bytes in order, one portion at a time.
 */
import { TokenglassError } from '../types/errors.js';
import type { ErrorCode } from '../types/types.js';
import { StallError, pause, seconds, within } from './timing.js';

export interface ByteSource {
  /** The number of bytes, if it is certain. */
  readonly total: number | undefined;
  /**
   * The next bytes, undefined at the end. A source that can read straight into the staging buffer
   * does so and returns the part of the buffer that it filled.
   */
  pull(stagingBuffer: Uint8Array<ArrayBuffer>): Promise<Uint8Array | undefined>;
  /** Ends the source. complete: the caller has all the bytes that it needs. */
  close(complete?: boolean): Promise<void>;
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
      cancel: (complete?: boolean) => Promise<void>;
    };

/** The error of a source that failed. */
export function sourceError(
  what: string,
  error: unknown,
  code: ErrorCode = 'SOURCE_FAILED',
): TokenglassError {
  const message = error instanceof Error ? error.message || error.name : String(error);
  return new TokenglassError(code, `${what}: ${message}`, { cause: error });
}

/** An address for error messages: without a password, a query (it may hold a key) and data. */
export function nameOf(address: string): string {
  try {
    const { protocol, host, pathname, search } = new URL(address);
    if (!host) return address.length > 80 ? `${address.slice(0, 40)}…` : address;
    return `${protocol}//${host}${pathname}${search && '?…'}`;
  } catch {
    return address.replace(/\/\/[^/]*@/, '//');
  }
}

/** Reads a stream with a time limit. */
export interface StreamReader {
  /** The next bytes, at least one; undefined at the end. Rejects with a StallError. */
  read(): Promise<Uint8Array | undefined>;
  cancel(): void;
}

/** Not instanceof: the stream may be of another realm. */
const isBytes = (value: unknown): value is Uint8Array =>
  ArrayBuffer.isView(value) && (value as Uint8Array)[Symbol.toStringTag] === 'Uint8Array';

/** timeout_ms: how long the stream may give no byte; 0: without a limit. */
export function readerOf(stream: ReadableStream<Uint8Array>, timeout_ms: number): StreamReader {
  const reader = stream.getReader();
  const stalled = `no byte came for ${seconds(timeout_ms)}`;
  return {
    async read() {
      const end = timeout_ms && performance.now() + timeout_ms;
      for (;;) {
        const remaining = end && end - performance.now();
        if (end && remaining <= 0) throw new StallError(stalled);
        const { done, value } = await within(reader.read(), remaining, stalled);
        if (done) return undefined;
        if (!isBytes(value))
          throw new TypeError('the stream gives something other than Uint8Array');
        if (value.byteLength > 0) return value;
        await pause(0); // a stream of empty portions must not stop timers and messages
      }
    },
    // nobody waits for the end of it: the stream may have failed, or its cancel() may never end
    cancel: () => void reader.cancel().catch(() => undefined),
  };
}

/** The bytes of a stream. name: for error messages; timeout_ms 0: without a limit. */
export function streamSource(
  stream: ReadableStream<Uint8Array>,
  total: number | undefined,
  name: string,
  timeout_ms: number,
): ByteSource {
  if (stream.locked)
    throw new TokenglassError(
      'SOURCE_UNSUPPORTED',
      `${name} is locked: another reader has it, or had it`,
    );
  const reader = readerOf(stream, timeout_ms);
  let position = 0;
  return {
    total,
    async pull() {
      try {
        const bytes = await reader.read();
        position += bytes?.byteLength ?? 0;
        return bytes;
      } catch (error) {
        if (error instanceof TokenglassError) throw error; // it has the better message
        throw sourceError(`${name} broke off at byte ${position}`, error);
      }
    },
    async close() {
      reader.cancel();
    },
  };
}

/** The bytes of a File or Blob. */
export function blobSource(blob: Blob): ByteSource {
  const source = streamSource(blob.stream(), blob.size, 'the file', 0);
  return {
    ...source,
    async pull(stagingBuffer) {
      try {
        return await source.pull(stagingBuffer);
      } catch (error) {
        // what browsers say does not name the reason: the file is not what it was
        const { name } = ((error as Error).cause ?? {}) as Error;
        if (name !== 'NotReadableError' && name !== 'NotFoundError') throw error;
        throw sourceError(
          'the file was changed, moved or deleted after it was chosen, or may not be read',
          (error as Error).cause,
        );
      }
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
    cancel: (complete) => source.close(complete),
  };
}

/** The code of an HTTP status that is no success. */
export const codeOfStatus = (status: number): ErrorCode =>
  status === 404 || status === 410 ? 'SOURCE_NOT_FOUND' : 'SOURCE_FAILED';

export const statusOf = ({ status, statusText }: Response): string =>
  `answered ${status} ${statusText}`.trimEnd();

/**
 * The length of a response's body, if it is certain. Content-Length can be the length of a
 * compressed form. A page may read the Content-Length of another origin, but not the
 * Content-Encoding that would say so; only for the page's own origin ('basic') both are known.
 */
export function certainLength({ type, headers }: Response): number | undefined {
  const length = Number(headers.get('content-length') ?? NaN);
  const certain = type === 'basic' && !encodingOf(headers);
  return certain && length > 0 && length < 2 ** 53 ? length : undefined;
}

/** How the body is compressed on its way, where this may be read; undefined: not at all. */
export function encodingOf(headers: Headers): string | undefined {
  const encoding = headers.get('content-encoding');
  return encoding && encoding !== 'identity' ? encoding : undefined;
}

/** Why a Response has no bytes of a whole file; undefined when it has. */
function refusalOf(response: Response): [ErrorCode, string] | undefined {
  const { type, status, ok, body, bodyUsed, headers } = response;
  if (type === 'opaque')
    return [
      'SOURCE_UNSUPPORTED',
      "is opaque: it was fetched with mode 'no-cors', so its bytes cannot be read (CORS)",
    ];
  if (type === 'opaqueredirect' || type === 'error')
    return ['SOURCE_FAILED', `has the type ${type}: there is no answer behind it`];
  if (!ok) return [codeOfStatus(status), statusOf(response)];
  if (bodyUsed || body?.locked)
    return ['SOURCE_UNSUPPORTED', 'was read before, or is being read: its bytes are gone'];
  if (!body) return ['SOURCE_UNSUPPORTED', `has no body that can be read (status ${status})`];
  const range = /^bytes 0-(\d+)\/(\d+)$/.exec(headers.get('content-range') ?? '');
  if (status === 206 && !(range && Number(range[1]) + 1 === Number(range[2])))
    return ['SOURCE_FAILED', `${statusOf(response)}: that is a part of a file`];
  return undefined;
}

/** The sources of the Responses that fetchModel gave: they resume by themselves. */
export const fetchedSources = new WeakMap<Response, ByteSource>();

/** The bytes of a caller's Response. */
function responseSource(response: Response, timeout_ms: number): ByteSource {
  const fetched = fetchedSources.get(response);
  if (fetched && response.body && !response.bodyUsed && !response.body.locked) {
    response.body.getReader(); // nobody else may read it now
    return fetched;
  }
  const name = response.url ? nameOf(response.url) : 'the response';
  const refusal = refusalOf(response);
  if (refusal) throw new TokenglassError(refusal[0], `${name} ${refusal[1]}`);
  return streamSource(response.body!, certainLength(response), name, timeout_ms);
}

/** The bytes of a caller's stream, Response, or Blob of another realm. */
export function specOfStream(
  source:
    | { type: 'Blob'; value: Blob }
    | { type: 'Response'; value: Response }
    | { type: 'ReadableStream'; value: ReadableStream<Uint8Array> },
  timeout_ms: number,
): SourceSpec {
  switch (source.type) {
    case 'Blob':
      return streamSpec(blobSource(source.value));
    case 'Response':
      return streamSpec(responseSource(source.value, timeout_ms));
    case 'ReadableStream':
      return streamSpec(streamSource(source.value, undefined, 'the stream', timeout_ms));
  }
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
