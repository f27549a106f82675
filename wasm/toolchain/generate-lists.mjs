// Turns the lists (*.def) of src/, and the constants of wasm/boundary.def, into modules of
// web/types: the same lists as TypeScript unions and tables, in the lists' order. generate.mjs
// writes the files.
//
// generated-load.ts     what the options of loadModel are checked against
// generated-stages.ts   the sampler stages, which the package exports
// generated.ts          the other lists: modules that load later use them
//
// A program that only loads a model contains the first two.
import prettier from 'prettier';
import { comment, readRows } from './lists.mjs';

/** What a generated file begins with. */
export const HEADER = comment(
  'Written by wasm/toolchain/generate.mjs from the lists of src/ and wasm/ (*.def). Change the lists, not this file.',
);

/** The declarations as a formatted file. */
export const format = (parts) =>
  prettier.format(parts.join('\n'), { parser: 'typescript', printWidth: 100, singleQuote: true });

const unique = (values) => [...new Set(values)];
const literals = (values) => unique(values).map((value) => JSON.stringify(value));

/** A type that is one of the values. */
export function union(name, meaning, values) {
  return `${comment(meaning)}export type ${name} = ${literals(values).join(' | ') || 'never'};\n`;
}

/** A constant array of the values. */
export function table(name, meaning, type, values) {
  const lines = values.map((value) => `${JSON.stringify(value)},\n`).join('');
  return `${comment(meaning)}export const ${name}: readonly ${type}[] = [\n${lines}];\n`;
}

/** An interface with the type of each property. */
function types(name, meaning, properties) {
  const lines = Object.entries(properties).map(([key, type]) => `${key}: ${type};\n`);
  return `${comment(meaning)}export interface ${name} {\n${lines.join('')}}\n`;
}

/** The interface of a table's rows; each property has a type and a meaning. */
export function row(name, meaning, properties) {
  const lines = Object.entries(properties).map(
    ([key, [type, text]]) => `${comment(text)}${key}: ${type};\n`,
  );
  return `${comment(meaning)}export interface ${name} {\n${lines.join('')}}\n`;
}

function weightTypes() {
  const quants = [
    ...readRows('src/quant/quant.def', 'TG_QUANT'),
    ...readRows('src/quant/packed.def', 'TG_PACKED'),
  ].map(({ args, fields }) => ({ name: args[0], ggml: Number(fields.ggml) }));
  return [
    union(
      'QuantName',
      'The weight types that can be read (quant.def).',
      quants.map(({ name }) => name),
    ),
    table(
      'quants',
      'Every weight type: name and number in GGUF files. The index is the number in C.',
      '{ name: QuantName; ggml: number }',
      quants,
    ),
  ];
}

/** The default and the range of a number, from the fields of its row. */
const rangeOf = (fields) => ({
  default: Number(fields.initial),
  min: Number(fields.min),
  max: Number(fields.max),
  whole: fields.whole === 'true',
});
const rangeMembers = {
  default: ['number', 'The default value.'],
  min: ['number', 'The smallest value.'],
  max: ['number', 'The greatest value.'],
  whole: ['boolean', 'Whether only whole numbers are accepted.'],
};

function samplerStages() {
  const file = 'src/sample/stages.def';
  const options = readRows(file, 'TG_OPTION').map(({ args: [stage, name, meaning], fields }) => ({
    stage,
    name,
    meaning,
    ...rangeOf(fields),
  }));
  const lists = readRows(file, 'TG_LIST').map(({ args }) => args);
  const stages = readRows(file, 'TG_STAGE').map(({ args: [name, chain] }) => ({
    name,
    chain,
    options: options
      .filter(({ stage }) => stage === name)
      .map(({ stage, meaning, ...option }) => option),
    lists: lists.filter(([stage]) => stage === name).map(([, list]) => list),
  }));
  return [
    union(
      'StageName',
      'The sampler stages (stages.def).',
      stages.map(({ name }) => name),
    ),
    union(
      'StageOptionName',
      'The options of all sampler stages.',
      options.map(({ name }) => name),
    ),
    row(
      'StageOptions',
      'The numeric options of all stages.',
      Object.fromEntries(
        options.map(({ stage, name, meaning, default: value }) => [
          `${name}?`,
          ['number', `${stage}: ${meaning}. Default: ${value}.`],
        ]),
      ),
    ),
    union(
      'StageListName',
      'The lists that sampler stages take.',
      lists.map(([, name]) => name),
    ),
    types(
      'StageOptionNames',
      'The options of each sampler stage.',
      Object.fromEntries(
        stages.map((stage) => [
          stage.name,
          literals(stage.options.map(({ name }) => name)).join(' | ') || 'never',
        ]),
      ),
    ),
    comment(
      "The options of one sampler stage with their values: StageParams<'top_k'> is { top_k: number }.",
    ) +
      'export type StageParams<S extends StageName = StageName> = S extends StageName ? { [K in StageOptionNames[S]]: number } : never;\n',
    union(
      'StageChain',
      'When a stage runs unless samplers gives an order: LISTED: when its list is given; USUAL: without mirostat; MIROSTAT: with mirostat; ALWAYS: in both cases.',
      ['LISTED', 'USUAL', 'ALWAYS', 'MIROSTAT'],
    ),
    row('StageOptionInfo', 'A numeric option of a sampler stage.', {
      name: ['StageOptionName', 'The name.'],
      ...rangeMembers,
    }),
    row('StageInfo', 'A sampler stage.', {
      name: ['StageName', 'The name.'],
      chain: ['StageChain', 'When the stage runs without an explicit order.'],
      options: ['readonly StageOptionInfo[]', 'Its numeric options.'],
      lists: ['readonly StageListName[]', 'Its lists.'],
    }),
    table(
      'stages',
      "Every sampler stage in llama.cpp's default order. The index of a stage is its number in C; the options of all stages, one stage after the other, have their index as number in C.",
      'StageInfo',
      stages,
    ),
  ];
}

