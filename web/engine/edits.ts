/** Writes a session's edits into the engine's memory. */
import { editNames, editOptions } from '../types/generated.js';
import type { EditName } from '../types/generated.js';
import { readAll } from './engine.js';
import type { CallMemory, Engine } from './engine.js';
import { EDIT_BYTES } from './generated-boundary.js';

/** An edit as the engine takes it (tg_edit in C). */
export interface EditRequest {
  type: EditName;
  /** Empty: all. */
  layers: number[];
  /** Empty: all. */
  heads: number[];
  positions: number[];
  values: Float32Array;
  bytes: Uint8Array;
  /** Numbers by name, where they are not the default. */
  options: { [name: string]: number };
}

/** Gives a session without tokens its edits. */
export function setEdits(engine: Engine, session: number, edits: readonly EditRequest[]): void {
  engine.withMemory((memory) => {
    const address = memory.alloc(edits.length * EDIT_BYTES);
    for (const [i, edit] of edits.entries())
      engine.writeEdit(address + i * EDIT_BYTES, record(edit, memory));
    engine.sessionSetEdits({ session, edits: address, n: edits.length });
  });
}

const record = (edit: EditRequest, memory: CallMemory) => ({
  kind: editNames.indexOf(edit.type),
  layers: memory.int32s(edit.layers),
  heads: memory.int32s(edit.heads),
  positions: memory.int32s(edit.positions),
  n_layers: edit.layers.length,
  n_heads: edit.heads.length,
  n_positions: edit.positions.length,
  values: memory.float32s(edit.values),
  bytes: memory.bytes(edit.bytes),
  n_values: edit.values.length,
  n_bytes: edit.bytes.length,
  options: memory.float64s(
    editOptions.map((option) =>
      option.edit === edit.type ? (edit.options[option.name] ?? option.default) : option.default,
    ),
  ),
});

/** What an edit has counted (tg_edit_report in C). */
export interface EditReport {
  type: EditName;
  counts: number[];
}

export function editReports(engine: Engine, session: number): EditReport[] {
  return readAll((index) => engine.sessionGetEditReport({ session, index })).map(
    ({ kind, c0, c1, c2, c3, c4, c5, c6, c7 }) => ({
      type: editNames[kind]!,
      counts: [c0, c1, c2, c3, c4, c5, c6, c7],
    }),
  );
}
