/** The model on the page and its sessions. One session holds the whole text. A second session, a
 *  fork of the first, ends at an earlier position while the page shows that position. */
import { signal } from '@preact/signals';
import type { Model, Session } from 'tokenglass';
import type { Root } from './tree.js';

export const sameIds = (a: readonly number[], b: readonly number[]): boolean =>
  a.length === b.length && a.every((id, i) => id === b[i]);

export class Engine {
  readonly model = signal<Model | undefined>(undefined);
  /** Number of tokens that the model has decoded since it was loaded. */
  readonly decoded = signal(0);
  /** Bytes. */
  readonly memory = signal(0);
  #session: Session | undefined;
  #fork: { session: Session; ids: readonly number[] } | undefined;

  /** The session that holds the whole text; undefined until a model is loaded. */
  get session(): Session | undefined {
    return this.#session;
  }

  /** Disposes the model of before and opens a session on this one. The caller sets `model`. */
  async replace(model: Model): Promise<void> {
    await this.#closeFork();
    await this.model.value?.dispose();
    this.#session = model.createSession();
  }

  /** The tokens of a root. */
  async idsOf(root: Root): Promise<readonly number[]> {
    const model = this.model.value!;
    if (root.ids) return root.ids;
    return root.chat ? (await model.applyChatTemplate(root.chat)).ids : model.tokenize(root.text);
  }

  /** A session that holds the first `index` tokens of `ids`; all of them when index is undefined.
   *  The fork stays open, so that its logits are there while sliders move. */
  async sessionAt(ids: readonly number[], index: number | undefined): Promise<Session> {
    if (index === undefined) {
      await this.#closeFork();
      return this.#session!;
    }
    const prefix = ids.slice(0, index);
    if (!this.#fork || !sameIds(this.#fork.ids, prefix)) {
      await this.#closeFork();
      const session = await this.#session!.fork();
      this.#fork = { session, ids: prefix };
      await session.rewind(index);
    }
    return this.#fork.session;
  }

  async #closeFork(): Promise<void> {
    const fork = this.#fork;
    this.#fork = undefined;
    await fork?.session.dispose();
  }
}
