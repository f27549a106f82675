/* global tokenglass, main */
importScripts('node_modules/tokenglass/dist/tokenglass.global.js', 'program.js');

addEventListener('message', (event) => {
  const { loadModel } = tokenglass;
  const { modelUrl } = event.data;
  event.waitUntil(main({ loadModel, modelUrl }).then((result) => event.source.postMessage(result)));
});
