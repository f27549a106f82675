/** What several methods need: prompts as token ids, end tokens, sessions that are freed. */
import { idsOf, reading } from '../types/arguments.js';
import { throwIfAborted } from '../types/errors.js';
import { followersOf } from '../types/followers.js';
import { follow, untilAborted } from '../types/signals.js';
import { utf8Decoder } from '../types/utf8.js';
import type { ChatMessage, GenerateOptions, MethodPrompt, Model, Session } from '../types/types.js';

/** Whether a prompt is a conversation: a list whose first element is an object. */
export const isConversation = (prompt: MethodPrompt): prompt is readonly ChatMessage[] =>
  reading(
    'the prompt',
    () => Array.isArray(prompt) && typeof prompt[0] === 'object' && prompt[0] !== null,
  );

/** The token ids of a prompt. Throws TEMPLATE_MISSING for a conversation without a template. */
export async function promptIds(
  model: Model,
  prompt: MethodPrompt,
  signal: AbortSignal,
): Promise<number[]> {
  if (typeof prompt === 'string') return untilAborted(model.tokenize(prompt), [signal]);
  if (!isConversation(prompt)) return [...idsOf(prompt, 'the prompt')];
  return (await untilAborted(model.applyChatTemplate(prompt), [signal])).ids;
}

/** The bit of a token, as in ConstraintState.allowed. */
export const bitOf = (bits: Int32Array, token: number): boolean =>
  (((bits[token >> 5] ?? 0) >> (token & 31)) & 1) === 1;

/** The tokens whose bits are 1. */
export function tokensOf(bits: Int32Array): number[] {
  const tokens: number[] = [];
  for (const [i, word] of bits.entries())
    for (let rest = word; rest !== 0; rest &= rest - 1)
      tokens.push(32 * i + 31 - Math.clz32(rest & -rest));
  return tokens;
}

/** Whether a token ends a generation. */
export type IsEog = (token: number) => Promise<boolean>;

/** All tokens that end a generation: those that a grammar of the empty text allows. */
export async function endTokens(model: Model): Promise<ReadonlySet<number>> {
  const grammar = await model.createGrammar({ type: 'ebnf', grammar: 'root ::= ""' });
  const state = await grammar.begin();
  try {
    return new Set(tokensOf(await state.allowed()));
  } finally {
    state.dispose?.();
    grammar.dispose?.();
  }
}

/** The sessions that a method made. */
export class Sessions {
  readonly #open = new Set<Session>();
  #ended = false;

  add(session: Session): Session {
    this.#open.add(session);
    return session;
  }

  async fork(session: Session): Promise<Session> {
    const fork = this.add(await session.fork());
    if (this.#ended) await this.free(fork); // an abort came before the fork
    return fork;
  }

  async free(session: Session): Promise<void> {
    this.#open.delete(session);
    await session.dispose();
  }

  async freeAll(): Promise<void> {
    this.#ended = true;
    await Promise.all([...this.#open].map((session) => this.free(session)));
  }
}

/**
 * Calls run(0) to run(n - 1), at most `limit` of them at the same time. When one fails, the signals
 * of the others are aborted; the first error is thrown after all of them have ended. Each has a
 * signal of its own, because Node warns of a signal that many calls listen to.
 */
export async function runAll(
  n: number,
  limit: number,
  given: AbortSignal,
  run: (index: number, signal: AbortSignal) => Promise<void>,
): Promise<void> {
  const group = new AbortController();
  const release = follow(given, group);
  const signals = followersOf(group.signal)(n);
  let next = 0;
  let failed = false;
  let failure: unknown;
  const worker = async () => {
    while (next < n && !group.signal.aborted) {
      const index = next++;
      try {
        await run(index, signals[index]!);
      } catch (error) {
        if (!failed) failure = error;
        failed = true;
        group.abort(error);
      }
    }
  };
  try {
    await Promise.all(Array.from({ length: Math.min(n, limit) }, worker));
  } finally {
    release();
  }
  throwIfAborted(given);
  if (failed) throw failure;
}

/** A generated text. */
export interface Generated {
  /** With the end token. */
  tokens: number[];
  /** The text that each token completed. */
  pieces: string[];
  text: string;
  /** Whether an end token ended the text. */
  finished: boolean;
}

/** A token that is given, with what it adds to the text. */
export interface FirstToken {
  token: number;
  bytes: Uint8Array;
}

/**
 * Continues a session, after a first token if one is given. isEnd: whether the text is long enough;
 * called after each token. The context limits max_tokens, but a full context is CONTEXT_FULL.
 */
export async function generated(
  model: Model,
  session: Session,
  { max_tokens, ...options }: GenerateOptions & { max_tokens: number },
  isEnd?: (text: string) => boolean,
  first?: FirstToken,
): Promise<Generated> {
  const result: Generated = { tokens: [], pieces: [], text: '', finished: false };
  const decoder = utf8Decoder();
  const add = (token: number, bytes: Uint8Array): boolean => {
    const piece = decoder.decode(bytes, { stream: true });
    result.tokens.push(token);
    result.pieces.push(piece);
    result.text += piece;
    return isEnd?.(result.text) ?? false;
  };
  const generate = async () => {
    const room = model.info.n_ctx - session.tokens.length;
    const n = Math.min(first ? max_tokens - 1 : max_tokens, Math.max(first ? 0 : 1, room));
    const generation = { ...options, max_tokens: n, trace: false as const };
    for await (const { token, bytes, eog } of session.generate(undefined, generation)) {
      result.finished = eog;
      if (add(token, bytes)) return;
    }
  };
  if (first) {
    await session.append(first.token);
    if (!add(first.token, first.bytes)) await generate();
  } else {
    await generate();
  }
  const rest = decoder.decode(); // U+FFFD for an unfinished character
  result.text += rest;
  if (rest) result.pieces[result.pieces.length - 1] += rest;
  return result;
}
