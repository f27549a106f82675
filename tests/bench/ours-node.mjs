// tokenglass in Node: node ours-node.mjs MODEL OPTIONS PLAN (both JSON). Out: the result as one JSON line.
import { loadModel } from '../../dist/node.js';
import { measure } from './measure.mjs';

const [model, options, plan] = process.argv.slice(2);
console.log(JSON.stringify(await measure(loadModel, model, JSON.parse(options), JSON.parse(plan))));
