/** Generates the answers of a completion, part by part, all at the same time. */
import { logprobsOf } from '../types/logprobs.js';
import { runPrompt } from '../types/prompts.js';
import { follow } from '../types/signals.js';
import { textOfBytes } from '../types/utf8.js';
import type { CacheRoom, Place } from './cache-room.js';
import type { CompletionRequest } from './completion-request.js';
import { interleaved } from './interleave.js';
import { PromptPool, sharedOf } from './prompt-pool.js';
import { Stops } from './stops.js';
import type { UsageCounter } from './usage.js';
import type {
  Candidate,
  FinishReason,
  GenerateOptions,
  Model,
  Session,
  Step,
  TokenLogprob,
} from '../types/types.js';

/** A generated token with what log-probabilities tell about it. */
export interface TokenRecord extends TokenLogprob {
  /** The most probable tokens. */
  alternatives: TokenLogprob[];
  /** Characters of the answer before the token. */
  offset: number;
}

/** A part of an answer. */
export interface AnswerPart {
  /** Number of the answer. */
  index: number;
  text: string;
  tokens: TokenRecord[];
  /** null before the last part. */
  finish_reason: FinishReason | null;
}

/** A whole answer. */
export interface Answer {
  text: string;
  tokens: TokenRecord[];
  finish_reason: FinishReason;
}

const logprobOf = (token: string, bytes: Uint8Array, logprob: number): TokenLogprob => ({
  token,
  bytes: [...bytes],
  logprob,
});

/** The logarithms of p before any stage: of probabilities, too, that are no double any more. */
function alternativesOf(candidates: readonly Candidate[]): TokenLogprob[] {
  const logprobs = logprobsOf(candidates);
  return candidates.map(({ text, bytes }, i) => logprobOf(text, bytes, logprobs[i]!));
}

async function recordOf(
  model: Model,
  step: Step,
  offset: number,
  n_alternatives: number,
): Promise<TokenRecord> {
  const candidates = step.trace?.candidates.slice(0, n_alternatives) ?? [];
  const listed = candidates.find(({ token }) => token === step.token);
  const text = listed ? listed.text : await model.tokenText(step.token);
  return {
    ...logprobOf(text, step.bytes, step.logprob),
    alternatives: alternativesOf(candidates),
    offset,
  };
}

/** Holds back the records of tokens until all of their text has been shown. */
class PendingTokens {
  #tokens: TokenRecord[] = [];
  #generated = 0; // characters of the answer so far, shown or held back
  #shown = 0; // characters of the answer that were shown

  get length(): number {
    return this.#tokens.length;
  }

  get generated(): number {
    return this.#generated;
  }

  add(token: TokenRecord | undefined, text: string): void {
    if (token) this.#tokens.push(token);
    this.#generated += text.length;
  }

  /** Takes the records that can be shown together with the text. */
  take(text: string, last: boolean): TokenRecord[] {
    this.#shown += text.length;
    const shown = this.#shown;
    const complete = !last && this.#generated === shown;
    const isReady = ({ offset }: TokenRecord) => offset < shown || (complete && offset === shown);
    const ready = this.#tokens.filter(isReady);
    this.#tokens = this.#tokens.filter((token) => !isReady(token));
    return ready;
  }
}

/**
 * What the step of an end token shows of the tokens before it: U+FFFD for the bytes of a character
 * that they left unfinished.
 */
function unfinished({ text, bytes }: Step): string {
  const own = textOfBytes(bytes);
  return text.endsWith(own) ? text.slice(0, text.length - own.length) : '';
}

/** An answer that is generated. */
interface Running {
  index: number;
  session: Session;
  options: GenerateOptions;
  room: CacheRoom;
  place: Place;
  signal: AbortSignal;
  /** Called when the window slides. */
  onShift(): void;
}

/** The steps of an answer, which continues its session. */
async function* stepsOf(
  { session, options, room, place, signal, onShift }: Running,
  counter: UsageCounter,
): AsyncGenerator<Step> {
  const steps = session.generate(undefined, options);
  try {
    for (let n = 0; ; n++) {
      await room.enter(place, n, signal);
      counter.beginWait();
      const { done, value } = await steps.next().finally(() => counter.endWait());
      room.pause(place);
      if (done) return;
      counter.addToken();
      if (value.shifted > 0) onShift();
      yield value;
    }
  } finally {
    await steps.return();
  }
}

