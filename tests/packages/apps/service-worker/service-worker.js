import { loadModel } from './node_modules/tokenglass/dist/service-worker.js';
import { main } from './program.mjs';

addEventListener('message', (event) => {
  const { modelUrl } = event.data;
  event.waitUntil(main({ loadModel, modelUrl }).then((result) => event.source.postMessage(result)));
});
