// Writes GGUF files for the tests: takes keys and tensors, returns a file's bytes. Written from the
// description of the format, independently of the engine's reader. It checks nothing, so that tests
// can write broken files, too.

import { E2M1, NONLINEAR, TYPES, fromHalf, setScale, toHalf } from './types.mjs';

const VALUE_TYPES = {
  u8: 0,
  i8: 1,
  u16: 2,
  i16: 3,
  u32: 4,
  i32: 5,
  f32: 6,
  bool: 7,
  string: 8,
  array: 9,
  u64: 10,
  i64: 11,
  f64: 12,
};

/** A growing byte buffer. */
class Bytes {
  parts = [];
  length = 0;
  put(bytes) {
    this.parts.push(bytes);
    this.length += bytes.length;
  }
  number(size, write) {
    const buffer = Buffer.alloc(size);
    write(buffer);
    this.put(buffer);
  }
  u32(v) {
    this.number(4, (b) => b.writeUInt32LE(v >>> 0));
  }
  u64(v) {
    this.number(8, (b) => b.writeBigUInt64LE(BigInt.asUintN(64, BigInt(v))));
  }
  string(s) {
    const bytes = Buffer.from(s);
    this.u64(bytes.length);
    this.put(bytes);
  }
  value(type, v) {
    const writers = {
      u8: () => this.number(1, (b) => b.writeUInt8(v)),
      i8: () => this.number(1, (b) => b.writeInt8(v)),
      u16: () => this.number(2, (b) => b.writeUInt16LE(v)),
      i16: () => this.number(2, (b) => b.writeInt16LE(v)),
      u32: () => this.u32(v),
      i32: () => this.number(4, (b) => b.writeInt32LE(v)),
      f32: () => this.number(4, (b) => b.writeFloatLE(v)),
      bool: () => this.number(1, (b) => b.writeUInt8(Number(v))),
      string: () => this.string(v),
      u64: () => this.u64(v),
      i64: () => this.u64(v),
      f64: () => this.number(8, (b) => b.writeDoubleLE(v)),
    };
    writers[type]();
  }
  pad(alignment) {
    this.put(Buffer.alloc((alignment - (this.length % alignment)) % alignment));
  }
  done() {
    return new Uint8Array(Buffer.concat(this.parts));
  }
}

/**
 * metadata: [key, type, value] with the types above and array<type>.
 * tensors: { name, type, dims, bytes } with dims[0] the row length. `ggml` replaces the type's
 * number, `offset` the offset in the data. A tensor with a `size` instead of bytes is only in the
 * header.
 * version, alignment, n_kv and n_tensors can be set to wrong values.
 * raw: bytes written instead of keys and tensor infos. keys: bytes written instead of metadata.
 */
export function writeGguf({
  version = 3,
  alignment = 32,
  metadata = [],
  tensors = [],
  n_kv,
  n_tensors,
  raw,
  keys,
}) {
  const out = new Bytes();
  out.put(Buffer.from('GGUF'));
  out.u32(version);
  out.u64(n_tensors ?? tensors.length);
  out.u64(n_kv ?? metadata.length);
  if (raw) {
    out.put(raw);
    return out.done();
  }
  if (keys) out.put(keys);
  for (const [key, type, value] of metadata) {
    out.string(key);
    const element = /^array<(\w+)>$/.exec(type)?.[1];
    if (element) {
      out.u32(VALUE_TYPES.array);
      out.u32(VALUE_TYPES[element]);
      out.u64(value.length);
      for (const v of value) out.value(element, v);
    } else {
      out.u32(VALUE_TYPES[type]);
      out.value(type, value);
    }
  }
  let at = 0;
  for (const { name, type, dims, bytes, size = bytes.length, ggml, offset } of tensors) {
    out.string(name);
    out.u32(dims.length);
    for (const dim of dims) out.u64(dim);
    out.u32(ggml ?? TYPES[type].ggml);
    out.u64(offset ?? at);
    at += Math.ceil(size / alignment) * alignment;
  }
  out.pad(alignment);
  for (const { bytes } of tensors) {
    if (!bytes) continue;
    out.put(bytes);
    out.pad(alignment);
  }
  return out.done();
}

const float = new Float32Array(1);
const bits = new Uint32Array(float.buffer);

/** A generator of numbers in [0, 1) from a seed: mulberry32 by Tommy Ettinger. */
export function generator(seed) {
  let state = seed;
  return () => {
    state = (state + 0x6d2b79f5) | 0;
    let x = Math.imul(state ^ (state >>> 15), state | 1);
    x ^= x + Math.imul(x ^ (x >>> 7), x | 61);
    return ((x ^ (x >>> 14)) >>> 0) / 2 ** 32;
  };
}

/**
 * A block of random bytes whose weights have this standard deviation and, for types with m, a mean
 * of about 0. Codes and group scales are arbitrary, including extremes and combinations that no
 * quantizer would choose.
 */
