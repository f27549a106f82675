// Draws the benchmark's chart: takes the benchmark's result and writes an SVG file with a bar for
// each engine, in panels by weight type and by prefill or decode.
import { writeFileSync } from 'node:fs';
import { View, parse } from 'vega';
import { compile } from 'vega-lite';

const SHOWN = {
  'tokenglass relaxed, Chromium': 'tokenglass (browser)',
  'llama.cpp, native': 'llama.cpp (native)',
  'wllama 3.8.1, Chromium': 'wllama (browser)',
};

export async function draw({ peers, machine, date }, path) {
  const values = peers
    .filter(({ name }) => SHOWN[name])
    .flatMap(({ name, type, threads, prefill, decode }) =>
      Object.entries({ prefill, decode }).map(([what, rate]) => ({
        ...{
          engine: SHOWN[name],
          rate: Math.round(rate),
          label: rate < 100 ? rate.toFixed(1) : rate.toFixed(0),
        },
        ...{ panel: `${type} ${what}`, threads: `${threads} thread${threads > 1 ? 's' : ''}` },
      })),
    );
  const order = Object.values(SHOWN);
  const bar = {
    width: 150,
    height: 66,
    layer: [
      { mark: { type: 'bar', cornerRadiusEnd: 2 } },
      {
        mark: { type: 'text', align: 'left', dx: 3, fontSize: 10 },
        encoding: { text: { field: 'label' }, color: { value: '#333' } },
      },
    ],
    encoding: {
      y: { field: 'engine', sort: order, axis: { title: null, ticks: false, domain: false } },
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
        scale: { domain: order, range: ['#0b7a75', '#8d99ae', '#d9a441'] },
      },
    },
  };
  const spec = {
    $schema: 'https://vega.github.io/schema/vega-lite/v6.json',
    title: {
      text: 'Tokens a second, 135M shape: prompt of 256 (prefill), then 64 (decode)',
      subtitle: `${machine}, ${date.slice(0, 10)}`,
      anchor: 'start',
    },
    background: 'white',
    padding: 12,
    data: { values },
    facet: {
      row: { field: 'threads', title: null },
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
