/** The page without a network, and isolated on hosts that send no headers: in, the files of the build (build.mjs lists them with their content's hash); out, the same files from a
 * cache, with the headers that let a page have threads. Workbox keeps the cache and renews what has changed; a new version is the next visit's. */
import { addPlugins, cleanupOutdatedCaches, precacheAndRoute } from 'workbox-precaching';
import type { PrecacheEntry } from 'workbox-precaching';

declare const FILES: PrecacheEntry[];
declare const self: {
  skipWaiting(): Promise<void>;
  clients: {
    matchAll(options: { type: 'window'; includeUncontrolled: true }): Promise<{ id: string }[]>;
  };
  addEventListener(type: 'message', then: (event: ExtendableMessageEvent) => void): void;
};
interface ExtendableMessageEvent extends MessageEvent {
  waitUntil(work: Promise<unknown>): void;
}

const ISOLATING = {
  'Cross-Origin-Opener-Policy': 'same-origin',
  'Cross-Origin-Embedder-Policy': 'require-corp',
  'Cross-Origin-Resource-Policy': 'same-origin',
};

/** A response as the page's own server should have sent it. */
async function isolated({ response }: { response: Response }): Promise<Response> {
  const headers = new Headers(response.headers);
  for (const [name, value] of Object.entries(ISOLATING)) headers.set(name, value);
  return new Response(response.body, {
    status: response.status,
    statusText: response.statusText,
    headers,
  });
}

addPlugins([{ handlerWillRespond: isolated }]);
precacheAndRoute(FILES);
cleanupOutdatedCaches();

/** A new version takes over when the last page of the old one is left: until then that has its own files. */
async function takeOver(left: MessageEvent): Promise<void> {
  const open = await self.clients.matchAll({ type: 'window', includeUncontrolled: true });
  const { id } = left.source as unknown as { id: string };
  if (open.every((client) => client.id === id)) await self.skipWaiting();
}
self.addEventListener('message', (event) => {
  if (event.data === 'left') event.waitUntil(takeOver(event));
});
