// npm run bench: measures tokenglass and its peers, each kernel against the machine's limits, and
// the time of each step of a token. Prints tables and writes build/bench/result.json. USAGE lists
// the options.
import { spawn } from 'node:child_process';
import { mkdirSync, statSync, writeFileSync } from 'node:fs';
import { cpus } from 'node:os';
import { fileURLToPath } from 'node:url';
import { parseArgs } from 'node:util';
import {
  attention,
  chat,
  engines,
  grammars,
  kernels,
  newer,
  ours,
  oursInNewNode,
  sampling,
  setUp,
  speculate,
  tearDown,
  tokenizers,
} from './engines.mjs';
import { attentionTable } from './attention-table.mjs';
import { peerSections } from './chart-data.mjs';
import { median, peerTables, round } from './peer-tables.mjs';
import { kernelTables, limitsOf, merged } from './kernel-tables.mjs';
import { CLASSES, processorAs } from './processor.mjs';
import { installPackages } from '../../wasm/toolchain/setup.mjs';
import { commandLine, measurements, writeSection } from '../support/measurements.mjs';
import { TYPES } from '../support/types.mjs';
import { SHAPES, modelFile } from './model.mjs';

const USAGE = `npm run bench -- [options]
  --only WHAT       some of limits, kernels, sampling, tokenizers, grammars, peers, growth, f16, busy, many, speculate, attention, separated by commas (default: all)
  --class NAME      measure as a class of x86-64: vnni (AVX-VNNI) or avx2 (V8 and native llama.cpp
                    without what is newer than AVX2; any processor with AVX2); sections that
                    --write writes have the class in their name (default: the processor as it is)
  --types TYPES     of weights, for peers (default Q8_0,Q4_0)
  --threads LIST    for peers (default 1,2)
  --engines TEXTS   only engines whose name contains one of them, separated by semicolons
  --rounds N        each engine is started and measured so often, in turns (default 3)
  --kernels TEXT    only kernels whose "KIND TYPE VARIANT" contains it: "matmul q8_0"
  --shape NAME      ${Object.keys(SHAPES).join(', ')} (default 135m; types of blocks of 256 need 115m)
  --chart           measures nothing: draws demo/bench.svg from the peers of tests/measurements.md,
                    of both classes where both are there
  --write           writes the tables into tests/measurements.md
  --help`;

const { values } = parseArgs({
  options: {
    only: {
      type: 'string',
      default:
        'limits,kernels,sampling,tokenizers,grammars,peers,growth,f16,busy,many,speculate,attention',
    },
    class: { type: 'string' },
    types: { type: 'string', default: 'Q8_0,Q4_0' },
    threads: { type: 'string', default: '1,2' },
    engines: { type: 'string', default: '' },
    rounds: { type: 'string', default: '3' },
    kernels: { type: 'string', default: '' },
    shape: { type: 'string', default: '135m' },
    chart: { type: 'boolean', default: false },
    write: { type: 'boolean', default: false },
    help: { type: 'boolean', default: false },
  },
});
if (values.help) {
  console.log(USAGE);
  process.exit(0);
}

const PARTS = {
  limits,
  kernels: allKernels,
  sampling: choices,
  tokenizers: tokenizing,
  grammars: masks,
  peers,
  growth,
  f16,
  busy,
  many,
  speculate: speculation,
  attention: attentionMethods,
};

/** The items of an option's list. Each must be known. */
function listed(name, known) {
  const items = values[name].split(',');
  for (const item of items) {
    if (known.includes(item)) continue;
    console.error(`--${name} ${values[name]}: there is no "${item}", only ${known.join(', ')}`);
    process.exit(2);
  }
  return items;
}

