/** Counting votes, and how good a vote of k answers is on average. */

/** A vote: an answer with the score of its text. */
export interface Vote {
  /** undefined or '': no answer. */
  answer: string | undefined;
  /** 0 to 1. */
  score: number;
}

/** A vote for an answer that is right or wrong. */
export interface MarkedVote extends Vote {
  correct: boolean;
}

export type CountMode = 'majority' | 'weighted' | 'best';

export interface Count {
  answer: string;
  count: number;
  weight: number;
}

/** The different answers, largest weight first; of equal weights, the one that came first. */
export function countVotes(votes: readonly Vote[], mode: CountMode): Count[] {
  const counts = new Map<string, Count>();
  for (const { answer, score } of votes) {
    if (!answer) continue;
    const entry = counts.get(answer) ?? { answer, count: 0, weight: 0 };
    counts.set(answer, entry);
    entry.count++;
    if (mode === 'majority') entry.weight++;
    else if (mode === 'weighted') entry.weight += score;
    else entry.weight = Math.max(entry.weight, score);
  }
  return [...counts.values()].sort((a, b) => b.weight - a.weight); // stable
}

/** The index of the vote whose text wins; -1 when there is no answer. */
export function winnerOf(votes: readonly Vote[], mode: CountMode): number {
  const winner = countVotes(votes, mode)[0];
  if (!winner) return -1;
  return votes.findIndex(
    ({ answer, score }) => answer === winner.answer && (mode !== 'best' || score === winner.weight),
  );
}

/** The cost of S solutions with V verifications each, in solutions. */
export const solutionEquivalents = (S: number, V: number, lambda: number): number =>
  S * (1 + lambda * V);

const SHUFFLES = 100;
const SUBSETS = 25;

/** Random whole numbers from a seed (mulberry32 by Tommy Ettinger), below a limit. */
function randomNumbers(seed: number): (limit: number) => number {
  let state = seed | 0;
  return (limit) => {
    state = (state + 0x6d2b79f5) | 0;
    let x = Math.imul(state ^ (state >>> 15), state | 1);
    x ^= x + Math.imul(x ^ (x >>> 7), x | 61);
    return Math.floor((((x ^ (x >>> 14)) >>> 0) / 2 ** 32) * limit);
  };
}

/** k of the items in random order. */
function drawn<T>(items: readonly T[], k: number, random: (limit: number) => number): T[] {
  const rest = [...items];
  return Array.from({ length: k }, () => {
    const [item] = rest.splice(random(rest.length), 1);
    return item!;
  });
}

/**
 * How probable the best of k answers is right, for k = 1 to the number of votes: the mean over all
 * subsets of k votes, by the binomial formula. Votes with equal scores come in random order, and
 * the result is the mean over 100 orders.
 */
export function bestOfCurve(votes: readonly MarkedVote[], seed: number): number[] {
  const random = randomNumbers(seed);
  const n = votes.length;
  const curve = new Array<number>(n).fill(0);
  for (let round = 0; round < SHUFFLES; round++) {
    const sorted = drawn(votes, n, random).sort((a, b) => b.score - a.score);
    for (let k = 1; k <= n; k++) {
      // the share of the subsets whose best vote is vote i: C(n - 1 - i, k - 1) / C(n, k)
      let share = k / n;
      for (let i = 0; i + k <= n; i++) {
        if (sorted[i]!.correct) curve[k - 1]! += share / SHUFFLES;
        share *= (n - k - i) / (n - 1 - i);
      }
    }
  }
  return curve;
}

/**
 * How often a vote of k answers is right, for k = 1 to the number of votes: the share of 25 random
 * subsets of k votes, each in the order of the list, whose winner is right.
 */
export function voteCurve(votes: readonly MarkedVote[], mode: CountMode, seed: number): number[] {
  const random = randomNumbers(seed);
  const all = [...votes.keys()];
  return votes.map((_, i) => {
    let right = 0;
    for (let round = 0; round < SUBSETS; round++) {
      const subset = drawn(all, i + 1, random)
        .sort((a, b) => a - b)
        .map((index) => votes[index]!);
      if (subset[winnerOf(subset, mode)]?.correct) right++;
    }
    return right / SUBSETS;
  });
}
