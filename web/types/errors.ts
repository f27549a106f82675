/** The errors of the package, and how they cross from a worker to its page. */
import { errorCodes } from './generated.js';
import type { ErrorCode } from './generated.js';

/** Details of a TokenglassError. */
export interface TokenglassErrorOptions {
  /** Index of the byte in the model's file that the error is about. Default: none. */
  offset?: number | undefined;
  /** The error behind this one. Default: none. */
  cause?: unknown;
}

/** Every failure of the package. An aborted call rejects with AbortError instead. */
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
  constructor(code: ErrorCode, message: string, options: TokenglassErrorOptions = {}) {
    super(
      `${code}: ${message}`,
      options.cause === undefined ? undefined : { cause: options.cause },
    );
    this.code = code;
    this.offset = options.offset;
  }
}

const names = new Map(errorCodes.map(({ number, name }) => [number, name]));

/** The code of an engine status. */
export const codeOf = (status: number): ErrorCode => names.get(status) ?? 'ENGINE_CRASHED';

/** The error of an aborted call: the signal's reason when this is an AbortError, else a new one. */
export function abortError(reason?: unknown): Error {
  if (reason instanceof Error && reason.name === 'AbortError') return reason;
  return new DOMException('The operation was aborted', 'AbortError');
}

/** Throws AbortError when the signal is aborted. */
export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw abortError(signal.reason);
}

/** An error as a message to another thread. */
export interface WireError {
  name: string;
  message: string;
  code: ErrorCode | undefined;
  offset: number | undefined;
}

/** Turns an error into a message. */
export function toWire(error: unknown): WireError {
  if (error instanceof TokenglassError) {
    return {
      name: error.name,
      message: error.message.slice(error.code.length + 2),
      code: error.code,
      offset: error.offset,
    };
  }
  const { name, message } = error instanceof Error ? error : new Error(String(error));
  return { name, message, code: undefined, offset: undefined };
}

/** Turns a message back into an error. */
export function fromWire({ name, message, code, offset }: WireError): Error {
  if (code) return new TokenglassError(code, message, { offset });
  if (name === 'AbortError') return abortError();
  const error = new Error(message);
  error.name = name;
  return error;
}
