// Writes the tables of methods in web/methods/README.md from web/methods/list.ts: all methods, and
// the options of each. The rest of the page stays as it is. generate.mjs writes the file.
import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

export const path = 'web/methods/README.md';

const LIST = fileURLToPath(new URL('../../web/methods/list.ts', import.meta.url));
const TABLE = /(<!-- (methods|options [a-z]+): [^]*?-->\n)[^]*?(<!-- end -->\n)/g;

async function readList() {
  const options = { entryPoints: [LIST], bundle: true, format: 'esm', write: false };
  const { outputFiles } = await build(options);
  return (await import(`data:text/javascript,${encodeURIComponent(outputFiles[0].text)}`)).methods;
}

const table = (names, rows) =>
  [names, names.map(() => '---'), ...rows].map((row) => `| ${row.join(' | ')} |\n`).join('');

const code = (value) => `\`${typeof value === 'string' ? `'${value}'` : value}\``;

/** Authors as a list in a text names them: the first one, and that there are others. */
function sourceOf({ title, authors, year, paper }) {
  const [first, ...others] = authors.split(', ');
  const number = paper === undefined ? '' : `, paper ${paper} of the list`;
  return `${first}${others.length ? ' et al.' : ''}, *${title}* (${year})${number}`;
}

const methodTable = (methods) =>
  table(
    ['method', 'call', 'source', 'reconstructed'],
    methods.map(({ name, title, call, source, reconstructed }) => [
      `[${title}](#${title
        .toLowerCase()
        .replace(/[^\w -]/g, '')
        .replaceAll(' ', '-')})`,
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

const optionTable = ({ options }) =>
  options.length === 0
    ? 'This method has no options.\n'
    : table(
        ['option', 'default', 'values', 'meaning'],
        options.map((option) => [
          `\`${option.name}\``,
          option.type === 'other' ? 'none' : code(option.default),
          rangeOf(option),
          option.meaning,
        ]),
      );

/** The text of the file. */
export async function text() {
  const methods = await readList();
  const page = readFileSync(new URL(`../../${path}`, import.meta.url), 'utf8');
  const named = new Set();
  const whole = page.replace(TABLE, (_, begin, what, end) => {
    named.add(what);
    const method = methods.find(({ name }) => what === `options ${name}`);
    if (what !== 'methods' && !method) throw new Error(`${path}: there is no method for ${what}`);
    return `${begin}\n${what === 'methods' ? methodTable(methods) : optionTable(method)}\n${end}`;
  });
  for (const what of ['methods', ...methods.map(({ name }) => `options ${name}`)])
    if (!named.has(what)) throw new Error(`${path} has no place for the table of ${what}`);
  return whole;
}
