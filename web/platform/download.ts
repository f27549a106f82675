/**
 * A file from a URL. A lost connection, a stalled one and a server that is busy for a while do not
 * end the download: the rest is requested again, if it is certain that it is the rest of the same
 * file.
 */
import { TokenglassError, throwIfAborted } from '../types/errors.js';
import type { ErrorCode } from '../types/types.js';
import { fetchable, reasonOf, whyFetchFailed } from './failures.js';
import { changeOf, checkPart, isTemporary, retryAfterOf, servedFile, whyNoParts } from './http.js';
import type { ServedFile } from './http.js';
import {
  certainLength,
  codeOfStatus,
  fetchedSources,
  nameOf,
  readerOf,
  statusOf,
} from './sources.js';
import type { ByteSource, StreamReader } from './sources.js';
import { StallError, answerWithin, pause, seconds } from './timing.js';
import type { TimeLimits } from './timing.js';
import { Tail } from './tail.js';

const MAX_TRIES = 5; // in a row, without a new byte between them
const MAX_STALLS = 2; // in a row, without a new byte between them
const MAX_REQUESTS = 1000; // a server that gives a few bytes each time has an end, too
const FIRST_WAIT_MS = 250; // doubles with each try
const MAX_RETRY_AFTER_MS = 60_000;
/* When the load has all tensors, a few bytes may be left. They are read so that the browser caches
 * the file, but not for long. */
const MAX_REST = 64 * 1024;
const MAX_REST_MS = 250;

/** A failure after which the same request may succeed. */
class Interruption extends Error {
  readonly retryAfter: number; // ms
  constructor(message: string, cause?: unknown, retryAfter = 0) {
    super(message, { cause });
    this.retryAfter = retryAfter;
  }
}

class Download implements ByteSource {
  readonly #url: URL;
  readonly #name: string;
  readonly #signal: AbortSignal;
  readonly #timeout_ms: number;
  #total: number | undefined; // of the file, where it is certain
  #length: number | undefined; // of the file, as the last answer says
  #file: ServedFile | undefined; // since the first answer with bytes
  #controller = new AbortController(); // of the last request, or of the wait after it
  #body: StreamReader | undefined;
  #at = 0; // the position in the file of the next byte of the body
  #tail = new Tail();
  #first: Error | undefined; // the first failure since the last new byte
  #tries = 0;
  #stalls = 0;
  #requests = 0;
  #closed = false;

