/** A model's text and tokens: tokenizing, detokenizing, and what each token is. */
import { TokenglassError } from '../types/errors.js';
import { utf8Decoder } from '../types/utf8.js';
import type { CallMemory, Engine } from './engine.js';

// a token's text may begin with U+FEFF
const decoder = utf8Decoder();
const encoder = new TextEncoder(); // lone surrogates become U+FFFD

export interface Token {
  bytes: Uint8Array;
  /** For display: the bytes as UTF-8, or the vocabulary's piece of a token without bytes. */
  text: string;
  /** Whether the token ends a generation. */
  eog: boolean;
}

const INT32_BYTES = Int32Array.BYTES_PER_ELEMENT;
const LIKELY_BREAKER_NUMBERS = 1024;
const MAX_BREAKERS = 64; // texts whose sequences are kept
/** Bytes of a text. More tokens than this do not fit into a list of JavaScript's. */
const MAX_TEXT = 2 ** 26;

export class Vocabulary {
  readonly #engine: Engine;
  readonly #tokens = new Map<number, Token>(); // those that were looked at
  readonly #breakers = new Map<string, Int32Array>();
  #lowerTexts: string[] | undefined;

  constructor(engine: Engine) {
    this.#engine = engine;
  }

  /**
   * Calls `call`, which writes `parts` arrays of at most `capacity` numbers into new memory and
   * returns how many each has, a second time with more memory if the capacity was too small.
   * Returns the arrays, one after the other.
   */
  #collect(
    likely: number,
    parts: number,
    call: (memory: CallMemory, output: number, capacity: number) => number,
  ): Int32Array {
    for (let capacity = likely; ;) {
      let n = 0;
      const result = this.#engine.withMemory((memory) => {
        const output = memory.alloc(parts * capacity * INT32_BYTES);
        n = call(memory, output, capacity);
        if (n > capacity) return undefined;
        const numbers = new Int32Array(parts * n);
        for (let part = 0; part < parts; part++)
          numbers.set(this.#engine.int32s(output + part * capacity * INT32_BYTES, n), part * n);
        return numbers;
      });
      if (result) return result;
      capacity = n;
    }
  }

  /** The ids, and with 2 parts the positions in bytes where the text of each token ends. */
  #tokenize(text: string, flags: number, parts: 1 | 2): Int32Array {
    checkLength(text.length); // before a long text is copied; it has at least as many bytes
    const bytes = encoder.encode(text);
    checkLength(bytes.length);
    return this.#collect(likelyTokens(bytes), parts, (memory, ids, capacity) =>
      this.#engine.modelTokenize({
        text: memory.bytes(bytes),
        length: bytes.length,
        flags,
        ids,
        ends: parts === 2 ? ids + capacity * INT32_BYTES : 0,
        capacity,
      }),
    );
  }

  /** flags: ADD_SPECIAL, PARSE_SPECIAL. */
  tokenize(text: string, flags: number): Int32Array {
    return this.#tokenize(text, flags, 1);
  }

  /** n ids, then n positions in bytes where the part of the text of each token ends. */
  tokenOffsets(text: string, flags: number): Int32Array {
    return this.#tokenize(text, flags, 2);
  }

  /** The token sequences that contain any of the texts, as the stage dry takes them. */
  breakers(texts: readonly string[]): Int32Array {
    const lists = texts.map((text) => {
      const cached = this.#breakers.get(text);
      if (cached) return cached;
      const [oldest] = this.#breakers.keys();
      if (this.#breakers.size >= MAX_BREAKERS) this.#breakers.delete(oldest!);
      const bytes = encoder.encode(text);
      const ids = this.#collect(LIKELY_BREAKER_NUMBERS, 1, (memory, output, capacity) =>
        this.#engine.modelSequenceBreakers({
          text: memory.bytes(bytes),
          length: bytes.length,
          ids: output,
          capacity,
        }),
      );
      this.#breakers.set(text, ids);
      return ids;
    });
    const all = new Int32Array(lists.reduce((sum, { length }) => sum + length, 0));
    let position = 0;
    for (const ids of lists) {
      all.set(ids, position);
      position += ids.length;
    }
    return all;
  }

  detokenize(ids: Int32Array): Uint8Array {
    return this.#engine.withMemory((memory) => {
      const call = { ids: memory.int32s(ids), n: ids.length };
      const capacity = this.#engine.modelDetokenize({ ...call, text: 0, capacity: 0 });
      const text = memory.alloc(capacity);
      this.#engine.modelDetokenize({ ...call, text, capacity });
      return this.#engine.bytes(text, capacity).slice();
    });
  }

  /** Throws TOKEN_OUT_OF_RANGE. The result is the caller's to change. */
  token(id: number): Token {
    let token = this.#tokens.get(id);
    if (!token) {
      const info = this.#engine.modelToken(id);
      const bytes = this.#engine.bytes(info.bytes, info.n_bytes).slice();
      const text = this.#engine.bytes(info.text, info.n_text).slice();
      token = { bytes, text: decoder.decode(text), eog: info.eog };
      this.#tokens.set(id, token);
    }
    return { ...token, bytes: token.bytes.slice() };
  }

  /** The texts of all tokens in lower case. They are made once. */
  lowerTexts(n_vocab: number): readonly string[] {
    return (this.#lowerTexts ??= this.texts(n_vocab).map((text) => text.toLowerCase()));
  }

  /** The texts of the tokens below n_vocab for display. */
  texts(n_vocab: number): string[] {
    return this.#engine.withMemory((memory) => {
      const ends = memory.alloc(n_vocab * INT32_BYTES);
      const call = { n: n_vocab, ends };
      const capacity = this.#engine.modelTokenTexts({ ...call, text: 0, capacity: 0 });
      const text = memory.alloc(capacity);
      this.#engine.modelTokenTexts({ ...call, text, capacity });
      const bytes = this.#engine.bytes(text, capacity).slice();
      let start = 0;
      return Array.from(this.#engine.int32s(ends, n_vocab), (end) => {
        const one = decoder.decode(bytes.subarray(start, end));
        start = end;
        return one;
      });
    });
  }
}

function checkLength(n: number): void {
  if (n > MAX_TEXT)
    throw new TokenglassError(
      'INVALID_ARGUMENT',
      `the text has ${n} bytes or more; at most ${MAX_TEXT} are tokenized at once`,
    );
}

/** Seldom more tokens than bytes: only a space, BOS and EOS can be added. */
const likelyTokens = (bytes: Uint8Array) => bytes.length + 4;
