/* A second implementation of the weight types, against which src/quant is tested: one weight at a
 * time, in double, written independently from the format's description. It gives a weight's exact
 * value from the bytes of its block (the sum of a scaled code and a min still has to round to a
 * float). */
#ifndef QUANT_REFERENCE_H
#define QUANT_REFERENCE_H

#include "../../src/quant/grid_tables.h" /* tests/peers compares the tables with llama.cpp's */
#include "../../src/quant/quant.h"

#include <math.h>
#include <string.h>

static inline double half_by_definition(uint16_t half)
{
    const int exponent = half >> 10 & 31, mantissa = half & 1023;
    const double sign = half & 0x8000 ? -1 : 1;
    if (exponent == 31)
        return mantissa ? NAN : sign * INFINITY;
    return sign * (exponent ? ldexp(1024 + mantissa, exponent - 25) : ldexp(mantissa, -24));
}

static inline double half_at(const uint8_t *block, int at)
{
    return half_by_definition((uint16_t)(block[at] | block[at + 1] << 8));
}

/* n bits of little-endian bytes, from bit `at` on */
static inline int bits_at(const uint8_t *bytes, int at, int n)
{
    int value = 0;
    for (int k = 0; k < n; k++)
        value |= (bytes[(at + k) / 8] >> (at + k) % 8 & 1) << k;
    return value;
}

/* Q4_K and Q5_K: the scale (or min) of group g; the 12 bytes start at block + 4 */
static inline int six_bits(const uint8_t *block, int g, int is_min)
{
    const uint8_t *q = block + 4;
    if (g < 4)
        return q[g + 4 * is_min] % 64;
    return (is_min ? q[g + 4] / 16 : q[g + 4] % 16) + 16 * (q[g - 4 + 4 * is_min] / 64);
}

/* Byte offsets of d and m, both binary16, in a type's block; -1: the type has none. */
typedef struct scale_offsets {
    int d, m;
} scale_offsets;

static inline scale_offsets scales_of(tg_quant type)
{
    switch (type) {
    case TG_QUANT_F32:
    case TG_QUANT_BF16:
    case TG_QUANT_MXFP4:
    case TG_QUANT_IQ1_M: /* set_scale */
    case TG_QUANT_COUNT:
        return (scale_offsets){-1, -1};
    case TG_QUANT_Q4_1:
    case TG_QUANT_Q5_1:
    case TG_QUANT_Q4_K:
    case TG_QUANT_Q5_K:
        return (scale_offsets){0, 2};
    case TG_QUANT_Q2_K:
        return (scale_offsets){80, 82};
    case TG_QUANT_Q3_K:
        return (scale_offsets){108, -1};
    case TG_QUANT_Q6_K:
        return (scale_offsets){208, -1};
    case TG_QUANT_TQ1_0:
        return (scale_offsets){52, -1};
    case TG_QUANT_TQ2_0:
        return (scale_offsets){64, -1};
    default:
        return (scale_offsets){0, -1};
    }
}

static const int nonlinear[16] = {-127, -104, -83, -65, -49, -35, -22, -10,
                                  1,    13,   25,  38,  53,  69,  89,  113};

/* Element e of a point whose elements have n bits. */
static inline int element_of(int point, int e, int n)
{
    return point >> n * e & ((1 << n) - 1);
}

/* The sign of element e of 8: 7 are stored, the last makes the number of minus signs even. */
static inline int sign_of_seven(int seven, int e)
{
    int ones = 0;
    for (int k = 0; k < 7; k++)
        ones += seven >> k & 1;
    return (e < 7 ? seven >> e & 1 : ones % 2) ? -1 : 1;
}

static const int of_two_bits[3] = {8, 25, 43}, of_three_bits[8] = {4, 12, 20, 28, 36, 44, 52, 62};

