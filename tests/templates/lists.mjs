// The templates of the tests. cases/ has small templates, each with one construct of Jinja2;
// families/ has templates in the manner of published models: the constructs of each family, in our
// own words where texts are long.
import { readFileSync, readdirSync } from 'node:fs';
export { CONVERSATIONS } from './conversations.mjs';

const read = (name) => readFileSync(new URL(name, import.meta.url), 'utf8');
const filesOf = (folder, ending) =>
  readdirSync(new URL(folder, import.meta.url))
    .filter((name) => name.endsWith(ending))
    .sort()
    .map((name) => ({ name: name.slice(0, -ending.length), text: read(folder + name) }));

const lists = filesOf('cases/', '.json').map(({ name, text }) => [name, JSON.parse(text)]);

/** Variables of every small template. */
export const VARIABLES = Object.fromEntries(lists).variables;

/** Small templates by what they try. */
export const CASES = Object.fromEntries(lists.filter(([name]) => name !== 'variables'));

/** Templates by family. */
export const FAMILIES = Object.fromEntries(
  filesOf('families/', '.jinja').map(({ name, text }) => [name, text]),
);
FAMILIES['Zephyr with CRLF'] = FAMILIES.Zephyr.replaceAll('\n', '\r\n');
