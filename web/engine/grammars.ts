/**
 * The grammars of one model, and the texts that follow them. Callers name both by numbers above 0
 * that they choose. The text of a generation has the number of its session, and ends with it.
 */
import { TokenglassError } from '../types/errors.js';
import type { Engine } from './engine.js';

const encoder = new TextEncoder();

/** How a choice is restricted by a grammar. */
export interface GrammarUse {
  /** The grammar at the beginning of a text, or the text of the session's generation. */
  at: 'start' | 'text';
  /** The number of the grammar or text. */
  number: number;
}

/** What a text allows. */
export interface AllowedTokens {
  /** One bit a token: bit (id & 31) of element (id >> 5). */
  allowed: Int32Array;
  /** Whether nothing can follow. */
  ended: boolean;
}

interface Grammar {
  address: number;
  /** Texts that follow it. */
  texts: number;
  disposed: boolean;
}

interface Text {
  address: number;
  grammar: Grammar;
}

export class Grammars {
  readonly #engine: Engine;
  readonly #grammars = new Map<number, Grammar>();
  readonly #texts = new Map<number, Text>();

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /** Compiles a grammar. Throws GRAMMAR_INVALID. */
  create(number: number, grammar: string): void {
    const bytes = encoder.encode(grammar);
    const address = this.#engine.withMemory((memory) =>
      this.#engine.grammarNew({ text: memory.bytes(bytes), length: bytes.length }),
    );
    this.#grammars.set(number, { address, texts: 0, disposed: false });
  }

  #grammar(number: number): Grammar {
    const grammar = this.#grammars.get(number);
    if (!grammar) throw new TokenglassError('DISPOSED', 'the grammar was disposed');
    return grammar;
  }

  #text(number: number): Text {
    const text = this.#texts.get(number);
    if (!text) throw new TokenglassError('DISPOSED', "the grammar's state was disposed");
    return text;
  }

  #freeUnused(grammar: Grammar): void {
    if (grammar.disposed && grammar.texts === 0) this.#engine.grammarFree(grammar.address);
  }

  /** Frees a grammar as soon as no text follows it. */
  dispose(number: number): void {
    const grammar = this.#grammars.get(number);
    if (!grammar) return;
    this.#grammars.delete(number);
    grammar.disposed = true;
    this.#freeUnused(grammar);
  }

  /** Forgets all; the engine goes with them. */
  clear(): void {
    this.#grammars.clear();
    this.#texts.clear();
  }

  /**
   * Begins a text in place of the one that had the number. at_start: no text comes before it, so
   * that the space that a tokenizer puts before a text does not count.
   */
  begin(number: number, grammarNumber: number, at_start: boolean): void {
    this.end(number);
    const grammar = this.#grammar(grammarNumber);
    const address = this.#engine.grammarBegin({ grammar: grammar.address, at_start });
    grammar.texts++;
    this.#texts.set(number, { address, grammar });
  }

  /** Frees a text. */
  end(number: number): void {
    const text = this.#texts.get(number);
    if (!text) return;
    this.#texts.delete(number);
    this.#engine.grammarStateFree(text.address);
    text.grammar.texts--;
    this.#freeUnused(text.grammar);
  }

  /** The tokens that end a generation. */
  ends(grammarNumber: number): Int32Array {
    const { ids, n } = this.#engine.grammarEnds(this.#grammar(grammarNumber).address);
    return this.#engine.int32s(ids, n).slice();
  }

  #mask(address: number): Int32Array {
    const { bits, n } = this.#engine.grammarStateMask(address);
    return this.#engine.int32s(bits, n).slice();
  }

  /** The tokens that can come next in a text. */
  textMask(number: number): Int32Array {
    return this.#mask(this.textState(number));
  }

  /** The address of a text's state. */
  textState(number: number): number {
    return this.#text(number).address;
  }

  /** The tokens that can begin a text. at_start: as in begin(). */
  startMask(number: number, at_start: boolean): Int32Array {
    const grammar = this.#grammar(number).address;
    const state = this.#engine.grammarBegin({ grammar, at_start });
    try {
      return this.#mask(state);
    } finally {
      if (!this.#engine.crashed) this.#engine.grammarStateFree(state);
    }
  }

  /**
   * Continues a text after a token. Returns whether nothing can follow. Throws GRAMMAR_INVALID for
   * a token that cannot come next.
   */
  accept(number: number, token: number): boolean {
    const state = this.#text(number).address;
    this.#engine.grammarStateAccept({ state, token });
    return this.#engine.grammarStateHasEnded(state);
  }

  /** Continues a text after the tokens; returns what it allows then. */
  allowedAfter(number: number, tokens: Int32Array): AllowedTokens {
    for (const token of tokens) this.accept(number, token);
    const ended = this.#engine.grammarStateHasEnded(this.#text(number).address);
    return { allowed: this.textMask(number), ended };
  }
}
