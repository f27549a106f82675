// Writes the tables of methods in web/methods/README.md from web/methods/list.ts: all methods, and
// the options of each. The rest of the page stays as it is. generate.mjs writes the file.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

export const path = 'web/methods/README.md';

const TABLE = /(<!-- (\w+): [^]*?-->\n|<!-- (options \w+): [^]*?-->\n)[^]*?(<!-- end -->\n)/g;

/** The exports of a list in web/. */
export async function readList(list) {
  const entry = fileURLToPath(new URL(`../../web/${list}`, import.meta.url));
  const options = { entryPoints: [entry], bundle: true, format: 'esm', write: false };
  const { outputFiles } = await build(options);
  return import(`data:text/javascript,${encodeURIComponent(outputFiles[0].text)}`);
}

export const table = (names, rows) =>
  [names, names.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |\n`).join('');

const code = (value) => `\`${typeof value === 'string' ? `'${value}'` : value}\``;

/** Authors as a list in a text names them: the first one, and that there are others. */
export function sourceOf({ title, authors, year, paper }) {
  const [first, ...others] = authors.split(', ');
  const number = paper === undefined ? '' : `, paper ${paper} of the list`;
  return `${first}${others.length ? ' et al.' : ''}, *${title}* (${year})${number}`;
}

/** A link to the section with a title. */
export const sectionLink = (title) =>
  `[${title}](#${title
    .toLowerCase()
    .replace(/[^\w -]/g, '')
    .replaceAll(' ', '-')})`;

const methodTable = (methods) =>
  table(
    ['method', 'call', 'source', 'reconstructed'],
    methods.map(({ title, call, source, reconstructed }) => [
      sectionLink(title),
      `\`${call}\``,
      sourceOf(source),
      reconstructed ? 'in part' : 'no',
    ]),
  );

const rangeOf = ({ type, min, max, whole, values }) =>
  ({
    number: `${whole ? 'whole number, ' : ''}${min} to ${max}`,
    choice: values?.map(code).join(', '),
    flag: '`true`, `false`',
    other: 'see below',
  })[type];

const optionTable = ({ options }, kind) =>
  options.length === 0
    ? `This ${kind} has no options.\n`
    : table(
        ['option', 'default', 'values', 'meaning'],
        options.map((option) => [
          `\`${option.name}\``,
          option.type === 'other' ? 'none' : code(option.default),
          rangeOf(option),
          option.meaning,
        ]),
      );

/**
 * A page with its tables: all rows of a list, as `all` writes them, and the options of each.
 * plural: the name of the first table. kind: what a row is.
 */
export function pageText(page_path, rows, plural, kind, all) {
  const page = readFileSync(new URL(`../../${page_path}`, import.meta.url), 'utf8');
  const named = new Set();
  const whole = page.replace(TABLE, (_, begin, list, options, end) => {
    const what = list ?? options;
    named.add(what);
    const row = rows.find(({ name }) => what === `options ${name}`);
    if (what !== plural && !row) throw new Error(`${page_path}: there is no ${kind} for ${what}`);
    return `${begin}\n${row ? optionTable(row, kind) : all(rows)}\n${end}`;
  });
  for (const what of [plural, ...rows.map(({ name }) => `options ${name}`)])
    if (!named.has(what)) throw new Error(`${page_path} has no place for the table of ${what}`);
  return whole;
}

/** The text of the file. */
export async function text() {
  const { methods } = await readList('methods/list.ts');
  return pageText(path, methods, 'methods', 'method', methodTable);
}
