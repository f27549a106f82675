/** What the caller's thread needs in browsers. */
import { TokenglassError } from '../types/errors.js';
import { fileBeside } from './files.js';
import { workerPort } from './platform.js';
import type { Platform, Port } from './platform.js';

interface TrustedTypes {
  createPolicy(name: string, rules: { createScriptURL(url: string): string }): TrustedPolicy;
}

interface TrustedPolicy {
  createScriptURL(url: string): string;
}

let policy: TrustedPolicy | undefined;

/** The address in the form that a page with Trusted Types requires. */
function trusted(url: string): string {
  const { trustedTypes } = globalThis as { trustedTypes?: TrustedTypes };
  if (!trustedTypes) return url;
  try {
    policy ??= trustedTypes.createPolicy('tokenglass', { createScriptURL: (address) => address });
    return policy.createScriptURL(url);
  } catch {
    return url; // the page allows other policies only; the browser says whether it needs one here
  }
}

/** Whether a page may start a worker with the script at the address itself. */
const isOwnOrigin = (url: string) =>
  /^(blob|data):/.test(url) || new URL(url).origin === globalThis.location?.origin;

/** Starts a worker; of a script of another origin through a Blob that imports the script. */
function spawn(url: string): Port {
  const own = isOwnOrigin(url);
  const address = own
    ? url
    : URL.createObjectURL(
        new Blob([`import ${JSON.stringify(url)};`], { type: 'text/javascript' }),
      );
  const worker = new Worker(trusted(address), { type: 'module' });
  // the worker starts its threads from the same address
  return workerPort(worker, () => own || URL.revokeObjectURL(address));
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
    if (typeof Worker === 'undefined') return 'there are no workers here';
    return isOwnOrigin(url) ? undefined : '';
  },
  spawn,
  explain: async (url, reason) => (await import('./explain.js')).explainWorker(url, reason),
};
