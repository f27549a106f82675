/**
 * Reads a caller's arguments: each is checked and copied once, so that everything behind the API
 * works on plain data of our own. Getters and proxies may throw while they are read.
 */
import { TokenglassError, shown, typed } from './errors.js';
import type { ErrorCode } from './generated-errors.js';
import { suggestion } from './names.js';

export const MAX_INT32 = 2 ** 31 - 1;
export const MAX_POSITIONS = 2 ** 20; // of a context
const MAX_IDS = 2 ** 26; // token ids in a list
const MAX_ITEMS = 2 ** 20; // elements of another list

export const invalid = (message: string, cause?: unknown) =>
  new TokenglassError('INVALID_ARGUMENT', message, { cause });

export const unsupported = (message: string) => new TokenglassError('OPTION_UNSUPPORTED', message);

/** Null counts as not given in the API of completions. */
export const isGiven = <T>(value: T): value is NonNullable<T> =>
  value !== undefined && value !== null;

/** What `read` gives; what a caller's object throws meanwhile becomes a TokenglassError. */
export function reading<T>(name: string, read: () => T, code: ErrorCode = 'INVALID_ARGUMENT'): T {
  try {
    return read();
  } catch (error) {
    if (error instanceof TokenglassError) throw error;
    throw new TokenglassError(code, `${name} cannot be read: ${shown(error)}`, { cause: error });
  }
}

const getterOf = (object: object, key: PropertyKey) =>
  Object.getOwnPropertyDescriptor(object, key)!.get!;
const typedArrayName = getterOf(Object.getPrototypeOf(Uint8Array.prototype), Symbol.toStringTag);
const bufferLength = getterOf(ArrayBuffer.prototype, 'byteLength');

/** The name of a typed array's type, whatever realm the array is from; else undefined. */
export const arrayType = (value: unknown): string | undefined =>
  typedArrayName.call(value) as string | undefined;

/** The name that an object gives itself, as in [object Blob]. An object can make this throw. */
export const tagOf = (value: unknown): string => Object.prototype.toString.call(value).slice(8, -1);

/**
 * A copy of the caller's options, those that are known and not undefined. An unknown option is an
 * error: usually it is misspelt. Inherited options count, but not what somebody added to
 * Object.prototype. refused: options that are read, too, but that no message suggests.
 */
export function readOptions<T extends object>(
  options: T | undefined,
  known: readonly string[],
  method: string,
  refused: readonly string[] = [],
): T {
  const copy = Object.create(null) as Record<string, unknown>;
  if (options === undefined) return copy as T;
  const name = `the options of ${method}`;
  return reading(name, () => {
    if (tagOf(options) !== 'Object')
      throw invalid(`${name} are ${typed(options)}; they must be an object`);
    const isThere = (key: string) =>
      Object.hasOwn(options, key) || (key in options && !(key in Object.prototype));
    const read = [...known, ...refused];
    for (const key in options) {
      if (!read.includes(key) && isThere(key))
        throw invalid(`${method} has no option ${shown(key)}${suggestion(key, known)}`);
    }
    for (const key of read) {
      const value = isThere(key) ? (options as Record<string, unknown>)[key] : undefined;
      if (value !== undefined) copy[key] = value;
    }
    return copy as T;
  });
}

export function wholeNumber(value: unknown, name: string, min: number, max: number): number {
  if (typeof value !== 'number' || !Number.isInteger(value) || value < min || value > max) {
    const text = typed(value, 'number');
    throw invalid(`${name} is ${text}; it must be a whole number of ${min} to ${max}`);
  }
  return value;
}

export function flag(value: unknown, name: string, initial: boolean): boolean {
  if (value === undefined) return initial;
  if (typeof value !== 'boolean')
    throw invalid(`${name} is ${typed(value)}; it must be true or false`);
  return value;
}

/** The index of an option's value in the list; the list's length for an option not given. */
export function indexIn(list: readonly string[], value: unknown, name: string): number {
  const index = value === undefined ? list.length : list.indexOf(value as string);
  if (index < 0) throw invalid(`${name} is ${typed(value, 'string')}${suggestion(value, list)}`);
  return index;
}

