/** Signals for calls that run side by side. A module of its own: loadModel does without it. */

/**
 * Makes signals that follow one signal, for calls that run side by side. The signal has a single
 * listener for all of them: Node warns of more than ten. Those of an earlier call follow no more.
 */
export function followersOf(signal: AbortSignal): (n: number) => AbortSignal[] {
  let followers: AbortController[] = [];
  const abort = () => {
    for (const follower of followers) follower.abort(signal.reason);
  };
  signal.addEventListener('abort', abort);
  return (n) => {
    followers = Array.from({ length: n }, () => new AbortController());
    if (signal.aborted) abort();
    return followers.map((follower) => follower.signal);
  };
}
