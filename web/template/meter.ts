/**
 * Bounds what a template may do. Every step, every element and every character that the template
 * reads or makes costs units; a rendering has MAX_UNITS. The count depends on the template and its
 * input only, so a template that ends on one machine ends on every machine.
 *
 * Time and memory follow from the units: a step (64 units) takes well under a microsecond, an
 * element (64 units) less than 64 bytes, a character (2 units) at most two bytes.
 *
 * A rendering is synchronous, so one meter for the module is enough.
 */
import { LimitExceeded } from './errors.js';

const MAX_UNITS = 100_000_000;
/** Characters of one text. */
export const MAX_TEXT = 2 ** 23;
/** Levels of expressions, statements and calls inside each other, all together. */
export const MAX_DEPTH = 1_500;
/** Levels of lists and dicts inside each other. */
const MAX_NESTING = 150;

const STEP = 64;
const ITEM = 64;
const CHARACTER = 2;

let units = 0;
let depth = 0;

/** The line that runs now, for messages. */
export const position = { line: 1 };

export function startMeter(): void {
  units = 0;
  depth = 0;
  position.line = 1;
}

function spend(n: number): void {
  units += n;
  if (!(units <= MAX_UNITS))
    throw new LimitExceeded(`it takes more than ${MAX_UNITS} units of work and memory`);
}

/** One evaluated expression or statement, one iteration, one comparison. */
export const step = (): void => spend(STEP);

/** n elements of a list, a dict or a loop. */
export const items = (n: number): void => spend(ITEM * n);

/** n characters that are read or made. */
export const characters = (n: number): void => spend(CHARACTER * n);

/** A text of n characters is made. Checks the length before any memory is taken. */
export function text(n: number): void {
  if (!(n <= MAX_TEXT))
    throw new LimitExceeded(`it makes a text of ${n} characters; the maximum is ${MAX_TEXT}`);
  spend(CHARACTER * n + STEP);
}

/** Runs something that nests `levels` levels deeper. */
export function nested<T>(levels: number, run: () => T): T {
  depth += levels;
  if (depth > MAX_DEPTH)
    throw new LimitExceeded(`its macros and loops call each other more than ${MAX_DEPTH} deep`);
  try {
    return run();
  } finally {
    depth -= levels;
  }
}

/** Checks the depth of a list or dict that is walked. */
export function checkNesting(level: number): void {
  spend(STEP);
  if (level > MAX_NESTING)
    throw new LimitExceeded(`it makes values that are nested more than ${MAX_NESTING} deep`);
}
