/** The output constraint: a grammar that the text must follow. From a JSON schema, it computes
 *  which tokens may come next. The package loads its grammar library when the first grammar is
 *  created. */
import { signal } from '@preact/signals';
import type { Constraint, ConstraintState, Model } from 'tokenglass';
import type { Message } from '../format.js';
import { wordsOf } from './messages.js';

/** Any JSON, JSON of a schema, or (undefined) any text. */
export type OutputFormat = { kind: 'json' } | { kind: 'schema'; schema: string } | undefined;

export class OutputConstraint {
  readonly format = signal<OutputFormat>(undefined);
  /** Why the last format was refused; '' when it was not. */
  readonly problem = signal<Message>('');
  /** True when the text does not follow the grammar. */
  readonly violated = signal(false);
  #constraint: Constraint | undefined;
  #state: { tokens: number[]; state: ConstraintState } | undefined;

  clear(): void {
    this.format.value = undefined;
    this.violated.value = false;
    this.problem.value = '';
    this.#constraint = undefined;
    this.#drop();
  }

  /** Forgets how far a text was followed. */
  #drop(): void {
    this.#state?.state.dispose?.();
    this.#state = undefined;
  }

  /** Sets the format. When the format is refused, the old format stays and `problem` says why. */
  async set(model: Model, format: OutputFormat): Promise<void> {
    try {
      this.violated.value = false;
      this.#drop();
      if (format === undefined) this.#constraint = undefined;
      else if (format.kind === 'json')
        this.#constraint = await model.createGrammar({ type: 'json' });
      else
        this.#constraint = await model.createGrammar({
          type: 'json_schema',
          schema: JSON.parse(format.schema) as Record<string, unknown>,
        });
      this.format.value = format;
      this.problem.value = '';
    } catch (error) {
      this.problem.value = wordsOf(error, 'This schema');
    }
  }

  /** The mask of allowed tokens after these tokens, 32 tokens a number. undefined when every token
   *  is allowed, or when the text does not follow the grammar. */
  async maskAfter(tokens: readonly number[]): Promise<Int32Array | undefined> {
    if (!this.#constraint) return undefined;
    try {
      const state = await this.#stateAfter(tokens, this.#constraint);
      const allowed = await state.allowed(); // throws if one of the tokens was not allowed
      this.violated.value = false;
      return state.ended ? undefined : allowed.slice();
    } catch {
      this.violated.value = true;
      this.#drop();
      return undefined;
    }
  }

  /** The state after these tokens. A text that goes on from the last one is not read again. */
  async #stateAfter(tokens: readonly number[], constraint: Constraint): Promise<ConstraintState> {
    const known = this.#state;
    if (
      known &&
      known.tokens.length <= tokens.length &&
      known.tokens.every((id, i) => id === tokens[i])
    ) {
      for (const token of tokens.slice(known.tokens.length))
        if (!known.state.ended) known.state.accept(token);
      known.tokens = [...tokens];
      return known.state;
    }
    this.#drop();
    const state = await constraint.begin();
    this.#state = { tokens: [...tokens], state };
    for (const token of tokens) if (!state.ended) state.accept(token);
    return state;
  }
}
