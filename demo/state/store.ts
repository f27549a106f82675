/** The state of the page. The store joins the parts: each part has signals that the views read, and
 *  methods that the views call. The parts share one queue, because they share one model. */
import { batch } from '@preact/signals';
import type { Model } from 'tokenglass';
import type { OutputFormat } from './constraint.js';
import { DEFAULT_PROMPT, TextDocument } from './document.js';
import { Engine } from './engine.js';
import { Inspector } from './inspector.js';
import { Queue } from './queue.js';
import { Runner } from './runner.js';
import { Sampler } from './sampler.js';
import type { SharedState } from './shared-state.js';
import { foreignSource, treeFrom } from './shared-state.js';
import { Status } from './status.js';
import type { Root } from './tree.js';
import { pathTo } from './tree.js';

/** A shared state that waits for its turn in the queue, or for the first model. */
interface Opening {
  readonly shared: SharedState;
  /** 'link' or 'trace', for messages. */
  readonly kind: string;
  /** The root that the document got from it. */
  readonly root: Root;
}

export class Store {
  readonly status = new Status();
  readonly queue = new Queue((error) => this.status.fail(error));
  readonly engine = new Engine();
  readonly sampler = new Sampler(() => this.inspector.refreshSoon());
  readonly document = new TextDocument(this, {
    edited: () => {
      this.inspector.selected.value = undefined;
      this.runner.replayed.value = undefined;
    },
    show: (position, change) => this.inspector.show(position, change),
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
        if (!isFirst) this.#keepText();
        inspector.selected.value = undefined;
        runner.replayed.value = undefined;
        runner.rate.value = 0;
      });
      const opening = this.#opening;
      this.#opening = undefined;
      await (opening ? this.#open(opening) : document.sync());
    });
  }

  /** Keeps the typed text for another model. Token ids and chat templates belong to one model. */
  #keepText(): void {
    const { root } = this.document.tree.value;
    const text = root.chat ? DEFAULT_PROMPT : root.text;
    // a plain text keeps its root object: #open recognizes the text of a link by this object
    this.document.restart(root.chat || root.ids ? { text } : root);
  }

  /** Opens a shared state. The prompt and the settings change at once. The tokens follow as a job
   *  of the queue, because only the model that is loaded then can tell whether the tokens are its
   *  own. kind: 'link' or 'trace', for messages. */
  async open(shared: SharedState, kind: string): Promise<void> {
    const root = { text: shared.prompt };
    const opening = { shared, kind, root };
    const isLoaded = this.engine.model.value !== undefined;
    batch(() => {
      this.sampler.chain.value = shared.chain;
      this.sampler.seed.value = shared.seed;
      if (isLoaded) this.document.replaceRoot(root);
      else this.document.restart(root); // the page has shown no other text
    });
    if (isLoaded) await this.queue.add(() => this.#open(opening));
    else this.#opening = opening;
  }

  async #open({ shared, kind, root }: Opening): Promise<void> {
    const { document, sampler, status } = this;
    const model = this.engine.model.value!;
    const isCurrent = () => document.tree.value.root === root; // false after an edit by the user
    if (!isCurrent()) return document.sync();
    const source = foreignSource(shared, model.info);
    if (source !== undefined) {
      status.notice.value = `This ${kind} comes from ${source}. The page uses its prompt and its settings, but not its tokens, so the text will be different.`;
      return document.sync();
    }
    const ids = shared.ids ?? (await model.tokenize(shared.prompt));
    const path = shared.path.slice(0, Math.max(0, model.info.n_ctx - ids.length));
    if (path.length === 0 && !shared.ids) return document.sync();
    const scores = path.length ? await model.score([...ids, ...path]) : [];
    if (!isCurrent()) return document.sync();
    const tree = treeFrom(
      { ...root, ...(shared.ids && { ids }) },
      scores.slice(ids.length),
      shared.chosen,
      model.info.eos,
    );
    for (const node of pathTo(tree.current)) document.setOptions(node, sampler.options());
    batch(() => {
      document.replaceTree(tree);
      if (scores.length === 0) return;
      document.promptIds.value = ids;
      document.scores.value = scores.slice(0, ids.length);
    });
    await document.sync();
  }

  /** Restricts the text to a format; undefined: any text. */
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
