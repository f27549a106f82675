/** Pinned behaviour for other people's tests: in, a model and cases; out, a golden file of its choices, or what has moved since. Node only where it is given paths. */
import { TokenglassError } from './types/errors.js';
import type { TraceModel } from './api/trace.js';
import { modelOf, optionsFile, optionsFrom } from './api/trace.js';
import type {
  Candidate,
  Explanation,
  Model,
  SamplerOptions,
  Session,
  StageName,
  StepTrace,
} from './types/types.js';

/** One generation to pin: a prompt (text, or ids), and how it goes on. */
export interface GoldenCase {
  name: string;
  prompt: string | readonly number[];
  /** Tokens to make (default 16). */
  max_tokens?: number;
  options?: SamplerOptions;
}

export interface GoldenCandidate {
  token: number;
  text: string;
  p: number;
  final: number;
  removed_by: StageName | null;
}

export interface GoldenStep {
  token: number;
  text: string;
  candidates: GoldenCandidate[];
}

export interface Golden {
  format: 'tokenglass-golden';
  version: 1;
  model: TraceModel;
  cases: {
    name: string;
    prompt: number[];
    seed: string;
    options: Record<string, unknown>;
    steps: GoldenStep[];
  }[];
}

/** Something that moved by more than the tolerance. */
export interface Difference {
  /** undefined: it is about the model as a whole. */
  case: string | undefined;
  step: number | undefined;
  token: number | undefined;
  before: number | undefined;
  after: number | undefined;
  /** For a person: what, where, from what to what, and the stage that changed its mind. */
  message: string;
}

export interface Comparison {
  same: boolean;
  differences: Difference[];
  /** All of them, a line each; '' when there are none. */
  report: string;
}

const DEFAULT_TOKENS = 16;
const DEFAULT_TOP = 10;
const DEFAULT_TOLERANCE = 1e-3;
const DEFAULT_SEED = 1;

const asGolden = ({ token, text, p, p_final, removed_by }: Candidate): GoldenCandidate => ({
  ...{ token, text, p, final: p_final, removed_by: removed_by ?? null },
});

async function begin(model: Model, prompt: readonly number[]): Promise<Session> {
  const session = model.createSession();
  await session.sync(prompt);
  return session;
}

/** The choices of the cases as they are now; with a path, written there, too (Node). top_n: candidates a step (default 10). */
export async function recordTrace(
  model: Model,
  cases: readonly GoldenCase[],
  { path, top_n = DEFAULT_TOP }: { path?: string; top_n?: number } = {},
): Promise<Golden> {
  const golden: Golden = {
    format: 'tokenglass-golden',
    version: 1,
    model: modelOf(model.info),
    cases: [],
  };
  for (const { name, prompt, max_tokens = DEFAULT_TOKENS, options = {} } of cases) {
    const ids = typeof prompt === 'string' ? await model.tokenize(prompt) : [...prompt];
    const { seed = DEFAULT_SEED, ...rest } = options;
    const session = await begin(model, ids);
    const steps: GoldenStep[] = [];
    try {
      for await (const { token, trace } of session.generate(undefined, {
        ...rest,
        seed,
        max_tokens,
        trace: { top_n },
      })) {
        steps.push({
          token,
          text: await model.tokenText(token),
          candidates: trace.candidates.map(asGolden),
        });
      }
    } finally {
      await session.dispose();
    }
    golden.cases.push({ name, prompt: ids, seed: String(seed), options: optionsFile(rest), steps });
  }
  if (path !== undefined) {
    const { writeFile } = await import('node:fs/promises');
    await writeFile(path, `${JSON.stringify(golden, null, 1)}\n`);
  }
  return golden;
}

async function goldenOf(from: Golden | string): Promise<Golden> {
  if (typeof from !== 'string') return from;
  const { readFile } = await import('node:fs/promises');
  const golden = JSON.parse(await readFile(from, 'utf8')) as Golden;
  if (golden?.format !== 'tokenglass-golden' || golden.version !== 1)
    throw new TokenglassError('TRACE_INVALID', `${from} is no golden file of this version`);
  return golden;
}

