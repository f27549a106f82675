/** The script of a worker thread in Node: in, the requests of one model; out, answers. */
import { parentPort } from 'node:worker_threads';
import { nodeOpener } from './platform-node.js';
import type { Request } from './protocol.js';
import { serve } from './serve.js';

const receive = serve(nodeOpener, (answer) => parentPort!.postMessage(answer));
parentPort!.on('message', (request: Request) => receive(request));
