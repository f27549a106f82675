/**
 * Objects of programs that stand for something in the engine. What a program drops without a
 * dispose() is freed there. Grammars are known, because the engine follows them by itself.
 */
import type { Backend } from '../transport/backend.js';
import { invalid } from '../types/arguments.js';

/** Calls a function after its object is gone. The function must not refer to the object. */
export const dropped = new FinalizationRegistry<() => unknown>((free) => void free());

/** A function that frees something of the engine, which may be gone. */
export const freeing =
  (backend: Backend, method: 'disposeSession' | 'disposeGrammar' | 'endText', number: number) =>
  (): Promise<unknown> =>
    backend.call(method, [number]).catch(() => undefined);

const WEIGHT_BYTES = 4 * 2 ** 20;
let unseen = 0; // bytes in engines since the last weight

/**
 * An object of this many bytes in an engine is made. The garbage collector does not see these
 * bytes and would run too late to free what programs drop. From time to time the result is a
 * buffer of the same size that the object has to hold: the collector counts the buffer, whose
 * pages take no memory because nobody writes to them.
 */
export function weightOf(bytes: number): ArrayBuffer | undefined {
  unseen += bytes;
  if (unseen < WEIGHT_BYTES) return undefined;
  const size = unseen;
  unseen = 0;
  try {
    return new ArrayBuffer(size);
  } catch {
    return undefined; // no addresses are left
  }
}

/** A grammar of an engine. */
interface OwnGrammar {
  backend: Backend;
  number: number;
}

export const ownGrammars = new WeakMap<object, OwnGrammar>();

/** The number of a grammar of this engine; undefined for a constraint of the caller's. */
export function grammarNumber(constraint: unknown, backend: Backend): number | undefined {
  const own = ownGrammars.get(constraint as object);
  if (own && own.backend !== backend) throw invalid('the grammar belongs to another model');
  return own?.number;
}
