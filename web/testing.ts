/**
 * Regression tests of a model's behaviour: recordTrace writes its choices to a golden file,
 * compareTrace reports what differs from such a file. Paths need Node.
 */
import {
  checkSeed,
  idsOf,
  invalid,
  listOf,
  readOptions,
  reading,
  textOf,
} from './types/arguments.js';
import { modelOf, optionsFile, optionsFrom } from './api/trace.js';
import { TokenglassError, shown, typed } from './types/errors.js';
import type {
  CompareOptions,
  Difference,
  Golden,
  GoldenCandidate,
  GoldenCase,
  GoldenCaseFile,
  GoldenStep,
  RecordOptions,
  TraceComparison,
} from './types/golden.js';
import type {
  Candidate,
  Explanation,
  Model,
  Session,
  StageName,
  StepTrace,
} from './types/types.js';

export type * from './types/golden.js';

const DEFAULT_TOKENS = 16;
const DEFAULT_TOP_N = 10;
const DEFAULT_TOLERANCE = 1e-3;
const DEFAULT_SEED = 1;
const CASE_KEYS = ['name', 'prompt', 'max_tokens', 'options'];

const asGolden = ({ token, text, p, p_final, removed_by }: Candidate): GoldenCandidate => ({
  token,
  text,
  p,
  final: p_final,
  removed_by: removed_by ?? null,
});

async function sessionAt(model: Model, prompt: readonly number[]): Promise<Session> {
  const session = model.createSession();
  await session.sync(prompt);
  return session;
}

async function recordCase(model: Model, input: GoldenCase, top_n: number): Promise<GoldenCaseFile> {
  const { name, prompt, max_tokens = DEFAULT_TOKENS } = input;
  const { seed = DEFAULT_SEED, ...options } = reading('options', () => ({ ...input.options }));
  const ids =
    typeof prompt === 'string' ? await model.tokenize(prompt) : [...idsOf(prompt, 'prompt')];
  const steps: GoldenStep[] = [];
  const session = await sessionAt(model, ids);
  try {
    const generation = { ...options, seed, max_tokens, trace: { top_n } };
    for await (const { token, trace } of session.generate(undefined, generation)) {
      const text = await model.tokenText(token);
      steps.push({ token, text, candidates: trace.candidates.map(asGolden) });
    }
  } finally {
    await session.dispose();
  }
  const file = reading('options', () => optionsFile(options));
  return { name, prompt: ids, seed: String(seed), options: file, steps };
}

/** Throws INVALID_ARGUMENT for what is no model. */
function checkModel(model: unknown): void {
  const calls = ['createSession', 'tokenize', 'tokenText'] as const;
  const isModel = () => calls.every((call) => typeof (model as Model)[call] === 'function');
  if (!reading('the model', isModel))
    throw invalid(`the model is ${typed(model)}; it must be a Model`);
}

/**
 * Records the choices of the cases as a golden file. Rejects with INVALID_ARGUMENT and the codes of
 * Session.generate.
 * @example
 * const cases = [{ name: 'beginning', prompt: 'Once upon a time', max_tokens: 5 }];
 * const golden = await recordTrace(model, cases);
 */
export async function recordTrace(
  model: Model,
  cases: readonly GoldenCase[],
  options?: RecordOptions,
): Promise<Golden> {
  const { path, top_n = DEFAULT_TOP_N } = readOptions(options, ['path', 'top_n'], 'recordTrace');
  if (path !== undefined) textOf(path, 'path');
  checkModel(model);
  const inputs = listOf(cases, 'cases', (input) => {
    const read = readOptions(input as GoldenCase, CASE_KEYS, 'a case');
    textOf(read.name, 'name of a case');
    return read;
  });
  const golden: Golden = {
    format: 'tokenglass-golden',
    version: 1,
    model: modelOf(model.info),
    cases: [],
  };
  for (const input of inputs) golden.cases.push(await recordCase(model, input, top_n));
  if (path !== undefined) {
    const { writeFile } = await import('node:fs/promises');
    try {
      await writeFile(path, `${JSON.stringify(golden, null, 1)}\n`);
    } catch (error) {
      throw invalid(`path cannot be written: ${shown(error)}`, error);
    }
  }
  return golden;
}

