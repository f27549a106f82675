// What the tests of chat templates share: our renderer, Python's jinja2, and the record of what
// jinja2 gives.
import { spawnSync } from 'node:child_process';
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { build } from 'esbuild';
import { inTree } from './support.mjs';

/** renderTemplate of web/template, which the package does not export. */
export async function loadRenderer() {
  const outfile = inTree('build/template.mjs');
  await build({
    entryPoints: [inTree('web/template/template.ts')],
    bundle: true,
    format: 'esm',
    outfile,
    logLevel: 'warning',
  });
  return (await import(outfile)).renderTemplate;
}

/** The date of every rendering: jinja2-oracle.py has the same. */
export const NOW = new Date(2024, 6, 9, 15, 4, 5);

const SCRIPT = inTree('tests/support/jinja2-oracle.py');

/** A Python that has jinja2, or why there is none. */
export function findPython() {
  for (const python of ['python3', '/usr/bin/python3']) {
    const found = spawnSync(python, ['-c', 'import jinja2; print(jinja2.__version__)'], {
      encoding: 'utf8',
    });
    if (found.status === 0) return { python, version: found.stdout.trim() };
  }
  return { reason: 'Python with jinja2 (python3-jinja2 in Debian) is not installed' };
}

/** What jinja2 gives for cases { template, variables }: [{ text } or { error, message }]. */
export function renderWithJinja2(python, cases) {
  const { stdout, stderr, status } = spawnSync(python, [SCRIPT], {
    input: cases.map((one) => `${JSON.stringify(one)}\n`).join(''),
    encoding: 'utf8',
    maxBuffer: 2 ** 30,
  });
  if (status !== 0) throw new Error(stderr);
  return stdout
    .trimEnd()
    .split('\n')
    .map((line) => JSON.parse(line));
}

const recordPath = (name) => inTree(`tests/templates/recorded/${name}.json`);

/** The answers of jinja2 as they were recorded: key -> { text }, { error } or { unstable }. */
export const readRecord = (name) => JSON.parse(readFileSync(recordPath(name), 'utf8'));

/** Records what jinja2 gives. A text that differs from run to run is only marked. */
export function record(name, python, cases) {
  const [first, second] = [renderWithJinja2(python, cases), renderWithJinja2(python, cases)];
  const entries = cases.map(({ key }, i) => {
    const { text, error } = first[i];
    if (text !== second[i].text) return [key, { unstable: true }];
    return [key, text === undefined ? { error } : { text }];
  });
  mkdirSync(inTree('tests/templates/recorded'), { recursive: true });
  writeFileSync(recordPath(name), `${JSON.stringify(Object.fromEntries(entries), null, 1)}\n`);
}

/**
 * How our text compares with an answer of jinja2: 'same', 'refused' (by name), or why it differs.
 * Where Python raises, we must fail, too.
 */
export function compare(render, { template, variables }, answer) {
  let text;
  try {
    text = render(template, variables, NOW);
  } catch (error) {
    if (error.reason === undefined) throw error; // a fault of ours, no failure of the template
    if (error.reason === 'unsupported') return 'refused';
    if (answer.error) return 'same';
    return `jinja2: ${JSON.stringify(answer.text)}, we fail: line ${error.line}: ${error.message}`;
  }
  if (answer.unstable) return `it has a text, which differs from run to run in Python: ${text}`;
  if (answer.error) return `jinja2 fails (${answer.error}), we: ${JSON.stringify(text)}`;
  if (answer.text === text) return 'same';
  return `jinja2: ${JSON.stringify(answer.text)}, we: ${JSON.stringify(text)}`;
}

/** Compares all cases: the counts, and a line for each difference. */
export function compareAll(render, cases, answerOf) {
  const counts = { same: 0, refused: 0, different: 0 };
  const differences = [];
  for (const [i, one] of cases.entries()) {
    const result = compare(render, one, answerOf(one, i));
    if (result === 'same' || result === 'refused') counts[result]++;
    else {
      counts.different++;
      differences.push(`${one.key}: ${result}`);
    }
  }
  return { counts, differences };
}
