const { loadModel } = require('tokenglass');
const { default: storybook } = require('tokenglass/storybook');

import('./program.mjs').then(({ main }) => main({ loadModel, storybook }));
