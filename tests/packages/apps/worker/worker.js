import { loadModel } from './node_modules/tokenglass/dist/index.js';
import { main } from './program.mjs';

postMessage(await main({ loadModel }));
