// The weight types for the tests, written from the description of the formats, independently of the
// engine. Each row has the type's number in GGUF files, the elements and bytes of a block, the
// offsets of a block's binary16 scale d and of its min m (added to the scaled codes), and a
// function that decodes one weight.

import { readFileSync } from 'node:fs';

const bits = (view, at, from, n) =>
  (view.getUint8(at + (from >> 3)) >> (from & 7)) & ((1 << n) - 1);
const nibble = (view, at, i) => bits(view, at + (i % 16), i % 32 < 16 ? 0 : 4, 4);
const half = (view, at) => fromHalf(view.getUint16(at, true));

/** Converts a number to binary16: round to nearest, ties to even. */
export function toHalf(value) {
  const sign = value < 0 || Object.is(value, -0) ? 0x8000 : 0;
  const magnitude = Math.abs(value);
  if (magnitude === 0) return sign;
  const exponent = Math.max(Math.floor(Math.log2(magnitude)), -14);
  const scaled = magnitude / 2 ** (exponent - 10);
  const floor = Math.floor(scaled);
  const rest = scaled - floor;
  const rounded = floor + (rest > 0.5 || (rest === 0.5 && floor % 2 === 1) ? 1 : 0);
  // a carry out of the mantissa increments the exponent
  const code = rounded < 1024 ? rounded : ((exponent + 15) << 10) + (rounded - 1024);
  return sign | Math.min(code, 0x7c00);
}

/** Every binary16 as a number: computed once, since the tests read tens of millions of them. */
const HALVES = Float64Array.from({ length: 65536 }, (_, value) => decodeHalf(value));
export const fromHalf = (value) => HALVES[value];

function decodeHalf(value) {
  const sign = value & 0x8000 ? -1 : 1;
  const exponent = (value >> 10) & 31;
  const mantissa = value & 1023;
  if (exponent === 31) return mantissa ? NaN : sign * Infinity;
  return exponent
    ? sign * (1 + mantissa / 1024) * 2 ** (exponent - 15)
    : sign * mantissa * 2 ** -24;
}

/** Q4_K and Q5_K: the 6-bit scale (or min) of group g, from the 12 bytes at `at`. */
function sixBits(view, at, g, isMin) {
  if (g < 4) return view.getUint8(at + g + 4 * isMin) & 63;
  const low = view.getUint8(at + g + 4);
  return (isMin ? low >> 4 : low & 15) + 16 * (view.getUint8(at + g - 4 + 4 * isMin) >> 6);
}

export const NONLINEAR = [-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113];
export const E2M1 = [0, 0.5, 1, 1.5, 2, 3, 4, 6];

/**
 * The grids of the IQ types by type name, read from the engine's tables. tests/peers compares them
 * with llama.cpp's grids.
 */
const grids = Object.fromEntries(
  [
    ...readFileSync(new URL('../../src/quant/grid_tables.h', import.meta.url), 'utf8').matchAll(
      /tgi?_grid_(\w+)\[\d+\] = \{([^}]*)\}/g,
    ),
  ].map(([, name, list]) => [name, list.match(/\d+/g).map(Number)]),
);
const element = (grid, point, e, n) => (grids[grid][point] >> (n * e)) & ((1 << n) - 1);
const bit = (view, at, i) => bits(view, at + (i >> 3), i & 7, 1);
const halfByte = (view, at, i) => bits(view, at + (i >> 1), (i % 2) * 4, 4);
/** Sign e of 8. The file stores 7 signs; the 8th makes the number of minus signs even. */
const sevenSign = (seven, e) =>
  (e < 7 ? seven >> e : [0, 1, 2, 3, 4, 5, 6].reduce((sum, k) => sum + ((seven >> k) & 1), 0)) & 1
    ? -1
    : 1;
const IQ2 = [8, 25, 43];
const IQ3 = [4, 12, 20, 28, 36, 44, 52, 62];