type Outcome = Pick<Candidate, 'p' | 'p_final' | 'removed_by'>;

const asCandidate = ({ p, p_final, fate }: Explanation): Outcome => ({
  p,
  p_final,
  removed_by: fate.type === 'removed' ? fate.stage : undefined,
});

const digits = (x: number) => x.toFixed(4);
const fateOf = (removed_by: StageName | null | undefined) =>
  removed_by ? `removed by ${removed_by}` : 'kept';

/** What moved in one choice. now: by token, as it is today. */
function moved(
  before: GoldenCandidate,
  now: Outcome,
  trace: StepTrace,
  tolerance: number,
): string | undefined {
  const { p, p_final, removed_by } = now;
  if (Math.abs(p - before.p) <= tolerance && Math.abs(p_final - before.final) <= tolerance)
    return undefined;
  const stage = removed_by ?? before.removed_by ?? undefined;
  const reason = trace.stages.find(({ name }) => name === stage)?.reason;
  const fate =
    fateOf(before.removed_by) === fateOf(removed_by)
      ? ''
      : `; ${fateOf(before.removed_by)} → ${fateOf(removed_by)}${reason ? ` (${reason})` : ''}`;
  return `p ${digits(before.p)} → ${digits(p)}, final ${digits(before.final)} → ${digits(p_final)}${fate}`;
}

/**
 * What has moved since a golden file (an object, or in Node a path) was recorded: probabilities beyond the tolerance (default 0.001), and tokens drawn otherwise. Each
 * step is compared after the recorded tokens before it, so that one change is told once.
 */
export async function compareTrace(
  model: Model,
  recorded: Golden | string,
  { tolerance = DEFAULT_TOLERANCE } = {},
): Promise<Comparison> {
  const golden = await goldenOf(recorded);
  const differences: Difference[] = [];
  const tell = (message: string, place: Partial<Difference> = {}) =>
    void differences.push({
      case: undefined,
      step: undefined,
      token: undefined,
      before: undefined,
      after: undefined,
      ...place,
      message,
    });
  const { fingerprint, n_vocab } = golden.model;
  if (fingerprint !== model.info.fingerprint)
    tell(`the model is another: fingerprint ${fingerprint} → ${model.info.fingerprint}`);
  if (n_vocab !== model.info.n_vocab)
    tell(`the vocabulary has another size: ${n_vocab} → ${model.info.n_vocab}`);
  for (const { name, prompt, seed, options, steps } of n_vocab === model.info.n_vocab
    ? golden.cases
    : []) {
    const session = await begin(model, prompt);
    try {
      for (const [i, { token, text, candidates }] of steps.entries()) {
        const trace = await session.candidates({
          ...optionsFrom(options),
          seed: BigInt(seed),
          top_n: candidates.length,
        });
        const today = new Map(trace.candidates.map((candidate) => [candidate.token, candidate]));
        for (const before of candidates) {
          const now = today.get(before.token) ?? asCandidate(await session.explain(before.token));
          const what = moved(before, now, trace, tolerance);
          const place = {
            case: name,
            step: i,
            token: before.token,
            before: before.p,
            after: now.p,
          };
          if (what)
            tell(
              `${name}, step ${i}: ${JSON.stringify(before.text)} (${before.token}): ${what}`,
              place,
            );
        }
        if (trace.draw.token !== token) {
          const drawn = await model.tokenText(trace.draw.token);
          const what = `drawn ${JSON.stringify(text)} (${token}) → ${JSON.stringify(drawn)} (${trace.draw.token})`;
          tell(`${name}, step ${i}: ${what}`, { case: name, step: i, token });
        }
        await session.append(token);
      }
    } finally {
      await session.dispose();
    }
  }
  return {
    same: differences.length === 0,
    differences,
    report: differences.map(({ message }) => message).join('\n'),
  };
}
