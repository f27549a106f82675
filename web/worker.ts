/** The script of a worker in browsers: serves one model, or becomes a thread of one. */
import { browserWorkerPlatform } from './platform/browser.js';
import { moduleWorker, workerPort } from './platform/platform.js';
import type { Request } from './transport/protocol.js';
import { serve } from './transport/serve.js';
import type { ThreadStart } from './engine/threads.js';

// The script's own URL. Bundlers would follow new URL('./worker.js', ...) without end.
const spawnThread = () => workerPort(moduleWorker(self.location.href));

const receive = serve({ ...browserWorkerPlatform, spawnThread }, (answer, transfer = []) =>
  self.postMessage(answer, { transfer }),
);
self.onmessage = (event: MessageEvent<Request | ThreadStart>) => receive(event.data);
