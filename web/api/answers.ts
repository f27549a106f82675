/** Generates the answers of a completion, part by part, and counts tokens and time. */
import type { CompletionRequest } from './completion-request.js';
import { MAX_INT32 } from '../types/arguments.js';
import { Stops } from './stops.js';
import type {
  FinishReason,
  GenerateOptions,
  Model,
  Session,
  Step,
  Timings,
  TokenLogprob,
  Usage,
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

/** Counts the tokens and the time of a completion. */
export class UsageCounter {
  readonly #usage: Usage = { prompt_tokens: 0, completion_tokens: 0, total_tokens: 0 };
  #prompt_ms = 0;
  #predicted_ms = 0;

  addPrompt(tokens: number, ms: number): void {
    this.#usage.prompt_tokens += tokens;
    this.#prompt_ms += ms;
  }

  addToken(ms: number): void {
    this.#usage.completion_tokens++;
    this.#predicted_ms += ms;
  }

  totals(): { usage: Usage; timings: Timings } {
    const { prompt_tokens, completion_tokens } = this.#usage;
    const perSecond = (n: number, ms: number) => (ms > 0 ? (1000 * n) / ms : 0);
    return {
      usage: { ...this.#usage, total_tokens: prompt_tokens + completion_tokens },
      timings: {
        prompt_n: prompt_tokens,
        prompt_ms: this.#prompt_ms,
        prompt_per_second: perSecond(prompt_tokens, this.#prompt_ms),
        predicted_n: completion_tokens,
        predicted_ms: this.#predicted_ms,
        predicted_per_second: perSecond(completion_tokens, this.#predicted_ms),
      },
    };
  }
}

const logprobOf = (token: string, bytes: Uint8Array, logprob: number): TokenLogprob => ({
  token,
  bytes: [...bytes],
  logprob,
});

function recordOf(step: Step, text: string, offset: number, n_alternatives: number): TokenRecord {
  const candidates = step.trace?.candidates.slice(0, n_alternatives) ?? [];
  return {
    ...logprobOf(text, step.bytes, step.logprob),
    alternatives: candidates.map((candidate) =>
      logprobOf(candidate.text, candidate.bytes, Math.log(candidate.p)),
    ),
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
  const own = new TextDecoder('utf-8', { ignoreBOM: true }).decode(bytes);
  return text.endsWith(own) ? text.slice(0, text.length - own.length) : '';
}

/** One answer, which continues the session. */
async function* answerParts(
  model: Model,
  session: Session,
  index: number,
  { stops, n_alternatives }: CompletionRequest,
  options: GenerateOptions,
  counter: UsageCounter,
): AsyncGenerator<AnswerPart> {
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
  let start = performance.now();
  for await (const step of session.generate(undefined, options)) {
    counter.addToken(performance.now() - start);
    if (step.eog && !options.ignore_eos) {
      finish_reason = 'stop';
      rest = unfinished(step);
      pending.add(undefined, rest);
      break;
    }
    const record =
      n_alternatives === undefined
        ? undefined
        : recordOf(step, await model.tokenText(step.token), pending.generated, n_alternatives);
    pending.add(record, step.text);
    const { text, stopped } = watch.push(step.text);
    if (text || pending.length > 0 || stopped) yield part(text, null);
    if (stopped) {
      finish_reason = 'stop';
      break;
    }
    start = performance.now();
  }
  const { text } = watch.push(rest);
  yield part(text + watch.end(), finish_reason);
}

/** All answers, one after the other. The prompt runs once; each answer is a fork of it. */
export async function* allParts(
  model: Model,
  request: CompletionRequest,
  counter: UsageCounter,
): AsyncGenerator<AnswerPart> {
  const { ids, max_tokens, n_answers, options, signal } = request;
  const call = signal ? { signal } : {};
  const base = model.createSession();
  const start = performance.now();
  try {
    await base.sync(ids, call);
    await base.candidates({ top_n: 0, ...call }); // runs the prompt
    counter.addPrompt(ids.length, performance.now() - start);
    const room = model.info.n_ctx - ids.length;
    const limit =
      options.overflow === 'shift' ? max_tokens : Math.min(max_tokens ?? MAX_INT32, room);
    for (let index = 0; index < n_answers; index++) {
      const session = index + 1 < n_answers ? await base.fork() : base;
      const generation: GenerateOptions = { ...options, ...call, sample_index: index };
      if (limit !== undefined) generation.max_tokens = limit;
      try {
        yield* answerParts(model, session, index, request, generation, counter);
      } finally {
        if (session !== base) await session.dispose();
      }
    }
  } finally {
    await base.dispose();
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
  for await (const { index, text, tokens, finish_reason } of allParts(model, request, counter)) {
    const answer = answers[index]!;
    answer.text += text;
    answer.tokens.push(...tokens);
    answer.finish_reason = finish_reason ?? answer.finish_reason;
  }
  return answers;
}
