/* exp and 2^x in single precision, scalar and four at a time, by the same operations in the same
 * order, so that both give the same bits: range reduction by powers of two and a polynomial of
 * degree 5 (the classic coefficients of Cephes' expf). Relative error below 2e-7 for -87.3 <= x <=
 * 88; 0 below that range, about e^88 above it, NaN for NaN. */
#ifndef TG_EXP_H
#define TG_EXP_H

#include <math.h>
#include <stdint.h>
#include <string.h>

/* 1.5 * 2^23: a float that is added to another below 2^22 leaves its nearest whole number in the
 * lowest bits */
#define TG_ROUND    12582912.0f
#define TG_EXP_LOW  (-87.3f)
#define TG_EXP_HIGH 88.0f
#define TG_LOG2E    1.44269504088896341f
#define TG_LN2_HIGH 0.693359375f /* few enough bits that n times it is exact */
#define TG_LN2_LOW  (-2.12194440e-4f)
#define TG_EXP_P0   1.9875691500e-4f
#define TG_EXP_P1   1.3981999507e-3f
#define TG_EXP_P2   8.3334519073e-3f
#define TG_EXP_P3   4.1665795894e-2f
#define TG_EXP_P4   1.6666665459e-1f
#define TG_EXP_P5   5.0000001201e-1f

static inline float tgi_exp(float x)
{
    if (x < TG_EXP_LOW)
        return 0;
    if (x > TG_EXP_HIGH)
        x = TG_EXP_HIGH;
    if (x != x)
        return x;
    const float n = rintf(x * TG_LOG2E);
    const float r = x - n * TG_LN2_HIGH - n * TG_LN2_LOW;
    float p = TG_EXP_P0;
    p = p * r + TG_EXP_P1;
    p = p * r + TG_EXP_P2;
    p = p * r + TG_EXP_P3;
    p = p * r + TG_EXP_P4;
    p = p * r + TG_EXP_P5;
    p = p * (r * r) + r + 1.0f;
    const uint32_t bits = (uint32_t)((int32_t)n + 127) << 23; /* 2^n: n is -126 to 127 */
    float scale;
    memcpy(&scale, &bits, 4);
    return p * scale;
}

/* 2^x for x <= 0: 0 below TG_EXP2_LOW, NaN for NaN; relative error below 2e-7 (the coefficients of
 * Cephes' exp2f). */
#define TG_EXP2_LOW (-125.0f)
#define TG_EXP2_P0  1.535336188319500e-4f
#define TG_EXP2_P1  1.339887440266574e-3f
#define TG_EXP2_P2  9.618437357674640e-3f
#define TG_EXP2_P3  5.550332471162809e-2f
#define TG_EXP2_P4  2.402264791363012e-1f
#define TG_EXP2_P5  6.931472028550421e-1f

static inline float tgi_exp2(float x)
{
    if (x < TG_EXP2_LOW)
        return 0;
    if (x != x)
        return x;
    const float n = rintf(x), r = x - n;
    float p = TG_EXP2_P0;
    p = p * r + TG_EXP2_P1;
    p = p * r + TG_EXP2_P2;
    p = p * r + TG_EXP2_P3;
    p = p * r + TG_EXP2_P4;
    p = p * r + TG_EXP2_P5;
    p = p * r + 1.0f;
    int32_t bits;
    memcpy(&bits, &p, 4);
    bits +=
        (int32_t)n * (1 << 23); /* p is between 0.7 and 1.5, so that nothing leaves the exponent */
    memcpy(&p, &bits, 4);
    return p;
}

/* For |x| < 1/4 the series, whose next term is below 2e-7 of the sum; beyond it by tgi_exp.
 * Relative error below 4e-7. */
static inline float tgi_tanh(float x)
{
    const float a = fabsf(x), s = x * x;
    if (a < 0.25f)
        return x + x * s * (-1.0f / 3 + s * (2.0f / 15 + s * (-17.0f / 315 + s * (62.0f / 2835))));
    const float e = tgi_exp(-2 * a);
    return copysignf((1 - e) / (1 + e), x);
}

