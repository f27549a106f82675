/** Characters of JSON texts, as the parts of a grammar that write them. */
import { charSet, charactersOf, intersection, inverse, rangesOf, union } from './charset.js';
import type { CharSet } from './charset.js';

/** A literal of the grammar language. */
export function literal(text: string): string {
  let result = '';
  for (const character of text) {
    const code = character.codePointAt(0)!;
    if (character === '"' || character === '\\') result += `\\${character}`;
    else if (code < 0x20 || code === 0x7f) result += codeEscape(code);
    else result += character;
  }
  return `"${result}"`;
}

function codeEscape(code: number): string {
  const hex = code.toString(16).toUpperCase();
  if (code < 0x100) return `\\x${hex.padStart(2, '0')}`;
  return code < 0x10000 ? `\\u${hex.padStart(4, '0')}` : `\\U${hex.padStart(8, '0')}`;
}

const inClass = (code: number): string => {
  const character = String.fromCodePoint(code);
  return code > 0x20 && code < 0x7f && !'\\]^-["'.includes(character)
    ? character
    : codeEscape(code);
};

/** A class of the grammar language. */
export const classOf = (set: CharSet): string =>
  `[${rangesOf(set)
    .map(([first, last]) => {
      if (first === last) return inClass(first);
      return `${inClass(first)}${last > first + 1 ? '-' : ''}${inClass(last)}`;
    })
    .join('')}]`;

const SURROGATES = charSet([[0xd800, 0xdfff]]);
const CONTROLS = charSet([[0, 0x1f]]);
const SHORT: [string, string][] = [
  ['"', '"'],
  ['\\', '\\'],
  ['\b', 'b'],
  ['\f', 'f'],
  ['\n', 'n'],
  ['\r', 'r'],
  ['\t', 't'],
];
const ESCAPED = charactersOf(SHORT.map(([character]) => character).join(''));
const RAW = inverse(union(SURROGATES, CONTROLS, ESCAPED));
/** Code points that JSON writes as \uXXXX. */
const LONG = intersection(inverse(ESCAPED), union(SURROGATES, CONTROLS));

/**
 * How a string of JSON writes the code points of a set, as alternatives: characters as themselves,
 * escapes as JSON.stringify writes them.
 */
export function writtenInJson(set: CharSet): string[] {
  const result: string[] = [];
  const raw = intersection(set, RAW);
  if (raw.length > 0) result.push(classOf(raw));
  const short = SHORT.filter(([c]) => intersection(set, charactersOf(c)).length > 0);
  if (short.length === 1) result.push(literal(`\\${short[0]![1]}`));
  else if (short.length > 1)
    result.push(`"\\\\" ${classOf(charactersOf(short.map(([, letter]) => letter).join('')))}`);
  for (const [first, last] of rangesOf(intersection(set, LONG)))
    result.push(...hexEscapes(first, last));
  return result;
}

/** \uXXXX for a range of code points below 0x10000, lower-case digits. */
function hexEscapes(first: number, last: number): string[] {
  // ranges of digit sequences, as in ranges of bytes: split where the leading digits change
  const split = (low: number, high: number, digits: number): [number, number][][] => {
    if (digits === 0) return [[]];
    const unit = 16 ** (digits - 1);
    const result: [number, number][][] = [];
    let from = low;
    while (from <= high) {
      const lead = Math.floor(from / unit);
      const isWhole = from % unit === 0;
      let end = (lead + 1) * unit - 1;
      let lastLead = lead;
      if (isWhole && end <= high) {
        lastLead = Math.floor((high + 1) / unit) - 1;
        end = (lastLead + 1) * unit - 1;
      } else end = Math.min(end, high);
      for (const rest of split(
        from % unit,
        isWhole && end % unit === unit - 1 ? unit - 1 : end % unit,
        digits - 1,
      ))
        result.push([[lead, lastLead], ...rest]);
      from = end + 1;
    }
    return result;
  };
  return split(first, last, 4).map((digits) => {
    let text = '\\u';
    let result = '';
    for (const [low, high] of digits) {
      if (low === high) text += low.toString(16);
      else {
        if (text !== '') result += `${literal(text)} `;
        text = '';
        result += `${classOf(digitsBetween(low, high))} `;
      }
    }
    if (text !== '') result += literal(text);
    return result.trim();
  });
}

const digitsBetween = (low: number, high: number): CharSet =>
  charactersOf(Array.from({ length: high - low + 1 }, (_, i) => (low + i).toString(16)).join(''));
