/* The kernels on vectors with WebAssembly SIMD: the same bits as the scalar reference. In: float vectors or pages of the cache.
 * Out: results into the caller's memory. */
#ifdef __wasm_simd128__

#include "exp.h"
#include "simd.h"

#include <float.h>

static inline float greatest_lane(v128_t v)
{
    v = wasm_f32x4_max(v, wasm_i32x4_shuffle(v, v, 2, 3, 0, 1));
    v = wasm_f32x4_max(v, wasm_i32x4_shuffle(v, v, 1, 0, 3, 2));
    return wasm_f32x4_extract_lane(v, 0);
}

static inline int32_t sum_lanes(v128_t v)
{
    v = wasm_i32x4_add(v, wasm_i32x4_shuffle(v, v, 2, 3, 0, 1));
    v = wasm_i32x4_add(v, wasm_i32x4_shuffle(v, v, 1, 0, 3, 2));
    return wasm_i32x4_extract_lane(v, 0);
}

void tg_quantize_q8__simd128(const float *x, size_t n, tg_act_q8 *out)
{
    for (size_t b = 0; b < n / 32; b++, x += 32, out++) {
        v128_t v[8], most = wasm_f32x4_const_splat(0), sum = wasm_i32x4_const_splat(0);
        TG_UNROLL for (int i = 0; i < 8; i++)
        {
            v[i] = wasm_v128_load(x + 4 * i);
            most = wasm_f32x4_max(most, wasm_f32x4_abs(v[i])); /* NaN stays NaN */
        }
        const float greatest = greatest_lane(most);
        const int finite = greatest <= FLT_MAX;
        const float inverse = finite && greatest > 1e-30f ? 127.0f / greatest : 0.0f;
        const v128_t factor = wasm_f32x4_splat(inverse);
        out->d = !finite ? NAN : inverse > 0 ? greatest / 127.0f : 0.0f;
        TG_UNROLL for (int i = 0; i < 8; i += 4)
        {
            v128_t c[4];
            TG_UNROLL for (int j = 0; j < 4; j++)
            {
                const v128_t scaled = inverse > 0 ? wasm_f32x4_mul(v[i + j], factor) : wasm_f32x4_const_splat(0);
                c[j] = wasm_i32x4_trunc_sat_f32x4(wasm_f32x4_nearest(scaled));
                sum = wasm_i32x4_sub(sum, c[j]);
            }
            const v128_t codes =
                wasm_i8x16_narrow_i16x8(wasm_i16x8_narrow_i32x4(c[0], c[1]), wasm_i16x8_narrow_i32x4(c[2], c[3]));
            wasm_v128_store(out->q + 4 * i, codes);
            wasm_v128_store(out->u + 4 * i, wasm_v128_xor(codes, wasm_i8x16_const_splat(-128))); /* adds 128 to each */
        }
        out->minus_sum = sum_lanes(sum);
    }
}

void tg_rmsnorm_f32__simd128(const float *x, const float *weight, float eps, size_t n, float *y)
{
    v128_t v[4];
    float sum[16];
    size_t i = 0;
    TG_UNROLL for (int j = 0; j < 4; j++) v[j] = wasm_f32x4_const_splat(0);
    for (; i + 16 <= n; i += 16) {
        TG_UNROLL for (int j = 0; j < 4; j++)
        {
            const v128_t part = wasm_v128_load(x + i + 4 * j);
            v[j] = wasm_f32x4_add(v[j], wasm_f32x4_mul(part, part));
        }
    }
    TG_UNROLL for (int j = 0; j < 4; j++) wasm_v128_store(sum + 4 * j, v[j]);
    for (; i < n; i++)
        sum[i % 16] += x[i] * x[i];
    for (int width = 8; width; width /= 2)
        for (int j = 0; j < width; j++)
            sum[j] += sum[j + width];
    const float scale = 1.0f / sqrtf(sum[0] / (float)n + eps);
    const v128_t scales = wasm_f32x4_splat(scale);
    for (i = 0; i + 4 <= n; i += 4)
        wasm_v128_store(y + i, wasm_f32x4_mul(wasm_f32x4_mul(wasm_v128_load(x + i), scales), wasm_v128_load(weight + i)));
    for (; i < n; i++)
        y[i] = x[i] * scale * weight[i];
}

void tg_swiglu_f32__simd128(float *gate, const float *up, size_t n)
{
    const v128_t one = wasm_f32x4_const_splat(1);
    size_t i = 0;
    for (; i + 4 <= n; i += 4) {
        const v128_t g = wasm_v128_load(gate + i);
        const v128_t silu = wasm_f32x4_div(g, wasm_f32x4_add(one, tg_exp4(wasm_f32x4_neg(g))));
        wasm_v128_store(gate + i, wasm_f32x4_mul(silu, wasm_v128_load(up + i)));
    }
    for (; i < n; i++)
        gate[i] = gate[i] / (1.0f + tg_exp(-gate[i])) * up[i];
}

