/** The state of the page. The store joins the parts: each part has signals that the views read, and
 *  methods that the views call. The parts share one queue, because they share one model. */
import { batch } from '@preact/signals';
import type { Model } from 'tokenglass';
import { defaultChain, withoutBias } from './chain.js';
import type { OutputFormat } from './constraint.js';
import { TextDocument } from './document.js';
import { Engine } from './engine.js';
import { FIRST_SEED, FIRST_TEXT } from './first-text.js';
import type { Pending } from './history.js';
import { History } from './history.js';
import { Inspector } from './inspector.js';
import { Queue } from './queue.js';
import { Runner } from './runner.js';
import { Sampler } from './sampler.js';
import type { SharedState } from './shared-state.js';
import { foreignSource } from './shared-state.js';
import { Status } from './status.js';
import { EMPTY_TREE } from './tree.js';

/** A shared state that waits for its turn in the queue, or for the first model. */
interface Opening {
  readonly shared: SharedState;
  /** 'link' or 'trace', for messages. */
  readonly kind: string;
  /** What the document got from it. */
  readonly pending: Pending;
}

export class Store {
  readonly status = new Status();
  readonly queue = new Queue((error) => this.status.fail(error));
  readonly engine = new Engine();
  readonly history = new History({
    tree: EMPTY_TREE,
    typed: undefined,
    pending: { text: FIRST_TEXT },
    chain: defaultChain,
    seed: FIRST_SEED,
  });
  readonly sampler = new Sampler(this.history, () => this.inspector.refreshSoon());
  readonly document = new TextDocument(this, this.history, {
    edited: () => {
      this.inspector.selected.value = undefined;
      this.inspector.focus.value = undefined;
      this.runner.checked.value = undefined;
    },
    show: (position, change) => this.inspector.show(position, change),
    refresh: () => this.inspector.refreshSoon(),
    clear: () => this.inspector.clear(),
  });
  readonly inspector = new Inspector(this, this.document);
  readonly runner = new Runner(this, this.document, this.inspector);
  #opening: Opening | undefined;

  /** Loads a model and shows its first choice. The old model stays until the new one is loaded. */
  async start(load: (onProgress: (share: number) => void) => Promise<Model>): Promise<void> {
    const { document, engine, inspector, runner, sampler, status } = this;
    runner.pause();
    document.flush();
    await this.queue.add(async () => {
      const model = await load((share) => (status.loaded.value = share));
      const isFirst = engine.model.value === undefined;
      await engine.replace(model);
      sampler.constraint.clear();
      batch(() => {
        engine.model.value = model;
        if (!isFirst) {
          this.#keepText();
          this.history.replace({ chain: withoutBias(sampler.chain.value) });
        }
        inspector.selected.value = undefined;
        inspector.clear();
        runner.checked.value = undefined;
        runner.rate.value = 0;
      });
      await this.#openWaiting();
    });
  }

  /** Keeps the typed text for another model. Token ids and chat templates belong to one model. */
  #keepText(): void {
    const { document } = this;
    const { pending } = document;
    const n_typed = document.typedLength.value;
    const text = document.chat.value
      ? FIRST_TEXT
      : (pending?.text ?? document.text.value.slice(0, document.tokens.value[n_typed]?.start));
    // a plain text keeps its object: #open recognizes the text of a link by this object
    document.restart(pending && !pending.chat && !pending.ids ? pending : { text });
  }

  /** Opens a shared state. The text and the settings change at once. The tokens follow as a job of
   *  the queue, because only the model that is loaded then can tell whether the tokens are its own.
   *  kind: 'link' or 'trace', for messages. */
  async open(shared: SharedState, kind: string): Promise<void> {
    const pending = { text: shared.prompt };
    const opening = { shared, kind, pending };
    const model = this.engine.model.value;
    const isLoaded = model !== undefined;
    const isOwn = !model || foreignSource(shared, model.info) === undefined;
    const chain = isOwn ? shared.chain : withoutBias(shared.chain);
    const settings = { chain, seed: shared.seed };
    batch(() => {
      if (isLoaded) this.document.replace(pending);
      else this.document.restart(pending); // the page has shown no other text
      this.history.replace(settings);
    });
    this.#opening = opening;
    if (isLoaded) await this.queue.add(() => this.#openWaiting());
  }

  /** Opens the shared state that waits, or makes the session hold the text. */
  async #openWaiting(): Promise<void> {
    const opening = this.#opening;
    this.#opening = undefined;
    await (opening ? this.#open(opening) : this.document.sync());
  }

  async #open({ shared, kind, pending }: Opening): Promise<void> {
    const { document, status } = this;
    const model = this.engine.model.value!;
    const source = foreignSource(shared, model.info);
    if (source !== undefined)
      this.history.replace({ chain: withoutBias(this.sampler.chain.value) });
    if (document.pending !== pending) return document.sync(); // the user has edited the text
    if (source !== undefined) {
      status.notice.value = `This ${kind} comes from ${source}. The page uses its text and its settings, but not its tokens, so what follows will be different.`;
      return document.sync();
    }
    const { ids, path, chosen } = shared;
    document.replacePending({ ...pending, ...(ids && { ids }), path, chosen });
    await document.sync();
  }

  /** Restricts the output to a format; undefined: any text. */
  async setOutputFormat(format: OutputFormat): Promise<void> {
    this.runner.pause();
    this.document.flush();
    await this.queue.add(async () => {
      const model = this.engine.model.value;
      if (!model) return;
      await this.sampler.constraint.set(model, format);
      if (this.document.isSynced()) await this.inspector.show();
    });
  }

  /** Runs a job that uses the model, after what the user has typed. An error rejects the
   *  promise. */
  exclusive<T>(job: () => Promise<T>): Promise<T> {
    this.document.flush();
    return this.queue.run(job);
  }
}
