// Which folder may include or import which, and what the top level holds: the tables, and the
// checks that hold the files to them.
// Tests may use anything; so may the tools (wasm/toolchain, demo/*.mjs, demo/model).
import { existsSync, readFileSync, readdirSync } from 'node:fs';
import { dirname, join, normalize } from 'node:path';

/**
 * C. A folder of src/ may include its own headers, the public header, and what is listed here. An
 * entry is a folder, or one file of a folder. Lists (*.def) that the public header includes are
 * public, too.
 */
const C_LAYERS = {
  base: [], // arena, status, sha256, thread pool
  quant: ['base'], // weight formats
  gguf: ['base', 'quant'], // the file format
  kernels: ['base', 'quant'], // matmul and vector kernels; they know nothing of the cache's pages
  tokenizer: ['base', 'gguf'],
  model: ['base', 'quant', 'gguf'], // hyperparameters, weights, the list of architectures
  cache: ['base', 'quant', 'kernels'], // keys and values, recurrent states, eviction
  layers: [
    'base',
    'quant',
    'kernels',
    'cache',
    'model/tensor.h',
    'model/hparams.h',
    'model/layer.h',
    'methods',
  ], // the forward pass
  sample: ['base'], // sampler stages
  grammar: ['base'], // grammars over bytes, and masks over a vocabulary that the caller gives
  // numeric cores: n-grams, token recycling, what methods compute from rows of attention
  methods: ['base'],
  // everything together
  session: [
    'base',
    'quant',
    'gguf',
    'kernels',
    'tokenizer',
    'model',
    'cache',
    'layers',
    'sample',
    'grammar',
    'methods',
  ],
};
// they include standard headers and lists only, and the first includes the second
const PUBLIC_HEADERS = ['src/tokenglass.h', 'src/tokenglass_inside.h'];

/** TypeScript of the package. A folder of web/ may import its own files and what is listed here. */
const WEB_LAYERS = {
  types: [], // public types, errors, generated unions
  grammar: ['types'], // JSON Schema to grammars
  platform: ['types'], // what browsers and Node do differently: files, workers, assets
  engine: ['types', 'platform'], // the wasm module
  transport: ['types', 'platform', 'engine'], // messages between a worker and its page
  template: [], // Jinja2: chat templates
  methods: ['types'], // decoding methods of papers, on the public Model and Session
  lenses: ['types'], // measurements of models and texts, on the public Model and Session
  // what users call
  api: ['types', 'grammar', 'platform', 'engine', 'transport', 'template', 'methods', 'lenses'],
  builds: ['types', 'platform', 'api'], // an entry for each build of the engine
  // the entries of package.json's exports
  '.': [
    'types',
    'platform',
    'engine',
    'transport',
    'template',
    'methods',
    'lenses',
    'api',
    'builds',
  ],
};

/** TypeScript of the page. It imports the package by its public name, as any user would. */
const DEMO_LAYERS = {
  'format.ts': [], // numbers and invisible characters as text
  papers: [], // the list of papers, without code of the page: npm run papers reads it, too
  ui: ['format.ts'], // buttons, dialogs, menus
  state: ['format.ts'], // what the page knows and does
  views: ['format.ts', 'ui', 'state'], // the panels
  // main.tsx, register-service-worker.ts, service-worker.ts
  '.': ['format.ts', 'ui', 'state', 'views'],
};

/**
 * npm packages, each with the places that may import it. The package itself holds none of them.
 */
const PACKAGES = {
  'node:': ['web/platform', 'web'],
  preact: ['demo'],
  '@preact/signals': ['demo'],
  'workbox-precaching': ['demo'],
  tokenglass: ['demo'],
};

/** How many loose files (not in a folder) there may be. */
const LOOSE = { src: 3, web: 10 };

/** What the top level holds, and below it what git ignores there. */
const TOP_LEVEL = [
  ...['src', 'wasm', 'web', 'demo', 'tests', '.ci'],
  ...['README.md', 'CONTRIBUTING.md', 'CHANGELOG.md', 'LICENSE', 'build.sh'],
  ...['package.json', 'package-lock.json', 'tsconfig.json', 'tsconfig.types.json', '.npmrc'],
  ...['.clang-format', '.editorconfig', '.gitignore', '.prettierignore', '.prettierrc'],
  ...['.git', 'node_modules', 'dist', 'build', '__pycache__'],
];

