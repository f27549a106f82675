// Runs the JSON Schema test suite through the compiler of schemas and the reference recognizer of
// grammars, and writes the tables in web/grammar/README.md.
//
//   node tests/golden/json-schema/table.mjs           prints the result
//   node tests/golden/json-schema/table.mjs --write   writes the tables, too
import { readFileSync, writeFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import { ReferenceGrammar } from '../../support/gbnf-reference.mjs';
import { formatNames, grammarOfSchema, keywords } from '../../support/schema-grammar.mjs';

const README = new URL('../../../web/grammar/README.md', import.meta.url);

/** The groups of the suite: { file, description, schema, tests }. */
export const groups = Object.entries(
  JSON.parse(readFileSync(new URL('draft2020-12.json', import.meta.url), 'utf8')),
).flatMap(([file, list]) => list.map((group) => ({ ...group, file })));

/** What the compiler makes of a schema: { grammar } or { refused: keyword, message }. */
export function compiled(schema) {
  try {
    return { grammar: grammarOfSchema(schema) };
  } catch (error) {
    if (error.code !== 'GRAMMAR_INVALID') throw error;
    if (/allows no value$/.test(error.message)) return { refused: 'false', message: error.message };
    const [, keyword] = /^GRAMMAR_INVALID: "([^"]+)" of the schema at "#/.exec(error.message) ?? [];
    if (!keyword) throw new Error(`no keyword is named: ${error.message}`, { cause: error });
    return { refused: keyword, message: error.message };
  }
}

/** Each group with what became of it: accepted, or refused by a keyword; and the wrong tests. */
export function results() {
  return groups.map((group) => {
    const { grammar, refused } = compiled(group.schema);
    if (refused === 'false') {
      // a schema without values: refusing it is right when the suite has no valid value
      return { ...group, accepted: true, wrong: group.tests.filter(({ valid }) => valid) };
    }
    if (refused) return { ...group, refused, wrong: [] };
    const recognizer = new ReferenceGrammar(grammar);
    const wrong = group.tests.filter(
      ({ data, valid }) => recognizer.accepts(JSON.stringify(data)) !== valid,
    );
    return { ...group, accepted: true, grammar, wrong };
  });
}

const cell = (text) => text.replaceAll('|', '\\|');

function keywordTable() {
  const rows = Object.entries(keywords).map(
    ([name, { status, note }]) => `| \`${name}\` | ${status} | ${cell(note)} |\n`,
  );
  return `| keyword | | limits |\n|---|---|---|\n${rows.join('')}`;
}

function suiteTable(list) {
  const byFile = new Map();
  for (const { file, accepted, refused } of list) {
    if (!byFile.has(file)) byFile.set(file, { accepted: 0, refused: new Map() });
    const row = byFile.get(file);
    if (accepted) row.accepted++;
    else row.refused.set(refused, (row.refused.get(refused) ?? 0) + 1);
  }
  const rows = [...byFile].map(([file, { accepted, refused }]) => {
    const names = [...refused].map(([keyword, n]) => `\`${keyword}\` ${n}`).join(', ');
    return `| ${file} | ${accepted} | ${names} |\n`;
  });
  const count = list.filter(({ accepted }) => accepted).length;
  const wrong = list.filter((group) => group.wrong.length > 0).length;
  return (
    `${list.length} groups: ${count} accepted, ${list.length - count} refused by name, ${wrong} wrong.\n\n` +
    `| file | accepted | refused, by keyword |\n|---|---|---|\n${rows.join('')}`
  );
}

/** The text of the README with the tables of these results. */
export function readme(list) {
  const parts = {
    keywords: keywordTable(),
    formats: `Formats that are enforced: ${formatNames.map((name) => `\`${name}\``).join(', ')}.\n`,
    suite: suiteTable(list),
  };
  let text = readFileSync(README, 'utf8');
  for (const [name, part] of Object.entries(parts)) {
    const begin = `<!-- ${name}: written by tests/golden/json-schema/table.mjs -->\n`;
    const end = `<!-- end of ${name} -->\n`;
    const [before, rest] = text.split(begin);
    const after = rest?.split(end)[1];
    if (after === undefined) throw new Error(`web/grammar/README.md has no place for ${name}`);
    text = `${before}${begin}\n${part}\n${end}${after}`;
  }
  return text;
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const list = results();
  for (const { file, description, wrong } of list)
    if (wrong.length > 0) console.log(`wrong: ${file}: ${description}`);
  if (process.argv.includes('--write')) writeFileSync(README, readme(list));
  console.log(suiteTable(list).split('\n')[0]);
}
