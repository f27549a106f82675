/** Models that the user brings: a file, an address, or owner/repo/file.gguf on Hugging Face. The
 *  page fetches nothing before the user asks. A download shows its progress and can be
 *  cancelled. */
import { batch, signal } from '@preact/signals';
import type { LoadOptions, Model } from 'tokenglass';
import { fetchModel, loadModel } from 'tokenglass';
import type { Message } from '../format.js';
import { wordsOf } from './messages.js';
import type { Store } from './store.js';

export const BUILT_IN = 'storybook';
export const HUB = 'https://huggingface.co';

/** The address of a model: an address that the page can read, or owner/repo/file on Hugging Face.
 *  undefined for other texts. base: the page's address. */
export function addressOf(text: string, base: string): string | undefined {
  const trimmed = text.trim();
  const parts = trimmed.split('/');
  if (/^[\w.-]+\/[\w.-]+\/.+\.gguf$/i.test(trimmed) && !parts.includes('..')) {
    const [owner, repo, ...file] = parts;
    return `${HUB}/${owner}/${repo}/resolve/main/${file.map(encodeURIComponent).join('/')}`;
  }
  try {
    const url = new URL(trimmed, /^\.?\//.test(trimmed) ? base : undefined);
    // the page's policy allows http: for its own server only
    const isOwn = url.origin === new URL(base).origin && url.protocol === 'http:';
    return url.protocol === 'https:' || isOwn ? url.href : undefined;
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
  /** Bytes a second since the first bytes; 0 at first. */
  rate: number;
}

export class ModelLibrary {
  readonly download = signal<Download | undefined>(undefined);
  readonly problem = signal<Message>('');
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
      this.download.value = { name, loaded: 0, total: undefined, rate: 0 };
    });
    let first: { now: number; loaded: number } | undefined;
    const options: LoadOptions = {
      signal: stop.signal,
      on_progress: ({ loaded, total }) => {
        if (this.#stop !== stop) return;
        const now = performance.now();
        first ??= { now, loaded };
        const seconds = (now - first.now) / 1000;
        const rate = seconds > 0.5 ? (loaded - first.loaded) / seconds : 0;
        this.download.value = { name, loaded, total, rate };
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
      if (this.#stop === stop && !stop.signal.aborted) this.problem.value = wordsOf(error, name);
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
    this.problem.value = 'This is not a model address. Use https://… or owner/repo/file.gguf.';
    return false;
  }

  cancel(): void {
    this.#stop?.abort();
    this.#stop = undefined;
    this.download.value = undefined;
  }
}
