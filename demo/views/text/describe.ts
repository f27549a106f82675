/** A token of the text in words: for its tooltip and for screen readers. */
import type { DisplayToken } from '../../state/display-tokens.js';
import { spokenName } from '../../state/spoken.js';
import { isControl, name, percent } from '../../format.js';
import { isPart } from './cells.js';

const ORIGINS: Readonly<Record<DisplayToken['how'], string>> = {
  typed: '',
  drawn: '',
  chosen: ', chosen by you',
  given: ', from the link',
};

function nameOf(token: DisplayToken): string {
  if (isPart(token)) return `a part of a character, ${name({ ...token, text: '\ufffd' })}`;
  return spokenName(isControl(token) ? { ...token, text: token.piece } : token);
}

/** For example "had, with a space before, 28.3 %, 1.8 bits, rank 1, token 12, id 356". n_branches:
 *  number of branches that begin with a token at this place. */
export function describe(token: DisplayToken, n_branches = 1): string {
  const branches = n_branches > 1 ? `, ${n_branches} branches begin here` : '';
  const place = `token ${token.index + 1}, id ${token.token}${branches}`;
  if (Number.isNaN(token.logprob)) return `${nameOf(token)}, ${place}, start of the text`;
  const bits = (-token.logprob / Math.LN2).toFixed(1);
  const rank = (token.rank + 1).toLocaleString('en');
  return `${nameOf(token)}, ${percent(Math.exp(token.logprob))}, ${bits} bits, rank ${rank}, ${place}${ORIGINS[token.how]}`;
}
