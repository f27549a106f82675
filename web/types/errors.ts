/** The errors of the package, and how they cross from a worker to its page. */
import type { ErrorCode } from './generated-errors.js';

const MAX_SHOWN = 80; // characters

/** Details of a TokenglassError. */
export interface TokenglassErrorOptions {
  /** Index of the byte in the model's file that the error is about. Default: none. */
  offset?: number | undefined;
  /** The error behind this one. Default: none. */
  cause?: unknown;
}

/** What kind of object a value is: an array, an object, a Map. */
function kindOf(value: unknown): string {
  const tag = Object.prototype.toString.call(value).slice(8, -1);
  const name = /^(Array|Function|Object)$/.test(tag) ? tag.toLowerCase() : tag;
  return `${/^[aeio]/i.test(name) ? 'an' : 'a'} ${name}`;
}

/**
 * A value in a message, in at most some 80 characters. Nothing of an object is read that the object
 * could make throw.
 */
export function shown(value: unknown): string {
  try {
    const simple = Object(value) !== value;
    const text =
      typeof value === 'string'
        ? JSON.stringify(value.slice(0, MAX_SHOWN))
        : simple || value instanceof Error
          ? String(value)
          : kindOf(value);
    return text.slice(0, MAX_SHOWN);
  } catch {
    return 'an object that cannot be shown';
  }
}

/**
 * A value that was given, with its type: "0.5", a string. Null, undefined and objects say what they
 * are themselves. expected: the type that it should have, which needs no mention.
 */
export function typed(value: unknown, expected?: string): string {
  const type = typeof value;
  const plain = Object(value) !== value && value !== undefined && value !== null;
  return shown(value) + (plain && type !== expected ? `, a ${type}` : '');
}

/** Every failure of the package. An aborted call rejects with the signal's reason instead. */
export class TokenglassError extends Error {
  /** Always 'TokenglassError'. */
  override readonly name = 'TokenglassError';
  /** A stable code; errorCodes lists all of them. */
  readonly code: ErrorCode;
  /** Index of the byte in the model's file that the error is about; else undefined. */
  readonly offset: number | undefined;

  /**
   * An error whose message begins with its code.
   * @example
   * const error = new TokenglassError('INVALID_ARGUMENT', 'the prompt is empty');
   */
  constructor(code: ErrorCode, message: string, options?: TokenglassErrorOptions) {
    let offset: number | undefined;
    let cause: unknown;
    try {
      ({ offset, cause } = options ?? {});
    } catch {
      // an error has no error of its own
    }
    const text = (value: unknown) => (typeof value === 'string' ? value : shown(value));
    super(`${text(code)}: ${text(message)}`, cause === undefined ? undefined : { cause });
    this.code = code;
    this.offset = offset;
  }
}

/** The message of an error without its code. */
export const messageOf = ({ code, message }: TokenglassError): string =>
  message.slice(code.length + 2);

/** The error of an abort that has no other reason. */
export const abortError = () => new DOMException('The operation was aborted', 'AbortError');

/** Throws the signal's reason when the signal is aborted. */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw signal.reason;
}

/**
 * What a failure of our own code means to the caller: an array or a text that the runtime cannot
 * make is OUT_OF_MEMORY.
 */
export function namedError(error: unknown): unknown {
  if (!(error instanceof RangeError)) return error;
  return new TokenglassError('OUT_OF_MEMORY', error.message, { cause: error });
}

const MAX_CAUSES = 8; // a chain of causes can be a circle

/** An error as a message to another thread. */
export interface WireError {
  name: string;
  message: string;
  code: ErrorCode | undefined;
  offset: number | undefined;
  /** The code of an error that is not ours: ECONNREFUSED, for example. */
  system_code: string | undefined;
  cause: WireError | undefined;
}

/** Turns an error and its causes into a message. */
export function toWire(error: unknown, max_causes = MAX_CAUSES): WireError {
  const ours = error instanceof TokenglassError ? error : undefined;
  const { name, message, cause } = error instanceof Error ? error : new Error(shown(error));
  const { code } = error instanceof Error ? (error as { code?: unknown }) : {};
  return {
    name,
    message: ours ? messageOf(ours) : message,
    code: ours?.code,
    offset: ours?.offset,
    // a DOMException has a number that says no more than its name
    system_code: !ours && typeof code === 'string' ? code : undefined,
    cause: cause === undefined || max_causes === 0 ? undefined : toWire(cause, max_causes - 1),
  };
}

/** Turns a message back into an error. */
export function fromWire(wire: WireError): Error {
  const { name, message, code, offset, system_code } = wire;
  const cause = wire.cause && fromWire(wire.cause);
  if (code) return new TokenglassError(code, message, { offset, cause });
  if (name === 'AbortError') return abortError();
  const error = new Error(message, cause && { cause });
  error.name = name;
  return system_code === undefined ? error : Object.assign(error, { code: system_code });
}