function edits() {
  const file = 'src/layers/edits.def';
  const kinds = readRows(file, 'TG_EDIT', 'TG_ROW_RULE').map(({ args: [name] }) => name);
  const options = readRows(file, 'TG_EDIT_OPTION').map(({ args: [edit, name], fields }) => ({
    edit,
    name,
    ...rangeOf(fields),
  }));
  return [
    ...names(
      'EditName',
      'editNames',
      'The edits of a session (edits.def). The index is the number in C.',
      kinds,
    ),
    row('EditOptionInfo', 'A number of an edit.', {
      edit: ['EditName', 'The edit.'],
      name: ['string', 'The name.'],
      ...rangeMembers,
    }),
    table(
      'editOptions',
      'The numbers of all edits. The index is the number in C.',
      'EditOptionInfo',
      options,
    ),
  ];
}

/** A union and a table of names. */
function names(type, constant, meaning, values) {
  return [
    union(type, meaning, values),
    table(constant, `All values of ${type}, in the order of the list.`, type, unique(values)),
  ];
}

const argument = (file, macro, index) => readRows(file, macro).map(({ args }) => args[index]);

/** The names of the constants of loadModel's options. */
const LOAD_CONSTANTS = ['MAX_THREADS'];

/** The numbers of the C headers that TypeScript needs, by their C names without TG_: those of
 *  loadModel's options, or the others. */
function constants({ ofLoad }) {
  return readRows('wasm/boundary.def', 'TGW_CONSTANT')
    .map(({ args: [name, value] }) => ({ name, short: name.replace(/^TG_/, ''), value }))
    .filter(({ short }) => LOAD_CONSTANTS.includes(short) === ofLoad)
    .map(
      ({ name, short, value }) => `${comment(`${name} in C.`)}export const ${short} = ${value};\n`,
    );
}

async function loadText() {
  // relaxed_signed and relaxed_unsigned are kernels of the build `relaxed`
  const variants = argument('src/kernels/kernels.def', 'TG_KERNEL', 2).map(
    (variant) => variant.split('_')[0],
  );
  return format([
    HEADER,
    ...names(
      'CacheTypeName',
      'cacheTypes',
      'The types in which keys and values can be cached (kv_types.def). The index is the number in C.',
      argument('src/cache/kv_types.def', 'TG_CACHE', 1),
    ),
    ...names(
      'KernelVariantName',
      'kernelVariants',
      'The kernel variants (kernels.def). The first, scalar, is the reference.',
      variants,
    ),
    ...constants({ ofLoad: true }),
  ]);
}

async function listsText() {
  return format([
    HEADER,
    ...weightTypes(),
    union(
      'ArchitectureName',
      'The architectures that can be run (arch.def), by their name in general.architecture.',
      argument('src/model/arch.def', 'TG_ARCH', 0),
    ),
    union(
      'KernelDotName',
      'How the CPU takes bytes above 127 in the second operand of the relaxed dot product (dot_kinds.def).',
      argument('src/kernels/dot_kinds.def', 'TG_DOT', 1),
    ),
    union(
      'ProfileStepName',
      'The steps whose time is measured with the option profile (profile.def).',
      argument('src/layers/profile.def', 'TG_STEP', 0),
    ),
    ...names(
      'RecyclingTreeName',
      'recyclingTrees',
      'The trees of Token Recycling (trees.def). The index is the number in C.',
      argument('src/methods/trees.def', 'TG_TREE', 0),
    ),
    ...edits(),
    ...constants({ ofLoad: false }),
  ]);
}

const stagesText = () => format([HEADER, ...samplerStages()]);

export const load = { path: 'web/types/generated-load.ts', text: loadText };
export const stages = { path: 'web/types/generated-stages.ts', text: stagesText };
export const lists = { path: 'web/types/generated.ts', text: listsText };
