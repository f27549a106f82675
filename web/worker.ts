/** The script of a browser's worker: in, the requests of one model; out, answers. */
import { browserOpener } from './platform.js';
import type { Request } from './protocol.js';
import { serve } from './serve.js';

const receive = serve(browserOpener, (answer) => self.postMessage(answer));
self.onmessage = (event: MessageEvent<Request>) => receive(event.data);
