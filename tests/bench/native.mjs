// Measures native llama.cpp with its own kernels for this processor, through node-llama-cpp's
// prebuilt library. Prints one line of JSON.
//   node native.mjs MODEL THREADS PLAN
import { createRequire } from 'node:module';
import { pathToFileURL } from 'node:url';

const require = createRequire(new URL('../peers/package.json', import.meta.url));
const { getLlama } = await import(pathToFileURL(require.resolve('node-llama-cpp')));
const [modelPath, threads, planText] = process.argv.slice(2);
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
console.log(JSON.stringify({ n_threads: Number(threads), runs }));
process.exit(0);
