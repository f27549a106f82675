/** The script of a browser's worker: in, the requests of one model; out, answers. */
import { browser } from './platform.js';
import { serve } from './protocol.js';
import type { Request } from './protocol.js';

const receive = serve(browser, (answer) => self.postMessage(answer));
self.onmessage = (event: MessageEvent<Request>) => receive(event.data);