export function checkSeed(seed: unknown): bigint {
  if (typeof seed === 'bigint' && seed >= 0n && seed < 1n << 64n) return seed;
  if (typeof seed === 'number' && Number.isSafeInteger(seed) && seed >= 0) return BigInt(seed);
  throw invalid(
    `seed is ${typed(seed, 'number')}; it must be a whole number of 0 to 2^53 - 1 or a bigint of 64 bits`,
  );
}

export function textOf(text: unknown, name: string): string {
  if (typeof text !== 'string') throw invalid(`${name} is ${typed(text)}; it must be a text`);
  return text;
}

/** A copy of a list of at most MAX_ITEMS elements, which `itemOf` checks. */
export function listOf<T>(list: unknown, name: string, itemOf: (item: unknown) => T): T[] {
  return reading(name, () => {
    if (!Array.isArray(list)) throw invalid(`${name} is ${typed(list)}; it must be a list`);
    const n: unknown = list.length;
    if (!(typeof n === 'number' && n <= MAX_ITEMS))
      throw invalid(`${name} has ${shown(n)} elements; the maximum is ${MAX_ITEMS}`);
    return Array.from({ length: n }, (_, i) => itemOf(list[i]));
  });
}

/** A copy of a list of token ids: an array or a typed array. Throws TOKEN_OUT_OF_RANGE. */
export function idsOf(ids: unknown, name: string): Int32Array {
  return reading(name, () => {
    const type = arrayType(ids);
    if (type === undefined && !Array.isArray(ids))
      throw invalid(`${name} is ${typed(ids)}; it must be a list of token ids`);
    // a copy fails where the array's buffer is detached
    const list = type === undefined ? (ids as unknown[]) : new Float64Array(ids as Float64Array);
    const n: unknown = list.length;
    if (!(typeof n === 'number' && n <= MAX_IDS))
      throw invalid(`${name} has ${shown(n)} elements; the maximum is ${MAX_IDS}`);
    const copy = new Int32Array(n);
    for (let i = 0; i < n; i++) {
      const id = list[i];
      copy[i] = isId(id) ? id : idOf(id, `token ${i} of ${name}`);
    }
    return copy;
  });
}

const isId = (id: unknown): id is number =>
  typeof id === 'number' && Number.isInteger(id) && id >= 0 && id <= MAX_INT32;

/** A token id. Throws TOKEN_OUT_OF_RANGE. */
export function idOf(id: unknown, name: string): number {
  if (isId(id)) return id;
  throw new TokenglassError('TOKEN_OUT_OF_RANGE', `${name} is ${typed(id, 'number')}: no token id`);
}

/** Whether a value is a Blob, or what another realm or a polyfill has for it. */
export const isBlob = (value: unknown): value is Blob =>
  value instanceof Blob || /^(Blob|File)$/.test(tagOf(value));

/** Bytes in memory, which are not copied; undefined for what is something else. */
export function bytesOf(value: unknown, name: string): Uint8Array | undefined {
  if (arrayType(value) === 'Uint8Array') {
    const { buffer, byteOffset, byteLength } = value as Uint8Array;
    return reading(name, () => new Uint8Array(buffer, byteOffset, byteLength));
  }
  try {
    bufferLength.call(value);
  } catch {
    return undefined; // no ArrayBuffer
  }
  return reading(name, () => new Uint8Array(value as ArrayBuffer)); // fails for a detached buffer
}

/**
 * A copy of the bits of a grammar: one for each of the tokens. `failure` makes the error for an
 * array of another type or length.
 */
export function bitsOf(
  bits: unknown,
  n_vocab: number,
  name: string,
  failure: (message: string) => TokenglassError,
): Int32Array {
  const n = Math.ceil(n_vocab / 32);
  const copy = reading(name, () =>
    arrayType(bits) === 'Int32Array' ? new Int32Array(bits as Int32Array) : undefined,
  );
  if (copy?.length === n) return copy;
  const given = copy ? `an Int32Array of ${copy.length} elements` : typed(bits);
  throw failure(
    `${name} is ${given}; it must be an Int32Array of ${n} elements: a bit for each token`,
  );
}
