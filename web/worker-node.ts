/** The script of a worker thread in Node: in, the requests of one model; out, answers. */
import { parentPort } from 'node:worker_threads';
import { node } from './platform-node.js';
import { serve } from './protocol.js';
import type { Request } from './protocol.js';

const receive = serve(node, (answer) => parentPort!.postMessage(answer));
parentPort!.on('message', (request: Request) => receive(request));
