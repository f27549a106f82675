// Measures native llama.cpp with its own kernels for this processor, through node-llama-cpp's
// prebuilt library, which has a file for each family of processors and loads the best that runs.
// Prints one line of JSON; `native` is the family of the file that was loaded. FOLDER has the
// package in its node_modules.
//   node native.mjs MODEL THREADS PLAN FOLDER
import { readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';

const [modelPath, threads, planText, folder] = process.argv.slice(2);
const require = createRequire(join(folder, 'package.json'));
const { getLlama } = await import(pathToFileURL(require.resolve('node-llama-cpp')));
const { prompt, generate, repeats } = JSON.parse(planText);
const llama = await getLlama({
  gpu: false,
  build: 'never',
  logLevel: 'error',
  maxThreads: Number(threads),
});
const model = await llama.loadModel({ modelPath });
const context = await model.createContext({
  contextSize: 1024,
  batchSize: 512,
  threads: Number(threads),
});
const sequence = context.getSequence();
const tokens = Array.from({ length: prompt }, (_, i) => ((i * 37 + 5) % 1500) + 300);
const runs = [];

async function rate(n, work) {
  const start = performance.now();
  await work();
  return (n * 1000) / (performance.now() - start);
}

for (let i = -1; i < repeats; i++) {
  await sequence.clearHistory();
  const prefill = await rate(prompt, () => sequence.evaluateWithoutGeneratingNewTokens(tokens));
  const decode = await rate(generate, async () => {
    // A random model may choose its end token. Generation then continues with another token.
    for (let made = 0; made < generate;) {
      for await (const token of sequence.evaluate([tokens[made]], {
        temperature: 0,
        yieldEogToken: true,
      })) {
        void token;
        if (++made >= generate) break;
      }
    }
  });
  if (i >= 0) runs.push({ prefill, decode });
}
const maps = readFileSync('/proc/self/maps', 'utf8');
const files = [...maps.matchAll(/libggml-cpu-(\w+)\.so/g)].map(([, family]) => family);
const native = [...new Set(files)].join(' and ');
console.log(JSON.stringify({ n_threads: Number(threads), native, runs }));
process.exit(0);
