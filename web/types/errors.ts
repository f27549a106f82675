/** The errors of the whole package: in, a code of the one list (src/base/status.def), a message and the byte it belongs to; out, an Error. */
import { errorCodes } from './generated.js';
import type { ErrorCode } from './generated.js';

export class TokenglassError extends Error {
  override readonly name = 'TokenglassError';
  /** Stable: one of the list in the README. */
  readonly code: ErrorCode;
  /** Byte in the model's file that it is about. */
  readonly offset: number | undefined;

  constructor(
    code: ErrorCode,
    message: string,
    options: { offset?: number | undefined; cause?: unknown } = {},
  ) {
    super(
      `${code}: ${message}`,
      options.cause === undefined ? undefined : { cause: options.cause },
    );
    this.code = code;
    this.offset = options.offset;
  }
}

const names = new Map(errorCodes.map(({ number, name }) => [number, name]));

/** The name of an engine status; 0 is 'OK'. */
export const codeOf = (status: number): ErrorCode => names.get(status) ?? 'ENGINE_CRASHED';

export function abortError(reason?: unknown): Error {
  if (reason instanceof Error && reason.name === 'AbortError') return reason;
  return new DOMException('The operation was aborted', 'AbortError');
}

export function throwIfAborted(signal: AbortSignal | undefined): void {
  if (signal?.aborted) throw abortError(signal.reason);
}

/** An error as it crosses to another thread. */
export interface WireError {
  name: string;
  message: string;
  code: ErrorCode | undefined;
  offset: number | undefined;
}

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

export function fromWire({ name, message, code, offset }: WireError): Error {
  if (code) return new TokenglassError(code, message, { offset });
  if (name === 'AbortError') return abortError();
  const error = new Error(message);
  error.name = name;
  return error;
}
