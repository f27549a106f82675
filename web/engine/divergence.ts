/** The Kullback-Leibler divergence between the distributions of two choices. */
import type { Divergence } from '../types/types.js';

/** The distributions of one choice by token id, in memory that nothing else refers to. */
export interface Distributions {
  /** Log-probabilities in nats before any stage. */
  logprobs: Float64Array<ArrayBuffer>;
  /** Probabilities after the last stage; 0 for a removed token. */
  p_final: Float64Array<ArrayBuffer>;
}

/** The buffers of distributions, which can move to another thread. */
export const buffersOf = ({ logprobs, p_final }: Distributions): ArrayBuffer[] => [
  logprobs.buffer,
  p_final.buffer,
];

/** Terms that are added up before the sum takes them: the sum's rounding error stays small. */
const BLOCK = 1024;

function sumOf(n: number, term: (i: number) => number): number {
  let sum = 0;
  for (let start = 0; start < n; start += BLOCK) {
    const end = Math.min(start + BLOCK, n);
    let block = 0;
    for (let i = start; i < end; i++) block += term(i);
    sum += block;
  }
  return Math.max(sum, 0); // rounding can make it negative
}

/** Infinity where a has a probability that is 0 in b. */
export function divergenceOf(a: Distributions, b: Distributions): Divergence {
  const n = a.logprobs.length;
  return {
    model: sumOf(n, (i) => {
      const logprob = a.logprobs[i]!;
      const p = Math.exp(logprob);
      return p > 0 ? p * (logprob - b.logprobs[i]!) : 0;
    }),
    final: sumOf(n, (i) => {
      const p = a.p_final[i]!;
      return p > 0 ? p * (Math.log(p) - Math.log(b.p_final[i]!)) : 0;
    }),
  };
}
