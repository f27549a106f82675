/** What several methods need: prompts as token ids, end tokens, generated texts. */
import { idsOf, reading } from '../types/arguments.js';
import { untilAborted } from '../types/signals.js';
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