const broken = (message: string, cause?: unknown) =>
  new TokenglassError('TRACE_INVALID', message, { cause });

async function fileAt(path: string): Promise<unknown> {
  const { readFile } = await import('node:fs/promises');
  try {
    return JSON.parse(await readFile(path, 'utf8'));
  } catch (error) {
    throw broken(`${path} cannot be read as a golden file: ${shown(error)}`, error);
  }
}

/** A copy of a recorded step. */
function stepFrom(step: GoldenStep, place: string): GoldenStep {
  const candidates = listOf(step.candidates, `${place}.candidates`, (candidate) => {
    const copy = { ...(candidate as GoldenCandidate) };
    idsOf([copy.token], `${place}.candidates`);
    if (typeof copy.p !== 'number' || typeof copy.final !== 'number')
      throw broken(`${place} has a candidate without probabilities`);
    return copy;
  });
  const [token = -1] = idsOf([step.token], `${place}.token`);
  return { token, text: textOf(step.text, `${place}.text`), candidates };
}

/** A copy of a recorded case. */
function caseFrom(input: GoldenCaseFile, i: number): GoldenCaseFile {
  const place = `cases[${i}]`;
  const { name, prompt, seed, options, steps } = input;
  checkSeed(BigInt(textOf(seed, `${place}.seed`)));
  return {
    name: textOf(name, `${place}.name`),
    prompt: [...idsOf(prompt, `${place}.prompt`)],
    seed,
    options: { ...options },
    steps: listOf(steps, `${place}.steps`, (step) => step as GoldenStep).map((step, k) =>
      stepFrom(step, `${place}.steps[${k}]`),
    ),
  };
}

/** A copy of a golden file. Throws TRACE_INVALID; the message says where it is broken. */
async function goldenOf(source: Golden | string): Promise<Golden> {
  const name = typeof source === 'string' ? source : 'the object';
  const golden = (typeof source === 'string' ? await fileAt(source) : source) as Golden;
  try {
    const { format, version, model, cases } = golden;
    if (format !== 'tokenglass-golden' || version !== 1)
      throw broken('it is not a golden file of version 1');
    return {
      format,
      version,
      model: { ...model },
      cases: listOf(cases, 'cases', (input) => input as GoldenCaseFile).map(caseFrom),
    };
  } catch (error) {
    throw broken(`${name} is no golden file: ${shown(error)}`, error);
  }
}

/** What a choice did to a token. */
type Outcome = Pick<Candidate, 'p' | 'p_final' | 'removed_by'>;

const outcomeOf = ({ p, p_final, fate }: Explanation): Outcome => ({
  p,
  p_final,
  removed_by: fate.type === 'removed' ? fate.stage : undefined,
});

const digits = (x: number) => x.toFixed(4);
const fateText = (removed_by: StageName | null | undefined) =>
  removed_by ? `removed by ${removed_by}` : 'kept';

/** How a token's probabilities and fate changed; undefined within the tolerance. */
function changeOf(
  before: GoldenCandidate,
  { p, p_final, removed_by }: Outcome,
  { stages }: StepTrace,
  tolerance: number,
): string | undefined {
  if (Math.abs(p - before.p) <= tolerance && Math.abs(p_final - before.final) <= tolerance)
    return undefined;
  const fates = [fateText(before.removed_by), fateText(removed_by)];
  const stage = removed_by ?? before.removed_by;
  const reason = stages.find(({ name }) => name === stage)?.reason;
  const because = reason ? ` (${reason})` : '';
  const fate = fates[0] === fates[1] ? '' : `; ${fates[0]} → ${fates[1]}${because}`;
  const raw = `p ${digits(before.p)} → ${digits(p)}`;
  return `${raw}, final ${digits(before.final)} → ${digits(p_final)}${fate}`;
}

