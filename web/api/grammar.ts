/**
 * Grammars: turns a JSON schema into the text of a grammar, which the engine compiles, and gives
 * programs a grammar's states. Loaded with the first grammar.
 */
import type { Backend } from '../transport/backend.js';
import { TokenglassError, typed } from '../types/errors.js';
import { suggestion } from '../types/names.js';
import type { Constraint, ConstraintState, GrammarSpec } from '../types/types.js';
import { invalid, reading } from '../types/arguments.js';
import type { SessionHost } from './session-host.js';
import { dropped, freeing, ownGrammars } from './engine-objects.js';

/** What a grammar needs from its model. */
type GrammarHost = Pick<SessionHost, 'backend' | 'newNumber'>;

const TYPES = ['json', 'json_schema', 'ebnf'];
const MAX_SOURCE = 256 * 1024; // characters of a grammar or schema

const bitOf = (bits: Int32Array, token: number) => ((bits[token >> 5] ?? 0) >> (token & 31)) & 1;

/** A text that follows a grammar. The engine holds its state. */
class TextState implements ConstraintState {
  readonly #backend: Backend;
  readonly #number: number;
  readonly #ends: ReadonlySet<number>;
  readonly #free: () => Promise<unknown>;
  /** What can come next, if it was asked for since the last token. */
  #allowed: Int32Array | undefined;
  #accepted: number[] = []; // tokens that the engine does not know of yet
  #failure: unknown;
  #ended = false;

  constructor(backend: Backend, number: number, ends: ReadonlySet<number>) {
    this.#backend = backend;
    this.#number = number;
    this.#ends = ends;
    this.#free = freeing(backend, 'endText', number);
    dropped.register(this, this.#free, this);
  }

  async allowed(): Promise<Int32Array> {
    if (this.#failure !== undefined) throw this.#failure;
    if (!this.#allowed) {
      const tokens = Int32Array.from(this.#accepted);
      this.#accepted = [];
      try {
        const { allowed, ended } = await this.#backend.call('textAllowed', [this.#number, tokens]);
        this.#ended = ended;
        if (this.#accepted.length > 0) return this.allowed(); // called meanwhile
        this.#allowed = allowed;
      } catch (error) {
        this.#failure = error; // the tokens before the refused one were accepted
        throw error;
      }
    }
    return this.#allowed.slice();
  }

  accept(token: number): void {
    if (this.#failure !== undefined) throw this.#failure;
    if (this.#ended || (this.#allowed && !bitOf(this.#allowed, token)))
      throw new TokenglassError('GRAMMAR_INVALID', `the grammar does not allow token ${token}`);
    this.#accepted.push(token);
    this.#allowed = undefined;
    this.#ended = this.#ends.has(token);
  }

  get ended(): boolean {
    return this.#ended;
  }

  dispose(): void {
    this.#failure ??= new TokenglassError('DISPOSED', "the grammar's state was disposed");
    dropped.unregister(this);
    void this.#free();
  }
}

class Grammar implements Constraint {
  readonly #host: GrammarHost;
  readonly #number: number;
  readonly #free: () => Promise<unknown>;

  constructor(host: GrammarHost, number: number) {
    this.#host = host;
    this.#number = number;
    this.#free = freeing(host.backend, 'disposeGrammar', number);
    dropped.register(this, this.#free, this);
    ownGrammars.set(this, { backend: host.backend, number });
  }

  async begin(): Promise<ConstraintState> {
    const { backend } = this.#host;
    const number = this.#host.newNumber();
    const ends = await backend.call('beginText', [number, this.#number, false]);
    const state = new TextState(backend, number, new Set(ends));
    await state.allowed(); // so that accept() can tell at once whether a token fits
    return state;
  }

  dispose(): void {
    dropped.unregister(this);
    void this.#free();
  }
}

function checkLength(text: unknown): void {
  if (typeof text !== 'string')
    throw new TokenglassError('GRAMMAR_INVALID', `a grammar is ${typed(text)}; it must be a text`);
  if (text.length > MAX_SOURCE)
    throw new TokenglassError(
      'GRAMMAR_INVALID',
      `a grammar is a text or a schema of at most ${MAX_SOURCE} characters`,
    );
}

/** The text of the grammar; the engine limits the length of one that a schema becomes. */
async function grammarOf(given: GrammarSpec): Promise<string> {
  const spec = reading('the grammar', () => ({ ...given }));
  switch (spec.type) {
    case 'json':
      return (await import('../grammar/schema.js')).grammarOfSchema({ type: 'object' });
    case 'json_schema': {
      const copy = () => JSON.parse(JSON.stringify(spec.schema)) as unknown;
      const schema = reading('the schema', copy, 'GRAMMAR_INVALID');
      checkLength(JSON.stringify(schema));
      return (await import('../grammar/schema.js')).grammarOfSchema(schema);
    }
    case 'ebnf':
      checkLength(spec.grammar);
      return spec.grammar;
  }
  const { type } = spec as { type: unknown };
  throw invalid(
    Object(given) === given
      ? `type of the grammar is ${typed(type, 'string')}${suggestion(type, TYPES)}`
      : `the grammar is ${typed(given)}; it must be an object with a type`,
  );
}

/** The engine compiles the grammar. Throws GRAMMAR_INVALID. */
export async function createGrammar(host: GrammarHost, spec: GrammarSpec): Promise<Constraint> {
  const text = await grammarOf(spec);
  const number = host.newNumber();
  await host.backend.call('createGrammar', [number, text]);
  return new Grammar(host, number);
}
