/** Token text made visible: in, a token's text and bytes; out, plain text in which nothing is invisible. It is only ever set as text, never as HTML. */

const MARKS: Record<string, string> = { ' ': '␣', '\n': '⏎', '\t': '⇥', '\r': '␍' };

const hex = (n: number, digits: number) => n.toString(16).toUpperCase().padStart(digits, '0');

/** Spaces and line ends as marks, other control and format characters by their number, half characters as bytes. */
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

/** A token's name: its text made visible, or the vocabulary's spelling of one that adds nothing to a text. */
export function name({ text, bytes }: { text: string; bytes: Uint8Array }): string {
  return visible(text, bytes) || '∅';
}

/** Bytes as people write them; none: of a control token. */
export const spelled = (bytes: Uint8Array): string =>
  Array.from(bytes, (byte) => hex(byte, 2)).join(' ') || 'none';

/** Control tokens add no bytes; they look different from a text that spells the same. */
export const isControl = ({ bytes }: { bytes: Uint8Array }): boolean => bytes.length === 0;

/** A probability for people: three digits, and never a 0 or 1 that is none. */
export function percent(p: number): string {
  if (p === 0) return '0';
  if (p < 0.0005) return p < 1e-6 ? p.toExponential(0) : `${(100 * p).toPrecision(1)} %`;
  return `${(100 * p).toFixed(1)} %`;
}

/** Bytes in the usual thousands. */
export function size(bytes: number): string {
  if (bytes >= 1e9) return `${(bytes / 1e9).toFixed(2)} GB`;
  return bytes < 1e6 ? `${(bytes / 1e3).toFixed(0)} kB` : `${(bytes / 1e6).toFixed(1)} MB`;
}

export function count(n: number): string {
  return n < 1e6 ? n.toLocaleString('en') : `${(n / 1e6).toFixed(1)} M`;
}

/** A sampler stage's name as the page writes it. */
export const stageTitle = (name: string): string => name.replaceAll('_', '-');
