/**
 * Sessions of earlier completions. A completion forks the one that begins like its prompt, so that
 * only the rest of the prompt runs. What the sessions have cached counts as idle: the engine takes
 * it for any session that runs.
 */
import { CacheRoom } from './cache-room.js';
import { commonLength } from '../types/prompts.js';
import type { Model, Session } from '../types/types.js';

const MAX_SESSIONS = 4; // of a model
/** A session goes when another one has all its tokens but this part of them. */
const SMALL_PART = 1 / 8;

/** An idle session that only the pool uses. */
interface Entry {
  session: Session;
  tokens: readonly number[];
}

export class PromptPool {
  #entries: Entry[] = []; // the one that was used last is the last one

  /** A session that has a common beginning with the tokens, if there is one. */
  async begin(model: Model, ids: readonly number[]): Promise<Session> {
    const common = this.#entries.map(({ tokens }) => commonLength(tokens, ids));
    const longest = Math.max(0, ...common);
    if (longest === 0) return model.createSession();
    const entry = this.#entries[common.lastIndexOf(longest)]!;
    this.#entries = [...this.#entries.filter((other) => other !== entry), entry];
    try {
      return await entry.session.fork();
    } catch {
      // another completion has just removed the session, or memory is short
      this.clear();
      return model.createSession();
    }
  }

  /** Takes over a session whose calls have ended. */
  keep(session: Session): void {
    const { tokens } = session;
    const isCovered = (entry: Entry) =>
      entry.tokens.length - commonLength(entry.tokens, tokens) <= entry.tokens.length * SMALL_PART;
    const entries = this.#entries.filter((entry) => !isCovered(entry));
    this.#replace([...entries.slice(1 - MAX_SESSIONS), { session, tokens }]);
  }

  /** Disposes all sessions. */
  clear(): void {
    this.#replace([]);
  }

  #replace(entries: Entry[]): void {
    for (const entry of this.#entries) if (!entries.includes(entry)) void entry.session.dispose();
    this.#entries = entries;
  }
}

/** What the completions of a model share. */
interface Shared {
  pool: PromptPool;
  room: CacheRoom;
}

const sharedBy = new WeakMap<Model, Shared>();

/** What the completions of a model share. It ends with the model. */
export function sharedOf(model: Model): Shared {
  const shared = sharedBy.get(model) ?? {
    pool: new PromptPool(),
    room: new CacheRoom(model.info),
  };
  sharedBy.set(model, shared);
  return shared;
}
