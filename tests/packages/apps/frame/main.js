// A sandboxed frame has an origin of its own: the server sends Access-Control-Allow-Origin with the
// package's files.
import { loadModel } from './node_modules/tokenglass/dist/index.js';
import { main } from './program.mjs';

parent.postMessage(await main({ loadModel }), '*');
