// The tables of the kernels: for each matmul kernel and shape, the share of the nearer limit of the
// machine. Takes the rows of kernels.c.
import { round } from './peer-tables.mjs';

const LOWEST = 10; // rows of the table of the lowest shares

/** The highest rate of each limit, by name. */
export function limitsOf(rows) {
  const best = new Map();
  for (const { kind, shape, rate } of rows)
    if (kind === 'limit') best.set(shape, Math.max(rate, best.get(shape) ?? 0));
  return best;
}

/**
 * Rows of several builds, by the build's name, as one list: a kernel that two have is there once.
 * chosen_by: the builds that run this kernel on this processor.
 */
export function merged(builds) {
  const keyOf = ({ kind, type, variant, shape }) => [kind, type, variant, shape].join();
  const all = new Map();
  for (const [build, rows] of Object.entries(builds)) {
    for (const row of rows) {
      if (!all.has(keyOf(row))) all.set(keyOf(row), { ...row, chosen_by: [] });
      if (row.chosen) all.get(keyOf(row)).chosen_by.push(build);
    }
  }
  return [...all.values()];
}

/**
 * Adds to each matmul row that has a limit: `share`, of the limit that is nearer, and `nearer`, its
 * name. A kernel that reads its weights from memory has two limits, and the larger share counts.
 */
export function withShares(rows, limits) {
  return rows
    .filter(({ limit }) => limit)
    .map((row) => {
      const shares = [[row.limit, row.rate / limits.get(row.limit)]];
      if (row.from_memory) shares.push(['memory read', row.gbs / limits.get('memory read')]);
      const [nearer, share] = shares.reduce((a, b) => (b[1] > a[1] ? b : a));
      return { ...row, nearer, share };
    })
    .sort((a, b) => a.share - b.share);
}

const COLUMNS = [
  'kernel',
  'variant',
  'shape',
  'rate',
  'weights',
  'nearer limit',
  'share',
  'chosen by',
];

const cells = (k, limits) => [
  ...[`${k.kind} ${k.type}`, k.variant, k.shape],
  ...[`${round(k.rate, 2)} ${k.unit}`, `${round(k.gbs, 2)} GB/s`],
  ...[`${k.nearer}, ${round(limits.get(k.nearer), 1)}`, `${round(100 * k.share, 0)} %`],
  k.chosen_by.join(' and '),
];

/** The tables, each as title, columns and rows. */
export function kernelTables(rows, limits) {
  const shares = withShares(rows, limits);
  const others = rows.filter(({ kind, limit }) => kind !== 'limit' && !limit);
  return [
    [
      `The ${LOWEST} lowest shares of the nearer limit, of the kernels that a build chooses here (one thread, newer Node)`,
      COLUMNS,
      shares
        .filter(({ chosen_by }) => chosen_by.length > 0)
        .slice(0, LOWEST)
        .map((k) => cells(k, limits)),
    ],
    [
      'Every matmul kernel with SIMD, lowest share of the nearer limit first (one thread, newer Node)',
      COLUMNS,
      shares.map((k) => cells(k, limits)),
    ],
    [
      'The other kernels of kernels.def (one thread, newer Node)',
      ['kernel', 'variant', 'shape', 'rate'],
      others.map((k) => [
        ...[`${k.kind} ${k.type}`, k.variant, k.shape],
        `${round(k.rate, 2)} ${k.unit}`,
      ]),
    ],
  ].filter(([, , list]) => list.length > 0);
}
