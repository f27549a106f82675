/**
 * How many texts run at the same time without taking the cache from each other. With more of them
 * the model runs evicted tokens again.
 */
import type { ModelInfo } from './model.js';

const PAGE = 32; // positions in a page of the cache

/** How many continuations of a prompt the recurrent states allow. */
export function continuationsInStates({ n_states }: ModelInfo): number {
  // the prompt's state, and two for each text: the last one, and the one that a step makes
  return n_states === 0 ? Infinity : Math.max(Math.floor((n_states - 1) / 2), 1);
}

/**
 * How many continuations of a prompt the cache and the recurrent states hold, each of max_tokens
 * tokens. At least 1.
 */
export function continuationsInCache(
  info: ModelInfo,
  n_prompt: number,
  max_tokens: number,
): number {
  const shared = Math.floor(n_prompt / PAGE); // pages that are full
  const length = Math.min(n_prompt + max_tokens, info.n_ctx);
  const own = Math.max(1, Math.ceil(length / PAGE) - shared);
  const free = Math.floor(info.n_kv / PAGE) - shared - 1; // the prompt has a page that is not full
  return Math.max(1, Math.min(Math.floor(free / own), continuationsInStates(info)));
}
