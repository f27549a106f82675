// Writes src/tokenizer/normalization_data.h: what Unicode's normalization form C needs of every
// code point. The data come from String.prototype.normalize of a runtime with the version of
// Unicode below, because no package has the canonical combining classes: only their order counts,
// and the order in which the runtime sorts two marks shows it. Run it for a new version of Unicode.
// tests/node/unicode.test.mjs compares the tables, where the runtime has this version.
import { readFileSync, writeFileSync } from 'node:fs';
import { rows } from './generate-unicode.mjs';

const VERSION = '17.0';
const END = 0x110000;

/** The number of ranks that src/tokenizer/normalize_tables.c has room for. */
const MAX_RANKS = 63;

/** Code points that the engine looks up together. */
const BLOCK = 32;

const HANGUL_JAMO = 0x1100;
const HANGUL_SYLLABLES = [0xac00, 0xd7a3];
const within = (code, [first, last]) => code >= first && code <= last;

/** Whether this runtime has the version of Unicode that the tables are made from. */
export const sameUnicode = () => process.versions.unicode === VERSION;

const text = (...codes) => String.fromCodePoint(...codes);
const codesOf = (string) => Array.from(string, (character) => character.codePointAt(0));
const decomposed = (string) => codesOf(string.normalize('NFD'));

/** Whether the second of two marks is sorted before the first: its class is lower, and not 0. */
function isSwapped(first, second) {
  const [a, b] = decomposed(text(first, second));
  return a === second && b === first && first !== second;
}

/** For every code point that does not decompose the rank of its class; 0 for class 0. */
function ranks() {
  const LOWEST = 0x334; // of class 1
  const HIGHEST = 0x345; // of class 240
  const classes = []; // lists of code points, by ascending class
  for (let code = 0; code < END; code++) {
    if (within(code, [0xd800, 0xdfff])) continue;
    const [first, ...rest] = decomposed(text(code));
    if (first !== code || rest.length > 0) continue;
    if (!isSwapped(HIGHEST, code) && !isSwapped(code, LOWEST) && code !== LOWEST) continue;
    let [low, high] = [0, classes.length];
    while (low < high) {
      const middle = (low + high) >> 1;
      if (isSwapped(code, classes[middle][0])) low = middle + 1;
      else high = middle;
    }
    if (low < classes.length && !isSwapped(classes[low][0], code)) classes[low].push(code);
    else classes.splice(low, 0, [code]);
  }
  if (classes.length > MAX_RANKS) throw new Error(`${classes.length} combining classes`);
  const result = new Uint8Array(END);
  for (const [i, members] of classes.entries()) for (const code of members) result[code] = i + 1;
  return result;
}

/** [code, first, second] for every canonical decomposition but Hangul; second 0: one character. */
function decompositions() {
  const byDecomposition = new Map();
  const all = [];
  for (let code = 0; code < END; code++) {
    if (within(code, [0xd800, 0xdfff]) || within(code, HANGUL_SYLLABLES)) continue;
    const codes = decomposed(text(code));
    if (codes.length === 1 && codes[0] === code) continue;
    if (codes.length > 1 && !byDecomposition.has(text(...codes)))
      byDecomposition.set(text(...codes), code);
    all.push([code, codes]);
  }
  return all.map(([code, codes]) => {
    if (codes.length === 1) return [code, codes[0], 0];
    const begin = text(...codes.slice(0, -1));
    const whole = codesOf(begin.normalize('NFC'));
    const first = whole.length === 1 ? whole[0] : byDecomposition.get(begin);
    if (first === undefined) throw new Error(`no step from U+${code.toString(16)}`);
    return [code, first, codes.at(-1)];
  });
}

/** Numbers from 0, seven bits a byte, the low ones first; a set high bit says that more follow. */
function compact(numbers) {
  return numbers.flatMap((number) => {
    const bytes = [];
    for (; number > 127; number >>= 7) bytes.push((number & 127) | 128);
    return [...bytes, number];
  });
}

/** Runs of code points of the same rank above 0: the gap before each, its length, the rank. */
function runsOf(rank) {
  const runs = [];
  let end = 0;
  for (let code = 0; code < END; code++) {
    if (!rank[code]) continue;
    const from = code;
    while (rank[code + 1] === rank[from]) code++;
    runs.push([from - end, code + 1 - from, rank[from]]);
    end = code + 1;
  }
  return runs;
}

function array(name, numbers, what) {
  const bytes = compact(numbers);
  return `/* ${what} */\nstatic const uint8_t ${name}[${bytes.length}] = {\n${rows(bytes, 32)}};\n`;
}

/** The text of the file. */
export function tables() {
  const steps = decompositions();
  const isComposed = ([code, first, second]) =>
    second > 0 && text(first, second).normalize('NFC') === text(code);
  const rank = ranks();
  const runs = runsOf(rank);
  const touched = [
    ...steps.flatMap(([code, , second]) => (second ? [code, second] : [code])),
    ...Array.from({ length: 256 }, (_, i) => HANGUL_JAMO + i),
    ...Array.from(rank.keys()).filter((code) => rank[code]),
  ];
  const blocks = new Set(touched.map((code) => Math.floor(code / BLOCK)));
  const gaps = (list) => list.map((number, i) => number - (list[i - 1] ?? 0));
  const zigzag = (number) => (number < 0 ? -2 * number - 1 : 2 * number);
  return `/* Generated by wasm/toolchain/generate-normalization.mjs from Unicode ${VERSION}: change the
 * generator. Numbers are written seven bits a byte, the low ones first; a set high bit says that
 * more bits follow. normalize_tables.c reads them. */
#ifndef TG_NORMALIZATION_DATA_H
#define TG_NORMALIZATION_DATA_H

#include <stdint.h>

/* clang-format off */
#define TG_NORMAL_STEPS ${steps.length} /* decompositions */
#define TG_NORMAL_PAIRS ${steps.filter(isComposed).length} /* those that are composed again */
#define TG_NORMAL_BLOCK ${BLOCK} /* code points */
#define TG_NORMAL_BLOCKS ${blocks.size + 1} /* blocks with properties, and an empty one */
#define TG_NORMAL_RUNS ${runs.length} /* runs of code points with the same combining class, but 0 */

${array(
  'tg_normal_runs',
  runs.flat(),
  'Each run: the gap before it, its length, the rank of its class.',
)}
${array(
  'tg_normal_codes',
  gaps(steps.map(([code]) => code)),
  'Each decomposition: the difference of its code point to the one before.',
)}
${array(
  'tg_normal_firsts',
  gaps(steps.map(([, first]) => first)).map(zigzag),
  'Each decomposition: the difference of its first character to the one before, doubled; of a\n * negative difference twice the absolute value, less 1.',
)}
${array(
  'tg_normal_seconds',
  steps.map((step) => 2 * step[2] + (step[2] > 0 && !isComposed(step) ? 1 : 0)),
  'Each decomposition: its second character, doubled, and 1 added if the pair is not composed\n * again; 0: it has no second character.',
)}/* clang-format on */

#endif
`;
}

const file = new URL('../../src/tokenizer/normalization_data.h', import.meta.url);
/** Whether the file is up to date; asked only where sameUnicode() is true. */
export const current = () => readFileSync(file, 'utf8') === tables();
if (process.argv[1] && import.meta.url.endsWith(process.argv[1].split('/').at(-1))) {
  if (!sameUnicode())
    throw new Error(`this runtime has Unicode ${process.versions.unicode}, not ${VERSION}`);
  writeFileSync(file, tables());
}