float tg_softmax_f32__simd128(float *scores, size_t n, float before, float *sum)
{
    v128_t v[8], most = wasm_f32x4_splat(before), part = wasm_f32x4_const_splat(0);
    const v128_t count = wasm_i32x4_splat((int32_t)n);
    TG_UNROLL for (int i = 0; i < 8; i++)
    {
        const v128_t index = wasm_i32x4_make(4 * i, 4 * i + 1, 4 * i + 2, 4 * i + 3);
        v[i] = wasm_v128_load(scores + 4 * i);
        /* keys that are not there take the value of the running maximum, which changes nothing */
        const v128_t there = wasm_i32x4_lt(index, count);
        most = wasm_f32x4_pmax(most, wasm_v128_bitselect(v[i], wasm_f32x4_splat(before), there));
    }
    const float m = greatest_lane(most);
    TG_UNROLL for (int i = 0; i < 8; i++)
    {
        const v128_t index = wasm_i32x4_make(4 * i, 4 * i + 1, 4 * i + 2, 4 * i + 3);
        const v128_t e = wasm_v128_and(tg_exp4(wasm_f32x4_sub(v[i], wasm_f32x4_splat(m))), wasm_i32x4_lt(index, count));
        part = wasm_f32x4_add(part, e);
        wasm_v128_store(scores + 4 * i, e);
    }
    *sum = (wasm_f32x4_extract_lane(part, 0) + wasm_f32x4_extract_lane(part, 1)) +
           (wasm_f32x4_extract_lane(part, 2) + wasm_f32x4_extract_lane(part, 3));
    return m;
}

static inline v128_t load_f32(const float *four)
{
    return wasm_v128_load(four);
}

static inline v128_t load_f16(const uint16_t *four)
{
    return tg_half4(four);
}

#define KEYS(type, element)                                                                                                      \
    void tg_keys_##type##__simd128(const void *keys, const float *q, size_t head_dim, float *scores)                             \
    {                                                                                                                            \
        const element *k = keys;                                                                                                 \
        v128_t sum[8];                                                                                                           \
        TG_UNROLL for (int j = 0; j < 8; j++) sum[j] = wasm_f32x4_const_splat(0);                                                \
        for (size_t i = 0; i < head_dim; i++, k += TG_PAGE) {                                                                    \
            const v128_t qi = wasm_v128_load32_splat(q + i);                                                                     \
            TG_UNROLL for (int j = 0; j < 8; j++) sum[j] = wasm_f32x4_add(sum[j], wasm_f32x4_mul(qi, load_##type(k + 4 * j)));   \
        }                                                                                                                        \
        TG_UNROLL for (int j = 0; j < 8; j++) wasm_v128_store(scores + 4 * j, sum[j]);                                           \
    }

KEYS(f32, float)
KEYS(f16, uint16_t)

/* Four vectors of the output at a time stay in registers while the keys go by. */
#define VALUES(type, element)                                                                                                    \
    void tg_values_##type##__simd128(const void *values, const float *p, size_t n, size_t head_dim, float *out)                  \
    {                                                                                                                            \
        size_t i = 0;                                                                                                            \
        for (; i + 16 <= head_dim; i += 16) {                                                                                    \
            const element *v = (const element *)values + i;                                                                      \
            v128_t sum[4];                                                                                                       \
            TG_UNROLL for (int k = 0; k < 4; k++) sum[k] = wasm_v128_load(out + i + 4 * k);                                      \
            for (size_t j = 0; j < n; j++, v += head_dim) {                                                                      \
                const v128_t pj = wasm_v128_load32_splat(p + j);                                                                 \
                TG_UNROLL for (int k = 0; k < 4; k++) sum[k] =                                                                   \
                    wasm_f32x4_add(sum[k], wasm_f32x4_mul(pj, load_##type(v + 4 * k)));                                          \
            }                                                                                                                    \
            TG_UNROLL for (int k = 0; k < 4; k++) wasm_v128_store(out + i + 4 * k, sum[k]);                                      \
        }                                                                                                                        \
        for (; i < head_dim; i++)                                                                                                \
            for (size_t j = 0; j < n; j++)                                                                                       \
                out[i] += p[j] * element_##type((const element *)values + j * head_dim + i);                                     \
    }

static inline float element_f32(const float *value)
{
    return *value;
}

static inline float element_f16(const uint16_t *value)
{
    return tg_half_to_float(*value);
}

VALUES(f32, float)
VALUES(f16, uint16_t)

#endif
