/** How many most probable tokens a call lists: each is an object in the caller's memory. */
import { TokenglassError } from './errors.js';

/** Most probable tokens that one call lists, at all positions together. */
export const MAX_LISTED = 2 ** 19;
/** What a listed token takes in the result, about: an object, its bytes, and their copies. */
const LISTED_BYTES = 1100;

/**
 * Throws INVALID_ARGUMENT when top_n tokens at each of n positions are too many. name: that of the
 * option. help: what to do, for the message.
 */
export function checkListed(n: number, top_n: number, name = 'top_n', help = ''): void {
  const listed = n * top_n;
  if (listed <= MAX_LISTED) return;
  const MB = Math.ceil((listed * LISTED_BYTES) / 1e6);
  throw new TokenglassError(
    'INVALID_ARGUMENT',
    `${name} is ${top_n}: for ${n} tokens this lists ${listed} tokens, which take about ${MB} MB; ` +
      `at most ${MAX_LISTED} are listed in one call${help}`,
  );
}
