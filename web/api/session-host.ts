import type { Backend } from '../transport/backend.js';
import type { ModelInfo, Session, TokenizeOptions } from '../types/types.js';

/** What a session needs from its model. */
export interface SessionHost {
  readonly backend: Backend;
  readonly info: ModelInfo;
  /** Aborted when the model is disposed. */
  readonly ended: AbortSignal;
  tokenize(text: string, options: TokenizeOptions): Promise<number[]>;
  tokenTexts(): Promise<string[]>;
  createSession(): Session;
  /** Throws DISPOSED after the model was disposed. */
  check(): void;
  /** A number that no session, grammar or text of the model has yet. */
  newNumber(): number;
}