/** The parts of an answer. */
async function* answerParts(
  model: Model,
  { stops, n_alternatives }: CompletionRequest,
  running: Running,
  counter: UsageCounter,
): AsyncGenerator<AnswerPart> {
  const { index, options } = running;
  const watch = new Stops(stops);
  const pending = new PendingTokens();
  const part = (text: string, finish_reason: FinishReason | null): AnswerPart => ({
    index,
    text,
    tokens: pending.take(text, finish_reason !== null),
    finish_reason,
  });
  let finish_reason: FinishReason = 'length';
  let rest = '';
  for await (const step of stepsOf(running, counter)) {
    if (step.eog && !options.ignore_eos) {
      finish_reason = 'stop';
      rest = unfinished(step);
      pending.add(undefined, rest);
      break;
    }
    const record =
      n_alternatives === undefined
        ? undefined
        : await recordOf(model, step, pending.generated, n_alternatives);
    pending.add(record, step.text);
    const { text, stopped } = watch.push(step.text);
    if (text || pending.length > 0 || stopped) yield part(text, null);
    if (stopped) {
      finish_reason = 'stop';
      break;
    }
  }
  const { text } = watch.push(rest);
  yield part(text + watch.end(), finish_reason);
}

/**
 * Makes a session after a completion equal to one that has only run its tokens: mirostat's state is
 * that of the text that was generated with it, so the answer goes. Returns false if that fails.
 */
async function makePlain(session: Session, { ids, options }: CompletionRequest): Promise<boolean> {
  if (!options.mirostat) return true;
  const n = Math.min(ids.length, session.tokens.length);
  return session.rewind(n).then(
    () => true,
    () => false,
  );
}

/**
 * All answers. The prompt runs once; each answer has a fork of its session. The answers run at the
 * same time, so that the engine runs their tokens together.
 */
export async function* allParts(
  model: Model,
  request: CompletionRequest,
  counter: UsageCounter,
): AsyncGenerator<AnswerPart> {
  const { ids, limit, n_answers, n_parallel, options } = request;
  const shared = sharedOf(model);
  const { room } = shared;
  const pool = request.cache_prompt ? shared.pool : new PromptPool();
  const start = performance.now();
  const base = await pool.begin(model, ids);
  const end = new AbortController();
  const release = follow(request.signal, end);
  const call = { n_prompt: ids.length };
  const forks: Promise<Session>[] = [];
  let first: Session | undefined; // that of the first answer
  let slid = false; // the first answer's window
  let complete = false;

  async function* answer(index: number, signal: AbortSignal): AsyncGenerator<AnswerPart> {
    let session = base;
    if (index + 1 < n_answers) {
      const fork = base.fork();
      forks.push(fork);
      session = await fork;
    } else {
      await Promise.all(forks); // nobody needs the prompt's session any more
    }
    if (index === 0) first = session;
    const generation: GenerateOptions = { ...options, signal, sample_index: index };
    if (limit !== undefined) generation.max_tokens = limit;
    const place = room.join(call);
    const onShift = () => (slid ||= index === 0);
    const running = { index, session, options: generation, room, place, signal, onShift };
    try {
      yield* answerParts(model, request, running, counter);
    } finally {
      room.leave(place);
      if (session !== base && session !== first) await session.dispose();
    }
  }

  try {
    const n_cached = await runPrompt(base, ids, end.signal);
    counter.addPrompt(ids.length, n_cached, performance.now() - start);
    const max_unread = n_parallel === 1 ? 1 : 2 * n_parallel;
    yield* interleaved({ n: n_answers, n_parallel, max_unread, begin: answer, end });
    complete = true;
  } finally {
    release();
    const kept = first ?? base;
    // an aborted run, too, leaves a session that is like any other
    const keep = request.cache_prompt && !slid && (complete || request.signal?.aborted === true);
    const unused = new Set([base, kept]);
    if (keep && (await makePlain(kept, request))) {
      unused.delete(kept);
      pool.keep(kept);
    }
    await Promise.all(Array.from(unused, (session) => session.dispose()));
  }
}

/** All answers as wholes. */
export async function allAnswers(
  model: Model,
  request: CompletionRequest,
  counter: UsageCounter,
): Promise<Answer[]> {
  const answers = Array.from({ length: request.n_answers }, (): Answer => ({
    text: '',
    tokens: [],
    finish_reason: 'length',
  }));
  let n_tokens = 0;
  for await (const { index, text, tokens, finish_reason } of allParts(model, request, counter)) {
    const answer = answers[index]!;
    answer.text += text;
    answer.tokens.push(...tokens);
    answer.finish_reason = finish_reason ?? answer.finish_reason;
    n_tokens += tokens.length;
    request.checkListed(n_tokens); // without max_tokens a sliding window has no end
  }
  return answers;
}
