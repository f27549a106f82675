/** The script of a browser's worker: in, the requests of one model; out, answers. */
import { browser } from './platform.js';
import type { Request } from './protocol.js';
import { serve } from './serve.js';

const receive = serve(browser, (answer) => self.postMessage(answer));
self.onmessage = (event: MessageEvent<Request>) => receive(event.data);
