/**
 * Self-consistency, weighted voting and best-of-N: several answers to one prompt, whose texts are
 * forks that run at the same time, and which of them wins.
 */
import { MAX_INT32, invalid, reading, wholeNumber } from '../types/arguments.js';
import { ask } from '../types/ask.js';
import { continuationsInCache } from '../types/capacity.js';
import { typed } from '../types/errors.js';
import { runPrompt } from '../types/prompts.js';
import { samplerOptionNames } from '../types/sampler-names.js';
import { Sessions, runAll } from '../types/runs.js';
import { untilAborted, withSignal } from '../types/signals.js';
import type {
  AnswerListener,
  ChatMessage,
  GenerateOptions,
  MethodPrompt,
  Model,
  Session,
  Solution,
  SolutionScore,
  VoteAnswer,
  VoteCost,
  VoteMode,
  VoteOptions,
  VoteResult,
  VoteVerifier,
} from '../types/types.js';
import { answerFinder } from './answers.js';
import { readMethodOptions } from './list.js';
import { generated, isConversation, promptIds } from './runs.js';
import { countVotes, solutionEquivalents, winnerOf } from './vote-count.js';
import { meanScore, verifierOf, verify } from './vote-verifier.js';
import type { Verifier } from './vote-verifier.js';

const DEFAULT_TOKENS = 256;
const OTHERS = [...samplerOptionNames, 'max_tokens', 'signal'].filter(
  (name) => name !== 'temperature',
) as (keyof VoteOptions)[];

/** The text of the prompt, or of the last message of a conversation. */
async function questionOf(model: Model, prompt: MethodPrompt): Promise<string> {
  if (typeof prompt === 'string') return prompt;
  if (!isConversation(prompt)) return model.detokenize(prompt);
  return reading('the prompt', () => {
    const { content } = prompt.at(-1) as ChatMessage;
    if (typeof content === 'string') return content;
    return [...(content ?? [])].map((part) => ('text' in part ? part.text : '')).join('');
  });
}

function modeOf(mode: VoteMode, hasScores: boolean): Exclude<VoteMode, 'auto'> {
  if (mode === 'auto') return hasScores ? 'weighted' : 'majority';
  if (mode !== 'majority' && !hasScores) throw invalid(`mode '${mode}' needs a verifier`);
  return mode;
}

/** The score that a function of the caller's gives. */
async function givenScore(judge: SolutionScore, solution: Solution): Promise<number> {
  const score = await ask('verifier', () => judge(solution));
  if (typeof score === 'number' && score >= 0 && score <= 1) return score;
  throw invalid(`verifier gives ${typed(score, 'number')}; it must give a number of 0 to 1`);
}

/** The cost, from the answers. */
function costOf(
  answers: readonly VoteAnswer[],
  prompt_tokens: number,
  verifier_prompt_tokens: number,
  n_verifications: number,
): VoteCost {
  const answer_tokens = answers.reduce((sum, { tokens }) => sum + tokens.length, 0);
  const all = answers.flatMap(({ verifications }) => verifications);
  const verification_tokens = all.reduce((sum, { n_tokens }) => sum + n_tokens, 0);
  const perAnswer = answer_tokens / answers.length;
  const lambda = all.length > 0 && perAnswer > 0 ? verification_tokens / all.length / perAnswer : 0;
  return {
    prompt_tokens,
    answer_tokens,
    verifier_prompt_tokens,
    verification_tokens,
    lambda,
    solution_equivalents: solutionEquivalents(answers.length, n_verifications, lambda),
  };
}

/** A vote that runs. */
interface Run {
  model: Model;
  prompt: MethodPrompt;
  ids: number[];
  n: number;
  max_tokens: number;
  sampler: GenerateOptions;
  answerIn: (text: string) => Promise<string | undefined>;
  /** The model's verifier, or a function of the caller's. */
  judge: Verifier | SolutionScore | undefined;
  sessions: Sessions;
  signal: AbortSignal;
  report: (answer: VoteAnswer) => Promise<void>;
}

