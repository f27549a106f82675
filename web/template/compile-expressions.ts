/** Turns expressions into functions. */
import { children } from './ast.js';
import type { Arguments, Call, Expression, Filter, Item, Name, Node, Slice, Test } from './ast.js';
import { OPERATORS, signed } from './arithmetic.js';
import { attributeOf, itemOf, sliceOf } from './attributes.js';
import { COMPARISONS } from './compare.js';
import { TemplateError, Unsupported } from './errors.js';
import { methodOf, unknown } from './filters.js';
import * as meter from './meter.js';
import { MISSING, callValue } from './runtime.js';
import type { Activation, Macro, Slot } from './runtime.js';
import type { Scope, Variable } from './scopes.js';
import { concat } from './strings.js';
import { str } from './text.js';
import { Dict, Tuple, TypeFailure, Undefined, isTrue, listOf, typeName } from './values.js';
import type { Keywords, Value } from './values.js';

/** Computes an expression. */
export type Evaluate = (activation: Activation) => Value;

/** What an expression is compiled in. */
export interface Frame {
  scope: Scope;
  /** Inside an if: a filter that is not known fails only when it is used, as in Jinja2. */
  soft: boolean;
  /** The text of the filter block or set block around a filter. */
  text: { readonly value: string } | undefined;
  /** In the defaults of a macro, where parameters may have no value yet. */
  inDefaults?: boolean;
}

/** No names below the node: Jinja2 may compute it when it compiles the template. */
const isConstant = (node: Node): boolean =>
  node.kind !== 'name' && children(node).every(isConstant);

interface Bound {
  args: Value[];
  keywords: Keywords;
}

const NO_KEYWORDS: Keywords = new Map();

export class ExpressionCompiler {
  /** Every expression is a step, and says its line for messages. */
  compile(node: Expression, frame: Frame): Evaluate {
    const run = this.#compile(node, frame);
    if (node.kind === 'const') return run;
    return (activation) => {
      meter.step();
      return run(activation);
    };
  }

  /** An expression as a condition. */
  condition(node: Expression, frame: Frame): (activation: Activation) => boolean {
    const run = this.compile(node, frame);
    return (activation) => isTrue(run(activation));
  }

  /** Reads a variable from where the scope runs. */
  reader({ owner, slot }: Variable, scope: Scope): (activation: Activation) => Slot {
    let hops = 0;
    for (let from = scope.owner; from !== owner; hops++) {
      if (!from.outer) throw new TemplateError('a variable is out of reach');
      from = from.outer;
    }
    if (hops === 0) return ({ slots }) => slots[slot] as Slot;
    return (activation) => {
      let at = activation;
      for (let i = 0; i < hops; i++) at = at.outer as Activation;
      return at.slots[slot] as Slot;
    };
  }

