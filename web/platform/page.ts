/** What the caller's thread needs in browsers. */
import { TokenglassError } from '../types/errors.js';
import { fileBeside } from './files.js';
import { moduleWorker, workerPort } from './platform.js';
import type { Platform, Port } from './platform.js';

/** What the page's Content-Security-Policy forbade last, except requests. */
let violation: SecurityPolicyViolationEvent | undefined;

function watch(event: SecurityPolicyViolationEvent): void {
  if (event.effectiveDirective !== 'connect-src') violation = event;
}

/** Whether a page may start a worker with the script at the address itself. */
const isOwnOrigin = (url: string) =>
  /^(blob|data):/.test(url) || new URL(url).origin === globalThis.origin;

/**
 * The address of a script that imports the script of another origin. A sandboxed frame has no
 * origin: Chromium starts no module of a Blob there. Elsewhere a worker of a data: address could
 * not read the page's own files.
 */
function importing(url: string): string {
  const text = `import ${JSON.stringify(url)};`;
  const type = 'text/javascript';
  return globalThis.origin === 'null'
    ? `data:${type},${encodeURIComponent(text)}`
    : URL.createObjectURL(new Blob([text], { type }));
}

/** Starts a worker, also of a script of another origin. */
function spawn(url: string): Port {
  const own = isOwnOrigin(url);
  const address = own ? url : importing(url);
  violation = undefined;
  (globalThis as unknown as Document).addEventListener('securitypolicyviolation', watch);
  // the worker starts its threads from the same address
  return workerPort(moduleWorker(address), () => own || URL.revokeObjectURL(address));
}

export const browser: Platform = {
  workerPlatform: async () => (await import('./browser.js')).browserWorkerPlatform,
  namedSource(name) {
    try {
      return { kind: 'url', url: new URL(name, globalThis.location?.href).href };
    } catch {
      // without a password
      const shown = name.replace(/\/\/[^/]*@/, '//');
      throw new TokenglassError('INVALID_ARGUMENT', `"${shown}" is no address`);
    }
  },
  blobSource: (blob) => ({ kind: 'blob', blob }),
  fileAt: fileBeside,
  workerFile: 'worker.js',
  worker: fileBeside('worker.js', () => new URL('./worker.js', import.meta.url)),
  whyNoWorker(url) {
    if (typeof Worker === 'undefined') return 'a service worker cannot start workers';
    return isOwnOrigin(url) ? undefined : '';
  },
  spawn,
  explain: async (url, reason) =>
    (await import('./explain.js')).explainWorker(url, reason, !isOwnOrigin(url), () => violation),
};
