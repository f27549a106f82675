// The examples of the Markdown pages and of the JSDoc comments: type-checked as a user's project
// would, and run in Node.
import { spawnSync } from 'node:child_process';
import { cpSync, mkdirSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { transformSync } from 'esbuild';
import { inTree } from './support.mjs';

/** The code blocks of a page in JavaScript or TypeScript. */
export function examplesOf(page) {
  const text = readFileSync(inTree(page), 'utf8');
  return [...text.matchAll(/^```(?:js|ts)\n([^]*?)^```$/gm)].map(([, code], i) => ({
    name: `${page.replace(/\W+/g, '_')}_${i}`,
    code,
  }));
}

/** What every example of a JSDoc comment may use. */
const PRELUDE = `import { TokenglassError, fetchModel, loadModel } from 'tokenglass';
import { exportTrace, importTrace } from 'tokenglass/trace';
import { bestOfCurve, solutionEquivalents, voteCurve } from 'tokenglass/methods';
import { embedPrepended, prependSettings, searchActHeads } from 'tokenglass/methods';
import { spattenSchedule, tokensOfVector } from 'tokenglass/methods';
import { adjacentLayers, kMeans, logitLensOf, maskWeights } from 'tokenglass/lenses';
import { ngramPredictions, pawnSummary, pawnToken } from 'tokenglass/lenses';
import { compareTrace, recordTrace } from 'tokenglass/testing';
import type { Model, Session } from 'tokenglass';
void [TokenglassError, exportTrace, fetchModel, importTrace, loadModel];
void [bestOfCurve, compareTrace, recordTrace, solutionEquivalents, voteCurve];
void [embedPrepended, prependSettings, searchActHeads, spattenSchedule, tokensOfVector];
void [adjacentLayers, kMeans, logitLensOf, maskWeights];
void [ngramPredictions, pawnSummary, pawnToken];
`;

/** A program for an example of a JSDoc comment; setup declares model and session. */
export const withPrelude = (code, setup) => `${PRELUDE}${setup}{\n${code}\n}\n`;

/** A folder with the package as it is packed: what its package.json exports, or its types alone. */
function project(name, install) {
  const folder = inTree(`build/${name}`);
  rmSync(folder, { recursive: true, force: true });
  mkdirSync(`${folder}/node_modules`, { recursive: true });
  install(`${folder}/node_modules/tokenglass`);
  writeFileSync(`${folder}/package.json`, '{ "type": "module" }');
  return folder;
}

function installTypes(to) {
  cpSync(inTree('dist/types'), `${to}/dist/types`, { recursive: true });
  cpSync(inTree('package.json'), `${to}/package.json`);
}

const COMPILER_OPTIONS = {
  strict: true,
  target: 'ES2022',
  lib: ['ES2022', 'DOM', 'DOM.Iterable'],
  types: [],
  noEmit: true,
};
const RESOLUTIONS = {
  node16: { module: 'Node16', moduleResolution: 'Node16' },
  bundler: { module: 'ESNext', moduleResolution: 'Bundler' },
};

/** Compiles the programs ({ name, code }) strictly; what the compiler says, '' when all is well. */
export function typeErrors(programs, resolution, options = {}) {
  const folder = project(`types-${resolution}`, installTypes);
  for (const { name, code } of programs) writeFileSync(`${folder}/${name}.ts`, code);
  const compilerOptions = { ...COMPILER_OPTIONS, ...RESOLUTIONS[resolution], ...options };
  writeFileSync(`${folder}/tsconfig.json`, JSON.stringify({ compilerOptions, include: ['*.ts'] }));
  const compiler = inTree('node_modules/typescript/bin/tsc');
  const { stdout, stderr } = spawnSync(process.execPath, [compiler, '-p', folder], {
    cwd: folder,
    encoding: 'utf8',
  });
  return stdout + stderr;
}

let runner;

/** Runs a program in a project that has installed the package: { status, stdout, stderr }. */
export function runExample(code) {
  runner ??= project('readme', (to) => symlinkSync(inTree(''), to));
  const { code: script } = transformSync(code, { loader: 'ts', target: 'es2022' });
  writeFileSync(`${runner}/example.mjs`, script);
  const env = { ...process.env };
  delete env.NODE_TEST_CONTEXT; // an example that is a test prints its own report
  return spawnSync(process.execPath, ['example.mjs'], {
    cwd: runner,
    env,
    encoding: 'utf8',
    timeout: 60_000,
  });
}