static inline float tgi_sigmoid(float x)
{
    return 1.0f / (1.0f + tgi_exp(-x));
}

/* x * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 x^3))) / 2 (Hendrycks and Gimpel 2016), written so
 * that nothing cancels. */
#define TG_GELU_A (-1.5957691216057308f) /* -2 * sqrt(2 / pi) */
#define TG_GELU_B 0.044715f
static inline float tgi_gelu(float x)
{
    return x / (1.0f + tgi_exp(TG_GELU_A * (x + TG_GELU_B * (x * x * x))));
}

#ifdef __wasm_simd128__
#include <wasm_simd128.h>

/* As TG_EXP4, below. */
#define TG_EXP2_4(name, MADD)                                                                      \
    static inline v128_t name(v128_t x)                                                            \
    {                                                                                              \
        const v128_t low = wasm_f32x4_lt(x, TG_KEPT_F32(TG_EXP2_LOW));                             \
        const v128_t shifted = wasm_f32x4_add(x, TG_KEPT_F32(TG_ROUND));                           \
        const v128_t r = wasm_f32x4_sub(x, wasm_f32x4_sub(shifted, TG_KEPT_F32(TG_ROUND)));        \
        v128_t p = TG_KEPT_F32(TG_EXP2_P0);                                                        \
        p = MADD(p, r, TG_KEPT_F32(TG_EXP2_P1));                                                   \
        p = MADD(p, r, TG_KEPT_F32(TG_EXP2_P2));                                                   \
        p = MADD(p, r, TG_KEPT_F32(TG_EXP2_P3));                                                   \
        p = MADD(p, r, TG_KEPT_F32(TG_EXP2_P4));                                                   \
        p = MADD(p, r, TG_KEPT_F32(TG_EXP2_P5));                                                   \
        p = MADD(p, r, TG_KEPT_F32(1.0f));                                                         \
        return wasm_v128_andnot(wasm_i32x4_add(p, wasm_i32x4_shl(shifted, 23)), low);              \
    }

/* name: a function of four floats; MADD(a, b, c) = a * b + c, NMADD(a, b, c) = c - a * b */
#define TG_EXP4(name, MADD, NMADD)                                                                 \
    static inline v128_t name(v128_t x)                                                            \
    {                                                                                              \
        const v128_t low = wasm_f32x4_lt(x, TG_KEPT_F32(TG_EXP_LOW));                              \
        x = wasm_f32x4_pmin(x, TG_KEPT_F32(TG_EXP_HIGH)); /* NaN stays NaN */                      \
        const v128_t shifted = MADD(x, TG_KEPT_F32(TG_LOG2E), TG_KEPT_F32(TG_ROUND));              \
        const v128_t n = wasm_f32x4_sub(shifted, TG_KEPT_F32(TG_ROUND));                           \
        const v128_t r = NMADD(n, TG_KEPT_F32(TG_LN2_LOW), NMADD(n, TG_KEPT_F32(TG_LN2_HIGH), x)); \
        v128_t p = TG_KEPT_F32(TG_EXP_P0);                                                         \
        p = MADD(p, r, TG_KEPT_F32(TG_EXP_P1));                                                    \
        p = MADD(p, r, TG_KEPT_F32(TG_EXP_P2));                                                    \
        p = MADD(p, r, TG_KEPT_F32(TG_EXP_P3));                                                    \
        p = MADD(p, r, TG_KEPT_F32(TG_EXP_P4));                                                    \
        p = MADD(p, r, TG_KEPT_F32(TG_EXP_P5));                                                    \
        p = wasm_f32x4_add(MADD(p, wasm_f32x4_mul(r, r), r), TG_KEPT_F32(1.0f));                   \
        const v128_t bits = wasm_i32x4_shl(wasm_i32x4_add(shifted, TG_KEPT_I32(127)), 23);         \
        return wasm_v128_andnot(wasm_f32x4_mul(p, bits), low);                                     \
    }
#endif

#endif
