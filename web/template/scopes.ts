/**
 * Decides before a template runs which variable each name means: Jinja2's identifier tracking.
 * A scope is a loop's body, a macro, a with block and so on; a function is what Python would
 * compile to a function of its own. Variables live in the slots of a function, so that a macro sees
 * later changes of the variables around it.
 */
import { children } from './ast.js';
import type { Node, Statement } from './ast.js';
import * as meter from './meter.js';

/** What has slots: the whole template, a macro, a call block, a recursive loop, a loop's test. */
export class FunctionScope {
  slots = 0;
  constructor(readonly outer: FunctionScope | undefined) {}
}

/** A variable: a slot of a function. */
export interface Variable {
  readonly owner: FunctionScope;
  readonly slot: number;
}

/** What a variable gets when its scope begins. */
export type Load =
  | { from: 'parameter' }
  | { from: 'undefined' }
  /** The variable of the render call with this name. */
  | { from: 'input'; name: string }
  /** The variable of the same name around the scope. */
  | { from: 'outer'; variable: Variable };

export class Scope {
  refs = new Map<string, Variable>();
  loads = new Map<Variable, Load>();
  stores = new Set<string>();
  /** One variable for each name, whatever branch defines it. */
  #own = new Map<string, Variable>();

  constructor(
    readonly parent: Scope | undefined,
    readonly owner: FunctionScope,
  ) {}

  #define(name: string, load: Load): Variable {
    let variable = this.#own.get(name);
    if (!variable) {
      variable = { owner: this.owner, slot: this.owner.slots++ };
      this.#own.set(name, variable);
    }
    this.refs.set(name, variable);
    this.loads.set(variable, load);
    return variable;
  }

  find(name: string): Variable | undefined {
    return this.refs.get(name) ?? this.parent?.find(name);
  }

  /** The load of a variable in this scope or around it. */
  findLoad(variable: Variable): Load | undefined {
    return this.loads.get(variable) ?? this.parent?.findLoad(variable);
  }

  #copy(): Scope {
    meter.characters(32 * (this.refs.size + this.loads.size + this.stores.size + 1));
    const copy = new Scope(this.parent, this.owner);
    copy.refs = new Map(this.refs);
    copy.loads = new Map(this.loads);
    copy.stores = new Set(this.stores);
    copy.#own = this.#own;
    return copy;
  }

  parameter(name: string): Variable {
    this.stores.add(name);
    return this.#define(name, { from: 'parameter' });
  }

  #store(name: string): void {
    this.stores.add(name);
    if (this.refs.has(name)) return;
    const variable = this.parent?.find(name);
    this.#define(name, variable ? { from: 'outer', variable } : { from: 'undefined' });
  }

  #load(name: string): void {
    if (!this.find(name)) this.#define(name, { from: 'input', name });
  }

  /** Takes over what the branches of an if statement define. */
  #merge(branches: readonly Scope[]): void {
    const stores = new Set(branches.flatMap((branch) => [...branch.stores]));
    for (const name of this.stores) stores.delete(name);
    for (const { refs, loads, stores: own } of branches) {
      for (const [name, variable] of refs) this.refs.set(name, variable);
      for (const [variable, load] of loads) this.loads.set(variable, load);
      for (const name of own) this.stores.add(name);
    }
    for (const name of stores) {
      const target = this.find(name) as Variable;
      const outer = this.parent?.find(name);
      this.loads.set(target, outer ? { from: 'outer', variable: outer } : { from: 'input', name });
    }
  }

  /** Reads nodes of this scope. Stops where another scope begins. */
  visit(nodes: Iterable<Node>, asParameter = false): this {
    for (const node of nodes) this.#visit(node, asParameter);
    return this;
  }

  #visit(node: Node, asParameter: boolean): void {
    switch (node.kind) {
      case 'name':
        if (asParameter || node.use === 'param') this.parameter(node.name);
        else if (node.use === 'store') this.#store(node.name);
        else this.#load(node.name);
        return;
      case 'nsref':
        return this.#load(node.name);
      case 'if': {
        this.#visit(node.test, asParameter);
        const branches = [node.body, node.elifs, node.otherwise].map((branch: Statement[]) =>
          this.#copy().visit(branch),
        );
        return this.#merge(branches);
      }
      case 'macro':
        return this.#store(node.name);
      case 'assign':
        this.#visit(node.value, false);
        return this.#visit(node.target, false);
      case 'for':
        return this.#visit(node.iterable, false);
      case 'call_block':
        if (node.call) this.#visit(node.call, false);
        return;
      case 'filter_block':
        return this.#visit(node.filter, false);
      case 'with':
        this.visit(node.values);
        return;
      case 'assign_block':
        return this.#visit(node.target, false);
      default:
        this.visit(children(node), asParameter);
    }
  }
}