static inline double weight_by_definition(tg_quant type, const uint8_t *block, int i)
{
    const scale_offsets offsets = scales_of(type);
    const double d = offsets.d < 0 ? NAN : half_at(block, offsets.d),
                 m = offsets.m < 0 ? NAN : half_at(block, offsets.m);
    const int g = i / 32, nibble = i / 16 % 2 * 4;
    uint32_t bits;
    float f;
    switch (type) {
    case TG_QUANT_F32:
        memcpy(&f, block, 4);
        return f;
    case TG_QUANT_F16:
        return d;
    case TG_QUANT_BF16:
        bits = (uint32_t)(block[0] | block[1] << 8) << 16;
        memcpy(&f, &bits, 4);
        return f;
    case TG_QUANT_Q4_0:
        return d * ((block[2 + i % 16] >> nibble) % 16 - 8);
    case TG_QUANT_Q8_0:
        return d * (int8_t)block[2 + i];
    case TG_QUANT_Q4_1:
        return d * ((block[4 + i % 16] >> nibble) % 16) + m;
    case TG_QUANT_Q5_0:
        return d * ((block[6 + i % 16] >> nibble) % 16 + 16 * bits_at(block + 2, i, 1) - 16);
    case TG_QUANT_Q5_1:
        return d * ((block[8 + i % 16] >> nibble) % 16 + 16 * bits_at(block + 4, i, 1)) + m;
    case TG_QUANT_Q2_K:
        return d * (block[i / 16] % 16) *
                   bits_at(block + 16 + i / 128 * 32 + i % 32, i % 128 / 32 * 2, 2) -
               m * (block[i / 16] / 16);
    case TG_QUANT_Q3_K: {
        const int k = i / 16; /* its scale: 16 halves of bytes, then 4 times 4 pairs of bits */
        const int scale = (k < 8 ? block[96 + k] % 16 : block[96 + k - 8] / 16) +
                          16 * bits_at(block + 104 + k % 4, k / 4 * 2, 2);
        return d * (scale - 32) *
               (bits_at(block + 32 + i / 128 * 32 + i % 32, i % 128 / 32 * 2, 2) +
                4 * bits_at(block + i % 32, g, 1) - 4);
    }
    case TG_QUANT_Q4_K:
        return d * six_bits(block, g, 0) *
                   bits_at(block + 16 + i / 64 * 32 + i % 32, g % 2 * 4, 4) -
               m * six_bits(block, g, 1);
    case TG_QUANT_Q5_K:
        return d * six_bits(block, g, 0) *
                   (bits_at(block + 48 + i / 64 * 32 + i % 32, g % 2 * 4, 4) +
                    16 * bits_at(block + 16 + i % 32, g, 1)) -
               m * six_bits(block, g, 1);
    case TG_QUANT_Q6_K:
        return d * (int8_t)block[192 + i / 16] *
               (bits_at(block + i / 128 * 64 + i % 64, i % 128 / 64 * 4, 4) +
                16 * bits_at(block + 128 + i / 128 * 32 + i % 32, i % 128 / 32 * 2, 2) - 32);
    case TG_QUANT_IQ4_NL:
        return d * nonlinear[(block[2 + i % 16] >> nibble) % 16];
    case TG_QUANT_IQ4_XS:
        return d * (bits_at(block + 4, 4 * g, 4) + 16 * bits_at(block + 2, 2 * g, 2) - 32) *
               nonlinear[(block[8 + g * 16 + i % 16] >> nibble) % 16];
    case TG_QUANT_TQ1_0: {
        /* a byte is a fraction of base 3: digit k is the k-th carry when it is multiplied by 3 */
        const int byte = i < 160 ? i % 32 : i < 240 ? 32 + (i - 160) % 16 : 48 + (i - 240) % 4;
        const int digit = i < 160 ? i / 32 : i < 240 ? (i - 160) / 16 : (i - 240) / 4;
        static const int powers[] = {1, 3, 9, 27, 81};
        return d * (block[byte] * powers[digit] % 256 * 3 / 256 - 1);
    }
    case TG_QUANT_TQ2_0:
        return d * (bits_at(block + i / 128 * 32 + i % 32, i % 128 / 32 * 2, 2) - 1);
    case TG_QUANT_Q1_0:
        return bits_at(block + 2 + i / 8, i % 8, 1) ? d : -d;
    case TG_QUANT_MXFP4: { /* a sign, two bits of exponent with bias 1, one of mantissa */
        const int code = (block[1 + i % 16] >> nibble) % 16, exponent = code / 2 % 4;
        const double magnitude =
            exponent ? ldexp(1 + code % 2 * 0.5, exponent - 1) : code % 2 * 0.5;
        return (code / 8 ? -magnitude : magnitude) * ldexp(1, block[0] - 127);
    }
    case TG_QUANT_IQ2_XXS: {
        const uint8_t *q = block + 2 + 8 * g;
        const int seven = bits_at(q + 4, i % 32 / 8 * 7, 7);
        return d * (0.5 + q[7] / 16) * 0.25 *
               of_two_bits[element_of(tg_grid_iq2_xxs[q[i % 32 / 8]], i % 8, 2)] *
               sign_of_seven(seven, i % 8);
    }
    case TG_QUANT_IQ2_XS: {
        const uint8_t *q = block + 2 + i / 8 * 2;
        return d * (0.5 + bits_at(block + 66, i / 16 * 4, 4)) * 0.25 *
               of_two_bits[element_of(tg_grid_iq2_xs[bits_at(q, 0, 9)], i % 8, 2)] *
               sign_of_seven(q[1] / 2, i % 8);
    }
    case TG_QUANT_IQ2_S: {
        const int point = block[2 + i / 8] + 256 * bits_at(block + 66, i / 8 * 2, 2);
        return d * (0.5 + bits_at(block + 74, i / 16 * 4, 4)) * 0.25 *
               of_two_bits[element_of(tg_grid_iq2_s[point], i % 8, 2)] *
               (bits_at(block + 34, i, 1) ? -1 : 1);
    }
    case TG_QUANT_IQ3_XXS: {
        const uint8_t *rest = block + 66 + 4 * g;
        return d * (0.5 + rest[3] / 16) * 0.5 *
               of_three_bits[element_of(tg_grid_iq3_xxs[block[2 + i / 4]], i % 4, 3)] *
               sign_of_seven(bits_at(rest, i % 32 / 8 * 7, 7), i % 8);
    }
    case TG_QUANT_IQ3_S: {
        const int point = block[2 + i / 4] + 256 * bits_at(block + 66, i / 4, 1);
        return d * (1 + 2 * bits_at(block + 106, g * 4, 4)) *
               (2 * element_of(tg_grid_iq3_s[point], i % 4, 3) + 1) *
               (bits_at(block + 74, i, 1) ? -1 : 1);
    }
    case TG_QUANT_IQ1_S: {
        const uint8_t *qh = block + 34 + 2 * g;
        const int point = block[2 + i / 8] + 256 * bits_at(qh, i % 32 / 8 * 3, 3);
        return d * (2 * bits_at(qh, 12, 3) + 1) *
               (element_of(tg_grid_iq1_s[point], i % 8, 2) - 1 +
                (bits_at(qh, 15, 1) ? -0.125 : 0.125));
    }
    case TG_QUANT_IQ1_M: {
        int half = 0;
        for (int k = 0; k < 4; k++)
            half |= block[49 + 2 * k] / 16 << 4 * k;
        const int point = block[i / 8] + 256 * bits_at(block + 32, i / 8 * 4, 3), k = i / 16;
        return half_by_definition((uint16_t)half) *
               (2 * bits_at(block + 48 + k / 4 * 2, k % 4 * 3, 3) + 1) *
               (element_of(tg_grid_iq1_s[point], i % 8, 2) - 1 +
                (bits_at(block + 32, i / 8 * 4 + 3, 1) ? -0.125 : 0.125));
    }
    case TG_QUANT_COUNT:
        break;
    }
    return NAN;
}

