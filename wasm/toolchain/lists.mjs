// Reads the lists (*.def) that C includes as X-macros, so that generators can write the same lists
// as TypeScript.
import { readFileSync } from 'node:fs';

const root = new URL('../../', import.meta.url);

/** The index of the parenthesis that closes the one before `start`; strings may hold others. */
function closingParenthesis(text, start) {
  let depth = 1;
  for (let i = start; i < text.length; i++) {
    if (text[i] === '"') i = endOfString(text, i);
    else if (text[i] === '(') depth++;
    else if (text[i] === ')' && --depth === 0) return i;
  }
  throw new Error('a row is not closed');
}

/** The index of the quote that ends the string that begins at `start`. */
function endOfString(text, start) {
  let i = start + 1;
  while (text[i] !== '"') i += text[i] === '\\' ? 2 : 1;
  return i;
}

/** The arguments of a row: split at the commas outside strings and parentheses. */
function splitArguments(text) {
  const parts = [];
  let depth = 0;
  let start = 0;
  for (let i = 0; i < text.length; i++) {
    if (text[i] === '"') i = endOfString(text, i);
    else if (text[i] === '(') depth++;
    else if (text[i] === ')') depth--;
    else if (text[i] === ',' && depth === 0) {
      parts.push(text.slice(start, i));
      start = i + 1;
    }
  }
  parts.push(text.slice(start));
  return parts.map((part) => part.trim().replace(/\s+/g, ' '));
}

const unquoted = (word) => (word.startsWith('"') ? JSON.parse(word) : word);

/**
 * The rows of a list, in order, for the macros named: { macro, args, fields }. args are the
 * positional arguments, strings without quotes; fields are the named ones (.bits = 4).
 */
export function readRows(file, ...macros) {
  const text = readFileSync(new URL(file, root), 'utf8')
    .replace(/\/\*[\s\S]*?\*\//g, '')
    .replace(/^#(?:.*\\\n)*.*$/gm, '');
  const rows = [];
  for (const match of text.matchAll(new RegExp(`^(${macros.join('|')})\\(`, 'gm'))) {
    const start = match.index + match[0].length;
    const row = { macro: match[1], args: [], fields: {} };
    for (const part of splitArguments(text.slice(start, closingParenthesis(text, start)))) {
      const field = /^\.(\w+) = (.*)$/.exec(part);
      if (field) row.fields[field[1]] = unquoted(field[2]);
      else row.args.push(unquoted(part));
    }
    rows.push(row);
  }
  if (rows.length === 0) throw new Error(`${file} has no row ${macros.join(' or ')}`);
  return rows;
}

/** A JSDoc comment whose lines have at most 100 columns when it is indented by two. */
export function comment(text) {
  const lines = [];
  for (const word of text.split(/\s+/)) {
    const line = lines.at(-1);
    if (line !== undefined && line.length + word.length < 95) lines.push(`${lines.pop()} ${word}`);
    else lines.push(word);
  }
  return lines.length === 1 && lines[0].length <= 91
    ? `/** ${lines[0]} */\n`
    : `/**\n${lines.map((line) => ` * ${line}\n`).join('')} */\n`;
}
