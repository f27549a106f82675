/** Where a model's bytes come from: in, a source that can be opened in this thread; out, its bytes in order, pulled one portion at a time. */
import { TokenglassError } from '../types/errors.js';

export interface ByteSource {
  /** Bytes in all, when the source says. */
  readonly total: number | undefined;
  /** The next bytes, undefined at the end. A source that can read straight into the window does so and returns that part of it. */
  pull(window: Uint8Array<ArrayBuffer>): Promise<Uint8Array | undefined>;
  close(): Promise<void>;
}

/** A source as it can be sent to another thread. A stream stays where it is and is pulled from there. */
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

export function failed(what: string, error: unknown): TokenglassError {
  const message = error instanceof Error ? error.message : String(error);
  return new TokenglassError('SOURCE_FAILED', `${what}: ${message}`, { cause: error });
}

/** A stream's bytes; what breaks it is told with the byte where it broke. */
export function streamSource(
  stream: ReadableStream<Uint8Array>,
  total: number | undefined,
  name: string,
): ByteSource {
  const reader = stream.getReader();
  let at = 0;
  return {
    total,
    async pull() {
      try {
        const { done, value } = await reader.read();
        if (done) return undefined;
        if (!(value instanceof Uint8Array))
          throw new TypeError('the stream gives something else than Uint8Array');
        at += value.byteLength;
        return value;
      } catch (error) {
        if (error instanceof TokenglassError) throw error; // it says better what broke
        throw failed(`${name} broke off at byte ${at}`, error);
      }
    },
    async close() {
      await reader.cancel().catch(() => undefined); // it may have failed or ended already
    },
  };
}

/** A stream or response is read in the thread that has it, whatever thread the engine runs in. */
export function streamSpec(source: ByteSource): SourceSpec {
  const window = new Uint8Array();
  return {
    kind: 'stream',
    total: source.total,
    pull: () => source.pull(window),
    cancel: () => source.close(),
  };
}

/** The length a response promises, unless it is of the compressed form. */
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

const MOST_TRIES = 5; // in a row, without a byte between them
const FIRST_WAIT_MS = 250; // doubles with each try

/** Resolves after that time, or at once when the signal says so. */
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

/** What stays the same while a file does. */
const versionOf = ({ headers }: Response) =>
  headers.get('etag')?.replace(/^W\/.*/, '') || headers.get('last-modified') || undefined;

/** A response whose connection may be lost: what is missing is asked for, as long as the server has the same file and can give a part of it. */
function resumedSource(url: string, first: Response, signal: AbortSignal): ByteSource {
  let source = responseSource(first, url);
  const { total } = source;
  const version = versionOf(first);
  let can =
    total !== undefined && version !== undefined && first.headers.get('accept-ranges') === 'bytes';
  let at = 0;
  let tries = 0;

  async function resume(): Promise<void> {
    await pause(FIRST_WAIT_MS * 2 ** tries++, signal);
    // If-Range would need leave from other origins
    const response = await fetch(url, { signal, headers: at > 0 ? { Range: `bytes=${at}-` } : {} });
    if (
      response.status !== (at > 0 ? 206 : 200) ||
      versionOf(response) !== version ||
      !response.body
    ) {
      can = false;
      throw new TokenglassError(
        'SOURCE_FAILED',
        `${url} broke off at byte ${at}, and the server has it no more as it was`,
      );
    }
    source = streamSource(response.body, undefined, url);
  }

  return {
    total,
    async pull(window) {
      for (let lost: unknown; ;) {
        try {
          if (lost !== undefined) await resume();
          const bytes = await source.pull(window);
          if (bytes === undefined && can && at < total!)
            throw failed(`${url} broke off at byte ${at}`, 'the connection ended');
          at += bytes?.byteLength ?? 0;
          tries = 0;
          return bytes;
        } catch (error) {
          if (!can || signal.aborted || tries >= MOST_TRIES)
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
    throw failed(`cannot fetch ${url}`, error);
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
 * const model = await loadModel(await fetchModel('https://example.org/model.gguf', { signal }));
 */
export async function fetchModel(
  url: string | URL,
  options: { signal?: AbortSignal } = {},
): Promise<Response> {
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

/** Bytes that lie in memory. */
export function bytesSource(bytes: Uint8Array): ByteSource {
  let rest: Uint8Array | undefined = bytes;
  return {
    total: bytes.byteLength,
    async pull() {
      const all = rest;
      rest = undefined;
      return all;
    },
    async close() {},
  };
}

/** Opens what every runtime can open; a path is the business of the runtimes that have a file system. */
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
        `there is no file system here to read ${spec.path} from`,
      );
  }
}
