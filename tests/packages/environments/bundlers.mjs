// Bundlers for browsers. An app whose bundler copies no files has them copied by the command
// `npx tokenglass --copy-files`, into the folder of the bundle.
const COPIED = '`npx tokenglass --copy-files dist`';

const both = { entry: '`tokenglass`, `tokenglass/storybook`', run: 'browser' };

const vite = (major, version) => [
  {
    ...both,
    name: `vite${major}`,
    app: 'vite',
    title: 'Vite {vite}, build',
    versions: { vite: version },
    commands: ['vite build'],
    serve: { folder: 'dist' },
  },
  {
    ...both,
    name: `vite${major}-dev`,
    folder: `vite${major}`,
    app: 'vite',
    title: 'Vite {vite}, dev',
    versions: { vite: version },
    serve: { command: 'vite --port $PORT --strictPort' },
    browsers: ['chromium'],
  },
];

const esbuild = (format, page, options = '') => ({
  ...both,
  name: `esbuild-${format}`,
  app: 'esbuild',
  title: `esbuild {esbuild}, ${format}`,
  inTest: format === 'esm',
  commands: [
    `esbuild main.js --bundle --format=${format} --outdir=dist ${options}`,
    `cp ${page} dist/index.html`,
    'tokenglass --copy-files dist',
  ],
  serve: { folder: 'dist' },
  setting: COPIED,
});

export const rows = [
  {
    ...both,
    name: 'webpack5',
    app: 'webpack',
    title: 'webpack {webpack}',
    commands: ['webpack ./main.js --mode production', 'cp index.html dist'],
    serve: { folder: 'dist' },
  },
  ...vite(5, '5.4.21'),
  ...vite(6, '6.4.6'),
  ...vite(7, '7.3.8'),
  ...vite(8, '8.3.8'),
  {
    ...both,
    name: 'rollup',
    app: 'rollup',
    title: 'Rollup {rollup} with @rollup/plugin-node-resolve {@rollup/plugin-node-resolve}',
    commands: ['npm run build', 'cp index.html dist'],
    serve: { folder: 'dist' },
    setting: COPIED,
  },
  esbuild('esm', 'index.html', '--splitting'),
  esbuild('iife', 'iife.html'),
  {
    ...both,
    name: 'parcel2',
    app: 'parcel',
    title: 'Parcel {parcel}',
    commands: ['parcel build index.html --no-cache'],
    serve: { folder: 'dist' },
    setting: '`"@parcel/resolver-default": { "packageExports": true }` in package.json',
  },
  {
    ...both,
    name: 'next16',
    app: 'next',
    title: 'Next.js {next}, client component',
    commands: ['next build'],
    serve: { command: 'next start --port $PORT' },
  },
  {
    ...both,
    name: 'next16-route',
    folder: 'next16',
    app: 'next',
    title: 'Next.js {next}, route handler',
    commands: ['next build'],
    serve: { command: 'next start --port $PORT' },
    run: 'fetch',
    path: '/api',
  },
  {
    ...both,
    name: 'astro',
    app: 'astro',
    title: 'Astro {astro}, build',
    commands: ['astro build'],
    serve: { folder: 'dist' },
  },
  {
    ...both,
    name: 'astro-dev',
    folder: 'astro',
    app: 'astro',
    title: 'Astro {astro}, dev',
    serve: { command: 'astro dev --port $PORT' },
    browsers: ['chromium'],
  },
  {
    ...both,
    name: 'bun-build',
    app: 'bun',
    title: '`bun build` of Bun {bun}',
    commands: ['npm run build'],
    serve: { folder: 'dist' },
    setting: COPIED,
  },
];
