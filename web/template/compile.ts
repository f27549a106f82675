/** Turns the statements of a template into functions. compile-expressions.ts does expressions. */
import { depthOf, undeclaredNames } from './ast.js';
import type {
  AssignBlock,
  CallBlock,
  Expression,
  FilterBlock,
  For,
  If,
  MacroNode,
  Node,
  Statement,
  Target,
  With,
} from './ast.js';
import { ExpressionCompiler } from './compile-expressions.js';
import type { Evaluate, Frame } from './compile-expressions.js';
import { TemplateError, Unsupported } from './errors.js';
import * as meter from './meter.js';
import { Activation, Loop, MISSING, Macro, Output } from './runtime.js';
import type { Slot } from './runtime.js';
import { FunctionScope, Scope } from './scopes.js';
import type { Variable } from './scopes.js';
import { str } from './text.js';
import { Iter, Namespace, Tuple, TypeFailure, Undefined, typeName, valuesOf } from './values.js';
import type { Value } from './values.js';

/** How a statement ends: on to the next one, or the loop is left or goes on. */
type Signal = undefined | 'break' | 'continue';
type Execute = (activation: Activation, output: Output) => Signal;
type Assign = (activation: Activation, value: Value) => void;

/** What a statement is compiled in. */
interface Place extends Frame {
  /** Break and continue have a loop to go to. */
  inLoop: boolean;
}

/** Levels of the host's stack that a call of a macro takes beside its own statements. */
const CALL_LEVELS = 8;

class Compiler {
  readonly #expressions = new ExpressionCompiler();

  constructor(private readonly inputs: ReadonlyMap<string, Value>) {}

  template(body: Statement[]): () => string {
    const levels = depthOf(body);
    if (undeclaredNames(body, ['self']).size > 0)
      throw new Unsupported("the name 'self' is not supported");
    const owner = new FunctionScope(undefined);
    const scope = new Scope(undefined, owner).visit(body);
    const place: Place = { scope, soft: false, inLoop: false, text: undefined };
    const enter = this.#enter(scope);
    const run = this.#block(body, place);
    return () =>
      meter.nested(levels, () => {
        const activation = new Activation(owner.slots, undefined);
        const output = new Output();
        enter(activation);
        run(activation, output);
        return output.text();
      });
  }