  constructor(url: URL, { signal, timeout_ms }: TimeLimits) {
    this.#url = url;
    this.#name = nameOf(url.href);
    this.#signal = signal;
    this.#timeout_ms = timeout_ms;
    signal.addEventListener('abort', this.#abort);
  }

  readonly #abort = () => this.#controller.abort(this.#signal.reason);

  get total(): number | undefined {
    return this.#total;
  }

  /** Waits for the first answer. */
  async open(): Promise<void> {
    while (!this.#body) await this.#attempt(async () => void (this.#body = await this.#request()));
  }

  async pull(): Promise<Uint8Array | undefined> {
    for (;;) {
      const step = await this.#attempt(async () => {
        this.#body ??= await this.#request();
        return { bytes: this.#take(await this.#body.read()) };
      });
      if (this.#closed) return undefined;
      if (!step) continue;
      if (!step.bytes || step.bytes.byteLength > 0) return step.bytes;
    }
  }

  /** Runs a step; after a failure that may pass, waits and returns undefined. */
  async #attempt<T>(step: () => Promise<T>): Promise<T | undefined> {
    try {
      return await step();
    } catch (error) {
      this.#body?.cancel();
      this.#body = undefined;
      throwIfAborted(this.#signal);
      if (this.#closed) return undefined;
      if (error instanceof TokenglassError) throw error;
      await this.#recover(
        error instanceof Interruption || error instanceof StallError
          ? error
          : new Interruption(`the connection was lost (${reasonOf(error)})`, error),
      );
      return undefined;
    }
  }

  /** The new bytes in a portion of the body: none when all of it came before. */
  #take(portion: Uint8Array | undefined): Uint8Array | undefined {
    const { end } = this.#tail;
    if (!portion) {
      // in a browser, a connection that was lost can look like the end of the body
      if (!this.#closed && this.#at < Math.max(end, this.#length ?? 0))
        throw new Interruption('the connection ended');
      return undefined;
    }
    const differs = this.#tail.difference(portion, this.#at);
    if (differs >= 0)
      throw this.#fail(
        `the server's answer does not continue what it sent before: byte ${differs} differs`,
      );
    const bytes = portion.subarray(Math.min(portion.byteLength, Math.max(0, end - this.#at)));
    this.#at += portion.byteLength;
    if (bytes.byteLength > 0) {
      this.#tail.add(bytes);
      this.#first = undefined;
      this.#tries = this.#stalls = 0;
    }
    return bytes;
  }

  /** Requests the file, or the rest of it and some bytes before, which are compared. */
  async #request(): Promise<StreamReader> {
    const from = this.#tail.start;
    this.#requests++;
    const response = await this.#fetch(from);
    const { status, body } = response;
    if (isTemporary(status)) {
      void body?.cancel().catch(() => undefined);
      throw new Interruption(`the server ${statusOf(response)}`, undefined, retryAfterOf(response));
    }
    if (status !== 200 && (status !== 206 || from === 0)) throw this.#refused(response, from);
    if (!body) throw this.#fail(`the server ${statusOf(response)} without a body`);
    const now = servedFile(response);
    if (from === 0) this.#adopt(response, now);
    else {
      const change = changeOf(this.#file!, now);
      if (change) throw this.#fail(change);
      if (status === 206) this.#checkPart(response, from);
      else this.#checkWhole(response);
    }
    this.#at = status === 206 ? from : 0;
    return readerOf(body, this.#timeout_ms);
  }

  async #fetch(from: number): Promise<Response> {
    this.#controller = new AbortController();
    const { signal } = this.#controller;
    // other origins would have to allow If-Range: changeOf compares the answer instead
    const headers: HeadersInit = from > 0 ? { Range: `bytes=${from}-` } : {};
    try {
      return await answerWithin(fetch(this.#url, { signal, headers }), this.#timeout_ms);
    } catch (error) {
      this.#controller.abort();
      throwIfAborted(this.#signal);
      if (error instanceof StallError) throw error;
      const { code, message, temporary } = await whyFetchFailed(this.#url, error, !this.#file);
      if (this.#file || temporary) throw new Interruption(message, error);
      throw new TokenglassError(code, `cannot fetch ${this.#name}: ${message}`, { cause: error });
    }
  }

  /** The whole file begins again; what was received of it will be compared from its first byte. */
  #adopt(response: Response, file: ServedFile): void {
    if (this.#file) this.#checkWhole(response);
    else this.#total = certainLength(response);
    this.#file = file;
    const length = Number(response.headers.get('content-length') ?? NaN);
    // the length of a compressed body is not that of the file
    this.#length = !file.encoding && length > 0 ? length : undefined;
  }

  #checkWhole(response: Response): void {
    const length = certainLength(response);
    if (length !== undefined && this.#total !== undefined && length !== this.#total)
      throw this.#fail(
        `the server no longer has the same file: its length was ${this.#total} and is ${length}`,
      );
  }

  #checkPart(response: Response, from: number): void {
    const checked = checkPart(response, from, this.#total);
    if ('problem' in checked) throw this.#fail(checked.problem);
    this.#total = this.#length = checked.total;
  }

  /** The error of an answer that has neither the file nor a part of it. */
  #refused(response: Response, from: number): TokenglassError {
    const { status, headers } = response;
    void response.body?.cancel().catch(() => undefined);
    const range = headers.get('content-range');
    const to416 = ` to a request for the bytes from ${from} on${range ? ` (Content-Range: ${range})` : ''}`;
    const to206 = ', a part of the file, to a request for all of it';
    const more = status === 416 ? to416 : status === 206 ? to206 : '';
    return this.#fail(`the server ${statusOf(response)}${more}`, codeOfStatus(status));
  }

  /** A final error: what happened first, what came of it, and where in the file. */
  #fail(what: string, code: ErrorCode = 'SOURCE_FAILED'): TokenglassError {
    const { end } = this.#tail;
    const first = this.#first?.message;
    const all = first && !what.startsWith(first) ? `${first}; then: ${what}` : what;
    const where = end > 0 ? `${this.#name} broke off at byte ${end}: ` : `${this.#name}: `;
    return new TokenglassError(code, where + all, { cause: this.#first?.cause ?? this.#first });
  }

  /** Waits before the next request; throws when there should be none. */
  async #recover(error: Error): Promise<void> {
    this.#first ??= error;
    const stalled = error instanceof StallError;
    if (stalled && (++this.#stalls >= MAX_STALLS || !this.#file)) throw this.#fail(error.message);
    // a beginning that is kept as a whole can be compared as a whole: no other proof is needed
    const whyNot = this.#tail.start > 0 ? whyNoParts(this.#file!) : undefined;
    if (whyNot) throw this.#fail(whyNot);
    const retryAfter = error instanceof Interruption ? error.retryAfter : 0;
    if (retryAfter > MAX_RETRY_AFTER_MS)
      throw this.#fail(`${error.message}, with Retry-After: ${seconds(retryAfter)}`);
    if (this.#tries >= MAX_TRIES || this.#requests >= MAX_REQUESTS)
      throw this.#fail(`${error.message}, after ${this.#requests} requests`);
    this.#controller = new AbortController(); // ends the wait
    const wait = Math.max(retryAfter, FIRST_WAIT_MS * 2 ** this.#tries++);
    await pause(wait, this.#controller.signal);
    throwIfAborted(this.#signal);
  }

  async close(complete = false): Promise<void> {
    if (this.#closed) return;
    this.#closed = true;
    this.#signal.removeEventListener('abort', this.#abort);
    if (complete && this.#body) return void this.#readRest(this.#body);
    this.#body?.cancel();
    this.#controller.abort();
  }

  async #readRest(body: StreamReader): Promise<void> {
    const timer = setTimeout(() => body.cancel(), MAX_REST_MS); // ends the read, too
    try {
      for (let rest = MAX_REST; rest >= 0;) {
        const bytes = await body.read();
        if (!bytes) break;
        rest -= bytes.byteLength;
      }
    } catch {
      // the load is complete without them
    }
    clearTimeout(timer);
    body.cancel();
  }
}

/** Starts a download. Resolves when the server has answered with the file. */
export async function openDownload(address: string, limits: TimeLimits): Promise<ByteSource> {
  throwIfAborted(limits.signal);
  const url = fetchable(address);
  if (!(url instanceof URL)) throw new TokenglassError(url.code, url.message);
  const download = new Download(url, limits);
  try {
    await download.open();
  } catch (error) {
    await download.close();
    throw error;
  }
  return download;
}

/** A Response whose body is a download. release is called at the end of the download. */
export async function downloadResponse(
  address: string,
  limits: TimeLimits,
  release: () => void,
): Promise<Response> {
  const download = await openDownload(address, limits);
  const source: ByteSource = {
    total: download.total,
    pull: (stagingBuffer) => download.pull(stagingBuffer),
    close(complete) {
      release();
      return download.close(complete);
    },
  };
  const noBuffer = new Uint8Array();
  const body = new ReadableStream<Uint8Array>(
    {
      async pull(controller) {
        try {
          const bytes = await source.pull(noBuffer);
          if (bytes) return controller.enqueue(bytes);
          controller.close();
        } catch (error) {
          controller.error(error);
        }
        await source.close();
      },
      cancel: () => source.close(),
    },
    { highWaterMark: 0 },
  );
  const headers = new Headers();
  if (source.total !== undefined) headers.set('Content-Length', String(source.total));
  const response = new Response(body as BodyInit, { headers });
  fetchedSources.set(response, source);
  return response;
}