  #compile(node: Expression, frame: Frame): Evaluate {
    const compile = (inner: Expression) => this.compile(inner, frame);
    switch (node.kind) {
      case 'const':
        return () => node.value;
      case 'name':
        return this.#name(node, frame);
      case 'nsref':
        throw new TemplateError('a namespace attribute is no expression here');
      case 'tuple': {
        const items = node.items.map(compile);
        return (activation) => new Tuple(evaluateAll(items, activation));
      }
      case 'list': {
        const items = node.items.map(compile);
        return (activation) => evaluateAll(items, activation);
      }
      case 'dict': {
        const items = node.items.map(compile);
        return (activation) => {
          const dict = new Dict();
          const values = evaluateAll(items, activation);
          for (let i = 0; i < values.length; i += 2)
            dict.set(values[i] as Value, values[i + 1] as Value);
          return dict;
        };
      }
      case 'condition':
        return this.#conditional(node, { ...frame, soft: true });
      case 'binary': {
        const [left, right] = [compile(node.left), compile(node.right)];
        if (node.op === 'or' || node.op === 'and') {
          const goOn = node.op === 'and';
          return (activation) => {
            const value = left(activation);
            return isTrue(value) === goOn ? right(activation) : value;
          };
        }
        const apply = OPERATORS[node.op as keyof typeof OPERATORS];
        return (activation) => apply(left(activation), right(activation));
      }
      case 'unary': {
        const value = compile(node.value);
        if (node.op === 'not') return (activation) => !isTrue(value(activation));
        const negative = node.op === '-';
        return (activation) => signed(value(activation), negative);
      }
      case 'concat': {
        const items = node.items.map(compile);
        // one by one: the engine shares the longer text
        return (activation) =>
          evaluateAll(items, activation)
            .map(str)
            .reduce((text, part) => concat(text, part));
      }
      case 'compare':
        return this.#compare(compile(node.first), node.ops, node.others.map(compile));
      case 'attribute': {
        const object = compile(node.object);
        return (activation) => attributeOf(object(activation), node.name);
      }
      case 'item':
        return this.#item(node, frame);
      case 'slice':
        throw new TemplateError('a slice is no expression here');
      case 'call':
        return this.call(node, frame);
      case 'filter':
      case 'test':
        return this.#applied(node, frame);
    }
  }

  #name({ name, line }: Name, { scope, inDefaults }: Frame): Evaluate {
    const variable = scope.find(name);
    if (!variable) {
      meter.position.line = line;
      throw new TemplateError(`'${name}' is not known here`);
    }
    const read = this.reader(variable, scope);
    const isParameter = scope.findLoad(variable)?.from === 'parameter' && !inDefaults;
    return (activation) => {
      const value = read(activation);
      if (value !== MISSING) return value;
      // a macro that outlives the loop whose variable it reads
      if (isParameter) throw new Unsupported(`'${name}' is not set any more`);
      return new Undefined(`'${name}' is undefined`);
    };
  }

  #conditional(node: Expression & { kind: 'condition' }, frame: Frame): Evaluate {
    const test = this.condition(node.test, frame);
    const then = this.compile(node.then, frame);
    const otherwise: Evaluate = node.otherwise
      ? this.compile(node.otherwise, frame)
      : () =>
          new Undefined(
            `the inline if-expression on line ${node.line} evaluated to false and no else` +
              ' section was defined.',
          );
    return (activation) => (test(activation) ? then(activation) : otherwise(activation));
  }

  /** a < b < c: each operand is computed once, and only when those before hold. */
  #compare(first: Evaluate, ops: readonly string[], others: readonly Evaluate[]): Evaluate {
    const tests = ops.map((op) => COMPARISONS[op as keyof typeof COMPARISONS]);
    return (activation) => {
      let left = first(activation);
      for (let i = 0; i < tests.length; i++) {
        const right = (others[i] as Evaluate)(activation);
        if (!tests[i]?.(left, right)) return false;
        left = right;
      }
      return true;
    };
  }

  #item(node: Item, frame: Frame): Evaluate {
    const object = this.compile(node.object, frame);
    if (node.index.kind !== 'slice') {
      const index = this.compile(node.index, frame);
      return (activation) => itemOf(object(activation), index(activation));
    }
    const { start, stop, step }: Slice = node.index;
    const bound = (part: Expression | undefined): Evaluate =>
      part ? this.compile(part, frame) : () => null;
    const [from, to, by] = [bound(start), bound(stop), bound(step)];
    const constant = isConstant(node);
    return (activation) => {
      try {
        return sliceOf(object(activation), from(activation), to(activation), by(activation));
      } catch (error) {
        // Jinja2 computes constants first, and there a wrong slice is undefined
        if (constant && error instanceof TypeFailure)
          throw new Unsupported('a slice of a constant that has none is not supported');
        throw error;
      }
    };
  }

  /** A call. caller: what a call block gives as caller(). */
  call(node: Call, frame: Frame): (activation: Activation, caller?: Macro) => Value {
    const callee = this.compile(node.callee, frame);
    const bind = this.#arguments(node.arguments, frame);
    return (activation, caller) => {
      meter.step();
      const value = callee(activation);
      const { args, keywords } = bind(activation);
      meter.position.line = node.line;
      if (!caller) return callValue(value, args, keywords);
      if (keywords.has('caller')) throw new TypeFailure("keyword argument repeated: 'caller'");
      return callValue(value, args, new Map([...keywords, ['caller', caller]]));
    };
  }

  #arguments(node: Arguments, frame: Frame): (activation: Activation) => Bound {
    const args = node.args.map((arg) => this.compile(arg, frame));
    const named = node.keywords.map(({ name, value }) => ({
      name,
      value: this.compile(value, frame),
    }));
    const rest = node.rest && this.compile(node.rest, frame);
    const more = node.restKeywords && this.compile(node.restKeywords, frame);
    return (activation) => {
      const bound: Bound = { args: evaluateAll(args, activation), keywords: NO_KEYWORDS };
      if (named.length > 0) {
        bound.keywords = new Map(named.map(({ name, value }) => [name, value(activation)]));
      }
      if (rest) bound.args.push(...checkCount(listOf(rest(activation))));
      if (more) bound.keywords = withMore(bound.keywords, more(activation));
      return bound;
    };
  }

  /** A filter or a test. */
  #applied(node: Filter | Test, frame: Frame): Evaluate {
    const { kind, name, line } = node;
    const run = methodOf(kind, name);
    if (!run) {
      const error = unknown(kind, name);
      if (!frame.soft || error instanceof Unsupported) {
        meter.position.line = line;
        throw error;
      }
    }
    const { text } = frame;
    const value: Evaluate = node.value ? this.compile(node.value, frame) : () => text?.value ?? '';
    const bind = this.#arguments(node.arguments, frame);
    return (activation) => {
      const given = value(activation);
      const { args, keywords } = bind(activation);
      meter.position.line = line;
      if (!run) throw unknown(kind, name);
      return run(given, args, keywords);
    };
  }
}

const evaluateAll = (all: readonly Evaluate[], activation: Activation): Value[] => {
  meter.items(all.length);
  const values: Value[] = [];
  for (const one of all) values.push(one(activation)); // a loop takes less stack than map()
  return values;
};

const MAX_ARGUMENTS = 10_000; // of a call with *args

function checkCount(args: Value[]): Value[] {
  if (args.length > MAX_ARGUMENTS)
    throw new Unsupported(`a call with more than ${MAX_ARGUMENTS} arguments is not supported`);
  return args;
}

/** Adds the entries of **kwargs. */
function withMore(keywords: Keywords, more: Value): Keywords {
  if (!(more instanceof Dict))
    throw new TypeFailure(`argument after ** must be a mapping, not ${typeName(more)}`);
  const all = new Map(keywords);
  for (const [name, value] of more.entries()) {
    if (typeof name !== 'string') throw new TypeFailure('keywords must be strings');
    if (all.has(name)) throw new TypeFailure(`got multiple values for keyword argument '${name}'`);
    meter.items(1);
    all.set(name, value);
  }
  return all;
}
