/** The syntax tree of a template: Jinja2's nodes, and the order in which Jinja2 visits them. */
import { LimitExceeded } from './errors.js';
import type { Value } from './values.js';

interface At {
  line: number;
}

export interface Arguments {
  args: Expression[];
  keywords: Keyword[];
  /** *args */
  rest: Expression | undefined;
  /** **kwargs */
  restKeywords: Expression | undefined;
}
export interface Keyword extends At {
  kind: 'keyword';
  name: string;
  value: Expression;
}
export interface Name extends At {
  kind: 'name';
  name: string;
  use: 'load' | 'store' | 'param';
}
/** namespace.attribute as a target of set. */
export interface NamespaceTarget extends At {
  kind: 'nsref';
  name: string;
  attribute: string;
}
export interface Constant extends At {
  kind: 'const';
  value: Value;
}
export interface TupleNode extends At {
  kind: 'tuple';
  items: Expression[];
}
export interface ListNode extends At {
  kind: 'list';
  items: Expression[];
}
export interface DictNode extends At {
  kind: 'dict';
  /** Keys and values in turn. */
  items: Expression[];
}
export interface Conditional extends At {
  kind: 'condition';
  test: Expression;
  then: Expression;
  otherwise: Expression | undefined;
}
export interface Binary extends At {
  kind: 'binary';
  op: string;
  left: Expression;
  right: Expression;
}
export interface Unary extends At {
  kind: 'unary';
  op: 'not' | '-' | '+';
  value: Expression;
}
export interface Concat extends At {
  kind: 'concat';
  items: Expression[];
}
export interface Compare extends At {
  kind: 'compare';
  first: Expression;
  ops: string[];
  others: Expression[];
}
export interface Attribute extends At {
  kind: 'attribute';
  object: Expression;
  name: string;
}
export interface Item extends At {
  kind: 'item';
  object: Expression;
  index: Expression;
}
export interface Slice extends At {
  kind: 'slice';
  start: Expression | undefined;
  stop: Expression | undefined;
  step: Expression | undefined;
}
export interface Call extends At {
  kind: 'call';
  callee: Expression;
  arguments: Arguments;
}
export interface Filter extends At {
  kind: 'filter';
  /** undefined: the text of a filter block or a set block. */
  value: Expression | undefined;
  name: string;
  arguments: Arguments;
}
export interface Test extends At {
  kind: 'test';
  value: Expression;
  name: string;
  arguments: Arguments;
}
export type Target = Name | NamespaceTarget | TupleNode;
export type Expression =
  | Name
  | NamespaceTarget
  | Constant
  | TupleNode
  | ListNode
  | DictNode
  | Conditional
  | Binary
  | Unary
  | Concat
  | Compare
  | Attribute
  | Item
  | Slice
  | Call
  | Filter
  | Test;

export interface Data extends At {
  kind: 'data';
  text: string;
}
export interface Output extends At {
  kind: 'output';
  items: (Expression | Data)[];
}
export interface For extends At {
  kind: 'for';
  target: Target;
  iterable: Expression;
  body: Statement[];
  otherwise: Statement[];
  test: Expression | undefined;
  recursive: boolean;
}
export interface If extends At {
  kind: 'if';
  test: Expression;
  body: Statement[];
  elifs: If[];
  otherwise: Statement[];
}
/** A macro, or the body of a call block or a generation block. */
export interface Signature {
  params: Name[];
  /** Defaults of the last parameters. */
  defaults: Expression[];
}
export interface MacroNode extends At, Signature {
  kind: 'macro';
  name: string;
  body: Statement[];
}
export interface CallBlock extends At, Signature {
  kind: 'call_block';
  /** undefined: a generation block, which writes its body. */
  call: Call | undefined;
  body: Statement[];
}
export interface FilterBlock extends At {
  kind: 'filter_block';
  filter: Filter;
  body: Statement[];
}
export interface With extends At {
  kind: 'with';
  targets: Target[];
  values: Expression[];
  body: Statement[];
}
export interface Assign extends At {
  kind: 'assign';
  target: Target;
  value: Expression;
}
export interface AssignBlock extends At {
  kind: 'assign_block';
  target: Target;
  filter: Filter | undefined;
  body: Statement[];
}
export interface LoopControl extends At {
  kind: 'break' | 'continue';
}
export type Statement =
  | Output
  | For
  | If
  | MacroNode
  | CallBlock
  | FilterBlock
  | With
  | Assign
  | AssignBlock
  | LoopControl;

export type Node = Expression | Statement | Data | Keyword;

const defined = <T>(list: readonly (T | undefined)[]): T[] =>
  list.filter((node): node is T => node !== undefined);

const argumentNodes = ({ args, keywords, rest, restKeywords }: Arguments): Node[] => [
  ...args,
  ...keywords,
  ...defined([rest, restKeywords]),
];

/** The nodes directly inside a node, in the order in which Jinja2 visits them. */
export function children(node: Node): Node[] {
  switch (node.kind) {
    case 'keyword':
      return [node.value];
    case 'name':
    case 'nsref':
    case 'const':
    case 'data':
    case 'break':
    case 'continue':
      return [];
    case 'tuple':
    case 'list':
    case 'dict':
    case 'concat':
    case 'output':
      return node.items;
    case 'condition':
      return defined([node.test, node.then, node.otherwise]);
    case 'binary':
      return [node.left, node.right];
    case 'unary':
      return [node.value];
    case 'compare':
      return [node.first, ...node.others];
    case 'attribute':
      return [node.object];
    case 'item':
      return [node.object, node.index];
    case 'slice':
      return defined([node.start, node.stop, node.step]);
    case 'call':
      return [node.callee, ...argumentNodes(node.arguments)];
    case 'filter':
    case 'test':
      return [...defined([node.value]), ...argumentNodes(node.arguments)];
    case 'for':
      return [node.target, node.iterable, ...node.body, ...node.otherwise, ...defined([node.test])];
    case 'if':
      return [node.test, ...node.body, ...node.elifs, ...node.otherwise];
    case 'macro':
      return [...node.params, ...node.defaults, ...node.body];
    case 'call_block':
      return [...defined([node.call]), ...node.params, ...node.defaults, ...node.body];
    case 'filter_block':
      return [...node.body, node.filter];
    case 'with':
      return [...node.targets, ...node.values, ...node.body];
    case 'assign':
      return [node.target, node.value];
    case 'assign_block':
      return [node.target, ...defined([node.filter]), ...node.body];
  }
}

const MAX_TREE = 220; // levels; Python's own parser ends at about as many

/** The number of levels of a tree. Throws when there are too many to walk. */
export function depthOf(roots: readonly Node[]): number {
  let level: Node[] = [...roots];
  let depth = 0;
  while (level.length > 0) {
    if (++depth > MAX_TREE)
      throw new LimitExceeded(
        `its statements and expressions are nested more than ${MAX_TREE} deep`,
      );
    level = level.flatMap(children);
  }
  return depth;
}

/** Every Name below the nodes that is loaded before it is set, of those asked for. */
export function undeclaredNames(roots: readonly Node[], names: readonly string[]): Set<string> {
  const wanted = new Set(names);
  const found = new Set<string>();
  const visit = (node: Node): void => {
    if (node.kind === 'name' && wanted.has(node.name)) {
      if (node.use === 'load') found.add(node.name);
      else wanted.delete(node.name);
    }
    children(node).forEach(visit);
  };
  roots.forEach(visit);
  return found;
}
