/** Python's strftime, in the C locale and the local time zone, as datetime.now() has it. */
import { Unsupported } from './errors.js';
import * as meter from './meter.js';
import { join } from './strings.js';

const DAYS = ['Sunday', 'Monday', 'Tuesday', 'Wednesday', 'Thursday', 'Friday', 'Saturday'];
const MONTHS = [
  ...['January', 'February', 'March', 'April', 'May', 'June', 'July'],
  ...['August', 'September', 'October', 'November', 'December'],
];

const dayOfYear = (date: Date): number =>
  Math.round(
    (Date.UTC(date.getFullYear(), date.getMonth(), date.getDate()) -
      Date.UTC(date.getFullYear(), 0, 1)) /
      86_400_000,
  ) + 1;

/** Week of the year; weeks begin on Sunday (0) or Monday (1). */
const week = (date: Date, first: number): number =>
  Math.floor((dayOfYear(date) + 6 - ((date.getDay() + 7 - first) % 7)) / 7);

/** ISO 8601's week and its year. */
function isoWeek(date: Date): [week: number, year: number] {
  const thursday = new Date(Date.UTC(date.getFullYear(), date.getMonth(), date.getDate()));
  thursday.setUTCDate(thursday.getUTCDate() + 4 - (thursday.getUTCDay() || 7));
  const year = thursday.getUTCFullYear();
  return [Math.ceil(((thursday.getTime() - Date.UTC(year, 0, 1)) / 86_400_000 + 1) / 7), year];
}

/** A number, the width that it is padded to, and with what. */
type Field = readonly [value: number, width: number, pad: '0' | ' '];

const hour12 = (date: Date) => date.getHours() % 12 || 12;

/** Codes that are numbers: their padding may be left out or changed. */
const NUMBERS: Record<string, (date: Date) => Field> = {
  C: (date) => [Math.floor(date.getFullYear() / 100), 2, '0'],
  d: (date) => [date.getDate(), 2, '0'],
  e: (date) => [date.getDate(), 2, ' '],
  G: (date) => [isoWeek(date)[1], 1, '0'],
  g: (date) => [isoWeek(date)[1] % 100, 2, '0'],
  H: (date) => [date.getHours(), 2, '0'],
  I: (date) => [hour12(date), 2, '0'],
  j: (date) => [dayOfYear(date), 3, '0'],
  k: (date) => [date.getHours(), 2, ' '],
  l: (date) => [hour12(date), 2, ' '],
  M: (date) => [date.getMinutes(), 2, '0'],
  m: (date) => [date.getMonth() + 1, 2, '0'],
  S: (date) => [date.getSeconds(), 2, '0'],
  s: (date) => [Math.floor(date.getTime() / 1000), 1, '0'],
  U: (date) => [week(date, 0), 2, '0'],
  u: (date) => [date.getDay() || 7, 1, '0'],
  V: (date) => [isoWeek(date)[0], 2, '0'],
  W: (date) => [week(date, 1), 2, '0'],
  w: (date) => [date.getDay(), 1, '0'],
  Y: (date) => [date.getFullYear(), 1, '0'],
  y: (date) => [date.getFullYear() % 100, 2, '0'],
};

/** Codes that stand for other codes. */
const COMPOSED: Record<string, string> = {
  c: '%a %b %e %H:%M:%S %Y',
  D: '%m/%d/%y',
  F: '%Y-%m-%d',
  R: '%H:%M',
  r: '%I:%M:%S %p',
  T: '%H:%M:%S',
  X: '%H:%M:%S',
  x: '%m/%d/%y',
};

const WORDS: Record<string, (date: Date) => string> = {
  '%': () => '%',
  A: (date) => DAYS[date.getDay()] as string,
  a: (date) => (DAYS[date.getDay()] as string).slice(0, 3),
  B: (date) => MONTHS[date.getMonth()] as string,
  b: (date) => (MONTHS[date.getMonth()] as string).slice(0, 3),
  f: (date) => String(date.getMilliseconds() * 1000).padStart(6, '0'),
  h: (date) => (MONTHS[date.getMonth()] as string).slice(0, 3),
  n: () => '\n',
  P: (date) => (date.getHours() < 12 ? 'am' : 'pm'),
  p: (date) => (date.getHours() < 12 ? 'AM' : 'PM'),
  t: () => '\t',
  Z: () => '', // a time without a zone, as datetime.now() gives
  z: () => '',
};

function numberText([value, width, pad]: Field, flag: string): string {
  if (flag === '-') return String(value);
  return String(value).padStart(width, flag === '_' ? ' ' : flag === '0' ? '0' : pad);
}

/** The date in a format of strftime. */
export function strftime(date: Date, format: string): string {
  meter.characters(format.length * 32);
  const parts: string[] = [];
  const code = /%([-_0^#]?)(.)|%$/suy;
  let at = 0;
  while (at < format.length) {
    const next = format.indexOf('%', at);
    if (next < 0) break;
    parts.push(format.slice(at, next));
    code.lastIndex = next;
    const [whole = '%', flag = '', letter = ''] = code.exec(format) ?? [];
    at = next + whole.length;
    const number = Object.hasOwn(NUMBERS, letter) ? NUMBERS[letter] : undefined;
    const word = Object.hasOwn(WORDS, letter) ? WORDS[letter] : undefined;
    if (number && flag !== '^' && flag !== '#') parts.push(numberText(number(date), flag));
    else if (COMPOSED[letter] && !flag) parts.push(strftime(date, COMPOSED[letter]));
    else if (word && (!flag || flag === '^'))
      parts.push(flag === '^' ? word(date).toUpperCase() : word(date));
    else throw new Unsupported(`the strftime code '${whole}' is not supported`);
  }
  parts.push(format.slice(at));
  return join('', parts);
}