  #expression(node: Expression, place: Place): Evaluate {
    return this.#expressions.compile(node, place);
  }

  /** Gives the variables of a scope their first values. */
  #enter(scope: Scope): (activation: Activation) => void {
    const { inputs } = this;
    const set: ((activation: Activation) => void)[] = [];
    for (const [{ slot }, load] of scope.loads) {
      if (load.from === 'undefined') set.push(({ slots }) => void (slots[slot] = MISSING));
      else if (load.from === 'input') {
        const value = inputs.get(load.name);
        set.push(({ slots }) => void (slots[slot] = value === undefined ? MISSING : value));
      } else if (load.from === 'outer') {
        const read = this.#expressions.reader(load.variable, scope);
        set.push((activation) => void (activation.slots[slot] = read(activation)));
      }
    }
    return (activation) => {
      for (const run of set) run(activation);
    };
  }

  /** Takes the variables of a scope away. */
  #leave(scope: Scope): (activation: Activation) => void {
    const slots = [...scope.loads.keys()].map(({ slot }) => slot);
    return (activation) => {
      for (const slot of slots) activation.slots[slot] = MISSING;
    };
  }

  #block(body: Statement[], place: Place): Execute {
    const statements = body.map((node) => this.#statement(node, place));
    const [only] = statements;
    if (statements.length === 1 && only) return only;
    return (activation, output) => {
      for (const run of statements) {
        const signal = run(activation, output);
        if (signal) return signal;
      }
      return undefined;
    };
  }

  #statement(node: Statement, place: Place): Execute {
    const run = this.#compile(node, place);
    return (activation, output) => {
      meter.step();
      meter.position.line = node.line;
      return run(activation, output);
    };
  }

  #compile(node: Statement, place: Place): Execute {
    switch (node.kind) {
      case 'output': {
        const parts = node.items.map((item): Evaluate => {
          if (item.kind === 'data') return () => item.text;
          return this.#expression(item, place);
        });
        return (activation, output) => {
          for (const part of parts) output.write(str(part(activation)));
          return undefined;
        };
      }
      case 'if':
        return this.#if(node, place);
      case 'for':
        return this.#for(node, place);
      case 'assign': {
        const check = this.#checkNamespaces(node.target, place);
        const value = this.#expression(node.value, place);
        const assign = this.#target(node.target, place.scope);
        return (activation) => {
          check(activation);
          assign(activation, value(activation));
          return undefined;
        };
      }
      case 'assign_block':
        return this.#assignBlock(node, place);
      case 'macro':
        return this.#macro(node, place);
      case 'call_block':
        return this.#callBlock(node, place);
      case 'filter_block':
        return this.#filterBlock(node, place);
      case 'with':
        return this.#with(node, place);
      case 'break':
      case 'continue': {
        meter.position.line = node.line;
        if (!place.inLoop) throw new TemplateError(`'${node.kind}' outside loop`);
        const { kind } = node;
        return () => kind;
      }
    }
  }

  #if(node: If, place: Place): Execute {
    const inside: Place = { ...place, soft: true };
    const branches = [node, ...node.elifs].map(({ test, body }) => ({
      test: this.#expressions.condition(test, inside),
      run: this.#block(body, inside),
    }));
    const otherwise = this.#block(node.otherwise, inside);
    return (activation, output) => {
      for (const { test, run } of branches) if (test(activation)) return run(activation, output);
      return otherwise(activation, output);
    };
  }

  // ---- assignments ----

  /** Python's assignment to a name, a namespace's attribute or a tuple of these. */
  #target(node: Target, scope: Scope): Assign {
    if (node.kind === 'name') {
      const { slot } = this.#find(node.name, scope);
      return (activation, value) => {
        activation.slots[slot] = value;
      };
    }
    if (node.kind === 'nsref') {
      const read = this.#expressions.reader(this.#find(node.name, scope), scope);
      return (activation, value) => {
        namespaceIn(read(activation)).attributes.set(node.attribute, value);
      };
    }
    const targets = node.items.map((item) => this.#target(item as Target, scope));
    return (activation, value) => {
      const values = unpack(value, targets.length);
      targets.forEach((assign, i) => assign(activation, values[i] as Value));
    };
  }

  #find(name: string, scope: Scope): Variable {
    return scope.find(name) as Variable; // every target was visited
  }

  /** Jinja2 checks the namespaces of a target before it computes the value. */
  #checkNamespaces(target: Target, { scope }: Place): (activation: Activation) => void {
    const checks: ((activation: Activation) => void)[] = [];
    const visit = (node: Target): void => {
      if (node.kind === 'tuple') node.items.forEach((item) => visit(item as Target));
      if (node.kind !== 'nsref') return;
      const read = this.#expressions.reader(this.#find(node.name, scope), scope);
      checks.push((activation) => void namespaceIn(read(activation)));
    };
    visit(target);
    return (activation) => {
      for (const check of checks) check(activation);
    };
  }

  // ---- loops ----

  #for(node: For, place: Place): Execute {
    forbidLoopTarget(node);
    const owner = node.recursive ? new FunctionScope(place.scope.owner) : place.scope.owner;
    const scope = new Scope(place.scope, owner);
    const loopSlot = scope.parameter('loop').slot;
    scope.visit([node.target], true).visit(node.body);
    const inside: Place = { scope, soft: false, inLoop: true, text: undefined };
    const otherScope = new Scope(place.scope, owner).visit(node.otherwise);
    // break and continue in the else part belong to the loop around, if any
    const other: Place = {
      ...inside,
      scope: otherScope,
      inLoop: place.inLoop && !node.recursive,
    };
    const filter = node.test ? this.#loopTest(node, node.test, place, owner) : undefined;
    const iterable = this.#expression(node.iterable, place);
    const assign = this.#target(node.target, scope);
    const [enter, leave] = [this.#enter(scope), this.#leave(scope)];
    const [enterOther, leaveOther] = [this.#enter(otherScope), this.#leave(otherScope)];
    const run = this.#block(node.body, inside);
    const runOther = this.#block(node.otherwise, other);

    const loopOver = (
      activation: Activation,
      output: Output,
      values: Value,
      depth: number,
      recurse?: (iterable: Value, depth: number) => string,
    ): Signal => {
      const all = filter ? new Iter(filter(activation, values)) : values;
      const loop = new Loop(all, depth, recurse);
      activation.slots[loopSlot] = MISSING;
      let isEmpty = true;
      for (let value = loop.next(); value !== MISSING; value = loop.next()) {
        meter.step();
        meter.position.line = node.line;
        assign(activation, value);
        activation.slots[loopSlot] = loop;
        enter(activation);
        const signal = run(activation, output);
        if (signal === 'break') break;
        // Python's iteration indicator is set at the end of an iteration only
        if (signal !== 'continue') isEmpty = false;
      }
      leave(activation);
      if (!isEmpty || node.otherwise.length === 0) return undefined;
      enterOther(activation);
      const signal = runOther(activation, output);
      leaveOther(activation);
      return signal;
    };
    if (!node.recursive)
      return (activation, output) => loopOver(activation, output, iterable(activation), 0);

    const levels = depthOf(node.body) + CALL_LEVELS;
    return (outer, output) => {
      const recurse = (values: Value, depth: number): string =>
        meter.nested(levels, () => {
          const activation = new Activation(owner.slots, outer);
          const buffer = new Output();
          loopOver(activation, buffer, values, depth, recurse);
          return buffer.text();
        });
      output.write(recurse(iterable(outer), 0));
      return undefined;
    };
  }

  /** The values of a loop that its `if` lets through, one after the other. */
  #loopTest(node: For, test: Expression, place: Place, around: FunctionScope) {
    const owner = new FunctionScope(around);
    const scope = new Scope(place.scope, owner).visit([node.target], true).visit([test]);
    const assign = this.#target(node.target, scope);
    const passes = this.#expressions.condition(test, {
      scope,
      soft: false,
      text: undefined,
    });
    const read = this.#targetValue(node.target, scope);
    const enter = this.#enter(scope);
    return function* (outer: Activation, values: Value): Generator<Value, undefined> {
      const activation = new Activation(owner.slots, outer);
      enter(activation);
      for (const value of valuesOf(values)) {
        meter.step();
        assign(activation, value);
        if (passes(activation)) yield read(activation);
      }
    };
  }

  /** What a loop's test gives on: the targets as a value again. */
  #targetValue(node: Target, scope: Scope): Evaluate {
    if (node.kind === 'tuple') {
      const items = node.items.map((item) => this.#targetValue(item as Target, scope));
      return (activation) => new Tuple(items.map((item) => item(activation)));
    }
    const { slot } = this.#find(node.name, scope);
    return (activation) => activation.slots[slot] as Value;
  }

  // ---- macros ----

  /** The function of a macro or a call block: makes the Macro where the statement runs. */
  #makeMacro(node: MacroNode | CallBlock, place: Place): (outer: Activation) => Macro {
    const owner = new FunctionScope(place.scope.owner);
    const scope = new Scope(place.scope, owner);
    const own: Node[] = [...node.params, ...node.defaults, ...node.body];
    scope.visit(own);
    const names = node.params.map(({ name }) => name);
    if (new Set(names).size < names.length) {
      meter.position.line = node.line;
      throw new TemplateError('a macro has two parameters of the same name');
    }
    const used = undeclaredNames(node.body, ['caller', 'kwargs', 'varargs']);
    const uses = {
      caller: used.has('caller'),
      keywords: used.has('kwargs') && !names.includes('kwargs'),
      varargs: used.has('varargs') && !names.includes('varargs'),
    };
    const explicit = names.indexOf('caller');
    if (uses.caller && explicit >= 0 && explicit < names.length - node.defaults.length) {
      meter.position.line = node.line;
      throw new TemplateError('the special "caller" argument must be omitted or have a default');
    }
    const slots = names.map((name) => this.#find(name, scope).slot);
    if (uses.caller && explicit < 0) slots.push(scope.parameter('caller').slot);
    if (uses.keywords) slots.push(scope.parameter('kwargs').slot);
    if (uses.varargs) slots.push(scope.parameter('varargs').slot);
    scope.visit(own);
    const inside: Place = { scope, soft: false, inLoop: false, text: undefined };
    const firstDefault = names.length - node.defaults.length;
    const defaults = names.map((name, i) => {
      const fallback = node.defaults[i - firstDefault];
      return fallback
        ? this.#expression(fallback, { ...inside, inDefaults: true })
        : () => new Undefined(`parameter '${name}' was not provided`);
    });
    const enter = this.#enter(scope);
    const run = this.#block(node.body, inside);
    const levels = depthOf(node.body) + CALL_LEVELS;
    const name = node.kind === 'macro' ? node.name : undefined;
    return (outer) =>
      new Macro(name, names, uses, (args: Slot[]) =>
        meter.nested(levels, () => {
          const { line } = meter.position;
          const activation = new Activation(owner.slots, outer);
          slots.forEach((slot, i) => (activation.slots[slot] = args[i] ?? null));
          enter(activation);
          defaults.forEach((fallback, i) => {
            const slot = slots[i] as number;
            if (activation.slots[slot] === MISSING) activation.slots[slot] = fallback(activation);
          });
          const output = new Output();
          run(activation, output);
          meter.position.line = line;
          return output.text();
        }),
      );
  }

  #macro(node: MacroNode, place: Place): Execute {
    const make = this.#makeMacro(node, place);
    const { slot } = this.#find(node.name, place.scope);
    return (activation) => {
      activation.slots[slot] = make(activation);
      return undefined;
    };
  }

  #callBlock(node: CallBlock, place: Place): Execute {
    const make = this.#makeMacro(node, place);
    if (!node.call) {
      return (activation, output) => {
        output.write(make(activation).call([], new Map()));
        return undefined;
      };
    }
    const call = this.#expressions.call(node.call, place);
    return (activation, output) => {
      output.write(str(call(activation, make(activation))));
      return undefined;
    };
  }

  // ---- blocks ----

  #filterBlock(node: FilterBlock, place: Place): Execute {
    const scope = new Scope(place.scope, place.scope.owner).visit([...node.body, node.filter]);
    return this.#textBlock(node, { ...place, scope }, (_, value, output) =>
      output.write(str(value)),
    );
  }

  #assignBlock(node: AssignBlock, place: Place): Execute {
    const scope = new Scope(place.scope, place.scope.owner).visit(node.body);
    return this.#textBlock(node, { ...place, scope }, this.#target(node.target, place.scope));
  }

  /** Runs a block, and gives its text, or what its filter makes of the text, to `use`. */
  #textBlock(
    node: FilterBlock | AssignBlock,
    place: Place,
    use: (activation: Activation, value: Value, output: Output) => void,
  ): Execute {
    const [enter, leave] = [this.#enter(place.scope), this.#leave(place.scope)];
    const text: { value: string } = { value: '' };
    const inside: Place = { ...place, soft: false, text };
    const run = this.#block(node.body, inside);
    const filter = node.filter ? this.#expression(node.filter, inside) : () => text.value;
    return (activation, output) => {
      enter(activation);
      const buffer = new Output();
      const signal = run(activation, buffer);
      if (signal) return signal;
      text.value = buffer.text();
      use(activation, filter(activation), output);
      leave(activation);
      return undefined;
    };
  }

  #with(node: With, place: Place): Execute {
    const scope = new Scope(place.scope, place.scope.owner).visit(node.targets).visit(node.body);
    const [enter, leave] = [this.#enter(scope), this.#leave(scope)];
    const assigned = node.targets.map((target, i) => ({
      assign: this.#target(target, scope),
      value: this.#expression(node.values[i] as Expression, place),
    }));
    const run = this.#block(node.body, { ...place, scope, soft: false });
    return (activation, output) => {
      enter(activation);
      for (const { assign, value } of assigned) assign(activation, value(activation));
      const signal = run(activation, output);
      if (!signal) leave(activation);
      return signal;
    };
  }
}

