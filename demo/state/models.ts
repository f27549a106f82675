/** Models that the user brings: a file, an address, or owner/repo/file.gguf on Hugging Face. The
 *  page fetches nothing before the user asks. A download shows its progress and can be
 *  cancelled. */
import { batch, signal } from '@preact/signals';
import type { LoadOptions, Model } from 'tokenglass';
import { fetchModel, loadModel } from 'tokenglass';
import { messageOf } from '../format.js';
import type { Store } from './store.js';

/** A small model that is known to work. */
export interface Preset {
  name: string;
  /** owner/repo/file on Hugging Face */
  file: string;
  /** Bytes. */
  size: number;
  licence: string;
}

export const BUILT_IN = 'storybook';
const HUB = 'https://huggingface.co';

export const presets: readonly Preset[] = [
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

/** The page on Hugging Face that describes a preset. */
export const pageOf = ({ file }: Preset): string =>
  `${HUB}/${file.split('/').slice(0, 2).join('/')}`;

/** The address of a model: an address as it is, or owner/repo/file on Hugging Face. undefined for
 *  other texts. */
export function addressOf(text: string, base: string): string | undefined {
  const trimmed = text.trim();
  const parts = trimmed.split('/');
  if (/^[\w.-]+\/[\w.-]+\/.+\.gguf$/i.test(trimmed) && !parts.includes('..')) {
    const [owner, repo, ...file] = parts;
    return `${HUB}/${owner}/${repo}/resolve/main/${file.map(encodeURIComponent).join('/')}`;
  }
  try {
    const url = new URL(trimmed, /^\.?\//.test(trimmed) ? base : undefined);
    return url.protocol === 'https:' || url.protocol === 'http:' ? url.href : undefined;
  } catch {
    return undefined;
  }
}

/** A model that is being loaded. */
export interface Download {
  name: string;
  /** Bytes that have arrived. */
  loaded: number;
  /** Bytes of the file; undefined when the server does not say. */
  total: number | undefined;
}

export class ModelLibrary {
  readonly download = signal<Download | undefined>(undefined);
  readonly problem = signal('');
  /** What the page's model was loaded from. */
  readonly source = signal({ name: BUILT_IN, isFile: false });
  readonly #store: Store;
  #stop: AbortController | undefined;

  constructor(store: Store) {
    this.#store = store;
  }

  /** Loads a model, as the page's model or into `into`. When this fails or is cancelled, the old
   *  model stays. Returns whether the model was loaded. */
  async load(name: string, source: string | Blob, into?: (model: Model) => void): Promise<boolean> {
    this.cancel();
    const stop = (this.#stop = new AbortController());
    batch(() => {
      this.problem.value = '';
      this.download.value = { name, loaded: 0, total: undefined };
    });
    const options: LoadOptions = {
      signal: stop.signal,
      on_progress: (progress) => {
        if (this.#stop === stop) this.download.value = { name, ...progress };
      },
    };
    let model: Model | undefined;
    try {
      const bytes =
        typeof source === 'string' && source !== BUILT_IN
          ? await fetchModel(source, { signal: stop.signal }) // in this thread, see there
          : source;
      model = await loadModel(bytes, options);
      if (stop.signal.aborted) throw stop.signal.reason;
      const loaded = model;
      if (into) into(loaded);
      else {
        await this.#store.start(async () => loaded);
        const isFile = typeof source !== 'string';
        this.source.value = { name: isFile ? name : source, isFile };
      }
      return true;
    } catch (error) {
      if (this.#stop === stop && !stop.signal.aborted)
        this.problem.value = `${name}: ${messageOf(error)}`;
      if (stop.signal.aborted) await model?.dispose();
      return false;
    } finally {
      if (this.#stop === stop) {
        this.download.value = undefined;
        this.#stop = undefined;
      }
    }
  }

  /** Loads the model that a typed text names. */
  async open(text: string, into?: (model: Model) => void): Promise<boolean> {
    const address = addressOf(text, location.href);
    if (address) return this.load(text.trim(), address, into);
    this.problem.value = `“${text.trim()}” is not the address of a model. Type https://… or owner/repo/file.gguf`;
    return false;
  }

  cancel(): void {
    this.#stop?.abort();
    this.#stop = undefined;
    this.download.value = undefined;
  }
}