const only = listed('only', Object.keys(PARTS));
const types = listed('types', Object.keys(TYPES));
const threadCounts = listed('threads', ['1', '2', '3', '4', '6', '8', '12', '16']).map(Number);
const rounds = Number(listed('rounds', ['1', '2', '3', '5', '7', '9'])[0]);
listed('shape', Object.keys(SHAPES));
const wantedEngines = engines.filter(({ name }) =>
  values.engines.split(';').some((text) => name.includes(text)),
);
if (wantedEngines.length === 0) {
  console.error(
    `--engines ${values.engines}: there are only ${engines.map(({ name }) => name).join('; ')}`,
  );
  process.exit(2);
}
if (values.class !== undefined) listed('class', CLASSES);
const processor = orExit(() => processorAs(values.class, newer));
const PLAN = { prompt: 256, generate: 64, repeats: 2 };
const result = {
  machine: `${cpus()[0].model}, ${cpus().length} cores`,
  class: values.class,
  processor: processor.text,
  date: new Date().toISOString(),
  shape: values.shape,
  ...PLAN,
  rounds,
};

/** The result of a function. The program ends with the message of what the function refuses. */
function orExit(work) {
  try {
    return work();
  } catch (error) {
    console.error(error.message);
    process.exit(2);
  }
}

let tables = ''; // the tables of the part that runs

/** Prints a table. used: what of the processor its engines used. */
function table(title, columns, rows, used = processor.usedBy(newer)) {
  const row = (cells) => `| ${cells.join(' | ')} |\n`;
  const line = `|${columns.map((_, i) => (i ? '---:' : '---')).join('|')}|\n`;
  const text = `\n${title}; ${used}\n\n${row(columns)}${line}${rows.map(row).join('')}`;
  tables += text;
  process.stdout.write(text);
}

async function limits() {
  const one = [...(await kernels('simd128', 'limits')), ...(await kernels('relaxed', 'limits'))];
  const two = await Promise.all([kernels('simd128', 'memory'), kernels('simd128', 'memory')]);
  const unitOf = new Map(one.map(({ shape, unit }) => [shape, unit]));
  const sum = two.reduce((total, [{ rate }]) => total + rate, 0);
  result.limits = [
    ...[...limitsOf(one)].map(([what, rate]) => ({ what, rate, unit: unitOf.get(what) })),
    { what: 'memory read, two threads together', rate: sum, unit: 'GB/s' },
  ];
  table(
    'What wasm can do on this machine (one thread, newer Node)',
    ['limit', 'rate'],
    result.limits.map((x) => [x.what, `${round(x.rate)} ${x.unit}`]),
  );
}

/** The kernels of the relaxed build, and those of simd128 that only the other build has. */
async function allKernels() {
  const first = await kernels('relaxed', 'limits');
  const relaxed = await kernels('relaxed', values.kernels || ' ');
  const simd128 = await kernels('simd128', values.kernels || 'simd128');
  // again: other load on the machine may have lowered the limits before
  const best = limitsOf([...first, ...(await kernels('relaxed', 'limits'))]);
  result.kernels = merged({
    relaxed,
    simd128: simd128.filter(({ variant }) => variant === 'simd128'),
  });
  if (result.kernels.length === 0) throw new Error(`--kernels ${values.kernels}: there is none`);
  for (const kernelTable of kernelTables(result.kernels, best)) table(...kernelTable);
}

/**
 * Measures how long the engine takes to sample a token, compared with the forward pass before it.
 */
async function choices() {
  const variants = ['relaxed', 'simd128'];
  const rows = [];
  for (const variant of variants)
    rows.push(...(await sampling(variant)).map((row) => ({ variant, ...row })));
  const { token_ms } = await ours.run(modelFile(values.shape, 'Q8_0'), 1, PLAN);
  result.sampling = { choices: rows, token_ms };
  table(
    `Sampling with its trace, ms a choice (one thread, newer Node); a token of ${values.shape}, Q8_0, takes ${round(token_ms, 2)} ms in Chromium`,
    ['vocabulary', 'chain', ...variants],
    rows
      .filter(({ variant }) => variant === variants[0])
      .map(({ vocab, chain }) => [
        vocab,
        chain,
        ...variants.map((v) =>
          round(rows.find((x) => x.variant === v && x.vocab === vocab && x.chain === chain).ms, 2),
        ),
      ]),
  );
}

