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

/** Starts a process of llama.cpp. Returns a function that calls it and the state of the process. */
function startProcess() {
  const child = fork(`${here}llamacpp-process.mjs`, [], {
    serialization: 'advanced',
    silent: true,
    execArgv: [],
  });
  const waiting = new Map(); // pending calls by id
  let output = '';
  let death;
  let nextId = 0;
  for (const stream of [child.stdout, child.stderr]) {
    stream.on('data', (chunk) => (output = (output + chunk).slice(-4000)));
    stream.unref();
  }
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
  return {
    isDead: () => death !== undefined,
    /** Whether the process keeps this one from ending. */
    hold(held) {
      const method = held ? 'ref' : 'unref';
      child[method]();
      child.channel?.[method]();
    },
    call: (name, ...values) =>
      new Promise((resolve, reject) => {
        if (death) return reject(death);
        const id = nextId++;
        waiting.set(id, { resolve, reject });
        child.send({ id, call: name, args: values });
      }),
  };
}

const idle = []; // processes that wait for the next model; they end with this process

/**
 * Loads a model in llama.cpp; with vocabOnly only its tokenizer.
 * @returns {Promise<{ n_vocab: number, instructions: string, tokenize: Function, logits: Function,
 *   greedy: Function, embed: Function, chain: Function, generate: Function, close: Function }>}
 *   The functions, except close, are those of llamacpp-process.mjs. Each rejects when the library
 *   fails or its process dies.
 */
export async function openPeer(modelPath, { vocabOnly = false } = {}) {
  const peer = idle.pop() ?? startProcess();
  const close = async () => {
    if (peer.isDead()) return;
    peer.hold(false);
    idle.push(peer);
  };
  peer.hold(true);
  let loaded;
  try {
    loaded = await peer.call('load', modelPath, vocabOnly);
  } catch (error) {
    await close();
    throw error;
  }
  return {
    ...loaded,
    tokenize: (texts) => peer.call('tokenize', texts),
    logits: (ids, probabilities, cache, batch, contextSize) =>
      peer.call('logits', ids, probabilities, cache, batch, contextSize),
    greedy: (ids, n) => peer.call('greedy', ids, n),
    embed: (text) => peer.call('embed', text),
    chain: (ids, options) => peer.call('chain', ids, options),
    generate: (ids, n, options) => peer.call('generate', ids, n, options),
    close,
  };
}
