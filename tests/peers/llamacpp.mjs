// llama.cpp as a peer: takes a GGUF file's path, returns tokens and logits. The library runs in a
// child process (llamacpp-process.mjs). The caller of openPeer must call close.
import { fork } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { installPackages } from '../../wasm/toolchain/setup.mjs';

const here = fileURLToPath(new URL('.', import.meta.url));

/**
 * Installs the peer if it is not installed yet (about 85 MB, some seconds). Returns '' if it can
 * run, or the reason why not. With CI set, a failed installation throws.
 */
export function preparePeer() {
  if (process.platform !== 'linux' || process.arch !== 'x64')
    return `no prebuilt llama.cpp is named for ${process.platform}-${process.arch}`;
  try {
    // Not `npm ci`: the lock file leaves out the packages of other systems on purpose, and `npm ci`
    // reports that as an error.
    installPackages(here, ['install', '--no-save', '--omit=optional']);
    return '';
  } catch (error) {
    if (process.env.CI) throw error; // in CI, a skip would hide a broken setup
    return `node-llama-cpp could not be installed: ${error.message}`;
  }
}

/**
 * Starts llama.cpp on a model; with vocabOnly it loads only the tokenizer.
 * @returns {Promise<{ n_vocab: number, instructions: string, tokenize: Function, logits: Function,
 *   greedy: Function, embed: Function, chain: Function, generate: Function, close: Function }>}
 *   The functions, except close, are those of llamacpp-process.mjs. Each rejects when the library
 *   fails or its process dies.
 */
export async function openPeer(modelPath, { vocabOnly = false } = {}) {
  const args = vocabOnly ? [modelPath, 'vocab-only'] : [modelPath];
  const child = fork(`${here}llamacpp-process.mjs`, args, {
    serialization: 'advanced',
    silent: true,
    execArgv: [],
  });
  const waiting = new Map(); // pending calls by id; 'start' is the loading
  let output = '';
  let death;
  let nextId = 0;
  for (const stream of [child.stdout, child.stderr])
    stream.on('data', (chunk) => (output = (output + chunk).slice(-4000)));

  const started = new Promise((resolve, reject) => waiting.set('start', { resolve, reject }));
  child.on('message', (message) => {
    const { resolve, reject } = waiting.get(message.id);
    waiting.delete(message.id);
    if (message.error) reject(new Error(`llama.cpp: ${message.error}`));
    else resolve(message.value);
  });
  child.on('exit', (code, signal) => {
    death = new Error(`llama.cpp's process ended (${signal ?? `code ${code}`})\n${output}`);
    for (const { reject } of waiting.values()) reject(death);
    waiting.clear();
  });

  const call = (name, ...values) =>
    new Promise((resolve, reject) => {
      if (death) return reject(death);
      const id = nextId++;
      waiting.set(id, { resolve, reject });
      child.send({ id, call: name, args: values });
    });
  const { n_vocab, instructions } = await started;
  return {
    n_vocab,
    instructions,
    tokenize: (texts) => call('tokenize', texts),
    logits: (ids, probabilities, cache, batch, contextSize) =>
      call('logits', ids, probabilities, cache, batch, contextSize),
    greedy: (ids, n) => call('greedy', ids, n),
    embed: (text) => call('embed', text),
    chain: (ids, options) => call('chain', ids, options),
    generate: (ids, n, options) => call('generate', ids, n, options),
    async close() {
      if (death) return;
      const ended = new Promise((resolve) => child.once('exit', resolve));
      child.disconnect();
      await ended;
    },
  };
}
