const { writeFileSync } = require('node:fs');
const { loadModel } = require('tokenglass');
const { default: storybook } = require('tokenglass/storybook');
const { exercise } = require('./program.cjs');

test('the package in Jest', async () => {
  const result = await exercise({ loadModel, storybook, modelUrl: process.env.MODEL_URL });
  writeFileSync('result.json', JSON.stringify(result));
}, 60_000);
