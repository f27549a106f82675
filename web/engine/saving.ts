/** Sessions as bytes: in, a session's handle, or saved bytes; out, bytes, or the handle of a session that goes on. The engine has the parts, this puts them together. */
import type { Engine } from './engine.js';
import { TokenglassError } from '../types/errors.js';

const HEADER = 168; // bytes of a saved session's first part (tg_saved)
const NOTE = 120; // where in it the caller's own number stands: the seed

/** The parts of a session that is sealed or was opened, one after the other. */
function partsOf(engine: Engine, session: number): { at: number; n: number }[] {
  const parts = [];
  while (engine.call('session_part', session, parts.length, engine.out)) {
    const [at = 0, n = 0] = engine.results(2);
    parts.push({ at, n });
  }
  return parts;
}

export function savedBytes(engine: Engine, session: number, seed: [number, number]): Uint8Array {
  engine.call('session_seal', session, ...seed);
  const parts = partsOf(engine, session);
  const bytes = new Uint8Array(parts.reduce((sum, { n }) => sum + n, 0));
  let to = 0;
  for (const { at, n } of parts) {
    bytes.set(engine.bytes(at, n), to);
    to += n;
  }
  return bytes;
}

/** The caller frees the session. */
export function openSaved(
  engine: Engine,
  model: number,
  saved: Uint8Array,
): { session: number; seed: [number, number] } {
  const header = Math.min(saved.length, HEADER);
  const session = engine.with(header, (address) => {
    engine.bytes(address, header).set(saved.subarray(0, header));
    engine.check(model, 'session_open', model, address, saved.length, engine.out);
    return engine.result();
  });
  try {
    let from = 0;
    for (const { at, n } of partsOf(engine, session)) {
      engine.bytes(at, n).set(saved.subarray(from, from + n));
      from += n;
    }
    if (from !== saved.length) {
      const what = `the saved session has ${saved.length} bytes, not the ${from} that its header tells of`;
      throw new TokenglassError('SESSION_DAMAGED', what);
    }
    engine.check(model, 'session_opened', session);
  } catch (error) {
    if (!engine.crashed) engine.call('session_free', session);
    throw error;
  }
  const view = new DataView(saved.buffer, saved.byteOffset);
  return { session, seed: [view.getUint32(NOTE, true), view.getUint32(NOTE + 4, true)] };
}
