/* The vector kernels with WebAssembly SIMD: the same bits as the scalar reference. */
#ifdef __wasm_simd128__

#include "exp.h"
#include "simd.h"

#include <float.h>

/* The largest of four magnitudes, compared by their bits. */
static inline float max_magnitude(v128_t v)
{
    v = wasm_i32x4_max(v, wasm_i32x4_shuffle(v, v, 2, 3, 0, 1));
    v = wasm_i32x4_max(v, wasm_i32x4_shuffle(v, v, 1, 0, 3, 2));
    return wasm_f32x4_extract_lane(v, 0);
}

static inline int32_t sum_lanes(v128_t v)
{
    v = wasm_i32x4_add(v, wasm_i32x4_shuffle(v, v, 2, 3, 0, 1));
    v = wasm_i32x4_add(v, wasm_i32x4_shuffle(v, v, 1, 0, 3, 2));
    return wasm_i32x4_extract_lane(v, 0);
}

void tgi_quantize_q8__simd128(const float *x, size_t n, tg_act_q8 *out)
{
    for (size_t b = 0; b < n / 32; b++, x += 32, out++) {
        v128_t v[8], magnitudes = wasm_i32x4_const_splat(0);
        int32_t neg_sums[2];
        TG_UNROLL
        for (int i = 0; i < 8; i++) {
            /* magnitudes have the order of their bits as integers; NaN comes above infinity */
            v[i] = wasm_v128_load(x + 4 * i);
            magnitudes = wasm_i32x4_max(magnitudes, wasm_f32x4_abs(v[i]));
        }
        const float max = max_magnitude(magnitudes);
        const int finite = max <= FLT_MAX;
        const float inverse = finite && max > 1e-30f ? 127.0f / max : 0.0f;
        const v128_t factor = wasm_f32x4_splat(inverse);
        const float d = !finite ? NAN : inverse > 0 ? max / 127.0f : 0.0f;
        TG_UNROLL
        for (int i = 0; i < 8; i += 4) {
            v128_t c[4], neg_sum = wasm_i32x4_const_splat(0);
            TG_UNROLL
            for (int j = 0; j < 4; j++) {
                const v128_t scaled =
                    inverse > 0 ? wasm_f32x4_mul(v[i + j], factor) : wasm_f32x4_const_splat(0);
                /* leaves the nearest integer in the lowest bits */
                const v128_t shifted = wasm_f32x4_add(scaled, TG_OPAQUE_F32(TG_ROUND));
                c[j] = wasm_i32x4_sub(shifted, TG_OPAQUE_F32(TG_ROUND));
                neg_sum = wasm_i32x4_sub(neg_sum, c[j]);
            }
            const v128_t codes = wasm_i8x16_narrow_i16x8(wasm_i16x8_narrow_i32x4(c[0], c[1]),
                                                         wasm_i16x8_narrow_i32x4(c[2], c[3]));
            wasm_v128_store(out->q + 4 * i, codes);
            /* flipping the top bit adds 128 */
            wasm_v128_store(out->u + 4 * i, wasm_v128_xor(codes, TG_OPAQUE_I32((int)0x80808080)));
            neg_sums[i / 4] = sum_lanes(neg_sum);
        }
        tgi_act_scale(out, d, neg_sums[0], neg_sums[1]);
    }
}

/* The sum of x[i] - mean, or of its square, for i < n: in 16 lanes, which are added in the same
 * tree as in the scalar kernel. */
TG_ALWAYS_INLINE float sum_row(const float *x, size_t n, float mean, const int squares)
{
    v128_t v[4];
    float sum[16];
    size_t i = 0;
    TG_UNROLL
    for (int j = 0; j < 4; j++)
        v[j] = wasm_f32x4_const_splat(0);
    for (; i + 16 <= n; i += 16) {
        TG_UNROLL
        for (int j = 0; j < 4; j++) {
            const v128_t part =
                wasm_f32x4_sub(wasm_v128_load(x + i + 4 * j), wasm_f32x4_splat(mean));
            v[j] = wasm_f32x4_add(v[j], squares ? wasm_f32x4_mul(part, part) : part);
        }
    }
    TG_UNROLL
    for (int j = 0; j < 4; j++)
        wasm_v128_store(sum + 4 * j, v[j]);
    for (; i < n; i++)
        sum[i % 16] += squares ? (x[i] - mean) * (x[i] - mean) : x[i];
    for (int width = 8; width; width /= 2)
        for (int j = 0; j < width; j++)
            sum[j] += sum[j + width];
    return sum[0];
}

