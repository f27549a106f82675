/** What the headers of a server's answers say about a file and about the parts of it. */

import { encodingOf } from './sources.js';

/** A file on a server, as far as the headers of an answer describe it. */
export interface ServedFile {
  etag: string | undefined;
  modified: string | undefined;
  /** Whether the server gives parts. */
  ranges: boolean;
  /** Content-Encoding, where the page may read it. */
  encoding: string | undefined;
  /** Whether the answer comes from another origin, whose headers may be hidden. */
  foreign: boolean;
}

export const servedFile = ({ headers, type }: Response): ServedFile => ({
  etag: headers.get('etag') || undefined,
  modified: headers.get('last-modified') || undefined,
  ranges: /\bbytes\b/i.test(headers.get('accept-ranges') ?? ''),
  encoding: encodingOf(headers),
  foreign: type === 'cors',
});

/** An ETag that promises the same bytes; a weak one promises the same meaning. */
const isStrong = (etag: string | undefined) => etag !== undefined && !etag.startsWith('W/');

/** Why the rest of a file cannot be requested; undefined when it can. */
export function whyNoParts(file: ServedFile): string | undefined {
  const hidden = file.foreign ? ', or does not let other origins read that header' : '';
  if (file.encoding)
    return `the answer is compressed (Content-Encoding: ${file.encoding}), so the rest of it cannot be requested`;
  if (!file.ranges)
    return `the server does not offer parts of the file (Accept-Ranges: bytes)${hidden}`;
  if (!isStrong(file.etag) && !file.modified)
    return `the server gives no ETag and no Last-Modified by which the file could be recognized${hidden}`;
  return undefined;
}

/** How the server's file differs from the one before; undefined when it is the same. */
export function changeOf(before: ServedFile, now: ServedFile): string | undefined {
  const compare = (name: string, a: string | undefined, b: string | undefined) =>
    a !== undefined && b !== undefined && a.replace(/^W\//, '') !== b.replace(/^W\//, '')
      ? `its ${name} was ${a} and is ${b}`
      : undefined;
  const change =
    compare('ETag', before.etag, now.etag) ??
    compare('Last-Modified', before.modified, now.modified);
  if (change) return `the server no longer has the same file: ${change}`;
  const known =
    (isStrong(before.etag) && isStrong(now.etag)) ||
    (before.modified !== undefined && now.modified !== undefined);
  return known
    ? undefined
    : 'the answer has no ETag and no Last-Modified by which the file could be recognized';
}

/** A Content-Range: the first and last byte, and the length of the file (undefined for "*"). */
interface ContentRange {
  first: number;
  last: number;
  total: number | undefined;
}

function contentRangeOf(header: string): ContentRange | undefined {
  const match = /^\s*bytes\s+(\d+)-(\d+)\/(\d+|\*)\s*$/i.exec(header);
  if (!match) return undefined;
  const [first, last] = [Number(match[1]), Number(match[2])];
  const total = match[3] === '*' ? undefined : Number(match[3]);
  return [first, last, total ?? 0].every(Number.isSafeInteger) ? { first, last, total } : undefined;
}

/** The length of the whole file, or why a 206 is not the rest of it from the byte `from` on. */
export function checkPart(
  response: Response,
  from: number,
  total: number | undefined,
): { total: number | undefined } | { problem: string } {
  const header = response.headers.get('content-range');
  const asked = `bytes ${from} to the end`;
  const refuse = (what: string) => ({ problem: `${asked} were requested, but ${what}` });
  if (/^multipart\//i.test(response.headers.get('content-type') ?? ''))
    return refuse('the server answered with several parts (multipart/byteranges)');
  if (header === null)
    return refuse(
      response.type === 'cors'
        ? 'Content-Range is missing, or the server does not let other origins read it'
        : 'the answer has no Content-Range',
    );
  const range = contentRangeOf(header);
  const is = `the server sent "${header}"`;
  if (!range || range.first !== from || range.last < from) return refuse(is);
  if (total !== undefined && range.total !== undefined && range.total !== total)
    return refuse(`${is}: the file had ${total} bytes before`);
  const whole = range.total ?? total;
  if (whole !== undefined && range.last !== whole - 1) return refuse(is);
  const encoding = encodingOf(response.headers);
  if (encoding) return refuse(`the part is compressed (Content-Encoding: ${encoding})`);
  const length = Number(response.headers.get('content-length') ?? NaN);
  if (Number.isSafeInteger(length) && length !== range.last - from + 1)
    return refuse(`${is} with ${length} bytes`);
  return { total: whole ?? range.last + 1 };
}

/** Statuses after which the same request can succeed. */
export const isTemporary = (status: number): boolean =>
  [408, 425, 429, 500, 502, 503, 504].includes(status);

/** How long Retry-After asks to wait, in milliseconds; 0 when it does not. */
export function retryAfterOf({ headers }: Response): number {
  const header = headers.get('retry-after')?.trim() ?? '';
  if (/^\d+$/.test(header)) return 1000 * Number(header);
  const moment = Date.parse(header);
  if (!header || Number.isNaN(moment)) return 0;
  const now = Date.parse(headers.get('date') ?? ''); // the server's clock may differ from ours
  return Math.max(0, moment - (Number.isNaN(now) ? Date.now() : now));
}
