/**
 * Decisions: answers to typed questions, read from the logits after one prompt a question. What the
 * prompts have in common, the state first of all, runs once; the prompts go on from there in forks,
 * at the same time.
 */
import {
  indexIn,
  invalid,
  isGiven,
  readOptions,
  reading,
  textOf,
  unsupported,
  wholeNumber,
} from '../types/arguments.js';
import { continuationsInCache } from '../types/capacity.js';
import { throwIfAborted, typed } from '../types/errors.js';
import { jsonOf } from '../types/json.js';
import { commonLength, runPrompt } from '../types/prompts.js';
import { Sessions, runAll } from '../types/runs.js';
import { withSignal } from '../types/signals.js';
import type {
  Decision,
  DecisionParams,
  DecisionReading,
  DecisionUsage,
  Model,
  Session,
  SystemOneDecision,
  SystemOneParams,
} from '../types/types.js';
import { combine, listAnswer, readLabels, recordAnswer } from './decide-answers.js';
import type { Outcome, Refusal } from './decide-answers.js';
import { questionsOf, stateOf } from './decide-input.js';
import type { Question } from './decide-input.js';
import { Labels, LabelsMissing } from './decide-labels.js';
import {
  MAX_TEMPERATURE,
  MIN_TEMPERATURE,
  chatRule,
  decisionKeys,
  decisionRule,
  isTemperature,
} from './decide-rules.js';
import type { Choices, DecideHost, Prompt, Rule } from './decide-rules.js';

const UNSUPPORTED = [
  'prompt_cache_key',
  'prompt_cache_options',
  'safety_identifier',
  'files',
  'images',
  'videos',
] as const;
const KNOWN = [
  ...['state', 'input', 'questions', 'model', 'signal'],
  ...['temperature', 'orders', 'template', 'chat_template_kwargs', 'trace'],
];
const DEFAULT_TOP_N = 20;
const AT_ONCE = 32; // prompts that run at the same time

/** How the api gives what is no public call. */
export interface DecideAccess {
  /** Keys of the model's file that begin with one of the prefixes, each with its value. */
  headerValues(prefixes: string[]): Promise<readonly (readonly [string, string])[]>;
  /** The text that a template makes of its variables. Throws TEMPLATE_FAILED. */
  render(template: string, variables: Readonly<Record<string, unknown>>): Promise<string>;
}

// ---- options ----

interface Request extends Choices {
  state: unknown;
  questions: Question[];
  isList: boolean;
  model: string | undefined;
  /** Candidates of a trace; undefined for no trace. */
  top_n: number | undefined;
  /** What only a model without a rule of its own accepts. */
  chatOnly: string[];
}

/** How many candidates a trace lists; undefined for no trace. */
function traceSize(trace: unknown): number | undefined {
  if (trace === false) return undefined;
  const read = readOptions(trace as { top_n?: unknown } | undefined, ['top_n'], 'trace');
  return wholeNumber(read.top_n ?? DEFAULT_TOP_N, 'trace.top_n', 0, 2 ** 31 - 1);
}

function variablesOf(given: unknown): Record<string, unknown> {
  const name = 'chat_template_kwargs';
  const variables = reading(name, () => jsonOf(given ?? {}, name));
  if (Array.isArray(variables) || typeof variables !== 'object')
    throw invalid(`${name} is ${typed(given)}; it must be an object`);
  return variables as Record<string, unknown>;
}

function requestOf(read: DecisionParams | SystemOneParams): Request {
  for (const name of UNSUPPORTED)
    if (isGiven(read[name])) throw unsupported(`decide does not support ${name}`);
  const chatOnly = (['orders', 'template', 'chat_template_kwargs'] as const).filter((name) =>
    isGiven(read[name]),
  );
  const { temperature, template, chat_template_kwargs } = read;
  if (isGiven(temperature) && !isTemperature(temperature))
    throw invalid(
      `temperature is ${typed(temperature, 'number')}; it must be a number of ` +
        `${MIN_TEMPERATURE} to ${MAX_TEMPERATURE}`,
    );
  return {
    state: stateOf(read),
    ...questionsOf(read.questions),
    model: isGiven(read.model) ? textOf(read.model, 'model') : undefined,
    temperature: isGiven(temperature) ? Math.fround(temperature) : undefined,
    bothOrders: indexIn(['given', 'both'], read.orders ?? 'both', 'orders') === 1,
    template: isGiven(template) ? textOf(template, 'template') : undefined,
    chat_template_kwargs: variablesOf(chat_template_kwargs),
    top_n: traceSize(read.trace ?? undefined),
    chatOnly,
  };
}

/** The rule of the model: its own, or that of chat models. */
async function ruleOf(host: DecideHost, access: DecideAccess, request: Request): Promise<Rule> {
  const { state, temperature, chatOnly } = request;
  const values = new Map(await access.headerValues(decisionKeys(host.model)));
  const own = decisionRule(host, values, state, temperature);
  if (!own) return chatRule(host, state, request);
  if (chatOnly.length > 0)
    throw unsupported(`the file is a decision model, whose own rule has no option ${chatOnly[0]}`);
  return own;
}

// ---- runs ----

