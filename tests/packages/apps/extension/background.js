/* global chrome */
import { loadModel } from './node_modules/tokenglass/dist/service-worker.js';
import { main } from './program.mjs';

chrome.runtime.onMessage.addListener(({ modelUrl }, sender, answer) => {
  void main({ loadModel, modelUrl }).then(answer);
  return true; // the answer comes later
});