function namespaceIn(slot: Slot): Namespace {
  if (slot instanceof Namespace) return slot;
  throw new TemplateError('cannot assign attribute on non-namespace object');
}

/** Exactly n values of an iterable, as Python unpacks them. */
function unpack(value: Value, n: number): Value[] {
  if (value instanceof Undefined && n > 0)
    throw new TypeFailure(`not enough values to unpack (expected ${n}, got 0)`);
  const values: Value[] = [];
  for (const one of valuesOf(value)) {
    if (values.length === n) throw new TypeFailure(`too many values to unpack (expected ${n})`);
    values.push(one);
  }
  if (values.length < n)
    throw new TypeFailure(
      `not enough values of a ${typeName(value)} to unpack (expected ${n}, got ${values.length})`,
    );
  return values;
}

/** A loop may not assign to its own variable. */
function forbidLoopTarget(node: For): void {
  const visit = (target: Target): void => {
    if (target.kind === 'tuple') target.items.forEach((item) => visit(item as Target));
    if (target.kind !== 'name' || target.name !== 'loop') return;
    meter.position.line = target.line;
    throw new TemplateError("Can't assign to special loop variable in for-loop target");
  };
  const inside = (statements: readonly Statement[]): void => {
    for (const statement of statements) {
      if ('target' in statement) visit(statement.target);
      if ('body' in statement) inside(statement.body);
      if (statement.kind === 'if') {
        inside(statement.elifs);
        inside(statement.otherwise);
      }
      if (statement.kind === 'for') inside(statement.otherwise);
    }
  };
  visit(node.target);
  inside(node.body);
  inside(node.otherwise);
}

/** A template as a function that renders it once. */
export const compileTemplate = (
  body: Statement[],
  inputs: ReadonlyMap<string, Value>,
): (() => string) => new Compiler(inputs).template(body);
