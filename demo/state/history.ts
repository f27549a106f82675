/** The undo history of the page. One step holds everything that undo restores: the tree of texts,
 *  what was typed, the sampler's chain and the seed. */
import { computed, signal } from '@preact/signals';
import type { ChatMessage } from 'tokenglass';
import type { Chain } from './chain.js';
import type { Tree, TreeNode } from './tree.js';

/** A text that has no tokens yet: a job in the queue turns the text into nodes of the tree. */
export interface Pending {
  readonly text: string;
  /** The text is the prompt of this conversation; `text` is ''. */
  readonly chat?: readonly ChatMessage[];
  /** The tokens of the text, when they are not the tokens that the tokenizer gives. */
  readonly ids?: readonly number[];
  /** Tokens that follow the text: those of a link or of a trace. */
  readonly path?: readonly number[];
  /** Indices in `path` of tokens that the sampler did not draw. */
  readonly chosen?: readonly number[];
}

export interface Moment {
  readonly tree: Tree;
  /** The last typed token of the text; undefined when it is not known (see typedLength). */
  readonly typed: TreeNode | undefined;
  readonly pending: Pending | undefined;
  readonly chain: Chain;
  readonly seed: number;
}

/** The present moment, the moments before it, and the moments that were undone. */
export interface Moments {
  readonly past: readonly Moment[];
  readonly now: Moment;
  readonly future: readonly Moment[];
  /** The kind of the last step. Steps of one kind in a row (typing, one run, one slider) count as
   *  one step. */
  readonly kind: string;
}

const MAX_STEPS = 1000;

export const begin = (now: Moment): Moments => ({ past: [], now, future: [], kind: '' });

/** Adds a step. A step of the same non-empty kind as the last one extends that one. */
export function addStep(moments: Moments, now: Moment, kind = ''): Moments {
  if (kind !== '' && kind === moments.kind) return { ...moments, now, future: [] };
  return { past: [...moments.past, moments.now].slice(-MAX_STEPS), now, future: [], kind };
}

/** Ends the last step: a later step of the same kind is a step of its own. */
export const endStep = (moments: Moments): Moments => ({ ...moments, kind: '' });

export function undo(moments: Moments): Moments {
  const now = moments.past.at(-1);
  if (!now) return moments;
  return {
    past: moments.past.slice(0, -1),
    now,
    future: [moments.now, ...moments.future],
    kind: '',
  };
}

export function redo(moments: Moments): Moments {
  const [now, ...future] = moments.future;
  if (!now) return moments;
  return { past: [...moments.past, moments.now], now, future, kind: '' };
}

export class History {
  readonly #moments;
  readonly now = computed(() => this.#moments.value.now);
  readonly canUndo = computed(() => this.#moments.value.past.length > 0);
  readonly canRedo = computed(() => this.#moments.value.future.length > 0);

  constructor(first: Moment) {
    this.#moments = signal(begin(first));
  }

  /** The moment before the step that typing would extend now. */
  get beforeTyping(): Moment {
    const { past, now, kind } = this.#moments.value;
    return kind === 'typing' ? past.at(-1)! : now;
  }

  add(change: Partial<Moment>, kind = ''): void {
    this.#moments.value = addStep(this.#moments.value, { ...this.now.value, ...change }, kind);
  }

  /** Changes the present moment without a new step. */
  replace(change: Partial<Moment>): void {
    const moments = this.#moments.value;
    this.#moments.value = { ...moments, now: { ...moments.now, ...change } };
  }

  /** Forgets all steps. */
  restart(change: Partial<Moment>): void {
    this.#moments.value = begin({ ...this.now.value, ...change });
  }

  endStep(): void {
    if (this.#moments.value.kind) this.#moments.value = endStep(this.#moments.value);
  }

  undo(): void {
    this.#moments.value = undo(this.#moments.value);
  }

  redo(): void {
    this.#moments.value = redo(this.#moments.value);
  }
}
