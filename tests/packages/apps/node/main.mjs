import { loadModel } from 'tokenglass';
import storybook from 'tokenglass/storybook';
import { main } from './program.mjs';

main({ loadModel, storybook });
