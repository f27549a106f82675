/** The loss on function tokens and content tokens, by the kind of the token before. */
import { listOf, textOf } from '../types/arguments.js';
import type {
  FunctionToken,
  FunctionTokenClass,
  ObservedAttention,
  TokenKind,
  TokenOffset,
} from '../types/types.js';
import { mean, sum } from './figures.js';
import { FUNCTION_WORDS } from './function-words.js';
import { withOptions } from './list.js';
import type { LensCall } from './list.js';
import { idsIn, tokensOf } from './texts.js';
import { spansOf, tokensIn } from './words.js';

const KINDS: readonly TokenKind[] = ['function', 'content'];

/**
 * The kind of each token by its word: a token without a word, such as a mark, is a function token,
 * and so is one whose words are all on the list. Words are compared in lower case.
 */
export function kindsByList(
  text: string,
  tokens: readonly TokenOffset[],
  words: ReadonlySet<string>,
): TokenKind[] {
  const kinds = tokens.map((): TokenKind => 'function');
  const spans = spansOf(text);
  for (const [i, indices] of tokensIn(spans, tokens).entries())
    if (!words.has(spans[i]!.text.toLowerCase().replaceAll('’', "'")))
      for (const index of indices) kinds[index] = 'content';
  return kinds;
}

/**
 * The kind of each token by frequency: the most frequent tokens that together are `coverage` of the
 * list are function tokens; of equally frequent ones, those that come first.
 */
export function kindsByFrequency(ids: readonly number[], coverage: number): TokenKind[] {
  const counts = new Map<number, number>();
  for (const id of ids) counts.set(id, (counts.get(id) ?? 0) + 1);
  const frequent = new Set<number>();
  let covered = 0;
  for (const [id, count] of [...counts].sort((a, b) => b[1] - a[1])) {
    if (covered >= coverage * ids.length) break;
    frequent.add(id);
    covered += count;
  }
  return ids.map((id) => (frequent.has(id) ? 'function' : 'content'));
}

/** The four pairs of kinds, over all tokens but the first. */
export function classesOf(
  tokens: readonly Pick<FunctionToken, 'kind' | 'loss'>[],
): FunctionTokenClass[] {
  const later = tokens.slice(1);
  const total = sum(later.map(({ loss }) => loss));
  return KINDS.flatMap((previous) =>
    KINDS.map((current) => {
      const own = later
        .filter(({ kind }, i) => kind === current && tokens[i]!.kind === previous)
        .map(({ loss }) => loss);
      return {
        previous,
        current,
        n: own.length,
        mean_loss: mean(own),
        token_share: own.length / later.length,
        loss_share: sum(own) / total,
      };
    }),
  );
}

/** The mean weight that later positions give to each position, over all heads of all layers. */
export function attentionReceived({ values, shape }: ObservedAttention): number[] {
  const n = shape[3]!;
  const totals = new Float64Array(n);
  const rows = values.length / n;
  for (let row = 0; row < rows; row++)
    for (let key = 0; key < row % n; key++) totals[key]! += values[row * n + key]!;
  return Array.from(totals, (total, key) => total / ((rows / n) * (n - 1 - key)));
}

export const functionTokens: LensCall<'functionTokens'> = (model, text, options) =>
  withOptions('functionTokens', options, async ({ by, coverage, words, attention }, signal) => {
    const list =
      words === undefined
        ? FUNCTION_WORDS
        : new Set(listOf(words, 'words', (word) => textOf(word, 'a word').toLowerCase()));
    const given = textOf(text, 'the text');
    const [start, ...own] = await tokensOf(model, given, signal);
    const ids = idsIn(own);
    const kinds = by === 'list' ? kindsByList(given, own, list) : kindsByFrequency(ids, coverage);
    const all = [start!.token, ...ids];
    const scores = await model.score(all, { signal });
    const seen = attention ? await model.observe(all, { attention: {}, signal }) : undefined;
    const received = seen && attentionReceived(seen.attention!).slice(1);
    const tokens = scores.slice(1).map(({ token, text, logprob }, i): FunctionToken => ({
      ...{ token, text, kind: kinds[i]!, loss: -logprob },
      ...(received && { attention: received[i]! }),
    }));
    const meanOf = (kind: TokenKind) =>
      mean(tokens.slice(0, -1).flatMap((token) => (token.kind === kind ? token.attention! : [])));
    return {
      tokens,
      classes: classesOf(tokens),
      ...(received && {
        mean_attention: { function: meanOf('function'), content: meanOf('content') },
      }),
    };
  });
