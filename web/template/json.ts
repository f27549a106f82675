/** The filter tojson as Hugging Face sets it up: Python's json.dumps. */
import { sorted } from './compare.js';
import { TemplateError } from './errors.js';
import * as meter from './meter.js';
import { floatText, intText } from './numbers.js';
import { join, repeat } from './strings.js';
import {
  Dict,
  TypeFailure,
  intOf,
  isTrue,
  itemsOf,
  listOf,
  requireText,
  textOf,
  typeName,
} from './values.js';
import type { Value } from './values.js';

interface Options {
  ensureAscii: boolean;
  /** What one level is indented by; undefined: everything on one line. */
  indent: string | undefined;
  itemSeparator: string;
  keySeparator: string;
  sortKeys: boolean;
}

const ESCAPES: Record<string, string> = {
  '"': '\\"',
  '\\': '\\\\',
  '\n': '\\n',
  '\r': '\\r',
  '\t': '\\t',
  '\b': '\\b',
  '\f': '\\f',
};

function quoted(text: string, ensureAscii: boolean): string {
  meter.text(text.length * 2);
  const special = ensureAscii ? /["\\\0-\x1f]|[^\0-\x7e]/g : /["\\\0-\x1f]/g;
  const escaped = text.replace(special, (unit) => {
    meter.characters(4);
    return ESCAPES[unit] ?? `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
  return `"${escaped}"`;
}

function number(value: number): string {
  if (Number.isNaN(value)) return 'NaN';
  return Number.isFinite(value) ? floatText(value) : value > 0 ? 'Infinity' : '-Infinity';
}

function keyText(key: Value): string {
  const text = textOf(key);
  if (text !== undefined) return text;
  if (key === null) return 'null';
  if (typeof key === 'boolean') return String(key);
  if (typeof key === 'bigint') return intText(key);
  if (typeof key === 'number') return number(key);
  throw new TypeFailure(`keys must be str, int, float, bool or None, not ${typeName(key)}`);
}

function write(value: Value, options: Options, level: number): string {
  meter.checkNesting(level);
  const text = textOf(value);
  if (text !== undefined) return quoted(text, options.ensureAscii);
  if (value === null) return 'null';
  if (typeof value === 'boolean') return String(value);
  if (typeof value === 'bigint') return intText(value);
  if (typeof value === 'number') return number(value);
  const { indent } = options;
  const around = (open: string, parts: string[], close: string): string => {
    if (parts.length === 0) return open + close;
    if (indent === undefined) return open + join(options.itemSeparator, parts) + close;
    const line = `\n${repeat(indent, level + 1)}`;
    return `${open}${line}${join(options.itemSeparator + line, parts)}\n${repeat(indent, level)}${close}`;
  };
  const list = itemsOf(value);
  if (list) {
    const parts = list.map((item) => write(item, options, level + 1));
    return around('[', parts, ']');
  }
  if (value instanceof Dict) {
    let entries = [...value.entries()];
    if (options.sortKeys) entries = sorted(entries, ([key]) => key, false);
    const parts = entries.map(([key, item]) => {
      const name = quoted(keyText(key), options.ensureAscii);
      return name + options.keySeparator + write(item, options, level + 1);
    });
    return around('{', parts, '}');
  }
  throw new TypeFailure(`Object of type ${typeName(value)} is not JSON serializable`);
}

function indentOf(value: Value): string | undefined {
  if (value === null) return undefined;
  const text = textOf(value);
  if (text !== undefined) return text;
  const n = intOf(value);
  if (n === undefined) throw new TypeFailure(`indent is a ${typeName(value)}`);
  return repeat(' ', n);
}

/** json.dumps(value, ensure_ascii, indent, separators, sort_keys). */
export function toJson(
  value: Value,
  ensureAscii: Value,
  indent: Value,
  separators: Value,
  sortKeys: Value,
): string {
  const unit = indentOf(indent);
  let [itemSeparator, keySeparator] = [unit === undefined ? ', ' : ',', ': '];
  if (separators !== null) {
    const pair = listOf(separators);
    if (pair.length !== 2) throw new TemplateError('separators are two texts');
    [itemSeparator, keySeparator] = [
      requireText(pair[0] ?? null, 'a separator'),
      requireText(pair[1] ?? null, 'a separator'),
    ];
  }
  return write(
    value,
    {
      ensureAscii: isTrue(ensureAscii),
      indent: unit,
      itemSeparator,
      keySeparator,
      sortKeys: isTrue(sortKeys),
    },
    0,
  );
}
