/** Which constraints are grammars of the engine: it restricts their generations by itself. */
import type { Backend } from '../transport/backend.js';
import { TokenglassError } from '../types/errors.js';

/** A grammar of an engine. */
export interface OwnGrammar {
  backend: Backend;
  number: number;
}

export const ownGrammars = new WeakMap<object, OwnGrammar>();

/** The number of a grammar of this engine; undefined for a constraint of the caller's. */
export function grammarNumber(constraint: unknown, backend: Backend): number | undefined {
  const own = ownGrammars.get(constraint as object);
  if (own && own.backend !== backend)
    throw new TokenglassError('INVALID_ARGUMENT', 'the grammar belongs to another model');
  return own?.number;
}
