/** Text and numbers as the page writes them. A token's text becomes plain text in which every
 *  character is visible. The page only ever sets it as text, never as HTML. */

const MARKS: Record<string, string> = { ' ': '␣', '\n': '⏎', '\t': '⇥', '\r': '␍' };

const hex = (n: number, digits: number) => n.toString(16).toUpperCase().padStart(digits, '0');

/** Spaces and line ends become marks, other control and format characters their code points, and
 *  bytes that are no whole character hexadecimal numbers. */
export function visible(text: string, bytes: Uint8Array): string {
  if (bytes.length > 0 && text.includes('\ufffd'))
    return [...bytes].map((byte) => `‹${hex(byte, 2)}›`).join('');
  return [...text]
    .map(
      (c) =>
        MARKS[c] ??
        (/[\p{Cc}\p{Cf}\p{Zl}\p{Zp}\p{Co}\p{Cn}]/u.test(c)
          ? `‹U+${hex(c.codePointAt(0)!, 4)}›`
          : c),
    )
    .join('');
}

/** A token's visible text; ∅ for a token that has none. */
export function name({ text, bytes }: { text: string; bytes: Uint8Array }): string {
  return visible(text, bytes) || '∅';
}

/** Bytes in hexadecimal; 'none' for a control token. */
export const hexBytes = (bytes: Uint8Array): string =>
  Array.from(bytes, (byte) => hex(byte, 2)).join(' ') || 'none';

/** A control token has no bytes. The page draws it differently from a text of the same
 *  characters. */
export const isControl = ({ bytes }: { bytes: Uint8Array }): boolean => bytes.length === 0;

/** A probability in percent. Only 0 itself is written as 0. */
export function percent(p: number): string {
  if (p === 0) return '0';
  if (p < 0.0005) return p < 1e-6 ? p.toExponential(0) : `${(100 * p).toPrecision(1)} %`;
  return `${(100 * p).toFixed(1)} %`;
}

/** A probability in percent without the sign, for a column of numbers. Only 0 itself is written as
 *  0. */
export function cellPercent(p: number): string {
  if (p === 0) return '0';
  if (p >= 0.0005) return (100 * p).toFixed(1);
  return p < 1e-6 ? '<0.0001' : String(Number((100 * p).toPrecision(1)));
}

/** Two numbers as texts that show which number is greater. write: how the numbers are written where
 *  that suffices; else both get more digits. unit: what one of the numbers is in the texts. */
export function apart(
  a: number,
  b: number,
  write: readonly [(x: number) => string, (x: number) => string],
  [unit, sign] = [1, ''],
): [string, string] {
  const order = Math.sign(a - b);
  const orderOf = (x: string, y: string) => Math.sign(parseFloat(x) - parseFloat(y));
  let texts: [string, string] = [write[0](a), write[1](b)];
  for (let digits = 2; digits <= 15 && orderOf(...texts) !== order; digits++) {
    const text = (x: number) => `${Number((unit * x).toPrecision(digits))}${sign}`;
    texts = [text(a), text(b)];
  }
  return texts;
}

/** A number of bytes in kB, MB or GB (powers of 1000). */
export function size(bytes: number): string {
  if (bytes >= 1e9) return `${(bytes / 1e9).toFixed(2)} GB`;
  return bytes < 1e6
    ? `${(bytes / 1e3).toFixed(0)} kB`
    : `${(bytes / 1e6).toFixed(bytes < 1e8 ? 1 : 0)} MB`;
}

/** A time in seconds or minutes. */
export const duration = (seconds: number): string =>
  seconds < 90 ? `${Math.ceil(seconds)} s` : `${Math.round(seconds / 60)} min`;

export function count(n: number): string {
  return n < 1e6 ? n.toLocaleString('en') : `${(n / 1e6).toFixed(1)} M`;
}

/** A message to the user. '' is no message. details: for those who look for the cause. */
export type Message = string | { readonly text: string; readonly details: string };

/** An error's message. */
export const messageOf = (error: unknown): string =>
  error instanceof Error ? error.message : String(error);
