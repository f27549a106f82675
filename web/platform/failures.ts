/** Finds out why a fetch failed and says so. Browsers hide the reason; Node has it in the cause. */
import type { ErrorCode } from '../types/types.js';
import { nameOf } from './sources.js';
import { pause, within } from './timing.js';

/** Why a request got no answer. */
export interface FetchFailure {
  code: ErrorCode;
  message: string;
  /** Whether the same request may well succeed soon. */
  temporary: boolean;
}

const PROBE_MS = 5_000;
const EVENT_MS = 50; // the event of a violation follows the failure
const MAX_CAUSES = 8;

/** An error and its causes, the outermost first. */
function chainOf(error: unknown): Error[] {
  const chain: Error[] = [];
  for (let next = error; next instanceof Error && chain.length < MAX_CAUSES; next = next.cause)
    chain.push(next);
  return chain;
}

const codeOfError = (error: Error) => (error as { code?: unknown }).code;

/** What the codes of Node, OpenSSL and undici mean, for a server of this name and address. */
function meaningOf(code: string, { hostname, host }: URL): string | undefined {
  switch (code) {
    case 'ECONNREFUSED':
    case 'ConnectionRefused': // Bun
      return `nothing accepts connections at ${host}`;
    case 'ENOTFOUND':
      return `there is no server of the name ${hostname}`;
    case 'EAI_AGAIN':
      return `the name ${hostname} could not be looked up`;
    case 'ECONNRESET':
    case 'EPIPE':
    case 'UND_ERR_SOCKET':
      return `${host} closed the connection without an answer`;
    case 'ETIMEDOUT':
    case 'UND_ERR_CONNECT_TIMEOUT':
      return `${host} did not accept a connection in time`;
    case 'EHOSTUNREACH':
    case 'ENETUNREACH':
      return `there is no way to ${host}`;
  }
  if (/CERT|^ERR_(?:TLS|SSL)_|^UNABLE_TO_|HOSTNAME_MISMATCH|^EPROTO$/.test(code))
    return `no secure connection (TLS) to ${host}`;
  if (code.startsWith('HPE_')) return `what ${host} answered is not HTTP`;
  return undefined;
}

/** The reason that Node, Deno and Bun give. */
function statedReason(url: URL, error: unknown): FetchFailure {
  const chain = chainOf(error);
  const { message: last } = chain.at(-1) ?? { message: String(error) };
  const found = chain.find((link) => typeof codeOfError(link) === 'string');
  const code = found ? String(codeOfError(found)) : '';
  const temporary = /^(?:ECONNRESET|EPIPE|UND_ERR_SOCKET)$/.test(code);
  const meaning = code && meaningOf(code, url);
  if (meaning) {
    const { message } = found!;
    const detail = message.includes(code) ? message : [code, message].filter(Boolean).join(': ');
    return { code: 'SOURCE_FAILED', message: `${meaning} (${detail})`, temporary };
  }
  if (/redirect count/.test(last))
    return { code: 'SOURCE_FAILED', message: `it redirects without end (${last})`, temporary };
  if (!/^https?:$/.test(url.protocol))
    return { code: 'SOURCE_UNSUPPORTED', message: schemeProblem(url, last), temporary };
  const messages = [...new Set(chain.map(({ message }) => message).filter(Boolean))];
  return { code: 'SOURCE_FAILED', message: messages.join(': ') || last, temporary };
}

const schemeProblem = ({ protocol }: URL, detail: string) =>
  `addresses that begin with ${protocol} cannot be fetched here (${detail})`;

/** What a request gets for an answer, whose body is not read; undefined: none. */
async function answers(url: URL, init: RequestInit): Promise<Response | undefined> {
  const controller = new AbortController();
  try {
    const request = fetch(url, { method: 'HEAD', signal: controller.signal, ...init });
    return await within(request, PROBE_MS, 'no answer');
  } catch {
    return undefined;
  } finally {
    controller.abort();
  }
}

/**
 * The reason in a browser, which tells a page only that there was none. Another origin that
 * answers a request without CORS, but not ours, does not allow this page to read.
 */
async function browserReason(url: URL, here: URL, error: unknown): Promise<FetchFailure> {
  const { message: said } = error as Error;
  const failure = (message: string, code: ErrorCode = 'SOURCE_FAILED'): FetchFailure => ({
    code,
    message: `${message} (${said})`,
    temporary: false,
  });
  if (url.protocol === 'blob:')
    return failure(
      'the address was revoked, or it belongs to another page or origin',
      'SOURCE_NOT_FOUND',
    );
  if (url.protocol === 'file:')
    return failure(
      'a page cannot read the address of a file; pass the File that the user chooses',
      'SOURCE_UNSUPPORTED',
    );
  if (!/^https?:$/.test(url.protocol))
    return { code: 'SOURCE_UNSUPPORTED', message: schemeProblem(url, said), temporary: false };
  if (navigator.onLine === false) return failure('this device is offline');
  let forbidden = '';
  const onViolation = (event: Event) => {
    const { blockedURI, effectiveDirective } = event as SecurityPolicyViolationEvent;
    if (blockedURI.startsWith(url.origin)) forbidden = effectiveDirective;
  };
  addEventListener('securitypolicyviolation', onViolation);
  const manual = await answers(url, { redirect: 'manual' });
  await pause(EVENT_MS);
  removeEventListener('securitypolicyviolation', onViolation);
  if (forbidden) return failure(`the page's Content-Security-Policy (${forbidden}) forbids it`);
  if (here.protocol === 'https:' && url.protocol === 'http:')
    return failure('a page of https: may not read http: addresses, or the server is unreachable');
  if (manual?.type === 'opaqueredirect')
    return failure('it redirects without end, or to an address that this page may not read');
  if (url.origin === here.origin) return failure('the server cannot be reached');
  const cors = `the pages of ${here.origin} (CORS: Access-Control-Allow-Origin)`;
  if (await answers(url, { mode: 'no-cors', credentials: 'omit' }))
    return failure(`the server answers, but does not allow reading to ${cors}`);
  return failure(`the server cannot be reached, or does not allow reading to ${cors}`);
}

/** Why the fetch of an address was rejected. probe: other requests may help to find out. */
export async function whyFetchFailed(
  url: URL,
  error: unknown,
  probe: boolean,
): Promise<FetchFailure> {
  const here = globalThis.location?.href;
  const stated = error instanceof Error && error.cause !== undefined;
  return here && probe && !stated
    ? browserReason(url, new URL(here), error)
    : statedReason(url, error);
}

/** What an error says, or the first of its causes. */
export function reasonOf(error: unknown): string {
  const { message, name } = chainOf(error).at(-1) ?? { message: String(error), name: '' };
  return message || name;
}

/** The address as a URL that can be fetched. */
export function fetchable(address: string): URL | { code: ErrorCode; message: string } {
  let url: URL;
  try {
    url = new URL(address, globalThis.location?.href);
  } catch {
    return { code: 'INVALID_ARGUMENT', message: `"${nameOf(address)}" is no address` };
  }
  if (url.username || url.password)
    return {
      code: 'SOURCE_UNSUPPORTED',
      message:
        `${nameOf(url.href)}: an address with a user name or password cannot be fetched; ` +
        'pass the Response of a fetch with an Authorization header',
    };
  return url;
}
