/** Log-probabilities of candidates. */
import type { Candidate } from './sampling.js';

/**
 * The log-probabilities (nats) of candidates before any stage. From logits, because the logarithm
 * of a small probability that is 0 as a number is -Infinity. The first one must not be that small.
 */
export function logprobsOf(candidates: readonly Pick<Candidate, 'logit' | 'p'>[]): number[] {
  const [first] = candidates;
  return candidates.map(({ logit }) => Math.log(first!.p) + (logit - first!.logit));
}
