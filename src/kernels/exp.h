/* exp, 2^x, tanh, sigmoid and GELU in single precision. The vector kernels compute exp and 2^x four
 * at a time with the same constants and the same operations in the same order (vector_float.inc),
 * so that both give the same bits. */
#ifndef TG_EXP_H
#define TG_EXP_H

#include <math.h>
#include <stdint.h>
#include <string.h>

/* 1.5 * 2^23: added to a float below 2^22, leaves the nearest integer in the sum's lowest bits. */
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

/* exp(x): range reduction by powers of two and a polynomial of degree 5 (the coefficients of
 * Cephes' expf). Relative error below 2e-7 for TG_EXP_LOW <= x <= TG_EXP_HIGH; 0 below that range,
 * about e^88 above it, NaN for NaN. */
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

#define TG_EXP2_LOW (-125.0f)
#define TG_EXP2_P0  1.535336188319500e-4f
#define TG_EXP2_P1  1.339887440266574e-3f
#define TG_EXP2_P2  9.618437357674640e-3f
#define TG_EXP2_P3  5.550332471162809e-2f
#define TG_EXP2_P4  2.402264791363012e-1f
#define TG_EXP2_P5  6.931472028550421e-1f

/* 2^x for x <= 0: 0 below TG_EXP2_LOW, NaN for NaN; relative error below 2e-7 (the coefficients of
 * Cephes' exp2f). */
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
    bits += (int32_t)n * (1 << 23); /* p is 0.7 to 1.5, so the exponent does not overflow */
    memcpy(&p, &bits, 4);
    return p;
}

/* tanh(x): for |x| < 1/4 the power series, whose next term is below 2e-7 of the sum; else by
 * tgi_exp. Relative error below 4e-7. */
static inline float tgi_tanh(float x)
{
    const float a = fabsf(x), x2 = x * x;
    if (a < 0.25f)
        return x +
               x * x2 * (-1.0f / 3 + x2 * (2.0f / 15 + x2 * (-17.0f / 315 + x2 * (62.0f / 2835))));
    const float e = tgi_exp(-2 * a);
    return copysignf((1 - e) / (1 + e), x);
}

static inline float tgi_sigmoid(float x)
{
    return 1.0f / (1.0f + tgi_exp(-x));
}

#define TG_GELU_A (-1.5957691216057308f) /* -2 * sqrt(2 / pi) */
#define TG_GELU_B 0.044715f

/* x * (1 + tanh(sqrt(2 / pi) * (x + 0.044715 x^3))) / 2 (Hendrycks and Gimpel 2016), written so
 * that no terms cancel. */
static inline float tgi_gelu(float x)
{
    return x / (1.0f + tgi_exp(TG_GELU_A * (x + TG_GELU_B * (x * x * x))));
}

#endif
