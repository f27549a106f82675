/**
 * Sessions as bytes. The engine gives or takes a snapshot in chunks; these functions join and split
 * them. The first chunk is the header, which holds the seed as the caller's own data.
 */
import { TokenglassError } from '../types/errors.js';
import { readAll } from './engine.js';
import type { Engine } from './engine.js';
import { SNAPSHOT_HEADER_BYTES } from './generated-boundary.js';
import type { ChunkRecord } from './generated-boundary.js';

/** The lower and the upper 32 bits of a seed: the engine takes no 64-bit arguments. */
export const wordsOf = (seed: bigint): [number, number] => [
  Number(seed & 0xffffffffn),
  Number(seed >> 32n),
];

/** The chunks of a session that is saved or loaded. */
const chunksOf = (engine: Engine, session: number): ChunkRecord[] =>
  readAll((index) => engine.sessionSnapshotChunk({ session, index }));

function newBytes(n: number): Uint8Array {
  try {
    return new Uint8Array(n);
  } catch (cause) {
    throw new TokenglassError('OUT_OF_MEMORY', `no memory for a saved session of ${n} bytes`, {
      cause,
    });
  }
}

export function saveSnapshot(engine: Engine, session: number, seed: bigint): Uint8Array {
  const [user_data_low, user_data_high] = wordsOf(seed);
  engine.sessionSaveSnapshotBegin({ session, user_data_low, user_data_high });
  const chunks = chunksOf(engine, session);
  const snapshot = newBytes(chunks.reduce((sum, { n }) => sum + n, 0));
  let position = 0;
  for (const { bytes, n } of chunks) {
    snapshot.set(engine.bytes(bytes, n), position);
    position += n;
  }
  return snapshot;
}

/** Returns the address of a new session, which the caller frees. */
export function loadSnapshot(
  engine: Engine,
  snapshot: Uint8Array,
): { session: number; seed: bigint } {
  const { session, user_data } = engine.withMemory((memory) => {
    const header = memory.alloc(SNAPSHOT_HEADER_BYTES);
    const bytes = engine.bytes(header, SNAPSHOT_HEADER_BYTES);
    bytes.fill(0); // a snapshot that is cut short may have less
    bytes.set(snapshot.subarray(0, SNAPSHOT_HEADER_BYTES));
    return {
      session: engine.sessionLoadSnapshotBegin({ header, n: snapshot.length }),
      user_data: engine.readSnapshotHeader(header).user_data,
    };
  });
  try {
    let position = 0;
    for (const { bytes, n } of chunksOf(engine, session)) {
      engine.bytes(bytes, n).set(snapshot.subarray(position, position + n));
      position += n;
    }
    if (position !== snapshot.length) {
      throw new TokenglassError(
        'SESSION_DAMAGED',
        `the saved session has ${snapshot.length} bytes; its header says ${position}`,
      );
    }
    engine.sessionLoadSnapshotCommit(session);
  } catch (error) {
    if (!engine.crashed) engine.sessionFree(session);
    throw error;
  }
  return { session, seed: user_data };
}
