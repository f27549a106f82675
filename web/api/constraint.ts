/**
 * A grammar during one generation. The grammar may be a program's own, so nothing of what it gives
 * is taken on trust: not its type, not its length, not that it comes at all. Loaded with the first
 * grammar.
 */
import { typed } from '../types/errors.js';
import type { Constraint, ConstraintState } from '../types/types.js';
import { bitsOf, invalid } from '../types/arguments.js';
import { ask } from '../types/ask.js';

/** Awaits a promise until the call is aborted or the session ends. */
export type Wait = <T>(value: Promise<T>) => Promise<T>;

/** Ends a state whose errors nobody waits for. */
function end(state: ConstraintState | undefined): void {
  ask('dispose() of the grammar', () => state?.dispose?.()).catch(() => undefined);
}

/** Checks that an object has these functions. Throws INVALID_ARGUMENT. */
const withFunctions = <T>(what: string, object: T, names: readonly (keyof T & string)[]) =>
  ask(what, () => {
    for (const name of names) {
      if (typeof object?.[name] !== 'function')
        throw invalid(`${what} is ${typed(object)} without ${name}(), which it must have`);
    }
  });

export class GrammarRun {
  readonly #state: ConstraintState;
  readonly #n_vocab: number;
  readonly #wait: Wait;

  private constructor(state: ConstraintState, n_vocab: number, wait: Wait) {
    this.#state = state;
    this.#n_vocab = n_vocab;
    this.#wait = wait;
  }

  /** Starts a grammar. The caller disposes the result. */
  static async begin(grammar: Constraint, n_vocab: number, wait: Wait): Promise<GrammarRun> {
    await withFunctions('grammar', grammar, ['begin']);
    const begun = ask('begin() of the grammar', () => grammar.begin());
    let state: ConstraintState;
    try {
      state = await wait(begun);
    } catch (error) {
      begun.then(end, () => undefined); // the state that comes too late
      throw error;
    }
    await withFunctions('the state that begin() of the grammar gives', state, [
      'allowed',
      'accept',
    ]);
    return new GrammarRun(state, n_vocab, wait);
  }

  /** The bits of the tokens that may come next, as an array of our own. */
  async allowed(): Promise<Int32Array> {
    const bits = await this.#wait(ask('allowed() of the grammar', () => this.#state.allowed()));
    return bitsOf(bits, this.#n_vocab, 'what allowed() of the grammar gives', invalid);
  }

  /** Continues after a token. Resolves to whether the text is complete. */
  async accept(token: number): Promise<boolean> {
    await this.#wait(ask('accept() of the grammar', () => this.#state.accept(token)));
    // in a list: a promise here is a mistake, not something to wait for
    const [ended] = await ask('ended of the grammar', () => [this.#state.ended as unknown]);
    if (typeof ended === 'boolean' || ended === undefined) return ended ?? false;
    throw invalid(`ended of the grammar is ${typed(ended)}; it must be true or false`);
  }

  dispose(): void {
    end(this.#state);
  }
}
