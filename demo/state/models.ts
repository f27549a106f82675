/** Models of one's own: in, a file, an address or an owner/repo/file.gguf; out, the page with that model, with progress and a way to stop. Nothing is fetched before it is asked for. */
import { batch, signal } from '@preact/signals';
import { fetchModel, loadModel } from 'tokenglass';
import type { LoadOptions, Model } from 'tokenglass';
import type { Store } from './store.js';

/** A small model that is known to work, and where it is described. */
export interface Preset {
  name: string;
  /** owner/repo/file */
  file: string;
  /** Bytes. */
  size: number;
  licence: string;
}

export const BUILT_IN = 'storybook';
const HUB = 'https://huggingface.co';

export const known: readonly Preset[] = [
  {
    name: 'stories 260K, F32',
    file: 'ggml-org/tiny-llamas/stories260K.gguf',
    size: 1.19e6,
    licence: 'MIT',
  },
  {
    name: 'stories 15M, Q4_0',
    file: 'ggml-org/tiny-llamas/stories15M-q4_0.gguf',
    size: 19.1e6,
    licence: 'MIT',
  },
  {
    name: 'stories 15M, Q8_0',
    file: 'ggml-org/tiny-llamas/stories15M-q8_0.gguf',
    size: 26.7e6,
    licence: 'MIT',
  },
  {
    name: 'TinyLlama 1.1B chat, Q8_0',
    file: 'TheBloke/TinyLlama-1.1B-Chat-v1.0-GGUF/tinyllama-1.1b-chat-v1.0.Q8_0.gguf',
    size: 1.17e9,
    licence: 'Apache 2.0',
  },
];

/** The page that describes a model of the list. */
export const pageOf = ({ file }: Preset): string =>
  `${HUB}/${file.split('/').slice(0, 2).join('/')}`;

/** The address that a text means: an address as it is, owner/repo/file on the hub; undefined: neither. */
export function addressOf(text: string, base: string): string | undefined {
  const given = text.trim();
  const parts = given.split('/');
  if (/^[\w.-]+\/[\w.-]+\/.+\.gguf$/i.test(given) && !parts.includes('..')) {
    const [owner, repo, ...file] = parts;
    return `${HUB}/${owner}/${repo}/resolve/main/${file.map(encodeURIComponent).join('/')}`;
  }
  try {
    const url = new URL(given, /^\.?\//.test(given) ? base : undefined);
    return url.protocol === 'https:' || url.protocol === 'http:' ? url.href : undefined;
  } catch {
    return undefined;
  }
}

/** A model on its way. */
export interface Download {
  name: string;
  /** Bytes so far and in all. */
  loaded: number;
  total: number | undefined;
}

export class Library {
  readonly coming = signal<Download | undefined>(undefined);
  readonly problem = signal('');
  readonly #store: Store;
  #stop: AbortController | undefined;

  constructor(store: Store) {
    this.#store = store;
  }

  /** Loads a model; the one before stays when that fails or is cancelled. True when it came. */
  async load(name: string, source: string | Blob, into?: (model: Model) => void): Promise<boolean> {
    this.cancel();
    const stop = (this.#stop = new AbortController());
    batch(() => {
      this.problem.value = '';
      this.coming.value = { name, loaded: 0, total: undefined };
    });
    const options: LoadOptions = {
      signal: stop.signal,
      on_progress: (progress) => {
        if (this.#stop === stop) this.coming.value = { name, ...progress };
      },
    };
    let model: Model | undefined;
    try {
      const bytes =
        typeof source === 'string' && source !== BUILT_IN
          ? await fetchModel(source, { signal: stop.signal }) // in this thread: see fetchModel
          : source;
      model = await loadModel(bytes, options);
      if (stop.signal.aborted) throw stop.signal.reason;
      const loaded = model;
      if (into) into(loaded);
      else await this.#store.start(async () => loaded);
      return true;
    } catch (error) {
      if (this.#stop === stop && !stop.signal.aborted)
        this.problem.value = `${name}: ${(error as Error).message}`;
      if (stop.signal.aborted) await model?.dispose();
      return false;
    } finally {
      if (this.#stop === stop) {
        this.coming.value = undefined;
        this.#stop = undefined;
      }
    }
  }

  /** From what was typed. */
  async open(text: string, into?: (model: Model) => void): Promise<boolean> {
    const address = addressOf(text, location.href);
    if (address) return this.load(text.trim(), address, into);
    this.problem.value = `“${text.trim()}” is no address of a model: it takes https://… or owner/repo/file.gguf`;
    return false;
  }

  cancel(): void {
    this.#stop?.abort();
    this.#stop = undefined;
    this.coming.value = undefined;
  }
}