const NOWHERE: Omit<Difference, 'message'> = {
  case: undefined,
  step: undefined,
  token: undefined,
  before: undefined,
  after: undefined,
};

/** The differences of the model itself. */
function modelDifferences(golden: Golden, { info }: Model): Difference[] {
  const { fingerprint, n_vocab } = golden.model;
  const messages = [];
  if (fingerprint !== info.fingerprint)
    messages.push(`the model is another: fingerprint ${fingerprint} → ${info.fingerprint}`);
  if (n_vocab !== info.n_vocab)
    messages.push(`the vocabulary has another size: ${n_vocab} → ${info.n_vocab}`);
  return messages.map((message) => ({ ...NOWHERE, message }));
}

/** The differences of one step. */
async function stepDifferences(
  model: Model,
  session: Session,
  recorded: GoldenStep,
  trace: StepTrace,
  tolerance: number,
): Promise<Difference[]> {
  const differences: Difference[] = [];
  const listed = new Map(trace.candidates.map((candidate) => [candidate.token, candidate]));
  for (const before of recorded.candidates) {
    const { token, text, p } = before;
    const now = listed.get(token) ?? outcomeOf(await session.explain(token));
    const change = changeOf(before, now, trace, tolerance);
    if (change === undefined) continue;
    const message = `${JSON.stringify(text)} (${token}): ${change}`;
    differences.push({ ...NOWHERE, token, before: p, after: now.p, message });
  }
  const { token, text } = recorded;
  const drawn = trace.draw.token;
  if (drawn !== token) {
    const [old, now] = [text, await model.tokenText(drawn)].map((name) => JSON.stringify(name));
    differences.push({ ...NOWHERE, token, message: `drawn ${old} (${token}) → ${now} (${drawn})` });
  }
  return differences;
}

/** The differences of one case. */
async function caseDifferences(
  model: Model,
  { name, prompt, seed, options, steps }: GoldenCaseFile,
  tolerance: number,
): Promise<Difference[]> {
  const differences: Difference[] = [];
  const sampler = { ...optionsFrom(options), seed: BigInt(seed) };
  const session = await sessionAt(model, prompt);
  try {
    for (const [i, step] of steps.entries()) {
      const trace = await session.candidates({ ...sampler, top_n: step.candidates.length });
      for (const found of await stepDifferences(model, session, step, trace, tolerance)) {
        const message = `${name}, step ${i}: ${found.message}`;
        differences.push({ ...found, case: name, step: i, message });
      }
      await session.append(step.token);
    }
  } finally {
    await session.dispose();
  }
  return differences;
}

/**
 * Compares the model's choices with a golden file (an object, or in Node a path). Each step is
 * compared after the recorded tokens, so that one change is reported once. Rejects with
 * TRACE_INVALID for a file that is not a golden file.
 * @example
 * const golden = await recordTrace(model, [{ name: 'beginning', prompt: 'Once upon a time' }]);
 * const { same, report } = await compareTrace(model, golden, { tolerance: 0.01 });
 * if (!same) throw new Error(report);
 */
export async function compareTrace(
  model: Model,
  recorded: Golden | string,
  options?: CompareOptions,
): Promise<TraceComparison> {
  const read = readOptions(options, ['tolerance'], 'compareTrace');
  const { tolerance = DEFAULT_TOLERANCE } = read;
  if (!(typeof tolerance === 'number' && tolerance >= 0))
    throw invalid(`tolerance is ${typed(tolerance, 'number')}; it must be a number of at least 0`);
  checkModel(model);
  const golden = await goldenOf(recorded);
  const differences = modelDifferences(golden, model);
  if (golden.model.n_vocab === model.info.n_vocab) {
    for (const input of golden.cases)
      differences.push(...(await caseDifferences(model, input, tolerance)));
  }
  return {
    same: differences.length === 0,
    differences,
    report: differences.map(({ message }) => message).join('\n'),
  };
}
