/** What every template can use: Jinja2's functions, and those that Hugging Face adds. */
import { bind } from './arguments.js';
import { LimitExceeded, TemplateError, Unsupported } from './errors.js';
import * as meter from './meter.js';
import { strftime } from './strftime.js';
import { str } from './text.js';
import {
  Attributed,
  Callable,
  Dict,
  Namespace,
  Range,
  Tuple,
  TypeFailure,
  listOf,
  requireInt,
  requireText,
} from './values.js';
import type { Keywords, Value } from './values.js';

const MAX_RANGE = 100_000; // numbers of one range(), as in Jinja2's sandbox

/** Python's range(), with the limit of Jinja2's sandbox. */
function range(args: Value[], keywords: Keywords): Value {
  if (keywords.size > 0) throw new TypeFailure('range() takes no keyword arguments');
  if (args.length < 1 || args.length > 3)
    throw new TypeFailure(`range expected 1 to 3 arguments, got ${args.length}`);
  const numbers = args.map(requireInt);
  const [start = 0, stop = 0, by = 1] = args.length === 1 ? [0, ...numbers] : numbers;
  if (by === 0) throw new TemplateError('range() arg 3 must not be zero');
  if (![start, stop, by].every(Number.isSafeInteger))
    throw new Unsupported('a range beyond 2^53 is not supported');
  const result = new Range(start, stop, by);
  if (result.length > MAX_RANGE)
    throw new LimitExceeded(
      `it asks for a range of ${result.length} numbers; the maximum is ${MAX_RANGE}`,
    );
  return result;
}

/** Python's dict(): a dict or pairs, then keywords. */
function dict(args: Value[], keywords: Keywords): Dict {
  const [source, ...others] = args;
  if (others.length > 0) throw new TypeFailure('dict expected at most 1 argument');
  const result = new Dict();
  if (source instanceof Dict) for (const [key, value] of source.entries()) result.set(key, value);
  else if (source !== undefined) {
    for (const pair of listOf(source)) {
      const [key, value, more] = listOf(pair);
      if (key === undefined || value === undefined || more !== undefined)
        throw new TypeFailure('dict update sequence element has no length 2');
      result.set(key, value);
    }
  }
  for (const [key, value] of keywords) result.set(key, value);
  return result;
}

/** cycler(): values one after the other, again and again. */
class Cycler extends Attributed {
  readonly typeName = 'Cycler';
  #at = 0;
  constructor(readonly items: Value[]) {
    super();
    if (items.length === 0) throw new TemplateError('at least one item has to be provided');
  }
  attribute(name: string): Value | undefined {
    const current = this.items[this.#at] as Value;
    switch (name) {
      case 'items':
        return new Tuple(this.items);
      case 'pos':
        return BigInt(this.#at);
      case 'current':
        return current;
      case 'next':
        return new Callable(name, () => {
          const value = this.items[this.#at] as Value;
          this.#at = (this.#at + 1) % this.items.length;
          return value;
        });
      case 'reset':
        return new Callable(name, () => {
          this.#at = 0;
          return null;
        });
      default:
        return undefined;
    }
  }
}

/** joiner(): nothing the first time, then a separator. */
class Joiner extends Attributed {
  readonly typeName = 'Joiner';
  #used = false;
  constructor(readonly separator: Value) {
    super();
  }
  attribute(name: string): Value | undefined {
    return name === 'sep' ? this.separator : name === 'used' ? this.#used : undefined;
  }
  override readonly call = (): Value => {
    if (this.#used) return this.separator;
    this.#used = true;
    return '';
  };
}

type Call = (args: Value[], keywords: Keywords) => Value;

/** Functions by name: one row each. */
const FUNCTIONS: Record<string, (now: Date) => Call> = {
  cycler: () => (args) => new Cycler(args),
  dict: () => dict,
  joiner: () => (args, keywords) => {
    const [separator = ', '] = bind('joiner', [['sep', ', ']], args, keywords);
    return new Joiner(separator);
  },
  lipsum: () => () => {
    throw new Unsupported("the function 'lipsum' is not supported");
  },
  namespace: () => (args, keywords) => new Namespace(dict(args, keywords)),
  raise_exception: () => (args, keywords) => {
    const [message = ''] = bind('raise_exception', [['message']], args, keywords);
    throw new TemplateError(`it refuses: ${str(message)}`);
  },
  range: () => range,
  strftime_now: (now) => (args, keywords) => {
    const [format = ''] = bind('strftime_now', [['format']], args, keywords);
    return strftime(now, requireText(format, 'the format'));
  },
};

/** The functions of a rendering that happens at `now`. */
export function globals(now: Date): Map<string, Value> {
  meter.items(Object.keys(FUNCTIONS).length);
  return new Map(
    Object.entries(FUNCTIONS).map(([name, make]) => [name, new Callable(name, make(now))]),
  );
}
