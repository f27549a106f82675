/** Figures over lists of numbers. */

export const sum = (values: readonly number[]): number =>
  values.reduce((total, value) => total + value, 0);

/** NaN for an empty list. */
export const mean = (values: readonly number[]): number => sum(values) / values.length;

/** The logarithm of the sum of exponentials. */
export function logSum(values: ArrayLike<number>): number {
  let max = -Infinity;
  for (let i = 0; i < values.length; i++) max = Math.max(max, values[i]!);
  if (max === -Infinity) return max;
  let total = 0;
  for (let i = 0; i < values.length; i++) total += Math.exp(values[i]! - max);
  return max + Math.log(total);
}

/** The indices of the n largest values, largest first; of equal values, the first ones. */
export function largest(values: ArrayLike<number>, n: number): number[] {
  const found: number[] = [];
  for (let i = 0; i < values.length; i++) {
    if (found.length === n && !(values[i]! > values[found[n - 1]!]!)) continue;
    let place = found.length;
    while (place > 0 && values[i]! > values[found[place - 1]!]!) place--;
    found.splice(place, 0, i);
    if (found.length > n) found.pop();
  }
  return found;
}

/** Probabilities that are proportional to the exponentials. */
export function softmax(values: readonly number[]): number[] {
  const total = logSum(values);
  return values.map((value) => Math.exp(value - total));
}

/** Of two middle values, their mean; NaN for an empty list. */
export function median(values: readonly number[]): number {
  const sorted = [...values].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 ? sorted[half]! : (sorted[half - 1]! + sorted[half]!) / 2;
}

/** Pearson's correlation; NaN where one list is constant. */
export function correlation(x: readonly number[], y: readonly number[]): number {
  const [mx, my] = [mean(x), mean(y)];
  const products = (a: readonly number[], b: readonly number[], ma: number, mb: number) =>
    sum(a.map((value, i) => (value - ma) * (b[i]! - mb)));
  return products(x, y, mx, my) / Math.sqrt(products(x, x, mx, mx) * products(y, y, my, my));
}

/**
 * The area under the ROC curve: the probability that a positive has a greater value than a
 * negative, equal values counting half. NaN without positives or without negatives.
 */
export function rocArea(values: readonly number[], positive: readonly boolean[]): number {
  const order = values.map((value, i) => ({ value, positive: positive[i]! }));
  order.sort((a, b) => a.value - b.value);
  let wins = 0;
  let below = 0; // negatives with a smaller value
  for (let i = 0; i < order.length;) {
    let end = i;
    while (end < order.length && order[end]!.value === order[i]!.value) end++;
    const equal = order.slice(i, end);
    const n = equal.filter((each) => each.positive).length;
    wins += n * (below + (equal.length - n) / 2);
    below += equal.length - n;
    i = end;
  }
  return wins / (below * (order.length - below));
}
