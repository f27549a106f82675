/** Grammars: what a generated text must look like. */

/** Any JSON object. */
export interface JsonGrammarSpec {
  /** Any JSON object. */
  type: 'json';
}

/** A JSON value that a schema describes. */
export interface JsonSchemaGrammarSpec {
  /** A JSON value that a schema describes. */
  type: 'json_schema';
  /** The JSON Schema; at most 256 KiB as text. */
  schema: Record<string, unknown>;
}

/** A text that a grammar in EBNF (llama.cpp's GBNF) describes. */
export interface EbnfGrammarSpec {
  /** A text that a grammar in EBNF describes. */
  type: 'ebnf';
  /** The grammar; its first rule is named root; at most 256 KiB. */
  grammar: string;
}

/** What Model.createGrammar compiles. */
export type GrammarSpec = JsonGrammarSpec | JsonSchemaGrammarSpec | EbnfGrammarSpec;

/** A grammar during one generation: which tokens may come next. */
export interface ConstraintState {
  /**
   * The tokens that may come next, one bit a token: bit (id & 31) of element (id >> 5) is 1 for an
   * allowed token. (n_vocab + 31) >> 5 elements. What is no such array is INVALID_ARGUMENT.
   * @example
   * const state = await (await model.createGrammar({ type: 'json' })).begin();
   * const bits = await state.allowed();
   */
  allowed(): Int32Array | Promise<Int32Array>;
  /**
   * Continues after a token. A grammar of createGrammar throws GRAMMAR_INVALID for a token that is
   * not allowed; of several tokens without an allowed() between, the next allowed() throws. The
   * next step waits for a promise that accept() returns.
   * @example
   * const grammar = await model.createGrammar({ type: 'json' });
   * const state = await grammar.begin();
   * const { draw } = await session.candidates({ grammar });
   * state.accept(draw.token);
   */
  accept(token: number): void;
  /** Whether the text is complete, so that nothing can follow. */
  readonly ended: boolean;
  /**
   * Frees what the state holds. Optional: generate() calls it at the end of a generation.
   * @example
   * const state = await (await model.createGrammar({ type: 'json' })).begin();
   * state.dispose?.();
   */
  dispose?(): void;
}

/**
 * What a generated text must look like: Model.createGrammar makes one, or write your own. What a
 * method of your own throws becomes the cause of an INVALID_ARGUMENT.
 */
export interface Constraint {
  /**
   * A state at the beginning of the text.
   * @example
   * const grammar = await model.createGrammar({ type: 'json' });
   * const state = await grammar.begin();
   */
  begin(): ConstraintState | Promise<ConstraintState>;
  /**
   * Frees what the constraint holds as soon as no generation follows it. Optional: a grammar that
   * the program forgets is freed, too.
   * @example
   * const grammar = await model.createGrammar({ type: 'json' });
   * grammar.dispose?.();
   */
  dispose?(): void;
}
