/** A model's text and tokens: in, strings or ids; out, ids, bytes and what to show. It reads the engine's memory and keeps nothing but what it has shown. */
import type { Engine } from './engine.js';

const BYTE_KIND = 6;
const decoder = new TextDecoder('utf-8', { ignoreBOM: true }); // U+FEFF is a token's text, too

export interface Token {
  bytes: Uint8Array;
  /** For display: the bytes as UTF-8, or the vocabulary's spelling where there are none. */
  text: string;
  eog: boolean;
  /** tokenizer.ggml.token_type */
  kind: number;
}

const NO_TEXT = [2, 3, 5]; // unknown, control, unused

export class Vocabulary {
  readonly #engine: Engine;
  readonly #model: number;
  readonly #seen = new Map<number, Token>();
  readonly #breakers = new Map<string, Int32Array>();

  constructor(engine: Engine, model: number) {
    this.#engine = engine;
    this.#model = model;
  }

  #check(name: string, ...args: number[]): void {
    this.#engine.check(this.#model, name, this.#model, ...args);
  }

  /** Ids that a function of the engine makes from bytes; `likely` of them have room at first. lists: how many numbers it makes for each, list by list. */
  #idsFrom(
    bytes: Uint8Array,
    likely: number,
    call: (from: number, to: number, capacity: number) => void,
    lists = 1,
  ): Int32Array {
    const engine = this.#engine;
    return engine.with(bytes.length, (from) => {
      engine.bytes(from, bytes.length).set(bytes);
      for (let capacity = likely; ;) {
        const ids = engine.with(lists * capacity * 4, (to) => {
          call(from, to, capacity);
          const n = engine.result();
          if (n <= capacity) {
            const all = engine.i32(to, lists * capacity);
            if (lists === 1) return all.slice(0, n);
            return Int32Array.from(
              { length: lists * n },
              (_, i) => all[Math.floor(i / n) * capacity + (i % n)]!,
            );
          }
          capacity = n;
          return undefined;
        });
        if (ids) return ids;
      }
    });
  }

  tokenize(text: string, flags: number): Int32Array {
    const bytes = new TextEncoder().encode(text); // lone surrogates become U+FFFD
    // seldom more tokens than bytes: a space, BOS and EOS are all that can be added
    return this.#idsFrom(bytes, bytes.length + 4, (from, to, capacity) =>
      this.#check('tokenize', from, bytes.length, flags, to, 0, capacity, this.#engine.out),
    );
  }

  /** The ids, then where each one's part of the text ends, in bytes. */
  tokenOffsets(text: string, flags: number): Int32Array {
    const bytes = new TextEncoder().encode(text);
    return this.#idsFrom(
      bytes,
      bytes.length + 4,
      (from, to, capacity) =>
        this.#check(
          'tokenize',
          from,
          bytes.length,
          flags,
          to,
          to + 4 * capacity,
          capacity,
          this.#engine.out,
        ),
      2,
    );
  }

  /** The token sequences in which any of the texts can begin, as the engine's sampler takes them. */
  breakers(texts: readonly string[]): Int32Array {
    const lists = texts.map((text) => {
      const known = this.#breakers.get(text);
      if (known) return known;
      const bytes = new TextEncoder().encode(text);
      const ids = this.#idsFrom(bytes, 1024, (from, to, capacity) =>
        this.#check('breakers', from, bytes.length, to, capacity, this.#engine.out),
      );
      this.#breakers.set(text, ids);
      return ids;
    });
    return Int32Array.from(lists.flatMap((ids) => [...ids]));
  }

  detokenize(ids: Int32Array): Uint8Array {
    const engine = this.#engine;
    return engine.with(ids.length * 4, (from) => {
      engine.i32(from, ids.length).set(ids);
      this.#check('detokenize', from, ids.length, 0, 0, engine.out);
      const n = engine.result();
      return engine.with(n, (to) => {
        this.#check('detokenize', from, ids.length, to, n, engine.out);
        return engine.bytes(to, n).slice();
      });
    });
  }

  token(id: number): Token {
    let token = this.#seen.get(id);
    if (!token) {
      this.#check('token', id, this.#engine.out);
      const [at = 0, n = 0, entryAt = 0, entryLength = 0, kind = 0, eog = 0] =
        this.#engine.results(6);
      const bytes = this.#engine.bytes(at, n).slice();
      const entry = n === 0 && kind !== BYTE_KIND;
      const text = decoder.decode(entry ? this.#engine.bytes(entryAt, entryLength).slice() : bytes);
      token = { bytes, text, eog: eog === 1, kind };
      this.#seen.set(id, token);
    }
    return { ...token, bytes: token.bytes.slice() }; // the caller's to change
  }

  /** Every token as a grammar has to see it: as the vocabulary spells it, '' where it is no text. */
  all(n: number): { texts: string[]; ends: Int32Array } {
    const texts: string[] = [];
    const ends: number[] = [];
    for (let id = 0; id < n; id++) {
      this.#check('token', id, this.#engine.out);
      const [, , at = 0, length = 0, kind = 0, eog = 0] = this.#engine.results(6);
      texts.push(
        eog || NO_TEXT.includes(kind) ? '' : decoder.decode(this.#engine.bytes(at, length).slice()),
      );
      if (eog) ends.push(id);
    }
    return { texts, ends: Int32Array.from(ends) };
  }
}
