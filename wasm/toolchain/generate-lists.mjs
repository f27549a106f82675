// In: the lists of src/ (*.def). Out: web/types/generated.ts, the same lists as TypeScript unions and tables, in the lists' order.
import { readFileSync, writeFileSync } from 'node:fs';

const root = new URL('../../', import.meta.url);

/** The arguments of each row MACRO(...) of a list, strings without their quotes; comments and directives are left out. */
function rows(file, macro) {
  const text = readFileSync(new URL(`src/${file}`, root), 'utf8')
    .replace(/\/\*[\s\S]*?\*\//g, '')
    .replace(/^#.*$/gm, '');
  const found = [
    ...text.matchAll(new RegExp(`^${macro}\\(((?:"(?:[^"\\\\]|\\\\.)*"|[^()"])*)\\)`, 'gm')),
  ];
  if (found.length === 0) throw new Error(`src/${file} has no ${macro} row`);
  return found.map(([, args]) =>
    args
      .match(/"(?:[^"\\]|\\.)*"|[^,"\s][^,"]*/g)
      .map((word) => (word.startsWith('"') ? JSON.parse(word) : word.trim())),
  );
}

function unique(values) {
  return [...new Set(values)];
}

function union(name, comment, values) {
  return `/** ${comment} */\nexport type ${name} = ${unique(values)
    .map((value) => `'${value}'`)
    .join(' | ')};\n`;
}

function table(name, comment, type, entries) {
  return `/** ${comment} */\nexport const ${name}: readonly ${type}[] = [\n${entries.map((entry) => `  ${JSON.stringify(entry)},\n`).join('')}];\n`;
}

const codes = rows('base/status.def', 'TG_STATUS')
  .map(([name, number, meaning]) => ({ name, number: Number(number), meaning }))
  .filter(({ number }) => number !== 0); // OK is no error
const quants = rows('quant/quant.def', '(?:TG_QUANT|TG_PACKED)').map(([name, , ggml]) => ({
  name,
  ggml: Number(ggml),
}));
const options = rows('sample/stages.def', 'TG_OPTION');
const lists = rows('sample/stages.def', 'TG_LIST');
const stages = rows('sample/stages.def', 'TG_STAGE').map(([stage, chain]) => ({
  name: stage,
  chain,
  options: options
    .filter(([owner]) => owner === stage)
    .map(([, name, initial, min, max, kind]) => ({
      name,
      default: Number(initial),
      min: Number(min),
      max: Number(max),
      whole: kind === 'WHOLE',
    })),
  lists: lists.filter(([owner]) => owner === stage).map(([, name]) => name),
}));
const caches = rows('cache/kv_types.def', 'TG_CACHE').map(([, suffix]) => suffix);
const architectures = rows('model/arch.def', 'TG_ARCH').map(([name]) => name);
/** The builds: relaxed_signed and the like are forms of a kernel within one. */
const variants = rows('kernels/kernels.def', 'TG_KERNEL').map(
  ([, , variant]) => variant.split('_')[0],
);

writeFileSync(
  new URL('web/types/generated.ts', root),
  [
    '/** Generated from the lists of src/ (*.def) by wasm/toolchain/generate-lists.mjs: change those. */\n',
    union(
      'ErrorCode',
      'Stable names of all errors (status.def).',
      codes.map((code) => code.name),
    ),
    table(
      'errorCodes',
      'Every error: its name, its number and what it means.',
      '{ name: ErrorCode; number: number; meaning: string }',
      codes,
    ),
    union(
      'QuantName',
      'The weight types that can be read (quant.def).',
      quants.map((quant) => quant.name),
    ),
    table(
      'quants',
      'Every weight type: its name and its number in GGUF files.',
      '{ name: QuantName; ggml: number }',
      quants,
    ),
    union(
      'StageName',
      'The sampler stages (stages.def).',
      stages.map((stage) => stage.name),
    ),
    union(
      'StageOptionName',
      'The options of all sampler stages.',
      options.map(([, name]) => name),
    ),
    union(
      'StageListName',
      'The lists that sampler stages take.',
      lists.map(([, name]) => name),
    ),
    table(
      'stages',
      'Every sampler stage in the default order; its options have the numbers of their places. chain: when it runs unless an order is given.',
      "{ name: StageName; chain: 'LISTED' | 'USUAL' | 'ALWAYS' | 'MIROSTAT'; options: readonly { name: StageOptionName; default: number; min: number; max: number; whole: boolean }[]; lists: readonly StageListName[] }",
      stages,
    ),
    union(
      'CacheTypeName',
      'The types in which keys and values can be cached (kv_types.def).',
      caches,
    ),
    table('cacheTypes', 'Cache types; their numbers are their places.', 'CacheTypeName', caches),
    union('ArchitectureName', 'The architectures that can be run (arch.def).', architectures),
    table(
      'architectures',
      'Architectures, by the name in general.architecture.',
      'ArchitectureName',
      architectures,
    ),
    union('KernelVariantName', 'The kernel variants (kernels.def).', variants),
    table(
      'kernelVariants',
      'Kernel variants, the reference first.',
      'KernelVariantName',
      unique(variants),
    ),
  ].join('\n'),
);
