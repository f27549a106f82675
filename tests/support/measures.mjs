// Float64 measures of next-token distributions. They take arrays of logits (any array of numbers)
// and return numbers or new Float64Arrays. Units are nats.

/** log(sum(exp(logits))), computed relative to the largest logit so that nothing overflows. */
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

/**
 * KL(p || q) of the distributions given by two rows of logits, in nats: the information lost when q
 * replaces p. Never negative, except by rounding.
 */
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

/** The largest logit minus the second largest. */
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
    // written so that a NaN on either side shows in the result
    if (!(diff <= max)) max = diff;
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
 * Compares two runs over the same tokens: lists of logit rows, one row for each position.
 * maxDiff and rms: differences of logits. meanKl, maxKl: KL(truth || other) in nats. topEqual: the
 * share (0..1) of positions with the same top token. widestFlip: where the top tokens differ, the
 * largest lead of the truth's top token; 0 if they never differ.
 * @returns {{ positions: number, maxDiff: number, rms: number, meanKl: number, maxKl: number,
 *   topEqual: number, widestFlip: number }}
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

/** Formats comparisons, given by name, as the lines of a plain table. */
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