/* Writes the bits of a binary16 to a block's d. */
static inline void set_half(tg_quant type, uint8_t *block, uint16_t half)
{
    const scale_offsets offsets = scales_of(type);
    if (offsets.d >= 0)
        memcpy(block + offsets.d, &half, 2);
    for (int k = 0; type == TG_QUANT_IQ1_M && k < 4; k++)
        block[49 + 2 * k] = (uint8_t)((block[49 + 2 * k] & 15) | (half >> 4 * k & 15) << 4);
}

/* Sets d and m of a block of random bytes to this value. */
static inline void set_scale(tg_quant type, uint8_t *block, float value)
{
    const scale_offsets offsets = scales_of(type);
    const uint16_t half = tgi_float_to_half(value);
    uint32_t bits;
    memcpy(&bits, &value, 4);
    const uint16_t upper = (uint16_t)(bits >> 16);
    if (type == TG_QUANT_F32)
        memcpy(block, &value, 4);
    else if (type == TG_QUANT_BF16)
        memcpy(block, &upper, 2);
    else if (type == TG_QUANT_MXFP4)
        block[0] = (uint8_t)(bits >> 23);
    else if (tg_quants[type].block > 1 || type == TG_QUANT_F16)
        set_half(type, block, half);
    if (offsets.m >= 0)
        memcpy(block + offsets.m, &half, 2);
}

#endif
