// What the chart shows: the tables of peers that --write has written into tests/measurements.md.

const SHOWN = [
  [/^tokenglass relaxed, Chromium$/, 'tokenglass (browser)'],
  [/^llama\.cpp, native$/, 'llama.cpp (native)'],
  [/^(wllama \S+), Chromium$/, '$1 (browser)'],
];
const SECTION = (shape) =>
  new RegExp(
    `<!-- begin: (bench: peers \\(${shape}(?:, (\\w+))?\\)) -->\n\n\`[^\`]*\` on (\\S+): (.*?), Node \\S+\\n\n(.*?)<!-- end: \\1 -->`,
    'gs',
  );
const TABLE =
  /^(\w+), (\d+) threads?: tokens a second.*\n\n(\|.*\|)\n\|[-:|]+\|\n((?:\|.*\|\n)+)/gm;

const cellsOf = (line) =>
  line
    .split('|')
    .slice(1, -1)
    .map((cell) => cell.trim());

/** The bars of one table: a row of the table is an engine. */
function* bars([, type, threads, head, body]) {
  const names = cellsOf(head);
  for (const line of body.trim().split('\n')) {
    const cells = cellsOf(line);
    const engine = cells[names.indexOf('engine')];
    const shown = SHOWN.find(([name]) => name.test(engine));
    if (!shown) continue;
    for (const what of ['prefill', 'decode']) {
      const rate = Number(cells[names.indexOf(what)]);
      yield { engine: engine.replace(...shown), type, threads: Number(threads), what, rate };
    }
  }
}

/**
 * The sections of a shape: { class, date, processor, bars }, those of a class if there are any, or
 * else that of a processor as it is. Throws if there is none with tables of rates.
 */
export function peerSections(markdown, shape) {
  const all = [...markdown.matchAll(SECTION(shape))]
    .map(([, , name, date, processor, text]) => ({
      ...{ class: name, date, processor },
      bars: [...text.matchAll(TABLE)].flatMap((table) => [...bars(table)]),
    }))
    .filter((section) => section.bars.length > 0);
  const ofClass = all.filter((section) => section.class);
  const sections = ofClass.length > 0 ? ofClass : all;
  if (sections.length === 0)
    throw new Error(
      `tests/measurements.md has no rates of peers (${shape}): npm run bench -- --only peers --write writes them`,
    );
  return sections;
}
