/** The tree of texts. Its root is the beginning of the text, and each node is a token: typed by the
 *  user, drawn by the sampler, or chosen. Trees are immutable and share their nodes. No path is
 *  ever lost: moving to another node keeps the old path. */
import type { ChatMessage } from 'tokenglass';

/** How a token came into the text: typed by the user (or part of a conversation's prompt), drawn by
 *  the sampler, chosen by the user from the candidates, or given by a link or a file. */
export type Origin = 'typed' | 'drawn' | 'chosen' | 'given';

/** A token with the model's numbers for it (of the raw distribution). */
export interface TextToken {
  readonly token: number;
  readonly bytes: Uint8Array;
  /** The vocabulary's piece. The page shows it when the token has no bytes. */
  readonly text: string;
  /** Nats; NaN for the first token, which nothing comes before. */
  readonly logprob: number;
  /** Number of tokens that are more probable. */
  readonly rank: number;
  /** Nats; NaN for the first token. */
  readonly entropy: number;
  readonly how: Origin;
  /** True for a token that ends the text. */
  readonly eog: boolean;
  /** The conversation whose prompt ends with this token. */
  readonly chat?: readonly ChatMessage[] | undefined;
}

export interface TreeNode extends TextToken {
  readonly parent: TreeNode | undefined;
  /** Number of tokens from the root to this node, this node included. */
  readonly depth: number;
  /** Sum of the log-probabilities of those tokens, in nats; the first token counts as 0. */
  readonly joint: number;
}

export interface Tree {
  /** The last node of each path. */
  readonly tips: readonly TreeNode[];
  /** The last node of the path on the page; undefined for an empty text. */
  readonly current: TreeNode | undefined;
}

export const EMPTY_TREE: Tree = { tips: [], current: undefined };

/** The nodes from the root to `node`, in order. */
export function pathTo(node: TreeNode | undefined): TreeNode[] {
  const path: TreeNode[] = [];
  for (let next = node; next; next = next.parent) path.push(next);
  return path.reverse();
}

/** The tokens of a path. */
export const idsOf = (path: readonly TreeNode[]): number[] => path.map(({ token }) => token);

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

/** The child of a node with this token. */
export const childOf = (
  tree: Tree,
  node: TreeNode | undefined,
  token: number,
): TreeNode | undefined => childrenOf(tree, node).find((child) => child.token === token);

/** The node at which the longest beginning of `ids` that the tree has ends. */
export function lastKnown({ tips }: Tree, ids: readonly number[]): TreeNode | undefined {
  let longest: TreeNode | undefined;
  for (const tip of tips) {
    const path = pathTo(tip);
    const known = path.findIndex(({ token }, i) => token !== ids[i]);
    const node = path[(known < 0 ? path.length : known) - 1];
    if ((node?.depth ?? 0) > (longest?.depth ?? 0)) longest = node;
  }
  return longest;
}

/** The number of tokens at the beginning of a path up to the last typed one. What follows is the
 *  output: what a format rules, and what is drawn again to check the text. typed: the last typed
 *  node, when it is known; a node that was typed once can be drawn in another text later. */
export const typedLength = (path: readonly TreeNode[], typed: TreeNode | undefined): number =>
  typed && path[typed.depth - 1] === typed
    ? typed.depth
    : path.findLastIndex(({ how }) => how === 'typed') + 1;

/** Moves to the child with this token, and creates the child when there is none. */
export function addToken(tree: Tree, added: TextToken): Tree {
  const parent = tree.current;
  const existing = childOf(tree, parent, added.token);
  if (existing) return { ...tree, current: existing };
  const node = {
    ...added,
    parent,
    depth: (parent?.depth ?? 0) + 1,
    joint: (parent?.joint ?? 0) + (Number.isNaN(added.logprob) ? 0 : added.logprob),
  };
  return { ...tree, tips: [...tree.tips.filter((tip) => tip !== parent), node], current: node };
}

/** The same tree with another current node. */
export const moveTo = (tree: Tree, current: TreeNode | undefined): Tree => ({ ...tree, current });

/** The tip of the newest path through a node. */
export function tipThrough(tree: Tree, node: TreeNode): TreeNode {
  return tree.tips.findLast((tip) => passesThrough(tip, node)) ?? node;
}

/** The tree with the branches of another tree, too. */
export function withBranches(tree: Tree, { tips }: Tree): Tree {
  const all = new Set([...tree.tips, ...tips]);
  if (all.size === tree.tips.length) return tree;
  const inner = new Set<TreeNode | undefined>();
  for (const tip of all)
    for (let node = tip.parent; node && !inner.has(node); node = node.parent) inner.add(node);
  return { ...tree, tips: [...all].filter((tip) => !inner.has(tip)) };
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
