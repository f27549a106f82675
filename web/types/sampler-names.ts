/** The names of the sampler's options. */
import { stages } from './generated-stages.js';

/** The names of all sampler options. */
export const samplerOptionNames: readonly string[] = [
  'samplers',
  'seed',
  ...stages.flatMap(({ options }) => options.map(({ name }) => name)),
  ...stages.flatMap(({ lists }) => lists),
];
