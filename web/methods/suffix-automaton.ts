/** The suffix automaton of a list of tokens: tells in m steps whether m tokens occur in it. */

interface State {
  /** Tokens of the longest list that leads here. */
  length: number;
  /** The state of the longest suffix that is in another state; -1: none. */
  link: number;
  next: Map<number, number>;
}

export class SuffixAutomaton {
  readonly #states: State[] = [{ length: 0, link: -1, next: new Map() }];
  #last = 0;

  constructor(tokens: Iterable<number>) {
    for (const token of tokens) this.#add(token);
  }

  #add(token: number): void {
    const states = this.#states;
    const state = states.push({ length: states[this.#last]!.length + 1, link: 0, next: new Map() });
    const added = state - 1;
    let from = this.#last;
    this.#last = added;
    for (; from >= 0 && !states[from]!.next.has(token); from = states[from]!.link)
      states[from]!.next.set(token, added);
    if (from < 0) return;
    const to = states[from]!.next.get(token)!;
    const target = states[to]!;
    if (target.length === states[from]!.length + 1) {
      states[added]!.link = to;
      return;
    }
    // a copy of the target for the shorter lists that lead to it
    const copy = states.push({
      length: states[from]!.length + 1,
      link: target.link,
      next: new Map(target.next),
    });
    for (; from >= 0 && states[from]!.next.get(token) === to; from = states[from]!.link)
      states[from]!.next.set(token, copy - 1);
    target.link = copy - 1;
    states[added]!.link = copy - 1;
  }

  /** Whether the tokens occur in the list, one directly after the other. */
  contains(tokens: Iterable<number>): boolean {
    let state: number | undefined = 0;
    for (const token of tokens) {
      state = this.#states[state]!.next.get(token);
      if (state === undefined) return false;
    }
    return true;
  }
}