/** All answers: forks of the base, which has the prompt. */
async function answersOf(run: Run, base: Session): Promise<VoteAnswer[]> {
  const { model, ids, n, max_tokens, sampler, judge, sessions } = run;
  const answers: VoteAnswer[] = [];
  const atOnce = continuationsInCache(model.info, ids.length, max_tokens);
  await runAll(n, atOnce, run.signal, async (sample_index, signal) => {
    const session = await sessions.fork(base);
    const options = { ...sampler, sample_index, max_tokens, signal };
    const { tokens, text, finished } = await generated(model, session, options);
    await sessions.free(session);
    const answer = await untilAborted(run.answerIn(text), [signal]);
    const score = judge ? 0 : undefined;
    const entry = { sample_index, tokens, text, answer, finished, score, verifications: [] };
    answers[sample_index] = entry;
    if (!judge) await untilAborted(run.report(entry), [signal]);
  });
  return answers;
}

/** Scores the answers. Resolves to the number of tokens of the verifier's prompts. */
async function judgeAll(run: Run, answers: readonly VoteAnswer[], seed: bigint): Promise<number> {
  const { model, n, judge, sessions } = run;
  const question = await questionOf(model, run.prompt);
  let prompt_tokens = 0;
  const scored = async (entry: VoteAnswer, signal: AbortSignal) => {
    const { text, answer } = entry;
    if (answer === undefined) return;
    const solution = { question, text, answer };
    if (typeof judge === 'function') {
      entry.score = await untilAborted(givenScore(judge, solution), [signal]);
      return;
    }
    const first_index = entry.sample_index * judge!.n;
    const checks = await verify(judge!, solution, seed, first_index, sessions, signal);
    entry.verifications = checks.verifications;
    entry.score = meanScore(checks.verifications);
    prompt_tokens += checks.prompt_tokens;
  };
  let atOnce = n;
  if (typeof judge === 'object') {
    const n_prompt = run.ids.length + run.max_tokens; // about
    const texts = continuationsInCache(judge.model.info, n_prompt, judge.max_tokens);
    atOnce = Math.max(1, Math.floor(texts / judge.n));
  }
  await runAll(n, atOnce, run.signal, async (index, signal) => {
    await scored(answers[index]!, signal);
    await untilAborted(run.report(answers[index]!), [signal]);
  });
  return prompt_tokens;
}

/** Model.vote. */
export async function vote(
  model: Model,
  prompt: MethodPrompt,
  options?: VoteOptions,
): Promise<VoteResult> {
  const read = readMethodOptions<'vote', VoteOptions>('vote', options, 'vote', OTHERS);
  const { n, extract, canonical, mode: given, on_answer, verifier, ...rest } = read;
  const { max_tokens: limit, signal: caller, ...sampler } = rest;
  const max_tokens = wholeNumber(limit ?? DEFAULT_TOKENS, 'max_tokens', 1, MAX_INT32);
  const answerIn = answerFinder(extract ?? 'text', canonical);
  if (on_answer !== undefined && typeof on_answer !== 'function')
    throw invalid(`on_answer is ${typed(on_answer)}; it must be a function`);
  const judge =
    typeof verifier === 'function' || verifier === undefined
      ? (verifier as SolutionScore | undefined)
      : verifierOf(verifier as VoteVerifier, model);
  const mode = modeOf(given, judge !== undefined);
  let done = 0;
  const report = async (answer: VoteAnswer) => {
    const event = { answer, done: ++done, n };
    if (on_answer) await ask('on_answer', () => (on_answer as AnswerListener)(event));
  };
  return withSignal(caller, async (signal) => {
    const sessions = new Sessions();
    try {
      const ids = await promptIds(model, prompt, signal);
      const { seed } = sampler as GenerateOptions;
      const base = sessions.add(model.createSession(seed === undefined ? {} : { seed }));
      await runPrompt(base, ids, signal);
      const checked = { model, prompt, ids, n, max_tokens, sampler: sampler as GenerateOptions };
      const run: Run = { ...checked, answerIn, judge, sessions, signal, report };
      const answers = await answersOf(run, base);
      const judged = judge ? await judgeAll(run, answers, base.seed) : 0;
      const votes = answers.map((entry) => ({ answer: entry.answer, score: entry.score ?? 1 }));
      const histogram = countVotes(votes, mode);
      return {
        winner: histogram[0]?.answer,
        text: answers[winnerOf(votes, mode)]?.text,
        answers,
        histogram,
        cost: costOf(answers, ids.length, judged, typeof judge === 'object' ? judge.n : 0),
      };
    } finally {
      await sessions.freeAll();
    }
  });
}
