/** The script of a worker thread in Node: serves one model, or becomes a thread of one. */
import { parentPort } from 'node:worker_threads';
import { nodeWorkerPlatform, spawnScript } from './platform/node.js';
import type { Request } from './transport/protocol.js';
import { serve } from './transport/serve.js';
import type { ThreadStart } from './engine/threads.js';

const spawnThread = () => spawnScript(new URL(import.meta.url));

const receive = serve({ ...nodeWorkerPlatform, spawnThread }, (answer, transfer) =>
  parentPort!.postMessage(answer, transfer),
);
parentPort!.on('message', (request: Request | ThreadStart) => receive(request));
