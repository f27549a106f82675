/** Tokenization: the tokens of a text with the bytes that each covers, for one vocabulary or for
 *  two, and the parts of the text that two vocabularies split differently. */
import { effect, signal, untracked } from '@preact/signals';
import type { Model, TokenizeOptions } from 'tokenglass';
import type { Message } from '../format.js';
import type { Comparison } from './compare.js';
import { comparisonOf } from './compare.js';
import { wordsOf } from './messages.js';
import type { Store } from './store.js';
import { tokenTextsOf } from './token-texts.js';

/** A token and the bytes start to end - 1 of the text that it covers. A token can cover no byte:
 *  BOS, or the second byte token of a character. */
export interface TokenSpan {
  readonly token: number;
  readonly start: number;
  readonly end: number;
  /** The covered text; the vocabulary's piece when the token covers no byte. */
  readonly text: string;
  /** The covered bytes. */
  readonly bytes: Uint8Array;
  /** The characters that the token covers in part, when it does not cover whole characters. */
  readonly partOf: string | undefined;
}

/** The shortest part of the text at whose start and end a token of both vocabularies starts or
 *  ends. */
export interface AlignedSpan {
  readonly a: readonly TokenSpan[];
  readonly b: readonly TokenSpan[];
  readonly same: boolean;
}

export interface TokenizationResult {
  readonly tokens: readonly TokenSpan[];
  /** The tokens of the other vocabulary, if there is one. */
  readonly otherTokens: readonly TokenSpan[] | undefined;
  readonly spans: readonly AlignedSpan[];
  /** Length of the text in bytes. */
  readonly bytes: number;
}

export const MAX_SHOWN = 2000; // tokens of a side that the page shows
const TYPING_MS = 80;
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

const isEmpty = (span: TokenSpan | undefined) => span !== undefined && span.start === span.end;
const endOf = (side: readonly TokenSpan[]) => side.at(-1)?.end ?? Infinity;

/** Aligns two tokenizations of one text. */
export function align(a: readonly TokenSpan[], b: readonly TokenSpan[]): AlignedSpan[] {
  const spans: AlignedSpan[] = [];
  for (let i = 0, j = 0; i < a.length || j < b.length;) {
    const x: TokenSpan[] = [];
    const y: TokenSpan[] = [];
    while (isEmpty(a[i])) x.push(a[i++]!);
    while (isEmpty(b[j])) y.push(b[j++]!);
    if (x.length > 0 || y.length > 0) {
      const same = x.length === y.length && x.every(({ text }, k) => text === y[k]!.text);
      spans.push({ a: x, b: y, same });
      continue;
    }
    if (i < a.length) x.push(a[i++]!);
    if (j < b.length) y.push(b[j++]!);
    while (endOf(x) !== endOf(y)) {
      const aIsShorter = endOf(x) < endOf(y);
      const isAtEnd = aIsShorter ? i === a.length : j === b.length;
      if (isAtEnd) break; // the tokens of this side end before the text does
      if (aIsShorter) x.push(a[i++]!);
      else y.push(b[j++]!);
    }
    spans.push({ a: x, b: y, same: x.length === 1 && y.length === 1 });
  }
  return spans;
}

export class Tokenization {
  readonly open = signal(false);
  /** undefined: the text on the page. */
  readonly text = signal<string | undefined>(undefined);
  /** True: special tokens that are written in the text become such tokens. */
  readonly parseSpecial = signal(false);
  /** True: with the tokens that the vocabulary adds at the start and end of a text. */
  readonly addSpecial = signal(true);
  readonly result = signal<TokenizationResult | undefined>(undefined);
  readonly problem = signal<Message>('');
  readonly #store: Store;
  readonly #comparison: Comparison;
  #newest = 0; // number of the newest request

  constructor(store: Store, comparison: Comparison) {
    this.#store = store;
    this.#comparison = comparison;
    effect(() => {
      const model = store.engine.model.value;
      const { other } = this;
      const text = this.shownText();
      const options = {
        add_special: this.addSpecial.value,
        parse_special: this.parseSpecial.value,
      };
      if (!this.open.value || !model) return;
      const number = ++this.#newest;
      const delay = untracked(() => this.result.value) ? TYPING_MS : 0;
      setTimeout(() => {
        if (number === this.#newest) void this.#update(number, model, other, text, options);
      }, delay);
    });
  }

  /** The text in the panel. */
  shownText(): string {
    return this.text.value ?? this.#store.document.text.value;
  }

  /** The model with the other vocabulary: side B of the comparison. */
  get other(): Model | undefined {
    return this.#comparison.other.value;
  }

  /** Sets the model with the other vocabulary; undefined: this vocabulary only. */
  setOther(model: Model | undefined): Promise<void> {
    return this.#comparison.setOther(model);
  }

  async #update(
    number: number,
    model: Model,
    other: Model | undefined,
    text: string,
    options: TokenizeOptions,
  ): Promise<void> {
    try {
      const bytes = new TextEncoder().encode(text);
      const tokens = await spansOf(model, text, bytes, options);
      const otherTokens = other && (await spansOf(other, text, bytes, options));
      if (number !== this.#newest) return;
      this.problem.value = '';
      const spans = otherTokens
        ? align(tokens, otherTokens)
        : tokens.map((span) => ({ a: [span], b: [], same: true }));
      this.result.value = { tokens, otherTokens, spans, bytes: bytes.length };
    } catch (error) {
      if (number === this.#newest) this.problem.value = wordsOf(error);
    }
  }
}

const tokenizations = new WeakMap<Store, Tokenization>();

/** The tokenization of a store. It stays when its sheet is closed. */
export function tokenizationOf(store: Store): Tokenization {
  const tokenization = tokenizations.get(store) ?? new Tokenization(store, comparisonOf(store));
  tokenizations.set(store, tokenization);
  return tokenization;
}

const isContinuation = (byte: number | undefined) => byte !== undefined && (byte & 0xc0) === 0x80;

/** The characters that have a byte in start to end - 1. */
function charactersAt(bytes: Uint8Array, start: number, end: number): string {
  while (start > 0 && isContinuation(bytes[start])) start--;
  while (isContinuation(bytes[end])) end++;
  return decoder.decode(bytes.subarray(start, end));
}

async function spansOf(
  model: Model,
  text: string,
  bytes: Uint8Array,
  options: TokenizeOptions,
): Promise<TokenSpan[]> {
  const spans: TokenSpan[] = [];
  for (const { token, start, end } of await model.tokenOffsets(text, options)) {
    const covered = bytes.slice(start, end);
    const spanText = covered.length ? decoder.decode(covered) : (await tokenTextsOf(model))[token]!;
    const characters = covered.length ? charactersAt(bytes, start, end) : spanText;
    spans.push({
      token,
      start,
      end,
      bytes: covered,
      text: spanText,
      partOf: characters === spanText ? undefined : characters,
    });
  }
  return spans;
}
