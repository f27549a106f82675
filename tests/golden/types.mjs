// The weight types for the tests, written from the formats' description apart from the engine: each one's number in GGUF files, elements and bytes of a
// block, where a block's binary16 scale d and what is added to scaled codes (m) lie, and a weight's value from its block.

const bits = (view, at, from, n) => (view.getUint8(at + (from >> 3)) >> (from & 7)) & ((1 << n) - 1);
const nibble = (view, at, i) => bits(view, at + (i % 16), i % 32 < 16 ? 0 : 4, 4);
const half = (view, at) => fromHalf(view.getUint16(at, true));

export function fromHalf(value) {
  const sign = value & 0x8000 ? -1 : 1;
  const exponent = (value >> 10) & 31;
  const mantissa = value & 1023;
  if (exponent === 31) return mantissa ? NaN : sign * Infinity;
  return exponent ? sign * (1 + mantissa / 1024) * 2 ** (exponent - 15) : sign * mantissa * 2 ** -24;
}

/** Of Q4_K and Q5_K: the scale (or min) of group g, six bits of the 12 bytes at `at`. */
function sixBits(view, at, g, isMin) {
  if (g < 4) return view.getUint8(at + g + 4 * isMin) & 63;
  const low = view.getUint8(at + g + 4);
  return (isMin ? low >> 4 : low & 15) + 16 * (view.getUint8(at + g - 4 + 4 * isMin) >> 6);
}

export const NONLINEAR = [-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113];
export const E2M1 = [0, 0.5, 1, 1.5, 2, 3, 4, 6];

