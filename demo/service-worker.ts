/** The service worker. It answers requests for the files of the page from a cache, so that the page
 *  works without a network. It adds the headers that allow threads, for hosts that do not send
 *  them. The build lists the files with a hash of their content (FILES). Workbox updates files that
 *  have changed; a new version is used from the next visit on. */
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

/** A response with the headers that allow threads. */
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

/** Activates a new version when the last page of the old version closes. Until then, that page
 *  needs the old files. */
async function activateIfLast(event: MessageEvent): Promise<void> {
  const open = await self.clients.matchAll({ type: 'window', includeUncontrolled: true });
  const { id } = event.source as unknown as { id: string };
  if (open.every((client) => client.id === id)) await self.skipWaiting();
}
self.addEventListener('message', (event) => {
  if (event.data === 'left') event.waitUntil(activateIfLast(event));
});
