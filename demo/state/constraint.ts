/** What the text must be: in, a JSON schema; out, for each place of the text the tokens with which it can go on, as bits. The grammar library is loaded when one is asked for. */
import { signal } from '@preact/signals';
import type { Constraint, Model } from 'tokenglass';

/** Any JSON, JSON of a schema, or undefined: any text. */
export type Form = { kind: 'json' } | { kind: 'schema'; schema: string } | undefined;

export class OutputConstraint {
  readonly form = signal<Form>(undefined);
  /** Why the last one could not be taken. */
  readonly problem = signal('');
  /** The text so far is not of the form. */
  readonly left = signal(false);
  #constraint: Constraint | undefined;

  clear(): void {
    this.form.value = undefined;
    this.left.value = false;
    this.problem.value = '';
    this.#constraint = undefined;
  }

  /** A form that cannot be taken leaves the one before, and says why. */
  async set(model: Model, form: Form): Promise<void> {
    try {
      this.left.value = false;
      if (form === undefined) this.#constraint = undefined;
      else if (form.kind === 'json') this.#constraint = await model.createGrammar({ type: 'json' });
      else
        this.#constraint = await model.createGrammar({
          type: 'json_schema',
          schema: JSON.parse(form.schema) as Record<string, unknown>,
        });
      this.form.value = form;
      this.problem.value = '';
    } catch (error) {
      this.problem.value = `This schema cannot be used: ${error instanceof Error ? error.message : String(error)}`;
    }
  }

  /** The bits after these tokens; undefined when nothing is forbidden, or the text has left the form. */
  async bitsAfter(tokens: readonly number[]): Promise<Int32Array | undefined> {
    if (!this.#constraint) return undefined;
    const state = await this.#constraint.begin();
    try {
      for (const token of tokens) {
        if (state.ended) break;
        state.accept(token);
      }
      this.left.value = false;
      return state.ended ? undefined : (await state.allowed()).slice();
    } catch {
      this.left.value = true;
      return undefined;
    } finally {
      state.dispose?.();
    }
  }
}
