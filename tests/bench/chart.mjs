// Draws the benchmark's chart: takes the sections of peers from tests/measurements.md and writes an
// SVG file with a bar for each engine, in panels by class of processors, threads, weight type, and
// prefill or decode.
import { writeFileSync } from 'node:fs';
import { View, parse } from 'vega';
import { compile } from 'vega-lite';

const CLASS_NAMES = { vnni: 'VNNI', avx2: 'AVX2' };
const COLORS = [
  [/^tokenglass/, '#0b7a75'],
  [/^llama\.cpp/, '#8d99ae'],
  [/^wllama/, '#d9a441'],
];

/** sections: from peerSections. */
export async function draw(sections, path) {
  const values = sections.flatMap((section) =>
    section.bars.map(({ engine, type, threads, what, rate }) => ({
      ...{ engine, rate, label: rate < 100 ? rate.toFixed(1) : rate.toFixed(0) },
      panel: `${type} ${what}`,
      row: [CLASS_NAMES[section.class], `${threads} thread${threads > 1 ? 's' : ''}`]
        .filter(Boolean)
        .join(', '),
    })),
  );
  const rows = [...new Set(values.map(({ row }) => row))];
  const order = COLORS.flatMap(([name]) =>
    [...new Set(values.map(({ engine }) => engine))].filter((engine) => name.test(engine)),
  );
  const colorOf = (engine) => COLORS.find(([name]) => name.test(engine))[1];
  const bar = {
    width: 150,
    height: 22 * order.length,
    layer: [
      { mark: { type: 'bar', cornerRadiusEnd: 2 } },
      {
        mark: { type: 'text', align: 'left', dx: 3, fontSize: 10 },
        encoding: { text: { field: 'label' }, color: { value: '#333' } },
      },
    ],
    encoding: {
      y: {
        field: 'engine',
        sort: order,
        axis: { title: null, ticks: false, domain: false, labelLimit: 200 },
      },
      x: {
        field: 'rate',
        type: 'quantitative',
        axis: { title: null, grid: false, tickCount: 3 },
        scale: { padding: 24, domainMin: 0 },
      },
      color: {
        field: 'engine',
        sort: order,
        legend: null,
        scale: { domain: order, range: order.map(colorOf) },
      },
    },
  };
  const spec = {
    $schema: 'https://vega.github.io/schema/vega-lite/v6.json',
    title: {
      text: 'Tokens a second, 135M shape: prompt of 256 (prefill), then 64 (decode)',
      subtitle: sections.map(({ class: name, processor, date }) =>
        [CLASS_NAMES[name], `${processor}, ${date}`].filter(Boolean).join(': '),
      ),
      anchor: 'start',
    },
    background: 'white',
    padding: 12,
    data: { values },
    facet: {
      row: { field: 'row', title: null, sort: rows },
      column: {
        field: 'panel',
        title: null,
        sort: ['Q8_0 prefill', 'Q8_0 decode', 'Q4_0 prefill', 'Q4_0 decode'],
      },
    },
    resolve: { scale: { x: 'independent' } },
    spec: bar,
    config: { font: 'system-ui, sans-serif', view: { stroke: null } },
  };
  const view = new View(parse(compile(spec).spec), { renderer: 'none' });
  writeFileSync(path, await view.toSVG());
  console.log(`chart: ${path}`);
}
