import { writeFileSync } from 'node:fs';
import { loadModel } from 'tokenglass';
import storybook from 'tokenglass/storybook';
import { test } from 'vitest';
import { exercise } from './program.mjs';

test('the package in Vitest', { timeout: 60_000 }, async () => {
  const result = await exercise({ loadModel, storybook, modelUrl: process.env.MODEL_URL });
  writeFileSync('result.json', JSON.stringify(result));
});