async function tokenizing() {
  result.tokenizers = await tokenizers();
  table(
    'Tokenizers (simd128 build, this Node): 1 MB of each but the first; memory beyond what the engine had, ids among it',
    ['vocabulary', 'text', 'MB/s', 'bytes a byte', 'tokens'],
    result.tokenizers.map((t) => [
      t.vocabulary,
      t.text,
      round(t.mb_s, 2),
      round(t.bytes_a_byte),
      t.tokens,
    ]),
    processor.usedBy(process.execPath),
  );
}

async function masks() {
  result.grammars = await grammars();
  table(
    'Grammars (this Node): milliseconds to compile; of a mask along a text, the median and the longest; the median when the text comes again',
    ['vocabulary', 'grammar', 'compile', 'mask', 'longest', 'again'],
    result.grammars.map((g) => [
      g.n_vocab,
      g.grammar,
      round(g.compile, 1),
      round(g.first, 2),
      round(g.longest, 2),
      round(g.again, 3),
    ]),
    processor.usedBy(process.execPath),
  );
}

/**
 * Measures every type and engine in rounds, so that other load on the machine affects all of them
 * equally.
 */
async function peers() {
  const cases = types.flatMap((type) =>
    threadCounts.flatMap((threads) =>
      wantedEngines.map((engine) => ({ type, threads, engine, results: [] })),
    ),
  );
  for (let i = 0; i < rounds; i++) {
    for (const { type, threads, engine, results } of cases) {
      process.stderr.write(
        `round ${i + 1} of ${rounds}: ${type}, ${threads} threads, ${engine.name}\n`,
      );
      const measured = await engine.run(modelFile(values.shape, type), threads, PLAN);
      if (measured.n_threads !== threads) {
        throw new Error(
          `${engine.name} ran on ${measured.n_threads} threads: ${measured.threads_note ?? 'it does not say why'}`,
        );
      }
      results.push(measured);
    }
  }
  result.peers = cases.map(({ type, threads, engine, results }) => {
    const of = (key) => median(results.flatMap(({ runs }) => runs.map((r) => r[key])));
    const middle = (key) =>
      results[0][key] === undefined ? undefined : median(results.map((r) => r[key]));
    return {
      name: engine.name,
      type,
      threads,
      used_threads: results[0].n_threads,
      native: results[0].native,
      prefill: of('prefill'),
      decode: of('decode'),
      gbs: (of('decode') * statSync(modelFile(values.shape, type)).size) / 1e9,
      instantiated_ms: middle('instantiated_ms'),
      load_ms: middle('load_ms'),
      first_logits_ms: middle('first_logits_ms'),
      memory_above_mb: middle('memory_above_mb'),
      token_ms: middle('token_ms'),
      steps: results.at(-1).steps,
    };
  });
  const names = wantedEngines.map(({ name }) => name);
  const native = result.peers.find((p) => p.native)?.native;
  const used = processor.usedBy(newer) + (native ? `, llama.cpp's library for ${native}` : '');
  for (const peerTable of peerTables(result.peers, names, types, PLAN)) table(...peerTable, used);
}

const CACHES = ['f32', 'f16', 'q8_0'];

