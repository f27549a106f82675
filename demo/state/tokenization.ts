/** How vocabularies cut a text. In: models and a text. Out: each one's pieces, with the bytes that they cover, and the stretches of the text that two of them cut differently. */
import { effect, signal, untracked } from '@preact/signals';
import type { Model } from 'tokenglass';
import type { Comparison } from './compare.js';
import type { Store } from './store.js';

/** A token, and bytes start to end - 1 of the text. One that covers none (BOS, the rest of a character that was spelt in bytes) is shown as its vocabulary spells it. */
export interface Piece {
  readonly token: number;
  readonly start: number;
  readonly end: number;
  readonly text: string;
  /** Of the text; none: of a piece that covers none. */
  readonly bytes: Uint8Array;
  /** The characters that it has a part of, when they are not its own. */
  readonly partOf: string | undefined;
}

/** The least part of a text that begins and ends between tokens on both sides. */
export interface Stretch {
  readonly a: readonly Piece[];
  readonly b: readonly Piece[];
  readonly same: boolean;
}

export interface Cut {
  readonly pieces: readonly Piece[];
  /** Of the other vocabulary, if there is one. */
  readonly others: readonly Piece[] | undefined;
  readonly stretches: readonly Stretch[];
  readonly bytes: number;
}

export const MOST = 2000; // pieces of a side that are shown
const TYPING_MS = 80;
const decoder = new TextDecoder('utf-8', { ignoreBOM: true });

const empty = ({ start, end }: Piece) => start === end;

/** Lines up two cuts of one text. */
export function lineUp(a: readonly Piece[], b: readonly Piece[]): Stretch[] {
  const stretches: Stretch[] = [];
  for (let i = 0, j = 0; i < a.length || j < b.length;) {
    const [x, y]: [Piece[], Piece[]] = [[], []];
    while (i < a.length && empty(a[i]!)) x.push(a[i++]!);
    while (j < b.length && empty(b[j]!)) y.push(b[j++]!);
    if (x.length > 0 || y.length > 0) {
      const same = x.length === y.length && x.every(({ text }, k) => text === y[k]!.text);
      stretches.push({ a: x, b: y, same });
      continue;
    }
    if (i < a.length) x.push(a[i++]!);
    if (j < b.length) y.push(b[j++]!);
    for (const end = (side: readonly Piece[]) => side.at(-1)?.end ?? Infinity; end(x) !== end(y);) {
      if (end(x) < end(y) ? i === a.length : j === b.length) break; // only where one side was not shown to its end
      if (end(x) < end(y)) x.push(a[i++]!);
      else y.push(b[j++]!);
    }
    stretches.push({ a: x, b: y, same: x.length === 1 && y.length === 1 });
  }
  return stretches;
}

export class Tokenization {
  readonly open = signal(false);
  /** undefined: the prompt. */
  readonly text = signal<string | undefined>(undefined);
  /** Special tokens that are spelt in the text count as such. */
  readonly special = signal(false);
  /** With what the vocabulary puts before and after a text. */
  readonly ends = signal(true);
  readonly cut = signal<Cut | undefined>(undefined);
  readonly problem = signal('');
  readonly #store: Store;
  readonly #comparison: Comparison;
  #asked = 0;

  constructor(store: Store, comparison: Comparison) {
    this.#store = store;
    this.#comparison = comparison;
    effect(() => {
      const model = store.model.value;
      const other = comparison.other.value;
      const text = this.shown();
      const options = { add_special: this.ends.value, parse_special: this.special.value };
      if (!this.open.value || !model) return;
      const asked = ++this.#asked;
      const wait = untracked(() => this.cut.value) ? TYPING_MS : 0;
      setTimeout(
        () => asked === this.#asked && void this.#ask(asked, model, other, text, options),
        wait,
      );
    });
  }

  /** The text that is cut. */
  shown(): string {
    return this.text.value ?? this.#store.prompt.value;
  }

  /** Where the other vocabulary comes from. */
  get other(): Model | undefined {
    return this.#comparison.other.value;
  }

  async #ask(
    asked: number,
    model: Model,
    other: Model | undefined,
    text: string,
    options: object,
  ): Promise<void> {
    try {
      const bytes = new TextEncoder().encode(text);
      const [pieces, others] = [
        await piecesOf(model, text, bytes, options),
        other && (await piecesOf(other, text, bytes, options)),
      ];
      if (asked !== this.#asked) return; // something else was asked meanwhile
      this.problem.value = '';
      const stretches = others
        ? lineUp(pieces, others)
        : pieces.map((piece) => ({ a: [piece], b: [], same: true }));
      this.cut.value = { pieces, others, stretches, bytes: bytes.length };
    } catch (error) {
      if (asked === this.#asked) this.problem.value = (error as Error).message;
    }
  }
}

const within = (byte: number | undefined) => byte !== undefined && (byte & 0xc0) === 0x80;

/** The characters that bytes start to end - 1 touch. */
function touched(bytes: Uint8Array, start: number, end: number): string {
  while (start > 0 && within(bytes[start])) start--;
  while (within(bytes[end])) end++;
  return decoder.decode(bytes.subarray(start, end));
}

async function piecesOf(
  model: Model,
  text: string,
  bytes: Uint8Array,
  options: object,
): Promise<Piece[]> {
  const pieces: Piece[] = [];
  for (const { token, start, end } of await model.tokenOffsets(text, options)) {
    const own = bytes.slice(start, end);
    const text = own.length ? decoder.decode(own) : await model.tokenText(token);
    const whole = own.length ? touched(bytes, start, end) : text;
    pieces.push({
      token,
      start,
      end,
      bytes: own,
      text,
      partOf: whole === text ? undefined : whole,
    });
  }
  return pieces;
}
