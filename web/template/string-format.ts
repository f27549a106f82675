/** str.format: which argument a field means. format.ts writes the values. */
import { TemplateError } from './errors.js';
import { braceFormat } from './format.js';
import * as meter from './meter.js';
import type { Dict, Keywords, Value } from './values.js';

/** The fields of str.format: numbers in turn, numbers or names, with .attributes and [indices]. */
export function formatText(
  self: string,
  args: readonly Value[],
  keywords: Dict | Keywords,
  read: {
    attribute: (object: Value, name: string) => Value;
    item: (object: Value, index: Value) => Value;
  },
): string {
  let automatic = 0;
  let manual = false;
  const first = (name: string): Value => {
    if (name === '' ? manual : /^[0-9]+$/.test(name) && automatic > 0)
      throw new TemplateError('cannot mix automatic field numbering and manual ones');
    if (name === '' || /^[0-9]+$/.test(name)) {
      if (name !== '') manual = true;
      const value = args[name === '' ? automatic++ : Number(name)];
      if (value === undefined)
        throw new TemplateError('Replacement index out of range for positional args tuple');
      return value;
    }
    const value = keywords.get(name);
    if (value === undefined) throw new TemplateError(`KeyError: '${name}'`);
    return value;
  };
  return braceFormat(self, (field) => {
    const [, name = '', rest = ''] = /^([^.[]*)(.*)$/s.exec(field) ?? [];
    let value = first(name);
    const path = /\.([^.[]+)|\[([^\]]+)\]/y;
    while (path.lastIndex < rest.length) {
      const found = path.exec(rest);
      if (!found) throw new TemplateError('Empty attribute in format string');
      const [, attribute, index] = found;
      meter.step();
      if (attribute !== undefined) value = read.attribute(value, attribute);
      else
        value = read.item(value, /^[0-9]+$/.test(index ?? '') ? BigInt(index ?? 0) : (index ?? ''));
    }
    return value;
  });
}
