/** Prompts as tokens: what they have in common, and sessions that run them. */
import type { Session } from './session.js';

/** How many tokens both lists begin with. */
export function commonLength(a: readonly number[], b: readonly number[]): number {
  const n = Math.min(a.length, b.length);
  let i = 0;
  while (i < n && a[i] === b[i]) i++;
  return i;
}

/**
 * Makes the session hold the prompt's tokens and runs them, so that forks need not. Resolves to the
 * number of tokens that were cached.
 */
export async function runPrompt(
  session: Session,
  ids: readonly number[],
  signal: AbortSignal,
): Promise<number> {
  const n_cached = await session.sync(ids, { signal });
  await session.candidates({ samplers: [], top_n: 0, signal }); // runs the tokens
  return n_cached;
}
