/**
 * The built-in model: the package's entry `tokenglass/storybook`. A bundle contains the model's
 * file only when it imports this entry.
 */
import { fileAt } from './platform/host.js';

const file = () => new URL('./storybook-q8_0.gguf', import.meta.url);

const storybook = new URL(fileAt('storybook-q8_0.gguf', file));

/** The address of the built-in model, a source for loadModel. */
export default storybook;