async function growth() {
  const plan = { contexts: [50, 2000], prompts: [256, 1000] };
  result.growth = [];
  for (const type of types) {
    for (const cache of [undefined, ...CACHES]) {
      const more = {
        n_ctx: 2304,
        n_kv: 6144,
        ...(cache && { cache_type_k: cache, cache_type_v: cache }),
      };
      process.stderr.write(`growth: ${type}, cache ${cache ?? 'default'}\n`);
      const measured = await ours.run(modelFile(values.shape, type), 1, plan, more);
      result.growth.push({
        type,
        cache: cache ?? `default (${measured.cache})`,
        ms_per_token: measured.ms_per_token,
        prefill: measured.prefill,
      });
    }
  }
  table(
    'Cost of a long context (tokenglass relaxed, Chromium, one thread)',
    [
      'type',
      'cache',
      'ms a token at 50',
      'at 2,000',
      'ratio',
      'prefill of 256, tokens/s',
      'of 1,000',
      'ratio',
    ],
    result.growth.map((g) => [
      g.type,
      g.cache,
      round(g.ms_per_token[50], 2),
      round(g.ms_per_token[2000], 2),
      round(g.ms_per_token[2000] / g.ms_per_token[50], 2),
      round(g.prefill[256]),
      round(g.prefill[1000]),
      round(g.prefill[1000] / g.prefill[256], 2),
    ]),
  );
}

async function f16() {
  const model = modelFile(values.shape, 'F16');
  const memory =
    result.limits?.find((x) => x.what === 'memory read')?.rate ??
    (await kernels('simd128', 'memory'))[0].rate;
  const runs = [];
  for (let i = 0; i < rounds; i++) runs.push(...(await ours.run(model, 1, PLAN)).runs);
  const decode = median(runs.map((r) => r.decode));
  const { n_embd, n_layer, n_head, n_head_kv, n_ff, n_vocab } = SHAPES[values.shape];
  const weights =
    n_vocab * n_embd +
    n_layer * (2 * n_embd ** 2 + (2 * n_embd ** 2 * n_head_kv) / n_head + 3 * n_embd * n_ff);
  result.f16 = {
    prefill: median(runs.map((r) => r.prefill)),
    decode,
    gbs: (decode * weights * 2) / 1e9,
    memory,
  };
  table(
    'F16 (tokenglass relaxed, Chromium, one thread)',
    ['prefill', 'decode', 'weights read', 'of the memory limit'],
    [
      [
        round(result.f16.prefill),
        round(decode),
        `${round(result.f16.gbs, 2)} GB/s`,
        round(result.f16.gbs / memory, 2),
      ],
    ],
  );
}

/** Decoding speed with one thread and with two while both cores have other work. */
async function busy() {
  const others = Array.from({ length: cpus().length }, () =>
    spawn(process.execPath, ['-e', 'for (;;);'], { stdio: 'ignore' }),
  );
  const rates = { 1: [], 2: [] };
  try {
    for (let i = 0; i < rounds; i++) {
      for (const threads of [1, 2])
        rates[threads].push(
          ...(await ours.run(modelFile(values.shape, 'Q8_0'), threads, PLAN)).runs.map(
            (r) => r.decode,
          ),
        );
    }
  } finally {
    for (const other of others) other.kill('SIGKILL');
  }
  result.busy = { one: median(rates[1]), two: median(rates[2]), all: rates };
  table(
    'Decode of Q8_0 while every core is busy with something else, tokens/s (Chromium)',
    ['1 thread', '2 threads', 'ratio'],
    [[round(result.busy.one), round(result.busy.two), round(result.busy.two / result.busy.one, 2)]],
  );
}

