/**
 * In-context Navigation: the model sees what was found so far, and the next text begins with the
 * most probable first token that was not used yet.
 */
import { MAX_INT32, invalid, reading, textOf, wholeNumber } from '../types/arguments.js';
import { continuationsInCache } from '../types/capacity.js';
import { throwIfAborted } from '../types/errors.js';
import { logprobsOf } from '../types/logprobs.js';
import { Sessions, runAll } from '../types/runs.js';
import { untilAborted, withSignal } from '../types/signals.js';
import { textOfBytes } from '../types/utf8.js';
import type {
  GenerateOptions,
  MethodPrompt,
  Model,
  NavigateListResult,
  NavigateOptions,
  NavigateWaysResult,
  Navigated,
  NavigatedAnswer,
  NavigatedWay,
  Session,
} from '../types/types.js';
import { answerFinder, numberOrLetter } from './answers.js';
import { readMethodOptions } from './list.js';
import type { MethodValues } from './list.js';
import { generated, promptIds } from './runs.js';
import type { FirstToken, IsEog } from './runs.js';
import { countVotes } from './vote-count.js';

const ANSWER_TOKENS = 64;
const WAY_TOKENS = 256;
const QUOTE = '"';
const GREEDY: GenerateOptions = { temperature: 0 };
/** The options that belong to one mode only. */
const OWN = {
  list: ['n_tol', 'n_run', 'reg', 'header'],
  ways: [
    ...['n_ways', 'depth', 'baseline', 'answer_tokens', 'instruction', 'heading', 'cue'],
    ...['extract', 'canonical'],
  ],
};

type Values = MethodValues<'navigate'> & { max_tokens?: number };

/** A first token that was not used yet. */
interface First extends FirstToken {
  first: string;
  rank: number;
  logprob: number;
}

/** The prompt with texts after it. */
class LongerPrompt {
  readonly #model: Model;
  readonly #prompt: MethodPrompt;
  readonly #signal: AbortSignal;
  #ids: Promise<number[]> | undefined; // of a prompt that is no text

  constructor(model: Model, prompt: MethodPrompt, signal: AbortSignal) {
    this.#model = model;
    this.#prompt = prompt;
    this.#signal = signal;
  }