export function randomBlock(type, random, deviation) {
  const { elements, bytes, m, weight } = TYPES[type];
  const block = Buffer.from(Array.from({ length: bytes }, () => Math.floor(random() * 256)));
  const view = new DataView(block.buffer, block.byteOffset, bytes);
  const weights = () => Array.from({ length: elements }, (_, i) => weight(view, 0, i));
  const set = (scale, min) => {
    setScale(type, view, scale);
    if (m !== undefined) view.setUint16(m, toHalf(min), true);
  };
  const mean = (list) => list.reduce((sum, x) => sum + x, 0) / elements;
  let min = 0;
  if (m !== undefined) {
    set(0, 1);
    const step = mean(weights());
    set(1, 0);
    min = step ? -mean(weights()) / step : 0;
  }
  set(1, min);
  const scale = deviation / Math.sqrt(mean(weights().map((w) => w * w)) || 1);
  set(scale, scale * min);
  return block;
}

/** The index of the nearest value of a list; the first of two that are equally near. */
const nearest = (list, v) =>
  list.reduce((best, x, i) => (Math.abs(x - v) < Math.abs(list[best] - v) ? i : best), 0);
/** n whole numbers, starting with `first`. */
const integers = (n, first = 0) => Array.from({ length: n }, (_, i) => first + i);
/**
 * The same as nearest for consecutive whole numbers, but fast: models with tens of millions of
 * weights are written with it.
 */
const nearestInteger = (list, v) =>
  Math.min(Math.max(Math.ceil(v - 0.5) - list[0], 0), list.length - 1);
const isConsecutive = (list) => list.every((x, i) => x === list[0] + i);

const Q4 = integers(16);
const Q4_SIGNED = integers(16, -8);
const Q5 = integers(32);
const Q5_SIGNED = integers(32, -16);
const Q8 = integers(255, -127);
const FP4 = [...E2M1, ...E2M1.map((v) => -v)];
const FINDERS = new Map(
  [Q4, Q4_SIGNED, Q5, Q5_SIGNED, Q8, FP4, NONLINEAR].map((list) => [
    list,
    isConsecutive(list) ? nearestInteger : nearest,
  ]),
);

/** Simple quantizers for blocks of 32: x -> [d, m, the values of the codes]. */
const QUANTIZERS = {
  Q4_0: (x, extreme) => [extreme / -8, 0, Q4_SIGNED],
  Q8_0: (x, extreme) => [Math.abs(extreme) / 127, 0, Q8],
  Q4_1: (x) => [(Math.max(...x) - Math.min(...x)) / 15, Math.min(...x), Q4],
  Q5_0: (x, extreme) => [extreme / -16, 0, Q5_SIGNED],
  Q5_1: (x) => [(Math.max(...x) - Math.min(...x)) / 31, Math.min(...x), Q5],
  IQ4_NL: (x, extreme) => [extreme / NONLINEAR[0], 0, NONLINEAR],
  MXFP4: (x, extreme) => [2 ** (Math.floor(Math.log2(Math.abs(extreme) || 1)) - 2), 0, FP4],
};

/**
 * Numbers as the bytes of a tensor. Types without a quantizer get random blocks whose weights have
 * the numbers' deviation.
 */
export function encodeTensor(type, values) {
  if (type === 'F32') return Buffer.from(Float32Array.from(values).buffer);
  if (type === 'F16') return Buffer.from(Uint16Array.from(values, toHalf).buffer);
  if (type === 'BF16') {
    return Buffer.from(
      Uint16Array.from(values, (value) => {
        float[0] = value;
        return (bits[0] + 0x7fff + ((bits[0] >>> 16) & 1)) >>> 16;
      }).buffer,
    );
  }
  const { elements, bytes: size, d, m } = TYPES[type];
  if (!(type in QUANTIZERS)) {
    const random = generator(values.length + Math.floor(Math.abs(values[0]) * 1e9));
    const deviation = Math.sqrt(values.reduce((sum, v) => sum + v * v, 0) / values.length);
    return Buffer.concat(
      Array.from({ length: values.length / elements }, () => randomBlock(type, random, deviation)),
    );
  }
  const out = Buffer.alloc((values.length / elements) * size);
  for (let block = 0; block * elements < values.length; block++) {
    const x = Array.from(values.slice(block * elements, (block + 1) * elements));
    const extreme = x.reduce((max, v) => (Math.abs(v) > Math.abs(max) ? v : max), 0);
    const at = block * size;
    const [wanted, wantedMin, list] = QUANTIZERS[type](x, extreme);
    const scale = d === undefined ? wanted : fromHalf(toHalf(wanted));
    const min = fromHalf(toHalf(wantedMin));
    if (d === undefined) out.writeUInt8(127 + Math.log2(wanted), at);
    else out.writeUInt16LE(toHalf(wanted), at + d);
    if (m !== undefined) out.writeUInt16LE(toHalf(min), at + m);
    const find = FINDERS.get(list);
    const chosen = x.map((v) => find(list, scale ? (v - min) / scale : 0));
    if (type === 'Q8_0') {
      chosen.forEach((code, i) => out.writeInt8(list[code], at + 2 + i));
      continue;
    }
    for (let i = 0; i < 16; i++)
      out[at + size - 16 + i] = (chosen[i] & 15) | ((chosen[16 + i] & 15) << 4);
    if (list.length === 32)
      chosen.forEach((code, i) => (out[at + size - 20 + (i >> 3)] |= (code >> 4) << (i & 7)));
  }
  return out;
}
