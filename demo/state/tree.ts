/** The tree of generated texts and its undo history. Trees are immutable and share their nodes. No
 *  path is ever lost: moving to another node keeps the old path, and undo restores the old tree. */
import type { ChatMessage } from 'tokenglass';

/** The start of a text: a prompt, a list of tokens (when a text was split inside the prompt), or a
 *  conversation. */
export interface Root {
  readonly text: string;
  /** The prompt's tokens. Without them, the page tokenizes the text. */
  readonly ids?: readonly number[];
  readonly chat?: readonly ChatMessage[];
}

/** How a token came into the text: drawn by the sampler, chosen by the user, or given by a link or
 *  a file. */
export type Origin = 'drawn' | 'chosen' | 'given';

/** A token after the prompt, with the model's numbers for it (of the raw distribution). */
export interface GeneratedToken {
  readonly token: number;
  readonly bytes: Uint8Array;
  /** The vocabulary's piece. The page shows it when the token has no bytes. */
  readonly text: string;
  /** Nats. */
  readonly logprob: number;
  /** Number of tokens that are more probable. */
  readonly rank: number;
  /** Nats. */
  readonly entropy: number;
  readonly how: Origin;
  /** True for a token that ends the text. */
  readonly eog: boolean;
}

export interface TreeNode extends GeneratedToken {
  readonly parent: TreeNode | undefined;
  /** Number of tokens from the root to this node, this node included. */
  readonly depth: number;
  /** Sum of the log-probabilities of those tokens, in nats. */
  readonly joint: number;
}

export interface Tree {
  readonly root: Root;
  /** The last node of each path. */
  readonly tips: readonly TreeNode[];
  /** The last node of the path on the page; undefined when the page shows only the root. */
  readonly current: TreeNode | undefined;
}

export const createTree = (root: Root): Tree => ({ root, tips: [], current: undefined });

/** The nodes from the root to `node`, in order. */
export function pathTo(node: TreeNode | undefined): TreeNode[] {
  const path: TreeNode[] = [];
  for (let next = node; next; next = next.parent) path.push(next);
  return path.reverse();
}

/** The ancestor of a node at a given depth. */
function ancestor(node: TreeNode, depth: number): TreeNode {
  let result = node;
  while (result.depth > depth) result = result.parent!;
  return result;
}

const passesThrough = (tip: TreeNode, node: TreeNode | undefined): boolean =>
  node === undefined || (tip.depth >= node.depth && ancestor(tip, node.depth) === node);

/** The children of a node, oldest first. undefined means the root. */
export function childrenOf(tree: Tree, node: TreeNode | undefined): TreeNode[] {
  const depth = (node?.depth ?? 0) + 1;
  const tips = tree.tips.filter((tip) => tip.depth >= depth && passesThrough(tip, node));
  return [...new Set(tips.map((tip) => ancestor(tip, depth)))];
}

/** Moves to the child with this token, and creates the child when there is none. */
export function addToken(tree: Tree, generated: GeneratedToken): Tree {
  const parent = tree.current;
  const existing = childrenOf(tree, parent).find(({ token }) => token === generated.token);
  if (existing) return { ...tree, current: existing };
  const node = {
    ...generated,
    parent,
    depth: (parent?.depth ?? 0) + 1,
    joint: (parent?.joint ?? 0) + generated.logprob,
  };
  return { ...tree, tips: [...tree.tips.filter((tip) => tip !== parent), node], current: node };
}

/** The same tree with another current node. */
export const moveTo = (tree: Tree, current: TreeNode | undefined): Tree => ({ ...tree, current });

/** The tip of the newest path through a node. */
export function tipThrough(tree: Tree, node: TreeNode): TreeNode {
  return tree.tips.findLast((tip) => passesThrough(tip, node)) ?? node;
}

/** Removes all paths except the one on the page. */
export const prune = (tree: Tree): Tree => ({
  ...tree,
  tips: tree.current ? [tree.current] : [],
});

/** A run of nodes without a fork, as the map of the tree draws it. */
export interface Segment {
  /** Empty for the root's segment when the root has several children. */
  readonly nodes: readonly TreeNode[];
  readonly children: Segment[];
}

/** The children of every node. The key undefined holds the root's children. */
function allChildren({ tips }: Tree): Map<TreeNode | undefined, TreeNode[]> {
  const children = new Map<TreeNode | undefined, TreeNode[]>();
  const visited = new Set<TreeNode>();
  for (const tip of tips) {
    for (let node: TreeNode | undefined = tip; node && !visited.has(node); node = node.parent) {
      visited.add(node);
      const siblings = children.get(node.parent);
      if (siblings) siblings.push(node);
      else children.set(node.parent, [node]);
    }
  }
  return children;
}

/** For each node of a path, the number of siblings, itself included. */
export function forksOn(tree: Tree, path: readonly TreeNode[]): Map<TreeNode | undefined, number> {
  const children = allChildren(tree);
  return new Map(path.map((node) => [node, children.get(node.parent)?.length ?? 1]));
}

/** The tree as segments. A segment ends at a fork and at the current node. */
export function segments(tree: Tree): Segment {
  const children = allChildren(tree);
  const segmentFrom = (nodes: TreeNode[]): Segment => {
    for (;;) {
      const last = nodes.at(-1);
      const next = children.get(last) ?? [];
      if (last && next.length === 1 && last !== tree.current) nodes.push(next[0]!);
      else return { nodes, children: next.map((child) => segmentFrom([child])) };
    }
  };
  return segmentFrom([]);
}

/** The present tree, the trees before it, and the trees that were undone. */
export interface History {
  readonly past: readonly Tree[];
  readonly now: Tree;
  readonly future: readonly Tree[];
  /** The kind of the last step. Steps of one kind in a row (typing, one run) count as one step. */
  readonly kind: string;
}

const MAX_STEPS = 1000;

export const start = (root: Root): History => ({
  past: [],
  now: createTree(root),
  future: [],
  kind: '',
});

/** Adds a step. A step of the same non-empty kind as the last one extends that one. */
export function addStep(history: History, now: Tree, kind = ''): History {
  if (kind !== '' && kind === history.kind) return { ...history, now, future: [] };
  return { past: [...history.past, history.now].slice(-MAX_STEPS), now, future: [], kind };
}

/** Ends the last step: a later step of the same kind is a step of its own. */
export const endStep = (history: History): History => ({ ...history, kind: '' });

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
