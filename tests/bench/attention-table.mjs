// The tables of the methods on attention: title, columns and rows.
const fixed = (x, digits) => (x === undefined ? '' : x.toFixed(digits));
const percent = (share) => (share === undefined ? '' : `${fixed(100 * share, 1)} %`);

/** What a row says besides the share that was read. */
const notes = ({ overlap, low_bits, passes }) =>
  [
    ...(overlap === undefined ? [] : [`overlap ${percent(overlap)}`]),
    ...(low_bits === undefined ? [] : [`low bits in ${percent(low_bits)} of the rows`]),
    ...(passes === undefined ? [] : [`the prompt ran ${fixed(passes, 1)} times`]),
  ].join(', ');

export const attentionTable = (what, rows, rounds) =>
  what === 'quality'
    ? [
        'Methods on attention, quality: nats a token in the second half of windows of a held-out story, the built-in model at its longest context; kept: keys that the steps read (act: rows that changed)',
        ['method', 'setting', 'kept', 'nats a token', 'increase', 'besides'],
        rows.map((row) => [
          ...[row.method, row.setting, percent(row.kept)],
          ...[fixed(row.nll, 3), fixed(row.increase, 3), notes(row)],
        ]),
      ]
    : [
        `Methods on attention, time: a token after a prompt, random weights (Q4_0, one thread, newer Node), medians of ${rounds} rounds`,
        ['method', 'setting', 'prompt', 'kept', 'ms a token', 'x none', 'besides'],
        rows.map((row) => [
          ...[row.method, row.setting, row.n, percent(row.kept)],
          ...[fixed(row.ms, 1), fixed(row.speedup, 2), notes(row)],
        ]),
      ];
