/** The filter wordwrap: Python's textwrap.wrap of one line. */
import { TemplateError } from './errors.js';
import * as meter from './meter.js';
import { charactersOf, join, lengthOf, substring } from './strings.js';

const WORD = '[\\p{L}\\p{N}_]';
const PUNCTUATED = '[\\p{L}\\p{N}_!"\'&.,?]';
const LETTER = '(?:(?!\\p{Nd})[\\p{L}\\p{N}_])';
const SPACE = '[\\t\\n\\v\\f\\r ]';
const OTHER = '[^\\t\\n\\v\\f\\r ]';

/** Python's pattern for the parts of a line: white space, dashes, words and parts of words. */
const PARTS = new RegExp(
  `(${SPACE}+|(?<=${PUNCTUATED})-{2,}(?=${WORD})|${OTHER}+?(?:` +
    `-(?:(?<=${LETTER}{2}-)|(?<=${LETTER}-${LETTER}-))(?=${LETTER}-?${LETTER})` +
    `|(?=${SPACE}|$)|(?<=${PUNCTUATED})(?=-{2,}${WORD})))`,
  'u',
);
const SPACES = new RegExp(`(${SPACE}+)`, 'u');

const isBlank = (part: string) => /^[\s\x1c-\x1f\x85]*$/.test(part);

/** How much of a long word goes on the line, in characters. */
function breakAt(word: string, room: number, onHyphens: boolean): number {
  if (!onHyphens || lengthOf(word) <= room) return room;
  const start = charactersOf(substring(word, 0, room));
  const hyphen = start.lastIndexOf('-');
  const hasOther = start.slice(0, Math.max(0, hyphen)).some((one) => one !== '-');
  return hyphen > 0 && hasOther ? hyphen + 1 : room;
}

/** The lines of at most `width` characters that a line becomes. */
export function wrapLine(
  line: string,
  width: number,
  breakWords: boolean,
  onHyphens: boolean,
): string[] {
  if (width <= 0) throw new TemplateError(`invalid width ${width} (must be > 0)`);
  meter.characters(line.length * 16);
  const parts = line.split(onHyphens ? PARTS : SPACES).filter((part) => part !== '');
  parts.reverse();
  meter.items(parts.length);
  const lines: string[] = [];
  while (parts.length > 0) {
    meter.step();
    let last = parts.at(-1) as string;
    if (lines.length > 0 && isBlank(last)) parts.pop();
    const current: string[] = [];
    let n = 0;
    while (parts.length > 0) {
      last = parts.at(-1) as string;
      const length = lengthOf(last);
      if (n + length > width) break;
      current.push(last);
      parts.pop();
      n += length;
    }
    last = parts.at(-1) ?? '';
    if (lengthOf(last) > width) {
      const room = width - n;
      if (breakWords) {
        const end = breakAt(last, room, onHyphens);
        current.push(substring(last, 0, end));
        parts[parts.length - 1] = substring(last, end, lengthOf(last));
      } else if (current.length === 0) current.push(parts.pop() as string);
    }
    if (current.length > 0 && isBlank(current.at(-1) as string)) current.pop();
    if (current.length > 0) lines.push(join('', current));
  }
  return lines;
}
