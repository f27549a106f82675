/**
 * The child process that holds llama.cpp: a GGUF file's path, and 'vocab-only' or nothing, are its arguments, messages { id, call, args } come
 * in over IPC; { id, value } or { id, error } go out. The library stays in this process, so that a crash of it ends only this process.
 */
import { getLlama } from 'node-llama-cpp';

// The plainest settings there are: one thread, the processor only, nothing rounded in the cache, attention in its unfused form.
const llama = await getLlama({ gpu: false, build: 'never', logLevel: 'error', maxThreads: 1 });
const [modelPath, extent] = process.argv.slice(2);
const model = await llama.loadModel({
  modelPath,
  gpuLayers: 0,
  vocabOnly: extent === 'vocab-only',
});

/** cache: the type of keys and values; the library takes quantized values only with its fused attention. */
async function withSequence(contextSize, work, cache = 'F32') {
  const context = await model.createContext({
    contextSize,
    batchSize: contextSize,
    threads: 1,
    flashAttention: cache === 'Q8_0',
    experimentalKvCacheKeyType: cache,
    experimentalKvCacheValueType: cache,
  });
  try {
    return await work(context.getSequence());
  } finally {
    await context.dispose();
  }
}

/** A Map of token to number -> the numbers by token. */
function byToken(map, n_vocab) {
  if (map.size !== n_vocab) throw new Error(`${map.size} of ${n_vocab} logits`);
  const row = new Float32Array(n_vocab);
  for (const [token, value] of map) row[token] = value;
  return row;
}

const n_vocab = model.fileInfo.metadata.tokenizer.ggml.tokens.length;

const calls = {
  /** texts -> ids without BOS, control tokens taken as plain text */
  tokenize: (texts) => texts.map((text) => model.tokenize(text, false)),

  /** n ids -> n Float32Arrays of n_vocab, the raw logits after each of them; and with probabilities: the library's own softmax of them. batch: ids run
   * at a time; another batch may give other bits */
  logits: (
    ids,
    probabilities = false,
    cache = 'F32',
    batch = ids.length,
    contextSize = ids.length + 8,
  ) =>
    withSequence(
      contextSize,
      async (sequence) => {
        // Temperature 0 is the one sampler of the library that leaves the logits as they are.
        const generateNext = { logits: true, probabilities, options: { temperature: 0 } };
        const outputs = [];
        for (let at = 0; at < ids.length; at += batch) {
          const part = ids.slice(at, at + batch);
          outputs.push(
            ...(await sequence.controlledEvaluate(part.map((id) => [id, { generateNext }]))),
          );
        }
        return outputs.map(({ next }) => ({
          logits: byToken(next.logits, n_vocab),
          probabilities: probabilities ? byToken(next.probabilities, n_vocab) : undefined,
        }));
      },
      cache,
    ),

  /** text -> the last token's embedding (the library puts BOS before it) */
  async embed(text) {
    const context = await model.createEmbeddingContext({ threads: 1 });
    try {
      return (await context.getEmbeddingFor(text)).vector;
    } finally {
      await context.dispose();
    }
  },

  /** n ids, and the library's sampler options at each of them -> its final probabilities after each: Maps of token to probability, the removed left out */
  chain: (ids, options) =>
    withSequence(ids.length + 8, async (sequence) => {
      const input = ids.map((id, i) => [
        id,
        { generateNext: { probabilities: true, options: options[i] } },
      ]);
      const outputs = await sequence.controlledEvaluate(input);
      return outputs.map(({ next }) => [...next.probabilities].filter(([, p]) => p > 0));
    }),

  /** n tokens after the given ones by these sampler options, and the final probabilities of each choice; penalties see what was generated */
  generate: (ids, n, options) =>
    withSequence(ids.length + n + 8, async (sequence) => {
      const made = [];
      for await (const { token, probabilities } of sequence.evaluateWithMetadata(
        ids,
        { probabilities: true },
        { ...options, yieldEogToken: true },
      )) {
        made.push({ token, probabilities: [...probabilities].filter(([, p]) => p > 0) });
        if (made.length === n) break;
      }
      return made;
    }),

  /** n tokens after the given ones, the most probable at each step, end-of-generation tokens among them */
  greedy: (ids, n) =>
    withSequence(ids.length + n + 8, async (sequence) => {
      const made = [];
      for (let input = ids; made.length < n; input = made.slice(-1)) {
        const generateNext = { token: true, options: { temperature: 0 } };
        const output = await sequence.controlledEvaluate(
          input.map((id, i) => (i === input.length - 1 ? [id, { generateNext }] : id)),
        );
        made.push(output.at(-1).next.token);
      }
      return made;
    }),
};

// One call after the other: the library's contexts are not made to run side by side.
let queue = Promise.resolve();
process.on('message', ({ id, call, args }) => {
  queue = queue.then(async () => {
    try {
      process.send({ id, value: await calls[call](...args) });
    } catch (error) {
      process.send({ id, error: String(error?.stack ?? error) });
    }
  });
});
process.on('disconnect', () => process.exit(0));
process.send({ id: 'start', value: { n_vocab, instructions: llama.systemInfo } });
