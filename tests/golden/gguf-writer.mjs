// GGUF files for the tests: keys and tensors come in, the bytes of a file go out. Written from the format's description, apart from the engine's reader;
// nothing is checked, so that broken files can be written, too.

const VALUE_TYPES = { u8: 0, i8: 1, u16: 2, i16: 3, u32: 4, i32: 5, f32: 6, bool: 7, string: 8, array: 9, u64: 10, i64: 11, f64: 12 };

/** Tensor types: ggml's number, elements and bytes of a block. */
export const TENSOR_TYPES = { F32: [0, 1, 4], F16: [1, 1, 2], Q4_0: [2, 32, 18], Q8_0: [8, 32, 34], BF16: [30, 1, 2] };

/** Bytes that grow. */
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
 * metadata: [key, type, value] with types as above and array<type>. tensors: { name, type, dims, bytes } with dims[0] the row length; `ggml` and
 * `offset` replace the number of the type and the place in the data. version, alignment, n_kv and n_tensors can be set to what they should not be.
 * raw: bytes written instead of keys and directory.
 */
export function writeGguf({ version = 3, alignment = 32, metadata = [], tensors = [], n_kv, n_tensors, raw }) {
  const out = new Bytes();
  out.put(Buffer.from('GGUF'));
  out.u32(version);
  out.u64(n_tensors ?? tensors.length);
  out.u64(n_kv ?? metadata.length);
  if (raw) {
    out.put(raw);
    return out.done();
  }
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
  for (const { name, type, dims, bytes, ggml, offset } of tensors) {
    out.string(name);
    out.u32(dims.length);
    for (const dim of dims) out.u64(dim);
    out.u32(ggml ?? TENSOR_TYPES[type][0]);
    out.u64(offset ?? at);
    at += Math.ceil(bytes.length / alignment) * alignment;
  }
  out.pad(alignment);
  for (const { bytes } of tensors) {
    out.put(bytes);
    out.pad(alignment);
  }
  return out.done();
}

const float = new Float32Array(1);
const bits = new Uint32Array(float.buffer);

/** binary16, to nearest, ties to even. */
export function toHalf(value) {
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const magnitude = Math.abs(value);
  if (magnitude === 0) return sign;
  const exponent = Math.max(Math.floor(Math.log2(magnitude)), -14);
  const scaled = magnitude / 2 ** (exponent - 10);
  const floor = Math.floor(scaled);
  const rest = scaled - floor;
  const rounded = floor + (rest > 0.5 || (rest === 0.5 && floor % 2 === 1) ? 1 : 0);
  // a carry out of the mantissa goes into the exponent by itself
  const code = rounded < 1024 ? rounded : ((exponent + 15) << 10) + (rounded - 1024);
  return sign | Math.min(code, 0x7c00);
}

export function fromHalf(half) {
  const sign = half & 0x8000 ? -1 : 1;
  const exponent = (half >> 10) & 31;
  const mantissa = half & 1023;
  if (exponent === 31) return mantissa ? NaN : sign * Infinity;
  return exponent ? sign * (1 + mantissa / 1024) * 2 ** (exponent - 15) : sign * mantissa * 2 ** -24;
}

/** Numbers as the bytes of a tensor; blocks are quantized as the reference quantizers do. */
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
  const [, elements, size] = TENSOR_TYPES[type];
  const out = Buffer.alloc((values.length / elements) * size);
  for (let block = 0; block * elements < values.length; block++) {
    const x = Array.from(values.slice(block * elements, (block + 1) * elements));
    const extreme = x.reduce((most, v) => (Math.abs(v) > Math.abs(most) ? v : most), 0);
    const half = toHalf(type === 'Q8_0' ? Math.abs(extreme) / 127 : extreme / -8);
    const inverse = fromHalf(half) ? 1 / fromHalf(half) : 0;
    const at = block * size;
    out.writeUInt16LE(half, at);
    const clamp = (v, low, high) => Math.max(low, Math.min(high, v));
    if (type === 'Q8_0') x.forEach((v, i) => out.writeInt8(clamp(Math.round(v * inverse), -127, 127), at + 2 + i));
    else {
      const code = (v) => clamp(Math.floor(v * inverse + 8.5), 0, 15);
      for (let i = 0; i < 16; i++) out[at + 2 + i] = code(x[i]) | (code(x[16 + i]) << 4);
    }
  }
  return out;
}
