/**
 * Cautious Next Token Prediction: where the model is not certain, several trials run up to the next
 * punctuation mark, and the trial with the lowest perplexity goes on.
 */
import type { MethodValues } from './list.js';

type CntpValues = MethodValues<'cntp'>;

/** The entropy in nats of a distribution, with the constant of the paper's code. */
export function entropyOf(probabilities: Iterable<number>): number {
  let entropy = 0;
  for (const p of probabilities) if (p > 0) entropy -= p * Math.log(p + 1e-10);
  return entropy;
}

/** How many trials an entropy (nats) asks for. Both formulas were published; they differ. */
export function trialCount(
  entropy: number,
  { formula, h_min, h_max, n_min, n_max }: Omit<CntpValues, 'match' | 'score' | 'trial_tokens'>,
): number {
  const share = (entropy - h_min) / (h_max - h_min);
  if (formula === 'paper') return Math.max(n_min, Math.min(n_max, Math.floor(share * n_max)));
  return Math.floor(n_min + (n_max - n_min) * Math.min(Math.max(share, 0), 1));
}

/** The perplexity of tokens with these log-probabilities (nats). */
export const perplexityOf = (logprobs: readonly number[]): number =>
  Math.exp(-logprobs.reduce((sum, logprob) => sum + logprob, 0) / logprobs.length);