/** weight(view, at, i): element i of the block that starts at byte `at`. */
export const TYPES = {
  F32: { ggml: 0, elements: 1, bytes: 4, weight: (view, at) => view.getFloat32(at, true) },
  F16: { ggml: 1, elements: 1, bytes: 2, weight: half },
  Q4_0: {
    ggml: 2,
    elements: 32,
    bytes: 18,
    d: 0,
    weight: (view, at, i) => half(view, at) * (nibble(view, at + 2, i) - 8),
  },
  Q8_0: {
    ggml: 8,
    elements: 32,
    bytes: 34,
    d: 0,
    weight: (view, at, i) => half(view, at) * view.getInt8(at + 2 + i),
  },
  BF16: {
    ...{ ggml: 30, elements: 1, bytes: 2 },
    weight: (view, at) =>
      new Float32Array(Uint32Array.of(view.getUint16(at, true) << 16).buffer)[0],
  },
  Q4_1: {
    ...{ ggml: 3, elements: 32, bytes: 20, d: 0, m: 2 },
    weight: (view, at, i) => half(view, at) * nibble(view, at + 4, i) + half(view, at + 2),
  },
  Q5_0: {
    ...{ ggml: 6, elements: 32, bytes: 22, d: 0 },
    weight: (view, at, i) =>
      half(view, at) * (nibble(view, at + 6, i) + 16 * bits(view, at + 2, i, 1) - 16),
  },
  Q5_1: {
    ...{ ggml: 7, elements: 32, bytes: 24, d: 0, m: 2 },
    weight: (view, at, i) =>
      half(view, at) * (nibble(view, at + 8, i) + 16 * bits(view, at + 4, i, 1)) +
      half(view, at + 2),
  },
  Q2_K: {
    ...{ ggml: 10, elements: 256, bytes: 84, d: 80, m: 82 },
    weight: (view, at, i) => {
      const scales = view.getUint8(at + (i >> 4));
      const code = bits(view, at + 16 + (i >> 7) * 32 + (i % 32), ((i % 128) >> 5) * 2, 2);
      return half(view, at + 80) * (scales & 15) * code - half(view, at + 82) * (scales >> 4);
    },
  },
  Q3_K: {
    ...{ ggml: 11, elements: 256, bytes: 110, d: 108 },
    weight: (view, at, i) => {
      const k = i >> 4;
      const scale =
        bits(view, at + 96 + (k % 8), k < 8 ? 0 : 4, 4) +
        16 * bits(view, at + 104 + (k % 4), (k >> 2) * 2, 2) -
        32;
      const low = bits(view, at + 32 + (i >> 7) * 32 + (i % 32), ((i % 128) >> 5) * 2, 2);
      return half(view, at + 108) * scale * (low + 4 * bits(view, at + (i % 32), i >> 5, 1) - 4);
    },
  },
  Q4_K: {
    ...{ ggml: 12, elements: 256, bytes: 144, d: 0, m: 2 },
    weight: (view, at, i) => {
      const g = i >> 5;
      const code = bits(view, at + 16 + (i >> 6) * 32 + (i % 32), (g % 2) * 4, 4);
      return (
        half(view, at) * sixBits(view, at + 4, g, 0) * code -
        half(view, at + 2) * sixBits(view, at + 4, g, 1)
      );
    },
  },
  Q5_K: {
    ...{ ggml: 13, elements: 256, bytes: 176, d: 0, m: 2 },
    weight: (view, at, i) => {
      const g = i >> 5;
      const code =
        bits(view, at + 48 + (i >> 6) * 32 + (i % 32), (g % 2) * 4, 4) +
        16 * bits(view, at + 16 + (i % 32), g, 1);
      return (
        half(view, at) * sixBits(view, at + 4, g, 0) * code -
        half(view, at + 2) * sixBits(view, at + 4, g, 1)
      );
    },
  },
  Q6_K: {
    ...{ ggml: 14, elements: 256, bytes: 210, d: 208 },
    weight: (view, at, i) => {
      const low = bits(view, at + (i >> 7) * 64 + (i % 64), i % 128 < 64 ? 0 : 4, 4);
      const high = bits(view, at + 128 + (i >> 7) * 32 + (i % 32), ((i % 128) >> 5) * 2, 2);
      return half(view, at + 208) * view.getInt8(at + 192 + (i >> 4)) * (low + 16 * high - 32);
    },
  },
  IQ4_NL: {
    ggml: 20,
    elements: 32,
    bytes: 18,
    d: 0,
    weight: (view, at, i) => half(view, at) * NONLINEAR[nibble(view, at + 2, i)],
  },
  IQ4_XS: {
    ...{ ggml: 23, elements: 256, bytes: 136, d: 0 },
    weight: (view, at, i) => {
      const g = i >> 5;
      const scale =
        bits(view, at + 4 + (g >> 1), (g % 2) * 4, 4) +
        16 * bits(view, at + 2 + (g >> 2), (g % 4) * 2, 2) -
        32;
      return half(view, at) * scale * NONLINEAR[nibble(view, at + 8 + 16 * g, i)];
    },
  },
  TQ1_0: {
    ...{ ggml: 34, elements: 256, bytes: 54, d: 52 },
    weight: (view, at, i) => {
      const byte = i < 160 ? i % 32 : i < 240 ? 32 + (i % 16) : 48 + (i % 4);
      const digit = i < 160 ? i >> 5 : i < 240 ? (i - 160) >> 4 : (i - 240) >> 2;
      return (
        half(view, at + 52) * (((((view.getUint8(at + byte) * 3 ** digit) % 256) * 3) >> 8) - 1)
      );
    },
  },
  TQ2_0: {
    ...{ ggml: 35, elements: 256, bytes: 66, d: 64 },
    weight: (view, at, i) =>
      half(view, at + 64) *
      (bits(view, at + (i >> 7) * 32 + (i % 32), ((i % 128) >> 5) * 2, 2) - 1),
  },
  Q1_0: {
    ...{ ggml: 41, elements: 128, bytes: 18, d: 0 },
    weight: (view, at, i) => half(view, at) * (bit(view, at + 2, i) ? 1 : -1),
  },
  MXFP4: {
    ...{ ggml: 39, elements: 32, bytes: 17 },
    weight: (view, at, i) => {
      const code = nibble(view, at + 1, i);
      return (code & 8 ? -1 : 1) * E2M1[code & 7] * 2 ** (view.getUint8(at) - 127);
    },
  },
  IQ3_XXS: {
    ...{ ggml: 18, elements: 256, bytes: 98, d: 0 },
    weight: (view, at, i) => {
      const rest = view.getUint32(at + 66 + (i >> 5) * 4, true);
      const sign = sevenSign((rest >>> (((i % 32) >> 3) * 7)) & 127, i % 8);
      return (
        half(view, at) *
        (0.5 + (rest >>> 28)) *
        0.5 *
        IQ3[element('iq3_xxs', view.getUint8(at + 2 + (i >> 2)), i % 4, 3)] *
        sign
      );
    },
  },
  IQ3_S: {
    ...{ ggml: 21, elements: 256, bytes: 110, d: 0 },
    weight: (view, at, i) => {
      const point = view.getUint8(at + 2 + (i >> 2)) + 256 * bit(view, at + 66, i >> 2);
      const scale = 1 + 2 * halfByte(view, at + 106, i >> 5);
      return (
        half(view, at) *
        scale *
        (2 * element('iq3_s', point, i % 4, 3) + 1) *
        (bit(view, at + 74, i) ? -1 : 1)
      );
    },
  },
  IQ2_XXS: {
    ...{ ggml: 16, elements: 256, bytes: 66, d: 0 },
    weight: (view, at, i) => {
      const group = at + 2 + (i >> 5) * 8;
      const rest = view.getUint32(group + 4, true);
      const sign = sevenSign((rest >>> (((i % 32) >> 3) * 7)) & 127, i % 8);
      return (
        half(view, at) *
        (0.5 + (rest >>> 28)) *
        0.25 *
        IQ2[element('iq2_xxs', view.getUint8(group + ((i % 32) >> 3)), i % 8, 2)] *
        sign
      );
    },
  },
  IQ2_XS: {
    ...{ ggml: 17, elements: 256, bytes: 74, d: 0 },
    weight: (view, at, i) => {
      const q = view.getUint16(at + 2 + (i >> 3) * 2, true);
      const scale = (0.5 + halfByte(view, at + 66, i >> 4)) * 0.25;
      return (
        half(view, at) *
        scale *
        IQ2[element('iq2_xs', q & 511, i % 8, 2)] *
        sevenSign(q >> 9, i % 8)
      );
    },
  },
  IQ2_S: {
    ...{ ggml: 22, elements: 256, bytes: 82, d: 0 },
    weight: (view, at, i) => {
      const p = i >> 3;
      const point =
        view.getUint8(at + 2 + p) + 256 * bits(view, at + 66 + (p >> 2), (p % 4) * 2, 2);
      const scale = (0.5 + halfByte(view, at + 74, i >> 4)) * 0.25;
      return (
        half(view, at) *
        scale *
        IQ2[element('iq2_s', point, i % 8, 2)] *
        (bit(view, at + 34, i) ? -1 : 1)
      );
    },
  },
  IQ1_S: {
    ...{ ggml: 19, elements: 256, bytes: 50, d: 0 },
    weight: (view, at, i) => {
      const qh = view.getUint16(at + 34 + (i >> 5) * 2, true);
      const point = view.getUint8(at + 2 + (i >> 3)) + 256 * ((qh >> (((i % 32) >> 3) * 3)) & 7);
      return (
        half(view, at) *
        (2 * ((qh >> 12) & 7) + 1) *
        (element('iq1_s', point, i % 8, 2) - 1 + (qh & 0x8000 ? -0.125 : 0.125))
      );
    },
  },
  IQ1_M: {
    ...{ ggml: 29, elements: 256, bytes: 56 },
    weight: (view, at, i) => {
      const scales = [0, 1, 2, 3].map((k) => view.getUint16(at + 48 + 2 * k, true));
      const d = fromHalf(scales.reduce((sum, s, k) => sum + ((s >> 12) << (4 * k)), 0));
      const high = halfByte(view, at + 32, i >> 3);
      const scale = 2 * ((scales[i >> 6] >> (((i % 64) >> 4) * 3)) & 7) + 1;
      const point = view.getUint8(at + (i >> 3)) + 256 * (high & 7);
      return d * scale * (element('iq1_s', point, i % 8, 2) - 1 + (high & 8 ? -0.125 : 0.125));
    },
  },
};

/** The types whose blocks fit the rows of a small model. */
export const SMALL_TYPES = Object.keys(TYPES).filter((type) => TYPES[type].elements <= 32);

/** Sets the scale of a block. */
export function setScale(type, view, scale) {
  const { d } = TYPES[type];
  if (type === 'MXFP4') view.setUint8(0, Math.round(127 + Math.log2(scale)));
  else if (type === 'IQ1_M') {
    for (let k = 0; k < 4; k++)
      view.setUint8(
        49 + 2 * k,
        (view.getUint8(49 + 2 * k) & 15) | (((toHalf(scale) >> (4 * k)) & 15) << 4),
      );
  } else view.setUint16(d, toHalf(scale), true);
}

/** Decodes n weights as the format defines them. */
export function dequantize(type, view, n) {
  const { elements, bytes, weight } = TYPES[type];
  const out = new Float64Array(n);
  for (let i = 0; i < n; i++) out[i] = weight(view, Math.floor(i / elements) * bytes, i % elements);
  return out;
}
