// The child process that runs llama.cpp, so that a crash of the library ends only this process. It
// receives messages { id, call, args } over IPC and answers { id, value } or { id, error }. The
// first call is `load`; a later one replaces the model.
import { getLlama } from 'node-llama-cpp';

// The most exact settings: one thread, CPU only, F32 cache, attention without the fused kernel.
const llama = await getLlama({ gpu: false, build: 'never', logLevel: 'error', maxThreads: 1 });
let model; // the one that is loaded
let n_vocab;

/**
 * cache: the type of keys and values. The library accepts quantized values only with fused
 * attention.
 */
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

/** Converts a Map of token -> number to an array indexed by token. */
function byToken(map, n_vocab) {
  if (map.size !== n_vocab) throw new Error(`${map.size} of ${n_vocab} logits`);
  const row = new Float32Array(n_vocab);
  for (const [token, value] of map) row[token] = value;
  return row;
}

const calls = {
  /** The path of a GGUF file, and whether only its tokenizer is needed. */
  async load(modelPath, vocabOnly) {
    await model?.dispose();
    model = undefined;
    model = await llama.loadModel({ modelPath, gpuLayers: 0, vocabOnly });
    n_vocab = model.fileInfo.metadata.tokenizer.ggml.tokens.length;
    return { n_vocab, instructions: llama.systemInfo };
  },

  /** texts -> ids without BOS. Control tokens are tokenized as plain text. */
  tokenize: (texts) => texts.map((text) => model.tokenize(text, false)),

  /**
   * n ids -> the raw logits after each of them, n Float32Arrays of n_vocab; with probabilities:
   * also the library's softmax of them. batch: ids that run at a time. Another batch size may give
   * other bits.
   */
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
        // Temperature 0 is the library's only sampler that does not change the logits.
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

  /** text -> the embedding at the last token. The library puts BOS before the text. */
  async embed(text) {
    const context = await model.createEmbeddingContext({ threads: 1 });
    try {
      return (await context.getEmbeddingFor(text)).vector;
    } finally {
      await context.dispose();
    }
  },

  /**
   * n ids, and sampler options for each of them -> the final probabilities after each: Maps of
   * token -> probability, without the removed tokens.
   */
  chain: (ids, options) =>
    withSequence(ids.length + 8, async (sequence) => {
      const input = ids.map((id, i) => [
        id,
        { generateNext: { probabilities: true, options: options[i] } },
      ]);
      const outputs = await sequence.controlledEvaluate(input);
      return outputs.map(({ next }) => [...next.probabilities].filter(([, p]) => p > 0));
    }),

  /**
   * Generates n tokens after the given ones with these sampler options, and returns the final
   * probabilities of each step. Penalties apply to the generated tokens only.
   */
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

  /**
   * Generates n tokens after the given ones, the most probable at each step. End-of-generation
   * tokens do not stop it.
   */
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

// Calls run one after the other: the library's contexts cannot run concurrently.
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
