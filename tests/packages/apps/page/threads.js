import { loadModel } from './node_modules/tokenglass/dist/index.js';
import { main } from './program.mjs';

main({ loadModel, n_threads: 2 });