/** One session, and eight at once, which the engine runs in one batch. */
async function many() {
  const plan = { sessions: 8, prompt: 32, generate: 24, rounds };
  result.many = [];
  for (const type of types) {
    for (const engine of [ours, oursInNewNode]) {
      process.stderr.write(`many: ${type}, ${engine.name}\n`);
      const measured = (await engine.run(modelFile(values.shape, type), 1, plan)).many;
      const [one, all, batches] = ['one', 'many', 'batches'].map((key) => median(measured[key]));
      const ratio = median(measured.many.map((rate, i) => rate / measured.one[i]));
      const share = median(measured.many.map((rate, i) => rate / measured.batches[i]));
      result.many.push({ engine: engine.name, type, one, all, batches, ratio, share, measured });
    }
  }
  table(
    `Sessions at once (one thread): tokens/s, medians of ${rounds} rounds; a text in batches of 8, with one choice after each batch`,
    [
      'engine',
      'type',
      '1 session',
      '8 sessions',
      'ratio',
      'a text in batches of 8',
      'share of it that 8 sessions reach',
    ],
    result.many.map((m) => [
      m.engine,
      m.type,
      round(m.one),
      round(m.all),
      round(m.ratio, 2),
      round(m.batches),
      round(m.share, 2),
    ]),
  );
  result.chat = await chat(values.shape);
  table(
    'A conversation (Q4_0, one thread, Node): the time to the first token of each turn, with and without what the turns before have run',
    Object.keys(result.chat[0]),
    result.chat.map(Object.values),
    processor.usedBy(process.execPath),
  );
}

/** What speculation brings on texts that repeat themselves, and what it costs on others. */
async function speculation() {
  result.speculate = await speculate(rounds, values.shape);
  table(
    `Speculation (relaxed, one thread, newer Node), medians of ${rounds} rounds; accepted: tokens of drafts that the text has; a run: tokens that one pass through the model gives`,
    ['text', 'method', 'tokens/s', 'x none', 'tokens a run', 'proposed', 'accepted'],
    result.speculate.map((s) => [
      s.text,
      s.method,
      round((s.n * 1000) / s.ms),
      round(s.speedup, 2),
      round(s.n / (s.n - s.accepted), 2),
      s.proposed,
      s.accepted,
    ]),
  );
}

async function attentionMethods() {
  result.attention = {};
  for (const what of ['quality', 'time']) {
    result.attention[what] = await attention(what, values.shape, rounds);
    table(...attentionTable(what, result.attention[what], rounds));
  }
}

/** Draws the chart from what has been measured. */
async function chart() {
  const sections = orExit(() => peerSections(measurements(), '135m'));
  installPackages(fileURLToPath(new URL('.', import.meta.url)));
  const { draw } = await import('./chart.mjs');
  await draw(sections, fileURLToPath(new URL('../../demo/bench.svg', import.meta.url)));
}

/** The section's name: the part, the shape if it matters, and the class. */
function sectionName(part, name = values.class) {
  const shape = ['limits', 'kernels', 'tokenizers'].includes(part) ? undefined : values.shape;
  const details = [shape, name].filter(Boolean).join(', ');
  return `bench: ${part}${details && ` (${details})`}`;
}

if (values.chart) {
  await chart();
  process.exit(0);
}

const build = spawn('./build.sh', ['dist', 'bench'], {
  cwd: fileURLToPath(new URL('../../', import.meta.url)),
  stdio: ['ignore', 2, 2],
});
if ((await new Promise((resolve) => build.on('close', resolve))) !== 0) process.exit(1);
await setUp(only.includes('peers') ? wantedEngines : [], processor);
console.log(
  `${result.machine}: ${processor.text}; ${result.date.slice(0, 10)}; shape ${values.shape}, ${rounds} rounds`,
);
try {
  for (const [name, part] of Object.entries(PARTS)) {
    if (!only.includes(name)) continue;
    tables = '';
    await part();
    if (!values.write) continue;
    const beside = ['', ...CLASSES].map((other) => sectionName(name, other));
    const { text } = processor;
    writeSection(sectionName(name), commandLine('bench'), tables, { processor: text, beside });
  }
  const folder = new URL('../../build/bench/', import.meta.url);
  mkdirSync(folder, { recursive: true });
  const name = `result${values.class ? `-${values.class}` : ''}.json`;
  writeFileSync(new URL(name, folder), `${JSON.stringify(result, null, 2)}\n`);
  console.log(`\nAll figures: build/bench/${name}`);
} finally {
  await tearDown();
}
