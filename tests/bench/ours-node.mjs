// Measures tokenglass in Node. OPTIONS and PLAN are JSON. Prints the result as one line of JSON.
//   node ours-node.mjs MODEL OPTIONS PLAN
import { loadModel } from '../../dist/node.js';
import { measure } from './measure.mjs';

const [model, options, plan] = process.argv.slice(2);
console.log(JSON.stringify(await measure(loadModel, model, JSON.parse(options), JSON.parse(plan))));