  async with(text: string): Promise<number[]> {
    const prompt = this.#prompt;
    if (typeof prompt === 'string') return promptIds(this.#model, prompt + text, this.#signal);
    const ids = await (this.#ids ??= promptIds(this.#model, prompt, this.#signal));
    const more = this.#model.tokenize(text, { add_special: false });
    return [...ids, ...(await untilAborted(more, [this.#signal]))];
  }
}

class Navigation {
  readonly #model: Model;
  readonly #values: Values;
  readonly #prompt: LongerPrompt;
  readonly #isEog: IsEog;
  readonly #sessions: Sessions;
  readonly #signal: AbortSignal;
  /** The texts of the first tokens so far. */
  readonly #used = new Set<string>();

  constructor(
    model: Model,
    values: Values,
    prompt: LongerPrompt,
    isEog: IsEog,
    sessions: Sessions,
    signal: AbortSignal,
  ) {
    this.#model = model;
    this.#values = values;
    this.#prompt = prompt;
    this.#isEog = isEog;
    this.#sessions = sessions;
    this.#signal = signal;
  }

  async #session(text: string): Promise<Session> {
    const session = this.#sessions.add(this.#model.createSession());
    await session.sync(await this.#prompt.with(text), { signal: this.#signal });
    return session;
  }

  /** The n most probable next tokens, among the first `depth`, whose texts were not used yet. */
  async #firsts(session: Session, n: number, depth: number): Promise<First[]> {
    const most = Math.min(depth, this.#model.info.n_vocab);
    for (
      let top_n = Math.min(most, this.#used.size + 2 * n + 20);
      ;
      top_n = Math.min(most, 2 * top_n)
    ) {
      const options = { samplers: [], top_n, signal: this.#signal };
      const { candidates } = await session.candidates(options);
      const logprobs = logprobsOf(candidates);
      const found = new Map<string, First>();
      for (const [rank, { token, text, bytes }] of candidates.entries()) {
        // tokens with and without a space before the same word are one
        const first = (bytes.length > 0 ? textOfBytes(bytes) : text).trim();
        if (found.size === n) break;
        if (this.#used.has(first) || found.has(first)) continue;
        found.set(first, { token, bytes, first, rank, logprob: logprobs[rank]! });
      }
      if (found.size < n && top_n < most) continue;
      for (const first of found.keys()) this.#used.add(first);
      return [...found.values()];
    }
  }

  /** Continues a fork of the session greedily after the first token, until a mark or the limit. */
  async #complete(
    session: Session,
    first: First,
    mark: string,
    max_tokens: number,
    signal: AbortSignal,
  ): Promise<Navigated> {
    const fork = await this.#sessions.fork(session);
    const { token, bytes, ...rest } = first;
    const options = { ...GREEDY, signal, max_tokens };
    const ended = await this.#isEog(token);
    const isEnd = (text: string) => ended || text.includes(mark);
    const { tokens, text } = await generated(this.#model, fork, options, isEnd, { token, bytes });
    await this.#sessions.free(fork);
    return { token, ...rest, tokens, text: text.split(mark, 1)[0]! };
  }

  async list(): Promise<NavigateListResult> {
    const { n_tol, n_run, reg, max_tokens = ANSWER_TOKENS } = this.#values;
    const header = textOf(this.#values.header ?? '\nAnswers:\n', 'header');
    const clean = await this.#session(`${header}1. ${QUOTE}`);
    const explorer = await this.#sessions.fork(clean);
    const answers: NavigatedAnswer[] = [];
    let n_dropped = 0;
    for (let run = 0; run < n_run; run++) {
      throwIfAborted(this.#signal);
      const lines = answers.map(({ text }, i) => `${i + 1}. "${text.replace(/\s+/g, ' ')}"\n`);
      const shown = `${header}${lines.join('')}${answers.length + 1}. ${QUOTE}`;
      const ids = await this.#prompt.with(shown);
      await explorer.sync(ids, { signal: this.#signal });
      const firsts = await this.#firsts(explorer, n_tol, this.#model.info.n_vocab);
      const found: NavigatedAnswer[] = [];
      const atOnce = continuationsInCache(this.#model.info, ids.length, max_tokens);
      await runAll(firsts.length, atOnce, this.#signal, async (i, signal) => {
        const from = reg ? clean : explorer;
        const text = await this.#complete(from, firsts[i]!, QUOTE, max_tokens, signal);
        found[i] = { run, ...text };
      });
      const kept = found.filter(({ text }) => text.trim() !== '');
      n_dropped += found.length - kept.length;
      answers.push(...kept);
      if (firsts.length < n_tol) break; // all texts of the vocabulary were used
    }
    const n_distinct = new Set(answers.map(({ text }) => text.trim())).size;
    return { answers, n_dropped, n_distinct };
  }

  async ways(): Promise<NavigateWaysResult> {
    const { n_ways, depth, baseline, answer_tokens, max_tokens = WAY_TOKENS } = this.#values;
    const { extract, canonical } = this.#values;
    const instruction = textOf(
      this.#values.instruction ?? `Solve this problem in ${n_ways} different ways.`,
      'instruction',
    );
    const heading = textOf(this.#values.heading ?? '### Way', 'heading').trim();
    if (heading === '') throw invalid('heading is empty; it must be a text with a word');
    const cue = textOf(this.#values.cue ?? `\n\nFinal answer: ${QUOTE}`, 'cue');
    const answerIn = answerFinder(extract ?? numberOrLetter, canonical);
    const mark = `\n${heading.split(/\s/, 1)[0]}`;
    const opening = (way: number) => `${heading} ${way}\nStep 1:`;
    const task = `\n\n${instruction}\n\n`;
    const clean = await this.#session(task + opening(1));
    const explorer = await this.#sessions.fork(clean);
    const found: Navigated[] = [];
    for (let way = 1; way <= n_ways; way++) {
      throwIfAborted(this.#signal);
      if (!baseline && way > 1) {
        const earlier = found.map(({ text }, i) => `${opening(i + 1)}${text.trimEnd()}\n\n`);
        const ids = await this.#prompt.with(task + earlier.join('') + opening(way));
        await explorer.sync(ids, { signal: this.#signal });
      }
      const [first] = await this.#firsts(explorer, 1, depth);
      if (!first) break; // all texts within the depth were used
      found.push(await this.#complete(clean, first, mark, max_tokens, this.#signal));
    }
    const ways: NavigatedWay[] = [];
    const atOnce = continuationsInCache(this.#model.info, clean.tokens.length, max_tokens);
    await runAll(found.length, atOnce, this.#signal, async (i, signal) => {
      const { text } = found[i]!;
      const session = await this.#session(task + opening(1) + text + cue);
      const options = { ...GREEDY, signal, max_tokens: answer_tokens };
      const isEnd = (answer: string) => answer.includes(QUOTE);
      const final = await generated(this.#model, session, options, isEnd);
      await this.#sessions.free(session);
      const final_text = final.text.split(QUOTE, 1)[0]!;
      const answer = await untilAborted(answerIn(final_text), [signal]);
      ways[i] = { ...found[i]!, final_text, answer };
    });
    const votes = ways.map(({ answer }) => ({ answer, score: 1 }));
    const histogram = countVotes(votes, 'majority');
    return { winner: histogram[0]?.answer, ways, histogram };
  }
}

/** Model.navigate. */
export async function navigate(
  model: Model,
  prompt: MethodPrompt,
  options: NavigateOptions | undefined,
  isEog: IsEog,
): Promise<NavigateListResult | NavigateWaysResult> {
  const others = ['max_tokens', 'signal'] as const;
  const read = readMethodOptions('navigate', options as object, 'navigate', others as never);
  const { mode } = read;
  const { max_tokens, signal: caller } = read as { max_tokens?: unknown; signal?: AbortSignal };
  const other = mode === 'list' ? 'ways' : 'list';
  const given = reading('the options of navigate', () => ({ ...options }) as object);
  for (const name of OWN[other])
    if (given[name as keyof typeof given] !== undefined)
      throw invalid(`${name} is an option of mode '${other}', and mode is '${mode}'`);
  const values: Values = { ...read };
  if (max_tokens !== undefined)
    values.max_tokens = wholeNumber(max_tokens, 'max_tokens', 1, MAX_INT32);
  return withSignal(caller, async (signal) => {
    const sessions = new Sessions();
    try {
      const longer = new LongerPrompt(model, prompt, signal);
      const navigation = new Navigation(model, values, longer, isEog, sessions, signal);
      return await navigation[mode]();
    } finally {
      await sessions.freeAll();
    }
  });
}
