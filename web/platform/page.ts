/** What the caller's thread needs in browsers. */
import { TokenglassError } from '../types/errors.js';
import { workerPort } from './platform.js';
import type { Platform, Port } from './platform.js';

function spawn(url: string | undefined): Port {
  return workerPort(
    url
      ? new Worker(url, { type: 'module' })
      : new Worker(new URL('./worker.js', import.meta.url), { type: 'module' }),
  );
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
  spawn,
};
