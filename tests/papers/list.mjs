// The list of papers, its checks, and the table that the documents show.
import { lenses } from '../../dist/node-lenses.js';
import { methods } from '../../dist/node-methods.js';
import { moduleOf } from '../support/module.mjs';
import { inTree } from '../support/support.mjs';
import { checks as attention } from './attention.mjs';
import { checks as decode } from './decode.mjs';
import { checks as inside } from './inside.mjs';
import { checks as lens } from './lens.mjs';
import { checks as tasks } from './tasks.mjs';
import { checks as texts } from './texts.mjs';

export const { papers } = await moduleOf('papers/papers.ts', 'demo');

/** The checks of the papers that claim something, by number: (story) => the figures of the run. */
export const checks = { ...attention, ...decode, ...inside, ...lens, ...tasks, ...texts };

/** The document with the table. */
export const DOCUMENT = inTree('demo/papers/README.md');

/** A name of `api` as a reader calls it. */
function callOf(name) {
  const [kind, id] = name.split(' ');
  if (kind === 'method') return methods.find((method) => method.name === id).call;
  if (kind === 'lens') {
    const { argument } = lenses.find((lens) => lens.name === id);
    return `model.lens.${id}(${argument?.name ?? ''})`;
  }
  return name.replace(/^(Model|Session)\./, (owner) => owner.toLowerCase());
}

const code = (text) => `\`${text}\``;
const COLUMNS = ['#', 'paper', 'kind', 'what works here', 'check', 'figures of the last run'];

/** The cells of a paper's row; `figures` is undefined for a paper without a check. */
export function cellsOf(paper, figures) {
  const { number, name, title, year, kind, sentence } = paper;
  const head = name === title ? `*${title}*` : `${name}: *${title}*`;
  const facts = [String(number), `${head} (${year}). ${sentence}`, kind];
  if (paper.why !== undefined) return [...facts, paper.why, '', ''];
  const missing = paper.missing
    ? ` Not here: ${paper.missing[0].toLowerCase()}${paper.missing.slice(1)}`
    : '';
  const works = `${paper.api.map(callOf).map(code).join(', ')}: ${paper.works[0].toLowerCase()}${paper.works.slice(1)}${missing}`;
  return [...facts, works, paper.check, figures];
}

const line = (cells) => `| ${cells.map((cell) => cell.replaceAll('|', '\\|')).join(' | ')} |`;

/** The table in Markdown. figures: by number. */
export const tableOf = (figures) =>
  [
    line(COLUMNS),
    line(COLUMNS.map(() => '---')),
    ...papers.map((paper) => line(cellsOf(paper, figures[paper.number]))),
  ].join('\n');

/** The rows of a table in Markdown, without its head: a list of cells each. */
export const rowsOf = (text) =>
  [...text.matchAll(/^\| (\d+ \|.*) \|$/gm)].map(([, cells]) =>
    cells.split(/ (?<!\\)\| ?/).map((cell) => cell.trim().replaceAll('\\|', '|')),
  );

/**
 * Runs the check of each paper that has one, and prints a few lines for each paper. Gives the
 * figures by number, and the numbers of the papers whose checks failed.
 */
export async function runChecks(list, checksOf, story, print) {
  const figures = {};
  const failed = [];
  for (const paper of list) {
    const { number, name, why } = paper;
    if (why !== undefined) {
      print(`      ${number} ${name}: ${why}`);
      continue;
    }
    const start = performance.now();
    try {
      figures[number] = await checksOf[number](story);
      print(`ok    ${number} ${name} (${Math.round(performance.now() - start)} ms)`);
      for (const cell of cellsOf(paper, figures[number]).slice(3)) print(`      ${cell}`);
    } catch (error) {
      failed.push(number);
      print(`FAILS ${number} ${name}: ${error.stack}`);
    }
  }
  return { figures, failed };
}
