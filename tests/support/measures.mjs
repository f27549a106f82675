/**
 * Float64 measures of next-token distributions, shared by the tests: arrays of logits (any array of numbers) come in, numbers or new
 * Float64Arrays go out. Everything is in nats.
 */

/** log(sum(exp(logits))), with the largest logit taken out first so that nothing overflows. */
export function logSumExp(logits) {
  let max = -Infinity;
  for (const x of logits) if (x > max) max = x;
  let sum = 0;
  for (const x of logits) sum += Math.exp(x - max);
  return max + Math.log(sum);
}

/** Log-probabilities over the whole vocabulary. */
export function logSoftmax(logits) {
  const norm = logSumExp(logits);
  return Float64Array.from(logits, (x) => x - norm);
}

/** Probabilities over the whole vocabulary. */
export function softmax(logits) {
  return logSoftmax(logits).map(Math.exp);
}

/** KL(p || q) of the distributions that two rows of logits stand for: what it costs to take q for p. Never below zero but for rounding. */
export function klDivergence(pLogits, qLogits) {
  const p = logSoftmax(pLogits);
  const q = logSoftmax(qLogits);
  let kl = 0;
  for (let i = 0; i < p.length; i++) if (p[i] > -Infinity) kl += Math.exp(p[i]) * (p[i] - q[i]);
  return kl;
}

/** The index of the largest logit; the lowest index when several are equal. */
export function argmax(logits) {
  let best = 0;
  for (let i = 1; i < logits.length; i++) if (logits[i] > logits[best]) best = i;
  return best;
}

/** By how much the largest logit leads the second largest. */
export function topMargin(logits) {
  const best = argmax(logits);
  let second = -Infinity;
  for (let i = 0; i < logits.length; i++) if (i !== best && logits[i] > second) second = logits[i];
  return logits[best] - second;
}

export function maxAbsDiff(a, b) {
  let max = 0;
  for (let i = 0; i < a.length; i++) {
    const diff = Math.abs(a[i] - b[i]);
    if (!(diff <= max)) max = diff; // written so that a NaN on either side shows in the result
  }
  return max;
}

/** Root of the mean squared difference. */
function rmsDiff(a, b) {
  let sum = 0;
  for (let i = 0; i < a.length; i++) sum += (a[i] - b[i]) ** 2;
  return Math.sqrt(sum / a.length);
}

/**
 * Two runs over the same tokens, position by position: lists of rows of logits.
 * @returns {{ positions: number, maxDiff: number, rms: number, meanKl: number, maxKl: number, topEqual: number, widestFlip: number }}
 *   KLs are KL(truth || other), topEqual a share of 0..1, widestFlip the truth's lead of its top token where the other's differs (0: nowhere)
 */
export function compareRuns(truth, other) {
  if (truth.length !== other.length)
    throw new Error(`${truth.length} rows of logits against ${other.length}`);
  const result = {
    positions: truth.length,
    maxDiff: 0,
    rms: 0,
    meanKl: 0,
    maxKl: 0,
    topEqual: 0,
    widestFlip: 0,
  };
  for (let i = 0; i < truth.length; i++) {
    if (truth[i].length !== other[i].length)
      throw new Error(`row ${i}: ${truth[i].length} logits against ${other[i].length}`);
    const diff = maxAbsDiff(truth[i], other[i]);
    if (!(diff <= result.maxDiff)) result.maxDiff = diff;
    const kl = klDivergence(truth[i], other[i]);
    if (!(kl <= result.maxKl)) result.maxKl = kl;
    result.meanKl += kl / truth.length;
    result.rms += rmsDiff(truth[i], other[i]) ** 2 / truth.length;
    if (argmax(truth[i]) === argmax(other[i])) result.topEqual += 1 / truth.length;
    else result.widestFlip = Math.max(result.widestFlip, topMargin(truth[i]));
  }
  result.rms = Math.sqrt(result.rms);
  return result;
}

/** Comparisons by name -> the lines of a plain table. */
export function comparisonTable(comparisons) {
  const columns = [
    ['positions', (c) => c.positions],
    ['max |diff|', (c) => c.maxDiff.toExponential(1)],
    ['RMS diff', (c) => c.rms.toExponential(1)],
    ['mean KL', (c) => c.meanKl.toExponential(1)],
    ['max KL', (c) => c.maxKl.toExponential(1)],
    ['same top', (c) => `${(100 * c.topEqual).toFixed(1)} %`],
    ['widest flip', (c) => c.widestFlip.toFixed(3)],
  ];
  const rows = Object.entries(comparisons).map(([name, c]) => [
    name,
    ...columns.map(([, cell]) => String(cell(c))),
  ]);
  const table = [['', ...columns.map(([title]) => title)], ...rows];
  const widths = table[0].map((_, i) => Math.max(...table.map((row) => row[i].length)));
  return table.map((row) =>
    row.map((cell, i) => (i === 0 ? cell.padEnd(widths[i]) : cell.padStart(widths[i]))).join('  '),
  );
}
