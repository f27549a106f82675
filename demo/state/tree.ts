/** The tree of texts: in, what was typed and which tokens came; out, immutable trees that share their nodes, and their history. Nothing that was made
 * is lost: going elsewhere keeps the old path, and undo takes back the step itself. */
import type { ChatMessage } from 'tokenglass';

/** What a tree begins with: a text, tokens (of a text that was cut between two of them), or a conversation. */
export interface Root {
  readonly text: string;
  /** Taken as they are; without them the text is tokenized. */
  readonly ids?: readonly number[];
  readonly chat?: readonly ChatMessage[];
}

/** How a token came: drawn by the sampler, chosen by hand, or given with a link or a file. */
export type Origin = 'drawn' | 'chosen' | 'given';

/** What the model said of a token. Nats, of the raw distribution; rank: how many tokens are more probable. */
export interface GeneratedToken {
  readonly token: number;
  readonly bytes: Uint8Array;
  /** For display, where it adds no bytes. */
  readonly text: string;
  readonly logprob: number;
  readonly rank: number;
  readonly entropy: number;
  readonly how: Origin;
  /** It ends a text. */
  readonly eog: boolean;
}

export interface Node extends GeneratedToken {
  readonly parent: Node | undefined;
  /** Tokens from the root to here. */
  readonly depth: number;
  /** Log-probability of all of them, in nats. */
  readonly joint: number;
}

/** tips: the last nodes of all paths; at: the last node of the path that is shown, undefined where that is the root alone. */
export interface Tree {
  readonly root: Root;
  readonly tips: readonly Node[];
  readonly at: Node | undefined;
}

export const createTree = (root: Root): Tree => ({ root, tips: [], at: undefined });

/** From the root's first token to a node. */
export function pathTo(node: Node | undefined): Node[] {
  const path: Node[] = [];
  for (let at = node; at; at = at.parent) path.push(at);
  return path.reverse();
}

/** The node at a depth on the way to another. */
function ancestor(node: Node, depth: number): Node {
  let at = node;
  while (at.depth > depth) at = at.parent!;
  return at;
}

const goesThrough = (tip: Node, node: Node | undefined): boolean =>
  node === undefined || (tip.depth >= node.depth && ancestor(tip, node.depth) === node);

/** What comes after a node, in the order in which it was made. */
export function childrenOf(tree: Tree, node: Node | undefined): Node[] {
  const depth = (node?.depth ?? 0) + 1;
  const tips = tree.tips.filter((tip) => tip.depth >= depth && goesThrough(tip, node));
  return [...new Set(tips.map((tip) => ancestor(tip, depth)))];
}

/** The tree at a token after its present place: the one that is there, or a new one. */
export function addToken(tree: Tree, made: GeneratedToken): Tree {
  const parent = tree.at;
  const known = childrenOf(tree, parent).find(({ token }) => token === made.token);
  if (known) return { ...tree, at: known };
  const node = {
    ...made,
    parent,
    depth: (parent?.depth ?? 0) + 1,
    joint: (parent?.joint ?? 0) + made.logprob,
  };
  return { ...tree, tips: [...tree.tips.filter((tip) => tip !== parent), node], at: node };
}

/** The same tree at another place. */
export const moveTo = (tree: Tree, at: Node | undefined): Tree => ({ ...tree, at });

/** The path that goes furthest through a node, the newest of those. */
export function tipThrough(tree: Tree, node: Node): Node {
  return tree.tips.findLast((tip) => goesThrough(tip, node)) ?? node;
}

/** Only the path that is shown. */
export const pruned = (tree: Tree): Tree => ({ ...tree, tips: tree.at ? [tree.at] : [] });

/** A stretch of tokens without a fork, for a map of the tree. */
export interface Stretch {
  /** None for the root's. */
  readonly nodes: readonly Node[];
  readonly children: Stretch[];
}

/** What comes after each node (undefined: the root), all at once. */
function allChildren({ tips }: Tree): Map<Node | undefined, Node[]> {
  const children = new Map<Node | undefined, Node[]>();
  const seen = new Set<Node>();
  for (const tip of tips) {
    for (let at: Node | undefined = tip; at && !seen.has(at); at = at.parent) {
      seen.add(at);
      const siblings = children.get(at.parent);
      if (siblings) siblings.push(at);
      else children.set(at.parent, [at]);
    }
  }
  return children;
}

/** How many paths part before each node of a path; none where there is but one. */
export function forksOn(tree: Tree, path: readonly Node[]): Map<Node | undefined, number> {
  const children = allChildren(tree);
  return new Map(path.map((node) => [node, children.get(node.parent)?.length ?? 1]));
}

/** The tree as stretches between its forks; the shown place ends a stretch too. */
export function stretches(tree: Tree): Stretch {
  const children = allChildren(tree);
  const from = (nodes: Node[]): Stretch => {
    for (;;) {
      const last = nodes.at(-1);
      const next = children.get(last) ?? [];
      if (last && next.length === 1 && last !== tree.at) nodes.push(next[0]!);
      else return { nodes, children: next.map((child) => from([child])) };
    }
  };
  return from([]);
}

/** Trees that were, the present one, and those that were taken back. */
export interface History {
  readonly past: readonly Tree[];
  readonly now: Tree;
  readonly future: readonly Tree[];
  /** What the last step was: steps of one kind that belong together are one (typing). */
  readonly kind: string;
}

const MOST_STEPS = 1000;

export const start = (root: Root): History => ({
  past: [],
  now: createTree(root),
  future: [],
  kind: '',
});

/** The present becomes past; with a kind that is also that of the step before, it is replaced. */
export function stepped(history: History, now: Tree, kind = ''): History {
  if (kind !== '' && kind === history.kind) return { ...history, now, future: [] };
  return { past: [...history.past, history.now].slice(-MOST_STEPS), now, future: [], kind };
}

/** Ends a step that others of its kind would join. */
export const settled = (history: History): History => ({ ...history, kind: '' });

export function undo(history: History): History {
  const now = history.past.at(-1);
  if (!now) return history;
  return {
    past: history.past.slice(0, -1),
    now,
    future: [history.now, ...history.future],
    kind: '',
  };
}

export function redo(history: History): History {
  const [now, ...future] = history.future;
  if (!now) return history;
  return { past: [...history.past, history.now], now, future, kind: '' };
}
