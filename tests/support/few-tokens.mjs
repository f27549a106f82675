// Models with random weights and a vocabulary of a few tokens, so that every text of some tokens
// can be tried. Session counts for tests of methods that make sessions.
import { loadModel } from '../../dist/node.js';
import { writeGguf } from './gguf-writer.mjs';
import { tinyLlama } from './tiny-llama.mjs';

/** The tokens of such a model: its end token has the id 2. */
export const FEW = ['<unk>', '<s>', '</s>', 'a', 'b', 'c'];

/** A model with the tokens FEW, in this thread. */
export function fewTokens(seed) {
  const { metadata, tensors } = tinyLlama({ n_vocab: FEW.length, seed });
  const replaced = {
    'tokenizer.ggml.tokens': FEW,
    'tokenizer.ggml.scores': FEW.map((_, i) => -i),
    'tokenizer.ggml.token_type': FEW.map((_, i) => [2, 3, 3][i] ?? 1),
  };
  const file = writeGguf({
    metadata: metadata.map(([key, type, value]) => [key, type, replaced[key] ?? value]),
    tensors,
  });
  return loadModel(file, { worker: false });
}

/** Calls a function and returns how many sessions it made or forked, and how many it disposed. */
export async function countSessions(model, use) {
  const probe = model.createSession();
  const prototype = Object.getPrototypeOf(probe);
  await probe.dispose();
  const { fork, dispose } = prototype;
  const { createSession } = model;
  const counts = { made: 0, disposed: 0 };
  const counted = (session) => {
    counts.made++;
    return session;
  };
  prototype.fork = async function (...args) {
    const forks = await fork.apply(this, args);
    counts.made += Array.isArray(forks) ? forks.length : 1;
    return forks;
  };
  prototype.dispose = function () {
    counts.disposed++;
    return dispose.call(this);
  };
  model.createSession = (...args) => counted(createSession.apply(model, args));
  try {
    await use();
  } finally {
    Object.assign(prototype, { fork, dispose });
    delete model.createSession;
  }
  return counts;
}
