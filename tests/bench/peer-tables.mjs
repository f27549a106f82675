// The tables of the engines beside each other. Each is title, columns and rows. A row of `peers` is
// what one engine reached with one weight type and number of threads.

export function median(list) {
  const sorted = [...list].sort((a, b) => a - b);
  const half = sorted.length >> 1;
  return sorted.length % 2 ? sorted[half] : (sorted[half - 1] + sorted[half]) / 2;
}

export const round = (x, digits = 1) =>
  x === undefined || Number.isNaN(x) ? '' : x.toFixed(digits);

const inThreads = (n) => `${n} thread${n > 1 ? 's' : ''}`;
const distinct = (peers, key) => [...new Set(peers.map((p) => p[key]))];

// types that are compared with Q8_0; the others are compared with Q4_0
const WIDE = ['F32', 'F16', 'BF16', 'Q6_K', 'Q8_0'];

/**
 * Compares the weight types. All weights are read once for a token, as the shapes tie the output to
 * the embedding.
 */
function typesTable(peers, name, threads, types) {
  const of = (engine, type) =>
    peers.find((p) => p.name === engine && p.type === type && p.threads === threads);
  const share = (p, key) => {
    const base = of(name, WIDE.includes(p.type) ? 'Q8_0' : 'Q4_0');
    return base ? `${round((100 * p[key]) / base[key], 0)} %` : '';
  };
  const native = (p, key) => {
    const other = of('llama.cpp, native', p.type);
    return other && other !== p ? round(p[key] / other[key], 2) : '';
  };
  return [
    `${name}, ${inThreads(threads)}: by type; shares of Q8_0's (of ${WIDE.join(', ')}) or Q4_0's`,
    [
      ...['type', 'decode, tokens/s', 'GB/s', 'share', 'x native'],
      ...['prefill, tokens/s', 'share', 'x native'],
    ],
    types.map((type) => {
      const p = of(name, type);
      return [
        ...[type, round(p.decode), round(p.gbs, 2), share(p, 'gbs'), native(p, 'decode')],
        ...[round(p.prefill), share(p, 'prefill'), native(p, 'prefill')],
      ];
    }),
  ];
}

/** The rates of all engines with one weight type. The chart reads this table. */
function ratesTable(peers, type, threads, plan) {
  const rows = peers.filter((p) => p.type === type && p.threads === threads);
  const times = (p, name, key) => {
    const peer = rows.find((other) => other.name.startsWith(name));
    return peer && peer !== p ? `${round(p[key] / peer[key], 2)}` : '';
  };
  return [
    `${type}, ${inThreads(threads)}: tokens a second (prompt of ${plan.prompt}, then ${plan.generate}), and times wllama's and native llama.cpp's`,
    [
      ...['engine', 'prefill', 'x wllama', 'x native', 'decode', 'x wllama', 'x native'],
      ...['load, ms', 'last byte to logits, ms'],
    ],
    rows.map((p) => [
      p.name,
      ...['prefill', 'decode'].flatMap((key) => [
        ...[round(p[key]), times(p, 'wllama', key), times(p, 'llama.cpp', key)],
      ]),
      ...[round(p.load_ms, 0), round(p.first_logits_ms, 0)],
    ]),
  ];
}

/** Where a token's time goes, and the start, of the engines that say so. */
function ownTables(peers) {
  const mine = peers.filter((p) => p.steps);
  if (mine.length === 0) return [];
  return [
    [
      'Where the time of one token goes, ms (after a prompt of 256; the rest is sampling and the way to the caller)',
      ['engine', ...mine[0].steps.map(({ step }) => step), 'rest', 'all'],
      mine.map((p) => {
        const known = p.steps.reduce((total, { ms }) => total + ms, 0);
        return [
          `${p.name}, ${p.type}, ${p.threads}`,
          ...p.steps.map(({ ms }) => round(ms, 2)),
          ...[round(p.token_ms - known, 2), round(p.token_ms, 2)],
        ];
      }),
    ],
    [
      'Start, Chromium',
      [
        ...['engine', 'type', 'threads', 'engine instantiated, ms'],
        ...['last byte to first logits of 32 tokens, ms', 'MB above 1.07 x file + KV'],
      ],
      mine
        .filter((p) => p.name.includes('Chromium'))
        .map((p) => [
          ...[p.name, p.type, p.threads, round(p.instantiated_ms, 0)],
          ...[round(p.first_logits_ms, 0), round(p.memory_above_mb)],
        ]),
    ],
  ];
}

/** All tables of a run with these engines and weight types. */
export function peerTables(peers, names, types, plan) {
  const byType = distinct(peers, 'threads').flatMap((threads) =>
    names.map((name) => typesTable(peers, name, threads, types)),
  );
  const rates = distinct(peers, 'threads').flatMap((threads) =>
    distinct(peers, 'type').map((type) => ratesTable(peers, type, threads, plan)),
  );
  return [...(types.length > 2 ? byType : []), ...rates, ...ownTables(peers)];
}