void tgi_rmsnorm_f32__simd128(const float *x, const float *weight, float eps, size_t n, float *y)
{
    const float scale = 1.0f / sqrtf(sum_row(x, n, 0, 1) / (float)n + eps);
    const v128_t scales = wasm_f32x4_splat(scale);
    size_t i = 0;
    for (; i + 4 <= n; i += 4) {
        const v128_t v = wasm_f32x4_mul(wasm_v128_load(x + i), scales);
        wasm_v128_store(y + i, weight ? wasm_f32x4_mul(v, wasm_v128_load(weight + i)) : v);
    }
    for (; i < n; i++)
        y[i] = x[i] * scale * (weight ? weight[i] : 1.0f);
}

void tgi_layernorm_f32__simd128(const float *x, const float *weight, const float *bias, float eps,
                                size_t n, float *y)
{
    const float mean = sum_row(x, n, 0, 0) / (float)n;
    const float scale = 1.0f / sqrtf(sum_row(x, n, mean, 1) / (float)n + eps);
    const v128_t means = wasm_f32x4_splat(mean), scales = wasm_f32x4_splat(scale);
    size_t i = 0;
    for (; i + 4 <= n; i += 4) {
        v128_t v = wasm_f32x4_mul(wasm_f32x4_sub(wasm_v128_load(x + i), means), scales);
        if (weight)
            v = wasm_f32x4_mul(v, wasm_v128_load(weight + i));
        wasm_v128_store(y + i, bias ? wasm_f32x4_add(v, wasm_v128_load(bias + i)) : v);
    }
    for (; i < n; i++)
        y[i] = (x[i] - mean) * scale * (weight ? weight[i] : 1.0f) + (bias ? bias[i] : 0.0f);
}

/* 4 * width columns of the state, from the pointers on: they stay in the L1 cache from the first
 * pass to the second. */
TG_ALWAYS_INLINE void delta_columns(float *state, const float *q, const float *k, const float *v,
                                    float decay, float beta, size_t n, float *out, const int width)
{
    const v128_t decays = wasm_f32x4_splat(decay);
    v128_t recalled[8], change[8], sum[8];
    TG_UNROLL
    for (int j = 0; j < width; j++)
        recalled[j] = sum[j] = wasm_f32x4_const_splat(0);
    for (size_t i = 0; i < n; i++) {
        const v128_t key = wasm_v128_load32_splat(k + i);
        TG_UNROLL
        for (int j = 0; j < width; j++)
            recalled[j] = wasm_f32x4_add(
                recalled[j], wasm_f32x4_mul(wasm_v128_load(state + i * n + 4 * j), key));
    }
    TG_UNROLL
    for (int j = 0; j < width; j++)
        change[j] = wasm_f32x4_mul(
            wasm_f32x4_sub(wasm_v128_load(v + 4 * j), wasm_f32x4_mul(recalled[j], decays)),
            wasm_f32x4_splat(beta));
    for (size_t i = 0; i < n; i++) {
        const v128_t key = wasm_v128_load32_splat(k + i), query = wasm_v128_load32_splat(q + i);
        TG_UNROLL
        for (int j = 0; j < width; j++) {
            float *columns = state + i * n + 4 * j;
            const v128_t s = wasm_f32x4_add(wasm_f32x4_mul(wasm_v128_load(columns), decays),
                                            wasm_f32x4_mul(key, change[j]));
            wasm_v128_store(columns, s);
            sum[j] = wasm_f32x4_add(sum[j], wasm_f32x4_mul(s, query));
        }
    }
    TG_UNROLL
    for (int j = 0; j < width; j++)
        wasm_v128_store(out + 4 * j, sum[j]);
}

void tgi_delta_f32__simd128(float *state, const float *q, const float *k, const float *v,
                            float decay, float beta, size_t n, float *out)
{
    size_t j = 0;
    for (; j + 16 <= n; j += 16)
        delta_columns(state + j, q, k, v + j, decay, beta, n, out + j, 4);
    for (; j < n; j += 4)
        delta_columns(state + j, q, k, v + j, decay, beta, n, out + j, 1);
}

#define MADD(a, b, c)  wasm_f32x4_add(c, wasm_f32x4_mul(a, b))
#define NMADD(a, b, c) wasm_f32x4_sub(c, wasm_f32x4_mul(a, b))
#define NAME(kernel)   tgi_##kernel##__simd128
#include "vector_float.inc"

#endif
