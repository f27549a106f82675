/** Counting votes, and how good a vote of k answers is on average. */
import { randomNumbers } from '../types/random.js';
import type { AnswerCount, CountMode, MarkedVote, Vote } from '../types/types.js';

/** The different answers, largest weight first; of equal weights, the one that came first. */
export function countVotes(votes: readonly Vote[], mode: CountMode): AnswerCount[] {
  const counts = new Map<string, AnswerCount>();
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

/**
 * What n answers with V verifications each cost, in answers: n * (1 + lambda * V). lambda: the
 * tokens of a verification for each token of an answer.
 * @example
 * console.log(solutionEquivalents(8, 8, 1)); // 72
 */
export function solutionEquivalents(n: number, V: number, lambda: number): number {
  return n * (1 + lambda * V);
}

const SHUFFLES = 100;
const SUBSETS = 25;

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
 * the result is the mean over 100 orders, which depend on the seed.
 * @example
 * const votes = [
 *   { answer: '5', score: 0.9, correct: true },
 *   { answer: '6', score: 0.4, correct: false },
 * ];
 * console.log(bestOfCurve(votes)); // [0.5, 1]
 */
export function bestOfCurve(votes: readonly MarkedVote[], seed = 0): number[] {
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
 * subsets of k votes, each in the order of the list, whose winner is right. The subsets depend on
 * the seed.
 * @example
 * const votes = [
 *   { answer: '5', score: 1, correct: true },
 *   { answer: '6', score: 1, correct: false },
 *   { answer: '5', score: 1, correct: true },
 * ];
 * console.log(voteCurve(votes, 'majority').at(-1)); // 1
 */
export function voteCurve(votes: readonly MarkedVote[], mode: CountMode, seed = 0): number[] {
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
