/** A token of the text in words: for its tooltip and for screen readers. */
import type { DisplayToken } from '../../state/display-tokens.js';
import { isControl, name, percent } from '../../format.js';
import { isPart } from './cells.js';

const ORIGINS: Readonly<Record<DisplayToken['how'], string>> = {
  typed: '',
  drawn: '',
  chosen: ', chosen by you',
  given: ', from the link',
};

/** The token's characters, each as a word when it could be missed or not be spoken. */
function nameOf(token: DisplayToken): string {
  if (isControl(token)) return `control token ${token.piece}`;
  if (isPart(token)) return `part of a character, ${name({ ...token, text: '\ufffd' })}`;
  const characters = token.text.replace(/^ /, '');
  const before = token.text.startsWith(' ') ? ' with a space before' : '';
  return `${name({ ...token, text: characters || token.text })}${characters ? before : ''}`;
}

/** For example "had with a space before, 28.3 %, 1.8 bits, rank 1, token 12, id 356". */
export function describe(token: DisplayToken): string {
  const place = `token ${token.index + 1}, id ${token.token}`;
  if (Number.isNaN(token.logprob)) return `${nameOf(token)}, ${place}, the start of the text`;
  const bits = (-token.logprob / Math.LN2).toFixed(1);
  const rank = (token.rank + 1).toLocaleString('en');
  return `${nameOf(token)}, ${percent(Math.exp(token.logprob))}, ${bits} bits, rank ${rank}, ${place}${ORIGINS[token.how]}`;
}
