/** The probability of one set in all orders: a model that sees a set should not mind. */
import { invalid, listOf, textOf } from '../types/arguments.js';
import type { SetOrder, SetOrderResult, TokenOffset, TokenScore } from '../types/types.js';
import { logSum, sum } from './figures.js';
import { withOptions } from './list.js';
import type { LensCall } from './list.js';
import { byteLength, idsIn, mapAll, scoreAll, tokensOf } from './texts.js';

const MAX_ITEMS = 6; // 720 orders

/** All orders of 0 to n - 1, in the order of a dictionary. */
export function permutations(n: number): number[][] {
  if (n === 0) return [[]];
  return Array.from({ length: n }, (_, first) =>
    permutations(n - 1).map((rest) => [first, ...rest.map((i) => (i < first ? i : i + 1))]),
  ).flat();
}

interface Whole {
  order: number[];
  text: string;
  /** Bytes before the first item, behind each item, behind the text. */
  bounds: number[];
  tokens: TokenOffset[];
}

/** The sum of the tokens whose last byte is behind `start` and not behind `end`. */
const logprobIn = (
  { tokens }: Whole,
  scores: readonly TokenScore[],
  start: number,
  end: number,
): number =>
  sum(
    tokens.flatMap((token, i) =>
      token.end > start && token.end <= end ? [scores[i]!.logprob] : [],
    ),
  );

function orderOf(whole: Whole, scores: readonly TokenScore[], hasTarget: boolean): SetOrder {
  const { order, text, bounds } = whole;
  const end = bounds.at(-1)!;
  return {
    order,
    text,
    logprob: logprobIn(whole, scores, bounds[0]!, end),
    item_logprobs: order.map((_, i) => logprobIn(whole, scores, bounds[i]!, bounds[i + 1]!)),
    ...(hasTarget && { target_logprob: logprobIn(whole, scores, end, Infinity) }),
  };
}

const spreadOf = (values: readonly number[]) => Math.max(...values) - Math.min(...values);

/** The result of all orders. */
export function setOrderResult(orders: SetOrder[]): SetOrderResult {
  const logprobs = orders.map(({ logprob }) => logprob);
  const targets = orders.flatMap(({ target_logprob }) => target_logprob ?? []);
  return {
    orders: orders.sort((a, b) => b.logprob - a.logprob),
    spread: spreadOf(logprobs),
    ...(targets.length > 0 && { target_spread: spreadOf(targets) }),
    logprob_any: logSum(logprobs),
  };
}

export const setOrder: LensCall<'setOrder'> = (model, items, options) =>
  withOptions('setOrder', options, async (read, signal) => {
    const before = textOf(read.before ?? '', 'before');
    const separator = textOf(read.separator ?? ', ', 'separator');
    const after = textOf(read.after ?? '', 'after');
    const target = read.target === undefined ? undefined : textOf(read.target, 'target');
    const given = listOf(items, 'the list of items', (item) => textOf(item, 'an item'));
    if (given.length < 2 || given.length > MAX_ITEMS)
      throw invalid(`there are ${given.length} items; setOrder takes 2 to ${MAX_ITEMS}`);
    const wholes = await mapAll(
      permutations(given.length),
      signal,
      async (order): Promise<Whole> => {
        const parts = order.map((item, place) => (place > 0 ? separator : '') + given[item]!);
        const text = before + parts.join('') + after;
        const bounds = [byteLength(before)];
        for (const part of parts) bounds.push(bounds.at(-1)! + byteLength(part));
        bounds.push(byteLength(text));
        return {
          order,
          text,
          bounds,
          tokens: await tokensOf(model, text + (target ?? ''), signal),
        };
      },
    );
    const texts = wholes.map(({ tokens }) => idsIn(tokens));
    const scores = await scoreAll(model, texts, signal);
    const hasTarget = target !== undefined;
    return setOrderResult(wholes.map((whole, i) => orderOf(whole, scores[i]!, hasTarget)));
  });
