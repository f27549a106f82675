/** Names and numbers for screen readers: without marks that are read as nothing or as symbols. */
import { isControl, name } from '../format.js';

const SPACES: Readonly<Record<string, string>> = {
  ' ': 'space',
  '\n': 'line end',
  '\t': 'tab',
};

/** A token's name as it is read: "had, with a space before". */
export function spokenName(token: { text: string; bytes: Uint8Array }): string {
  const { text } = token;
  if (isControl(token)) return `the control token ${text}`;
  const word = text.trim();
  if (word === '' || text.includes('\ufffd')) {
    const parts = [...text].map((char) => SPACES[char]);
    return parts.length && parts.every(Boolean) ? parts.join(', ') : name(token);
  }
  const before = SPACES[text[0]!];
  const after = SPACES[text.at(-1)!];
  return `${word}${before ? `, with a ${before} before` : ''}${after ? `, with a ${after} after` : ''}`;
}
