/** What runs a compiled template: slots of variables, macros, loops. */
import { TemplateError } from './errors.js';
import * as meter from './meter.js';
import { equals } from './compare.js';
import { join } from './strings.js';
import {
  Attributed,
  Callable,
  Dict,
  Tuple,
  TypeFailure,
  Undefined,
  iterate,
  sizeOf,
} from './values.js';
import type { Keywords, Value } from './values.js';

/** A slot without a value. */
export const MISSING = Symbol('missing');
export type Slot = Value | typeof MISSING;

/** One run of a function. */
export class Activation {
  readonly slots: Slot[];
  constructor(
    size: number,
    readonly outer: Activation | undefined,
  ) {
    this.slots = new Array<Slot>(size).fill(MISSING);
  }
}

/** Collects the text of a template, a macro or a block. */
export class Output {
  readonly #parts: string[] = [];
  write(text: string): void {
    meter.text(text.length);
    this.#parts.push(text);
  }
  text(): string {
    return join('', this.#parts);
  }
}

/** {% macro %}, and the caller() of a call block. */
export class Macro extends Attributed {
  readonly typeName = 'Macro';

  constructor(
    readonly name: string | undefined,
    readonly parameters: readonly string[],
    readonly uses: { caller: boolean; keywords: boolean; varargs: boolean },
    /** Runs the body; the arguments are in the order of the parameters, caller, kwargs, varargs. */
    readonly run: (args: Slot[]) => string,
  ) {
    super();
  }

  attribute(name: string): Value | undefined {
    switch (name) {
      case 'name':
        return this.name ?? null;
      case 'arguments':
        return new Tuple([...this.parameters]);
      case 'catch_kwargs':
        return this.uses.keywords;
      case 'catch_varargs':
        return this.uses.varargs;
      case 'caller':
        return this.uses.caller;
      case 'explicit_caller':
        return this.parameters.includes('caller');
      default:
        return undefined;
    }
  }

  describe(): string {
    return `<Macro ${this.name === undefined ? 'anonymous' : `'${this.name}'`}>`;
  }

  override readonly call = (args: Value[], given: Keywords): string => {
    const { parameters, uses } = this;
    const keywords = new Map(given);
    const take = (name: string): Slot => {
      const value = keywords.get(name);
      keywords.delete(name);
      return value === undefined ? MISSING : value;
    };
    const filled: Slot[] = args.slice(0, parameters.length);
    let foundCaller = filled.length === parameters.length && parameters.includes('caller');
    for (const name of parameters.slice(filled.length)) {
      if (name === 'caller') foundCaller = true;
      filled.push(take(name));
    }
    if (uses.caller && !foundCaller) {
      const caller = take('caller');
      filled.push(
        caller === MISSING || caller === null ? new Undefined('No caller defined') : caller,
      );
    }
    const [unknown] = keywords.keys();
    if (uses.keywords) filled.push(Dict.of(keywords));
    else if (unknown !== undefined)
      throw new TypeFailure(`macro '${this.name}' takes no keyword argument '${unknown}'`);
    if (uses.varargs) filled.push(new Tuple(args.slice(parameters.length)));
    else if (args.length > parameters.length)
      throw new TypeFailure(
        `macro '${this.name}' takes not more than ${parameters.length} argument(s)`,
      );
    return this.run(filled);
  };
}

type LoopAttribute = (loop: Loop) => Value;

/** The attributes of the loop variable. */
const LOOP: Record<string, LoopAttribute> = {
  index: (loop) => BigInt(loop.index0 + 1),
  index0: (loop) => BigInt(loop.index0),
  revindex: (loop) => BigInt(loop.length - loop.index0),
  revindex0: (loop) => BigInt(loop.length - loop.index0 - 1),
  first: (loop) => loop.index0 === 0,
  last: (loop) => loop.peek() === MISSING,
  length: (loop) => BigInt(loop.length),
  depth: (loop) => BigInt(loop.depth0 + 1),
  depth0: (loop) => BigInt(loop.depth0),
  previtem: (loop) =>
    loop.index0 === 0 || loop.before === MISSING
      ? new Undefined('there is no previous item')
      : loop.before,
  nextitem: (loop) => {
    const next = loop.peek();
    return next === MISSING ? new Undefined('there is no next item') : next;
  },
  cycle: (loop) => new Callable('cycle', (args) => loop.cycle(args)),
  changed: (loop) => new Callable('changed', (args) => loop.changed(args)),
};

/** The loop variable. It reads one value ahead only when something asks for it. */
export class Loop extends Attributed {
  readonly typeName = 'LoopContext';
  index0 = -1;
  before: Slot = MISSING;
  #current: Slot = MISSING;
  #after: Slot = MISSING;
  #iterator: Iterator<Value, unknown>;
  #length: number | undefined;
  #lastChanged: Tuple | undefined;

  constructor(
    iterable: Value,
    readonly depth0: number,
    readonly recurse: ((iterable: Value, depth: number) => string) | undefined,
  ) {
    super();
    this.#iterator = iterate(iterable);
    this.#length = sizeOf(iterable);
  }

  /** The next value; MISSING at the end. */
  next(): Slot {
    let value = this.#after;
    this.#after = MISSING;
    if (value === MISSING) value = this.#read();
    if (value === MISSING) return MISSING;
    this.index0++;
    this.before = this.#current;
    this.#current = value;
    return value;
  }

  #read(): Slot {
    const next = this.#iterator.next();
    return next.done ? MISSING : next.value;
  }

  peek(): Slot {
    if (this.#after === MISSING) this.#after = this.#read();
    return this.#after;
  }

  get length(): number {
    if (this.#length === undefined) {
      const rest: Value[] = [];
      for (let value = this.#read(); value !== MISSING; value = this.#read()) {
        meter.items(1);
        rest.push(value);
      }
      this.#iterator = rest[Symbol.iterator]();
      this.#length = rest.length + this.index0 + 1 + (this.#after === MISSING ? 0 : 1);
    }
    return this.#length;
  }

  cycle(args: Value[]): Value {
    if (args.length === 0) throw new TypeFailure('no items for cycling given');
    return args[this.index0 % args.length] as Value;
  }

  changed(args: Value[]): boolean {
    const value = new Tuple(args);
    if (this.#lastChanged && equals(this.#lastChanged, value)) return false;
    this.#lastChanged = value;
    return true;
  }

  attribute(name: string): Value | undefined {
    return Object.hasOwn(LOOP, name) ? LOOP[name]?.(this) : undefined;
  }

  describe(): string {
    return `<LoopContext ${this.index0 + 1}/${this.length}>`;
  }

  override readonly call = (args: Value[]): string => {
    const [iterable] = args;
    if (!this.recurse)
      throw new TypeFailure("The loop must have the 'recursive' marker to be called recursively.");
    if (iterable === undefined || args.length > 1)
      throw new TypeFailure('loop() takes one argument');
    return this.recurse(iterable, this.depth0 + 1);
  };
}

/** Calls a value. */
export function callValue(callee: Value, args: Value[], keywords: Keywords): Value {
  if (callee instanceof Undefined) return callee.fail();
  if (callee instanceof Callable || callee instanceof Attributed) {
    const { call } = callee;
    if (call) return call(args, keywords);
  }
  throw new TemplateError('the template calls something that is not callable');
}
