/** The model on the page and its sessions. One session holds the end of the text. A second session,
 *  a fork of the first, ends at an earlier position while the page shows that position. */
import { signal } from '@preact/signals';
import type { ChatMessage, Model, Session } from 'tokenglass';
import { tokenTextsOf } from './token-texts.js';
import { Windows } from './windows.js';

export const sameIds = (a: readonly number[], b: readonly number[]): boolean =>
  a.length === b.length && a.every((id, i) => id === b[i]);

export class Engine {
  readonly model = signal<Model | undefined>(undefined);
  /** Number of tokens that the model has decoded since it was loaded. */
  readonly decoded = signal(0);
  /** Bytes. */
  readonly memory = signal(0);
  /** Whether the tokenizer puts a space before a text. */
  dropsSpace = false;
  #session: Session | undefined;
  #windows: Windows | undefined;
  #fork: { session: Session; ids: readonly number[] } | undefined;

  /** The session that holds the end of the text; undefined until a model is loaded. */
  get session(): Session | undefined {
    return this.#session;
  }

  get windows(): Windows {
    return this.#windows!;
  }

  /** Disposes the model of before and opens a session on this one. The caller sets `model`. */
  async replace(model: Model): Promise<void> {
    await this.#closeFork();
    await this.model.value?.dispose();
    this.#session = model.createSession();
    this.#windows = new Windows(model.info);
    const texts = await tokenTextsOf(model);
    const [first] = await model.tokenize('a', { add_special: false });
    this.dropsSpace = first !== undefined && texts[first]!.startsWith(' ');
  }

  /** The tokens of a conversation's prompt. */
  async idsOfChat(chat: readonly ChatMessage[]): Promise<readonly number[]> {
    return (await this.model.value!.applyChatTemplate(chat)).ids;
  }

  /** Makes the session hold the end of a text: all of it, or the window that decides what comes
   *  next. */
  async holdEnd(ids: readonly number[]): Promise<void> {
    await this.#session!.sync(this.windows.at(ids, ids.length).ids);
  }

  /** A session that ends before the token with this index; undefined: at the end of the text. The
   *  fork stays open, so that its logits are there while sliders move. */
  async sessionAt(ids: readonly number[], index: number | undefined): Promise<Session> {
    if (index === undefined) {
      await this.#closeFork();
      return this.#session!;
    }
    const window = this.windows.at(ids, index);
    if (!this.#fork || !sameIds(this.#fork.ids, window.ids)) {
      await this.#closeFork();
      const session = await this.#session!.fork();
      this.#fork = { session, ids: window.ids };
      await session.sync(window.ids);
    }
    return this.#fork.session;
  }

  async #closeFork(): Promise<void> {
    const fork = this.#fork;
    this.#fork = undefined;
    await fork?.session.dispose();
  }

  /** Reads the counters of the model. */
  async readStats(): Promise<() => void> {
    const { decoded_tokens, memory } = await this.model.value!.stats();
    return () => {
      this.decoded.value = decoded_tokens;
      this.memory.value = memory.total;
    };
  }
}
