// A plain GGUF reader for the tests, independent of the engine's reader. It takes a file's bytes
// and returns the file's keys and its tensors, dequantized exactly. It does not validate the file.
import { TYPES, dequantize, fromHalf } from './types.mjs';

const NAMES = Object.fromEntries(Object.entries(TYPES).map(([name, { ggml }]) => [ggml, name]));

class Cursor {
  at = 0;
  constructor(bytes) {
    this.bytes = bytes;
    this.view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  }
  take(size) {
    this.at += size;
    return this.at - size;
  }
  u32() {
    return this.view.getUint32(this.take(4), true);
  }
  u64() {
    return Number(this.view.getBigUint64(this.take(8), true));
  }
  string() {
    const length = this.u64();
    const at = this.take(length);
    return new TextDecoder('utf-8', { ignoreBOM: true }).decode(
      this.bytes.subarray(at, at + length),
    );
  }
  value(type) {
    const { view } = this;
    const readers = [
      () => view.getUint8(this.take(1)),
      () => view.getInt8(this.take(1)),
      () => view.getUint16(this.take(2), true),
      () => view.getInt16(this.take(2), true),
      () => this.u32(),
      () => view.getInt32(this.take(4), true),
      () => view.getFloat32(this.take(4), true),
      () => view.getUint8(this.take(1)) !== 0,
      () => this.string(),
      () => this.array(),
      () => this.u64(),
      () => Number(view.getBigInt64(this.take(8), true)),
      () => view.getFloat64(this.take(8), true),
    ];
    return readers[type]();
  }
  array() {
    const type = this.u32();
    return Array.from({ length: this.u64() }, () => this.value(type));
  }
}

/**
 * Returns:
 * - metadata: the values by key; n_kv: the number of keys in the file.
 * - has, type, dims, tensor (the numbers): functions of a tensor's name.
 * - dataOffset: the byte at which the tensor data starts.
 */
export function readGguf(bytes) {
  const cursor = new Cursor(bytes);
  cursor.take(4);
  const version = cursor.u32();
  const n_tensors = cursor.u64();
  const n_kv = cursor.u64();
  const metadata = {};
  const keysBegin = cursor.at;
  for (let i = 0; i < n_kv; i++) {
    const key = cursor.string();
    metadata[key] = cursor.value(cursor.u32());
  }
  const keysEnd = cursor.at;
  const tensors = new Map();
  for (let i = 0; i < n_tensors; i++) {
    const name = cursor.string();
    const dims = Array.from({ length: cursor.u32() }, () => cursor.u64());
    tensors.set(name, { dims, type: NAMES[cursor.u32()], offset: cursor.u64() });
  }
  const alignment = metadata['general.alignment'] ?? 32;
  const dataOffset = Math.ceil(cursor.at / alignment) * alignment;
  const viewOf = (name) =>
    new DataView(bytes.buffer, bytes.byteOffset + dataOffset + tensors.get(name).offset);
  const lengthOf = (name) => tensors.get(name).dims.reduce((a, b) => a * b, 1);
  return {
    version,
    metadata,
    n_kv,
    keys: bytes.subarray(keysBegin, keysEnd),
    dataOffset,
    names: [...tensors.keys()],
    has: (name) => tensors.has(name),
    type: (name) => tensors.get(name).type,
    dims: (name) => tensors.get(name).dims,
    tensor: (name) => dequantize(tensors.get(name).type, viewOf(name), lengthOf(name)),
    /** The mins of a tensor's blocks, or undefined if the type has no min for each 32 elements. */
    mins(name) {
      const { elements, bytes: size, m } = TYPES[tensors.get(name).type];
      if (elements !== 32 || m === undefined) return undefined;
      const view = viewOf(name);
      return Float64Array.from({ length: lengthOf(name) / 32 }, (_, b) =>
        fromHalf(view.getUint16(b * size + m, true)),
      );
    },
  };
}