const C_INCLUDE = /^[ \t]*#[ \t]*include[ \t]+"([^"]+)"/gm;
const TS_IMPORT =
  /^[ \t]*(?:import|export|\})[^'"\n]*\bfrom ['"]([^'"\n]+)['"]|^import ['"]([^'"\n]+)['"]|\bimport\(\s*['"]([^'"\n]+)['"]/gm;

/**
 * What each file includes or imports: [{ file, line, target }]. target is relative to the root or,
 * for a package, its name.
 */
function references(root, files) {
  const all = [];
  for (const file of files) {
    const text = readFileSync(join(root, file), 'utf8');
    const pattern = /\.tsx?$/.test(file) ? TS_IMPORT : C_INCLUDE;
    for (const match of text.matchAll(pattern)) {
      const line = text.slice(0, match.index).split('\n').length;
      all.push({ file, line, target: resolve(root, file, match.slice(1).find(Boolean)) });
    }
  }
  return all;
}

function resolve(root, file, name) {
  if (/\.tsx?$/.test(file) && !name.startsWith('.')) return name;
  const path = normalize(join(dirname(file), name));
  if (existsSync(join(root, path))) return path;
  const sources = ['.ts', '.tsx'].map((ending) => path.replace(/\.js$/, ending));
  return sources.find((source) => existsSync(join(root, source))) ?? path;
}

/** The row of a table that a file belongs to: its first folder below `top`, itself, or '.'. */
function rowOf(table, top, file) {
  const path = file.slice(top.length + 1);
  if (table[path]) return path;
  return path.includes('/') ? path.slice(0, path.indexOf('/')) : '.';
}

const listed = (entries, path) =>
  entries.some((entry) => path === entry || path.startsWith(`${entry}/`));

/** Why an include of C is not allowed; undefined when it is. */
function whyNotInclude(publicLists, file, target) {
  if (file.startsWith('wasm/'))
    return /^(?:src|wasm)\//.test(target) ? undefined : 'is outside src/ and wasm/';
  if (!target.startsWith('src/')) return 'is outside src/';
  if (PUBLIC_HEADERS.includes(file))
    return target.endsWith('.def') || PUBLIC_HEADERS.indexOf(target) > PUBLIC_HEADERS.indexOf(file)
      ? undefined
      : 'is no list: the public header includes lists only';
  if (PUBLIC_HEADERS.includes(target) || publicLists.has(target)) return undefined;
  const from = rowOf(C_LAYERS, 'src', file);
  if (!C_LAYERS[from]) return `is included by ${from}, which has no row in the table`;
  const path = target.slice('src/'.length);
  return listed([from, ...C_LAYERS[from]], path) ? undefined : `is not below src/${from}`;
}

/** Why an import of TypeScript is not allowed; undefined when it is. */
function whyNotImport(file, target) {
  const [top] = file.split('/');
  const table = top === 'web' ? WEB_LAYERS : DEMO_LAYERS;
  if (!/^(web|demo|wasm|src|tests|dist)\//.test(target)) {
    const name = Object.keys(PACKAGES).find(
      (entry) =>
        target === entry ||
        target.startsWith(`${entry}/`) ||
        (/[:-]$/.test(entry) && target.startsWith(entry)),
    );
    return name && listed(PACKAGES[name], dirname(file))
      ? undefined
      : `may not be imported in ${dirname(file)}`;
  }
  if (!target.startsWith(`${top}/`)) return `is outside ${top}/`;
  const from = rowOf(table, top, file);
  if (!table[from]) return `is imported by ${from}, which has no row in the table`;
  const to = rowOf(table, top, target);
  return to === from || table[from].includes(to) ? undefined : `is not below ${top}/${from}`;
}

/** Each circle once, as "a -> b -> a". */
function circles(edges) {
  const next = new Map();
  for (const { file, target } of edges) {
    if (file === target) continue;
    if (!next.has(file)) next.set(file, []);
    next.get(file).push(target);
  }
  const result = [];
  const done = new Set();
  const path = [];
  const visit = (file) => {
    const start = path.indexOf(file);
    if (start >= 0) result.push([...path.slice(start), file].join(' -> '));
    if (start >= 0 || done.has(file)) return;
    path.push(file);
    for (const target of next.get(file) ?? []) visit(target);
    path.pop();
    done.add(file);
  };
  for (const file of next.keys()) visit(file);
  return result;
}

/** The checks of this file: name -> findings, a line each. `files` are relative to the root. */
export function layerChecks(root, files) {
  const c = files.filter((file) => /^(src|wasm)\/.*\.(c|h|inc|def)$/.test(file));
  const ts = files.filter((file) => /^(web|demo)\/.*\.tsx?$/.test(file));
  const includes = references(root, c);
  const imports = references(root, ts);
  const publicLists = new Set(
    includes.filter(({ file }) => PUBLIC_HEADERS.includes(file)).map(({ target }) => target),
  );
  const breaches = (edges, why) =>
    edges.flatMap(({ file, line, target }) => {
      const reason = why(file, target);
      return reason ? [`${file}:${line}: ${target} ${reason}`] : [];
    });
  return {
    'includes go one way': () =>
      breaches(includes, (file, target) => whyNotInclude(publicLists, file, target)),
    'imports go one way': () => breaches(imports, whyNotImport),
    'no circles of includes or imports': () => [...circles(includes), ...circles(imports)],
    'nothing else at the top level': () =>
      readdirSync(root)
        .filter((name) => !TOP_LEVEL.includes(name) && !name.endsWith('.tgz'))
        .map((name) => `${name}: move it into a folder, or add it to TOP_LEVEL`),
    'few loose files': () =>
      Object.entries(LOOSE).flatMap(([folder, most]) => {
        const loose = files.filter((file) => dirname(file) === folder);
        return loose.length > most
          ? [`${folder}/: ${loose.length} loose files, at most ${most}: ${loose.join(' ')}`]
          : [];
      }),
  };
}
