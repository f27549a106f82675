/** The filter pprint: Python's pprint.pformat with 80 columns. */
import { sorted } from './compare.js';
import { Unsupported } from './errors.js';
import * as meter from './meter.js';
import { concat, join, lengthOf, repeat, splitLines } from './strings.js';
import { repr } from './text.js';
import { Dict, Tuple, textOf } from './values.js';
import type { Value } from './values.js';

const WIDTH = 80;

/** The value with the keys of every dict sorted. */
function withSortedDicts(value: Value, level = 0): Value {
  meter.checkNesting(level);
  const all = (list: readonly Value[]) => list.map((item) => withSortedDicts(item, level + 1));
  if (Array.isArray(value)) return all(value);
  if (value instanceof Tuple) return new Tuple(all(value.items));
  if (!(value instanceof Dict)) return value;
  if (new Set(value.keys().map((key) => typeof key)).size > 1)
    throw new Unsupported('pprint of a dict with keys of several types is not supported');
  return Dict.of(
    sorted([...value.entries()], ([key]) => key, false).map(
      ([key, item]) => [key, withSortedDicts(item, level + 1)] as const,
    ),
  );
}

class Printer {
  readonly #parts: string[] = [];

  text(value: Value): string {
    this.#format(value, 0, 0, 0);
    return join('', this.#parts);
  }

  #write(text: string): void {
    meter.text(text.length);
    this.#parts.push(text);
  }

  /** indent: columns before the value; allowance: columns after it; level: values around it. */
  #format(value: Value, indent: number, allowance: number, level: number): void {
    const text = repr(value);
    if (lengthOf(text) <= WIDTH - indent - allowance) return this.#write(text);
    if (Array.isArray(value)) {
      this.#write('[');
      this.#items(value, indent, allowance + 1, level + 1);
      this.#write(']');
    } else if (value instanceof Tuple) {
      const end = value.items.length === 1 ? ',)' : ')';
      this.#write('(');
      this.#items(value.items, indent, allowance + end.length, level + 1);
      this.#write(end);
    } else if (value instanceof Dict) {
      this.#write('{');
      this.#entries([...value.entries()], indent + 1, allowance + 1, level + 1);
      this.#write('}');
    } else if (typeof value === 'string') this.#string(value, indent, allowance, level + 1);
    else this.#write(text);
  }

  #items(items: readonly Value[], indent: number, allowance: number, level: number): void {
    items.forEach((item, i) => {
      if (i > 0) this.#write(`,\n${repeat(' ', indent + 1)}`);
      this.#format(item, indent + 1, i === items.length - 1 ? allowance : 1, level);
    });
  }

  #entries(entries: [Value, Value][], indent: number, allowance: number, level: number): void {
    entries.forEach(([key, value], i) => {
      const isLast = i === entries.length - 1;
      const name = repr(key);
      this.#write(`${name}: `);
      this.#format(value, indent + lengthOf(name) + 2, isLast ? allowance : 1, level);
      if (!isLast) this.#write(`,\n${repeat(' ', indent)}`);
    });
  }

  /** A long text: its lines, and parts of lines, each in quotes. */
  #string(value: string, indent: number, allowance: number, level: number): void {
    if (level === 1) {
      indent++;
      allowance++;
    }
    const width = WIDTH - indent;
    const chunks: string[] = [];
    const lines = splitLines(value, true);
    lines.forEach((line, i) => {
      const isLastLine = i === lines.length - 1;
      const text = repr(line);
      if (lengthOf(text) <= width - (isLastLine ? allowance : 0)) {
        chunks.push(text);
        return;
      }
      meter.characters(line.length * 4);
      const parts = line.match(/[^\s\x1c-\x1f\x85]+[\s\x1c-\x1f\x85]*|^[\s\x1c-\x1f\x85]+/g) ?? [];
      let current = '';
      parts.forEach((part, j) => {
        const candidate = concat(current, part);
        const room = width - (j === parts.length - 1 && isLastLine ? allowance : 0);
        if (lengthOf(repr(candidate)) > room) {
          if (current) chunks.push(repr(current));
          current = part;
        } else current = candidate;
      });
      if (current) chunks.push(repr(current));
    });
    const [only] = chunks;
    if (chunks.length === 1 && only) return this.#write(only);
    const all = join(`\n${repeat(' ', indent)}`, chunks);
    this.#write(level === 1 ? `(${all})` : all);
  }
}

export function pretty(value: Value): string {
  if (textOf(value) !== undefined && typeof value !== 'string')
    throw new Unsupported('pprint of a text that is marked as safe is not supported');
  return new Printer().text(withSortedDicts(value));
}
