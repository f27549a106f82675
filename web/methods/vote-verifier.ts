/** The verifier of a vote: the model judges a solution by texts that end with yes or no. */
import {
  MAX_INT32,
  indexIn,
  invalid,
  readOptions,
  textOf,
  wholeNumber,
} from '../types/arguments.js';
import { ask } from '../types/ask.js';
import { typed } from '../types/errors.js';
import { runPrompt } from '../types/prompts.js';
import { runAll } from '../types/runs.js';
import type { Sessions } from '../types/runs.js';
import { untilAborted } from '../types/signals.js';
import type {
  MethodPrompt,
  Model,
  Session,
  Solution,
  VerdictScore,
  Verification,
  VoteVerifier,
} from '../types/types.js';
import { generated, promptIds } from './runs.js';
import type { Generated } from './runs.js';

const OPTIONS = ['n', 'max_tokens', 'temperature', 'score', 'yes', 'no', 'prompt'];
const SCORES: VerdictScore[] = ['verdict', 'probability', 'hybrid'];
const MAX_VERIFICATIONS = 1024;
const DEFAULT_TOKENS = 256;
const DEFAULT_TEMPERATURE = 0.7;

/** The checked options of a verifier. */
export interface Verifier {
  model: Model;
  n: number;
  max_tokens: number;
  temperature: number;
  score: VerdictScore;
  yes: string;
  no: string;
  prompt: (solution: Solution) => MethodPrompt | Promise<MethodPrompt>;
}

/** What the model is asked; a model without a chat template continues the text. */
function defaultPrompt({ info }: Model, { yes, no }: Pick<Verifier, 'yes' | 'no'>) {
  return ({ question, text }: Solution): MethodPrompt => {
    const task =
      `Question:\n${question}\n\nSolution:\n${text}\n\n` +
      'Check the solution step by step. ' +
      `Then end with the verdict whether its final answer is right: ${yes} or ${no}.`;
    return info.chat_template === undefined
      ? `${task}\n\nCheck:`
      : [{ role: 'user', content: task }];
  };
}

/** The options of a verifier. Throws INVALID_ARGUMENT. */
export function verifierOf(given: VoteVerifier, model: Model): Verifier {
  const read = readOptions(given, OPTIONS, 'vote (verifier)');
  const words = {
    yes: textOf(read.yes ?? 'yes', 'verifier.yes').trim(),
    no: textOf(read.no ?? 'no', 'verifier.no').trim(),
  };
  if (!words.yes || !words.no || words.yes.toLowerCase() === words.no.toLowerCase())
    throw invalid('verifier.yes and verifier.no must be two different words');
  const { prompt, temperature = DEFAULT_TEMPERATURE } = read;
  if (prompt !== undefined && typeof prompt !== 'function')
    throw invalid(`verifier.prompt is ${typed(prompt)}; it must be a function`);
  if (!(typeof temperature === 'number' && temperature >= 0))
    throw invalid(
      `verifier.temperature is ${typed(temperature, 'number')}; it must be a number of at least 0`,
    );
  indexIn(SCORES, read.score, 'verifier.score');
  return {
    model,
    n: wholeNumber(read.n ?? 1, 'verifier.n', 1, MAX_VERIFICATIONS),
    max_tokens: wholeNumber(read.max_tokens ?? DEFAULT_TOKENS, 'verifier.max_tokens', 1, MAX_INT32),
    temperature,
    score: read.score ?? 'verdict',
    ...words,
    prompt: prompt ?? defaultPrompt(model, words),
  };
}

const isWord = (text: string, word: string) => text.trim().toLowerCase() === word.toLowerCase();

/** The last verdict word of a text: where it begins, and whether it is the word for yes. */
export function verdictIn(
  text: string,
  { yes, no }: Pick<Verifier, 'yes' | 'no'>,
): { index: number; isYes: boolean } | undefined {
  const escaped = [yes, no].map((word) => word.replace(/[\\^$.*+?()[\]{}|/-]/g, '\\$&'));
  const words = RegExp(`(?<![\\p{L}\\p{N}])(?:${escaped.join('|')})(?![\\p{L}\\p{N}])`, 'giu');
  const last = [...text.matchAll(words)].at(-1);
  return last && { index: last.index, isYes: isWord(last[0], yes) };
}

/** The number of the token that completed the character at an index of the text. */
function tokenAt(pieces: readonly string[], index: number): number {
  let end = 0;
  return pieces.findIndex((piece) => (end += piece.length) > index);
}

/**
 * The probability, before any stage, of the word for yes in the place of the verdict; undefined
 * when the verdict is not one token. session: has the prompt and the text.
 */
async function probabilityOfYes(
  session: Session,
  { tokens, pieces }: Generated,
  index: number,
  { model, yes, no }: Verifier,
  signal: AbortSignal,
): Promise<number | undefined> {
  const place = tokenAt(pieces, index);
  const piece = pieces[place]!;
  if (!isWord(piece, yes) && !isWord(piece, no)) return undefined;
  const texts = await untilAborted(model.tokenTexts(), [signal]);
  const yesTokens = [...texts.keys()].filter((token) => isWord(texts[token]!, yes));
  if (yesTokens.length === 0) return undefined;
  await session.rewind(session.tokens.length - tokens.length + place);
  const { rows } = await session.stageTable({
    samplers: [],
    tokens: yesTokens,
    max_rows: 0,
    signal,
  });
  return rows.reduce((sum, { token, p }) => sum + (yesTokens.includes(token) ? p : 0), 0);
}

async function scoreOf(
  session: Session,
  text: Generated,
  verifier: Verifier,
  signal: AbortSignal,
): Promise<number | undefined> {
  const verdict = verdictIn(text.text, verifier);
  if (!verdict) return undefined;
  const byWord = verdict.isYes ? 1 : 0;
  if (verifier.score === 'verdict') return byWord;
  const p = await probabilityOfYes(session, text, verdict.index, verifier, signal);
  return p ?? (verifier.score === 'hybrid' ? byWord : undefined);
}

/** The mean of the scores; 0 when there is none. */
export function meanScore(verifications: readonly Pick<Verification, 'score'>[]): number {
  const scores = verifications.flatMap(({ score }) => (score === undefined ? [] : [score]));
  return scores.length === 0 ? 0 : scores.reduce((sum, score) => sum + score, 0) / scores.length;
}

/** Verifies one solution. Resolves to the verifications and the length of their prompt. */
export async function verify(
  verifier: Verifier,
  solution: Solution,
  seed: bigint,
  first_index: number,
  sessions: Sessions,
  signal: AbortSignal,
): Promise<{ verifications: Verification[]; prompt_tokens: number }> {
  const { model, n, max_tokens, temperature } = verifier;
  const prompt = await untilAborted(
    ask('verifier.prompt', () => verifier.prompt(solution)),
    [signal],
  );
  const ids = await promptIds(model, prompt, signal);
  const base = sessions.add(model.createSession({ seed }));
  await runPrompt(base, ids, signal);
  const verifications: Verification[] = [];
  await runAll(n, n, signal, async (chain, stop) => {
    const session = await sessions.fork(base);
    const text = await generated(model, session, {
      temperature,
      max_tokens,
      sample_index: first_index + chain,
      signal: stop,
    });
    verifications[chain] = {
      text: text.text,
      n_tokens: text.tokens.length,
      score: await scoreOf(session, text, verifier, stop),
    };
    await sessions.free(session);
  });
  await sessions.free(base);
  return { verifications, prompt_tokens: ids.length };
}
