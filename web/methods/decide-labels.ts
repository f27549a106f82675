/**
 * The labels of options: texts that are one token each. Which texts are tried, and in which order,
 * depends on the vocabulary only.
 */
import type { Model } from '../types/types.js';

/** A text that is one token. */
export interface Label {
  text: string;
  token: number;
}

/** A question that cannot be answered, because the vocabulary lacks labels. */
export class LabelsMissing extends Error {}

const AT_ONCE = 128; // texts that are tokenized at the same time

export const CAPITALS = Array.from('ABCDEFGHIJKLMNOPQRSTUVWXYZ');
export const LETTERS = [...CAPITALS, ...CAPITALS.map((letter) => letter.toLowerCase())];
/** AA to ZZ. */
export const PAIRS = CAPITALS.flatMap((a) => CAPITALS.map((b) => a + b));
/** 00 to 99. */
export const TWO_DIGITS = Array.from({ length: 100 }, (_, i) => String(i).padStart(2, '0'));

/** The tokens of one model's texts. */
export class Labels {
  readonly #model: Model;
  readonly #tokens = new Map<string, number | undefined>(); // undefined: no label
  readonly #decoder = new TextDecoder();

  constructor(model: Model) {
    this.#model = model;
  }

  /** The token that is all of the text; undefined without one, or for a token of another text. */
  async #tokenOf(text: string): Promise<number | undefined> {
    const ids = await this.#model.tokenize(text, { add_special: false });
    if (ids.length !== 1) return undefined;
    // an unknown character can be one token, too; the tokenizer may put a space before the text
    const read = this.#decoder.decode(await this.#model.tokenBytes(ids[0]!));
    return read === text || read === ` ${text}` ? ids[0] : undefined;
  }

  /** The token of each text, or undefined. */
  async tokens(texts: readonly string[]): Promise<(number | undefined)[]> {
    const missing = [...new Set(texts)].filter((text) => !this.#tokens.has(text));
    for (let i = 0; i < missing.length; i += AT_ONCE) {
      const some = missing.slice(i, i + AT_ONCE);
      const found = await Promise.all(some.map((text) => this.#tokenOf(text)));
      for (const [k, text] of some.entries()) this.#tokens.set(text, found[k]);
    }
    return texts.map((text) => this.#tokens.get(text));
  }

  /**
   * The first n of the texts that are one token each, no token twice. Throws LabelsMissing when
   * there are fewer. Texts behind the first n are not looked at.
   */
  async first(n: number, texts: readonly string[]): Promise<Label[]> {
    const labels = new Map<number, string>();
    for (let i = 0; i < texts.length && labels.size < n; i += AT_ONCE) {
      const some = texts.slice(i, i + AT_ONCE);
      for (const [k, token] of (await this.tokens(some)).entries())
        if (token !== undefined && !labels.has(token)) labels.set(token, some[k]!);
    }
    if (labels.size < n)
      throw new LabelsMissing(
        `the vocabulary has ${labels.size} labels of one token; the question needs ${n}`,
      );
    return [...labels].slice(0, n).map(([token, text]) => ({ text, token }));
  }
}
