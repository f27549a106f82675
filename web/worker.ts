/** The script of a browser's worker: in, the requests of one model, or a thread's start; out, answers. */
import { browserWorkerPlatform, workerPort } from './platform/platform.js';
import type { Request } from './transport/protocol.js';
import { serve } from './transport/serve.js';
import type { ThreadStart } from './engine/threads.js';

// The script's own address: named by new URL('./worker.js', ...), it would be followed by bundlers without end.
const spawnThread = () => workerPort(new Worker(self.location.href, { type: 'module' }));

const receive = serve({ ...browserWorkerPlatform, spawnThread }, (answer) =>
  self.postMessage(answer),
);
self.onmessage = (event: MessageEvent<Request | ThreadStart>) => receive(event.data);
