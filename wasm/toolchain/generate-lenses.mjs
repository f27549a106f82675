// Writes web/types/generated-lenses.ts, the calls of model.lens and their options, and the tables
// of lenses in web/lenses/README.md, from web/lenses/list.ts. generate.mjs writes the files.
import { format } from './generate-lists.mjs';
import { comment } from './lists.mjs';
import { pageText, readList, sectionLink, sourceOf, table } from './generate-methods.mjs';

/** Where types come from that several lenses share. */
const SHARED = {
  CallOptions: 'common',
  TextOrIds: 'common',
  Session: 'session',
  Edit: 'inside',
  NumberList: 'common',
};
/** Types of the language. */
const OWN = /^(Float32Array|Int32Array|Record|Uint8Array)$/;

const capital = (name) => name[0].toUpperCase() + name.slice(1);
const optionsType = (name) => `${capital(name)}LensOptions`;
/** A sentence in a comment begins with a capital. */
const sentence = (text) => `${capital(text)}.`;
const literal = (value) => (typeof value === 'string' ? `'${value}'` : value);

const rangeOf = ({ type, min, max, whole }) =>
  type === 'number' ? `, ${whole ? 'a whole number of ' : ''}${min} to ${max}` : '';

const typeOf = ({ type, values, value }) =>
  ({
    number: 'number',
    choice: values?.map(literal).join(' | '),
    flag: 'boolean',
    other: value,
  })[type];

function optionText(option) {
  const initial = option.type === 'other' ? '' : ` Default: ${literal(option.default)}.`;
  return `${comment(`${sentence(option.meaning + rangeOf(option))}${initial}`)}${option.name}?: ${typeOf(option)};\n`;
}

const optionsText = ({ name, options }) =>
  `${comment(`Options of lens.${name}.`)}export interface ${optionsType(name)} extends CallOptions {\n${options.map(optionText).join('')}}\n`;

/** A comment with an example behind the text. */
function callComment({ summary, source, reconstructed, cost, example }) {
  const { authors, title, year } = source;
  const first = authors.split(', ')[0];
  const text =
    `${summary} Source: ${first}${authors.includes(', ') ? ' et al.' : ''}, ${title} (${year})` +
    `${reconstructed ? '; reconstructed in part' : ''}. ${cost} Rejects with INVALID_ARGUMENT ` +
    'for a wrong option, and with the codes of Session.score.';
  const lines = comment(text)
    .replace(/^\/\*\*\s*|\s*\*\/\s*$/g, '')
    .split('\n')
    .map((line) => line.replace(/^\s*\* ?/, ''));
  return `/**\n${[...lines, '@example', ...example].map((line) => ` * ${line}\n`).join('')} */\n`;
}

function callText(lens) {
  const { name, argument, result } = lens;
  const first = argument ? `${argument.name}: ${argument.value}, ` : '';
  return `${callComment(lens)}${name}(${first}options?: ${optionsType(name)}): Promise<${result}>;\n`;
}

/** The imports of the types that the rows name. */
function importsOf(lenses) {
  const modules = new Map([['./common.js', new Set(['CallOptions'])]]);
  for (const { file, argument, options, result } of lenses) {
    const values = options.flatMap(({ value }) => value ?? []);
    const types = [result, argument?.value ?? '', ...values].join(' ').match(/\b[A-Z]\w*/g) ?? [];
    for (const type of types.filter((each) => !OWN.test(each))) {
      const module = `./${SHARED[type] ?? `lenses/${file.replace(/\.ts$/, '')}`}.js`;
      modules.set(module, (modules.get(module) ?? new Set()).add(type));
    }
  }
  const sorted = [...modules].sort(([a], [b]) => (a < b ? -1 : 1));
  const own = sorted.filter(([module]) => module.startsWith('./lenses/'));
  return (
    sorted
      .map(
        ([module, types]) => `import type { ${[...types].sort().join(', ')} } from '${module}';\n`,
      )
      .join('') + own.map(([module]) => `export type * from '${module}';\n`).join('')
  );
}

async function typesText() {
  const { lenses } = await readList('lenses/list.ts');
  return format([
    comment(
      'Written by wasm/toolchain/generate.mjs from web/lenses/list.ts. Change the rows, not this file. The calls of model.lens and their options.',
    ),
    importsOf(lenses),
    ...lenses.map(optionsText),
    `${comment('Measurements of a model and of texts. Each lens loads when it is called.')}export interface Lenses {\n${lenses.map(callText).join('')}}\n`,
  ]);
}

const lensTable = (lenses) =>
  table(
    ['lens', 'call', 'source', 'reconstructed'],
    lenses.map(({ name, title, argument, source, reconstructed }) => [
      sectionLink(title),
      `\`model.lens.${name}(${argument?.name ?? ''})\``,
      sourceOf(source),
      reconstructed ? 'in part' : 'no',
    ]),
  );

const README = 'web/lenses/README.md';

async function pageOfLenses() {
  const { lenses } = await readList('lenses/list.ts');
  return pageText(README, lenses, 'lenses', 'lens', lensTable);
}

export const types = { path: 'web/types/generated-lenses.ts', text: typesText };
export const page = { path: README, text: pageOfLenses };