/** weight(view, at, i): element i of the block that begins at byte `at`. */
export const TYPES = {
  F32: { ggml: 0, elements: 1, bytes: 4, weight: (view, at) => view.getFloat32(at, true) },
  F16: { ggml: 1, elements: 1, bytes: 2, weight: half },
  Q4_0: { ggml: 2, elements: 32, bytes: 18, d: 0, weight: (view, at, i) => half(view, at) * (nibble(view, at + 2, i) - 8) },
  Q8_0: { ggml: 8, elements: 32, bytes: 34, d: 0, weight: (view, at, i) => half(view, at) * view.getInt8(at + 2 + i) },
  BF16: {
    ...{ ggml: 30, elements: 1, bytes: 2 },
    weight: (view, at) => new Float32Array(Uint32Array.of(view.getUint16(at, true) << 16).buffer)[0],
  },
  Q4_1: {
    ...{ ggml: 3, elements: 32, bytes: 20, d: 0, m: 2 },
    weight: (view, at, i) => half(view, at) * nibble(view, at + 4, i) + half(view, at + 2),
  },
  Q5_0: {
    ...{ ggml: 6, elements: 32, bytes: 22, d: 0 },
    weight: (view, at, i) => half(view, at) * (nibble(view, at + 6, i) + 16 * bits(view, at + 2, i, 1) - 16),
  },
  Q5_1: {
    ...{ ggml: 7, elements: 32, bytes: 24, d: 0, m: 2 },
    weight: (view, at, i) => half(view, at) * (nibble(view, at + 8, i) + 16 * bits(view, at + 4, i, 1)) + half(view, at + 2),
  },
  Q2_K: {
    ...{ ggml: 10, elements: 256, bytes: 84, d: 80, m: 82 },
    weight: (view, at, i) => {
      const scales = view.getUint8(at + (i >> 4));
      const code = bits(view, at + 16 + (i >> 7) * 32 + (i % 32), (i % 128 >> 5) * 2, 2);
      return half(view, at + 80) * (scales & 15) * code - half(view, at + 82) * (scales >> 4);
    },
  },
  Q3_K: {
    ...{ ggml: 11, elements: 256, bytes: 110, d: 108 },
    weight: (view, at, i) => {
      const k = i >> 4;
      const scale = bits(view, at + 96 + (k % 8), k < 8 ? 0 : 4, 4) + 16 * bits(view, at + 104 + (k % 4), (k >> 2) * 2, 2) - 32;
      const low = bits(view, at + 32 + (i >> 7) * 32 + (i % 32), (i % 128 >> 5) * 2, 2);
      return half(view, at + 108) * scale * (low + 4 * bits(view, at + (i % 32), i >> 5, 1) - 4);
    },
  },
  Q4_K: {
    ...{ ggml: 12, elements: 256, bytes: 144, d: 0, m: 2 },
    weight: (view, at, i) => {
      const g = i >> 5;
      const code = bits(view, at + 16 + (i >> 6) * 32 + (i % 32), (g % 2) * 4, 4);
      return half(view, at) * sixBits(view, at + 4, g, 0) * code - half(view, at + 2) * sixBits(view, at + 4, g, 1);
    },
  },
  Q5_K: {
    ...{ ggml: 13, elements: 256, bytes: 176, d: 0, m: 2 },
    weight: (view, at, i) => {
      const g = i >> 5;
      const code = bits(view, at + 48 + (i >> 6) * 32 + (i % 32), (g % 2) * 4, 4) + 16 * bits(view, at + 16 + (i % 32), g, 1);
      return half(view, at) * sixBits(view, at + 4, g, 0) * code - half(view, at + 2) * sixBits(view, at + 4, g, 1);
    },
  },
  Q6_K: {
    ...{ ggml: 14, elements: 256, bytes: 210, d: 208 },
    weight: (view, at, i) => {
      const low = bits(view, at + (i >> 7) * 64 + (i % 64), i % 128 < 64 ? 0 : 4, 4);
      const high = bits(view, at + 128 + (i >> 7) * 32 + (i % 32), (i % 128 >> 5) * 2, 2);
      return half(view, at + 208) * view.getInt8(at + 192 + (i >> 4)) * (low + 16 * high - 32);
    },
  },
  IQ4_NL: { ggml: 20, elements: 32, bytes: 18, d: 0, weight: (view, at, i) => half(view, at) * NONLINEAR[nibble(view, at + 2, i)] },
  IQ4_XS: {
    ...{ ggml: 23, elements: 256, bytes: 136, d: 0 },
    weight: (view, at, i) => {
      const g = i >> 5;
      const scale = bits(view, at + 4 + (g >> 1), (g % 2) * 4, 4) + 16 * bits(view, at + 2 + (g >> 2), (g % 4) * 2, 2) - 32;
      return half(view, at) * scale * NONLINEAR[nibble(view, at + 8 + 16 * g, i)];
    },
  },
  TQ1_0: {
    ...{ ggml: 34, elements: 256, bytes: 54, d: 52 },
    weight: (view, at, i) => {
      const byte = i < 160 ? i % 32 : i < 240 ? 32 + (i % 16) : 48 + (i % 4);
      const digit = i < 160 ? i >> 5 : i < 240 ? (i - 160) >> 4 : (i - 240) >> 2;
      return half(view, at + 52) * ((((view.getUint8(at + byte) * 3 ** digit) % 256) * 3 >> 8) - 1);
    },
  },
  TQ2_0: {
    ...{ ggml: 35, elements: 256, bytes: 66, d: 64 },
    weight: (view, at, i) => half(view, at + 64) * (bits(view, at + (i >> 7) * 32 + (i % 32), (i % 128 >> 5) * 2, 2) - 1),
  },
  MXFP4: {
    ...{ ggml: 39, elements: 32, bytes: 17 },
    weight: (view, at, i) => {
      const code = nibble(view, at + 1, i);
      return (code & 8 ? -1 : 1) * E2M1[code & 7] * 2 ** (view.getUint8(at) - 127);
    },
  },
};

/** n weights as the format defines them. */
export function dequantize(type, view, n) {
  const { elements, bytes, weight } = TYPES[type];
  const out = new Float64Array(n);
  for (let i = 0; i < n; i++) out[i] = weight(view, Math.floor(i / elements) * bytes, i % elements);
  return out;
}