/** The prompts of a question, or why there are none. */
async function plan(
  model: Model,
  rule: Rule,
  question: Question,
  all: readonly Question[],
): Promise<Prompt[] | Refusal> {
  try {
    const prompts = await rule.prompts(question, all);
    const longest = Math.max(...prompts.map(({ ids }) => ids.length));
    const { n_ctx } = model.info;
    if (longest <= n_ctx) return prompts;
    const message = `the prompt has ${longest} tokens; the context has ${n_ctx}`;
    return { reason: 'CONTEXT_FULL', message };
  } catch (error) {
    if (!(error instanceof LabelsMissing)) throw error;
    return { reason: 'LABELS_MISSING', message: error.message };
  }
}

/** How many tokens all prompts begin with. Each prompt keeps at least one token of its own. */
function sharedLength(prompts: readonly Prompt[]): number {
  const { ids: first } = prompts[0]!;
  const lengths = prompts.map(({ ids }) => Math.min(commonLength(first, ids), ids.length - 1));
  return Math.max(0, Math.min(...lengths));
}

interface Run extends Prompt {
  temperature: number;
}

/** One prompt on a session that has the beginning already. */
async function readPrompt(
  session: Session,
  run: Run,
  top_n: number | undefined,
  signal: AbortSignal,
): Promise<DecisionReading> {
  const { ids, labels, temperature } = run;
  await session.sync(ids, { signal });
  const logits = await session.logits({ signal });
  const trace =
    top_n === undefined
      ? undefined
      : await session.candidates({
          top_n,
          signal,
          temperature,
          samplers: ['temperature'],
          allowed_tokens: [...new Set(labels.flatMap(({ tokens }) => tokens))],
        });
  return readLabels(run, logits, temperature, trace);
}

/** Runs the prompts; their common beginning once. */
async function readAll(
  model: Model,
  runs: readonly Run[],
  top_n: number | undefined,
  given: AbortSignal,
): Promise<{ readings: DecisionReading[]; cached_tokens: number }> {
  const readings: DecisionReading[] = [];
  if (runs.length === 0) return { readings, cached_tokens: 0 };
  const sessions = new Sessions();
  try {
    const base = sessions.add(model.createSession({ seed: 0 }));
    if (runs.length === 1)
      return { readings: [await readPrompt(base, runs[0]!, top_n, given)], cached_tokens: 0 };
    const n = sharedLength(runs);
    if (n > 0) await runPrompt(base, runs[0]!.ids.slice(0, n), given);
    const longest = Math.max(...runs.map(({ ids }) => ids.length));
    const atOnce = Math.min(AT_ONCE, continuationsInCache(model.info, n, longest - n));
    await runAll(runs.length, atOnce, given, async (i, signal) => {
      const fork = await sessions.fork(base);
      readings[i] = await readPrompt(fork, runs[i]!, top_n, signal);
      await sessions.free(fork);
    });
    return { readings, cached_tokens: n * (runs.length - 1) };
  } finally {
    await sessions.freeAll();
  }
}

// ---- the call ----

const usageOf = (input_tokens: number, cached_tokens: number): DecisionUsage => ({
  input_tokens,
  input_tokens_details: { cache_write_tokens: 0, cached_tokens },
  output_tokens: 0,
  output_tokens_details: { reasoning_tokens: 0 },
  total_tokens: input_tokens,
});

const knownLabels = new WeakMap<Model, Labels>();

function labelsOf(model: Model): Labels {
  const labels = knownLabels.get(model) ?? new Labels(model);
  knownLabels.set(model, labels);
  return labels;
}

/** Answers the questions. */
export async function decide(
  model: Model,
  given: DecisionParams | SystemOneParams,
  access: DecideAccess,
): Promise<Decision | SystemOneDecision> {
  if (given === undefined) throw invalid('decide needs a state and questions');
  const read = readOptions<DecisionParams | SystemOneParams>(given, KNOWN, 'decide', UNSUPPORTED);
  return withSignal(read.signal, async (signal) => {
    const request = requestOf(read);
    const { questions, isList, top_n } = request;
    const host: DecideHost = { model, labels: labelsOf(model), render: access.render };
    const rule = await ruleOf(host, access, request);
    throwIfAborted(signal);
    const plans: (Prompt[] | Refusal)[] = [];
    await runAll(questions.length, questions.length, signal, async (i) => {
      plans[i] = await plan(model, rule, questions[i]!, questions);
    });
    const temperatures = questions.map((question) => rule.temperature(question));
    const runs = plans.flatMap((prompts, i) =>
      Array.isArray(prompts)
        ? prompts.map((prompt) => ({ ...prompt, temperature: temperatures[i]! }))
        : [],
    );
    const { readings, cached_tokens } = await readAll(model, runs, top_n, signal);
    let next = 0;
    const outcomes = plans.map((prompts, i): Outcome | Refusal => {
      if (!Array.isArray(prompts)) return prompts;
      return combine(readings.slice(next, (next += prompts.length)), temperatures[i]!);
    });
    const result = {
      model: request.model ?? (model.info.name || model.info.architecture),
      usage: usageOf(
        runs.reduce((total, { ids }) => total + ids.length, 0),
        cached_tokens,
      ),
    };
    const answerOf = <A>(make: (q: Question, o: Outcome | Refusal, ratings: boolean) => A) =>
      questions.map((question, i) => make(question, outcomes[i]!, rule.hasRatings(question)));
    if (isList) return { answers: answerOf(listAnswer), ...result };
    const answers = answerOf(recordAnswer);
    return {
      answers: Object.fromEntries(questions.map(({ id }, i) => [id, answers[i]!])),
      ...result,
    };
  });
}
