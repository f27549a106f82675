/* The vector kernels: the readable reference for the other variants. Sums have 16 lanes that are
 * added in a fixed tree, as in the other variants. */
#include "exp.h"
#include "kernels.h"

#include <float.h>

void tgi_quantize_q8__scalar(const float *x, size_t n, tg_act_q8 *out)
{
    for (size_t b = 0; b < n / 32; b++, x += 32) {
        float max = 0;
        int finite = 1;
        for (int i = 0; i < 32; i++) {
            const float magnitude = fabsf(x[i]);
            finite &= magnitude <= FLT_MAX;
            if (magnitude > max)
                max = magnitude;
        }
        /* below 1e-30 the inverse could overflow: such a block becomes zeros */
        const float inverse = finite && max > 1e-30f ? 127.0f / max : 0.0f;
        const float d = !finite ? NAN : inverse > 0 ? max / 127.0f : 0.0f;
        int32_t neg_sums[2] = {0, 0};
        for (int i = 0; i < 32; i++) {
            out[b].q[i] = inverse > 0 ? (int8_t)rintf(x[i] * inverse) : 0;
            out[b].u[i] = (uint8_t)(out[b].q[i] + 128);
            neg_sums[i / 16] -= out[b].q[i];
        }
        tgi_act_scale(&out[b], d, neg_sums[0], neg_sums[1]);
    }
}

/* The sum of 16 lanes, added in a fixed tree. */
static float sum_lanes(float *sum)
{
    for (int width = 8; width; width /= 2)
        for (int i = 0; i < width; i++)
            sum[i] += sum[i + width];
    return sum[0];
}

void tgi_rmsnorm_f32__scalar(const float *x, const float *weight, float eps, size_t n, float *y)
{
    float sum[16] = {0};
    for (size_t i = 0; i < n; i++)
        sum[i % 16] += x[i] * x[i];
    const float scale = 1.0f / sqrtf(sum_lanes(sum) / (float)n + eps);
    for (size_t i = 0; i < n; i++)
        y[i] = x[i] * scale * (weight ? weight[i] : 1.0f);
}

void tgi_layernorm_f32__scalar(const float *x, const float *weight, const float *bias, float eps,
                               size_t n, float *y)
{
    float sum[16] = {0}, squares[16] = {0};
    for (size_t i = 0; i < n; i++)
        sum[i % 16] += x[i];
    const float mean = sum_lanes(sum) / (float)n;
    for (size_t i = 0; i < n; i++)
        squares[i % 16] += (x[i] - mean) * (x[i] - mean);
    const float scale = 1.0f / sqrtf(sum_lanes(squares) / (float)n + eps);
    for (size_t i = 0; i < n; i++)
        y[i] = (x[i] - mean) * scale * (weight ? weight[i] : 1.0f) + (bias ? bias[i] : 0.0f);
}

void tgi_swiglu_f32__scalar(float *gate, const float *up, size_t n)
{
    for (size_t i = 0; i < n; i++)
        gate[i] = gate[i] / (1.0f + tgi_exp(-gate[i])) * (up ? up[i] : 1.0f);
}

void tgi_geglu_f32__scalar(float *gate, const float *up, size_t n)
{
    for (size_t i = 0; i < n; i++)
        gate[i] = tgi_gelu(gate[i]) * (up ? up[i] : 1.0f);
}

void tgi_softmax_f32__scalar(float *scores, size_t n, size_t n_queries, float *max, float *sum)
{
    for (size_t q = 0; q < n_queries; q++, scores += TG_KEY_GROUP) {
        float part[TG_KEY_GROUP];
        for (size_t j = 0; j < n; j++)
            if (scores[j] > max[q])
                max[q] = scores[j];
        for (size_t j = 0; j < TG_KEY_GROUP; j++)
            part[j] = scores[j] = j < n ? tgi_exp2(scores[j] - max[q]) : 0;
        for (size_t width = TG_KEY_GROUP / 2; width >= 4; width /= 2)
            for (size_t j = 0; j < width; j++)
                part[j] += part[j + width];
        sum[q] = (part[0] + part[1]) + (part[2] + part[3]);
    }
}

static float value_f32(const void *values, size_t i)
{
    return ((const float *)values)[i];
}

static float value_f16(const void *values, size_t i)
{
    return tgi_half_to_float(((const uint16_t *)values)[i]);
}

static float value_q8_0(const void *values, size_t i)
{
    const tg_value_q8 *block = (const tg_value_q8 *)values + i / 32;
    return (float)block->q[i % 32] * block->d;
}

static inline void weighted_values(float (*value)(const void *, size_t), const void *values,
                                   size_t n_keys, const float *p, size_t n_queries, size_t head_dim,
                                   float *out)
{
    for (size_t q = 0; q < n_queries; q++)
        for (size_t i = 0; i < head_dim; i++) {
            float sum = 0;
            for (size_t j = 0; j < n_keys; j++)
                sum += p[q * TG_KEY_GROUP + j] * value(values, j * head_dim + i);
            out[q * head_dim + i] += sum;
        }
}

void tgi_values_f32__scalar(const void *values, size_t n_keys, const float *p, size_t n_queries,
                            size_t head_dim, float *out)
{
    weighted_values(value_f32, values, n_keys, p, n_queries, head_dim, out);
}

void tgi_values_f16__scalar(const void *values, size_t n_keys, const float *p, size_t n_queries,
                            size_t head_dim, float *out)
{
    weighted_values(value_f16, values, n_keys, p, n_queries, head_dim, out);
}

void tgi_values_q8_0__scalar(const void *values, size_t n_keys, const float *p, size_t n_queries,
                             size_t head_dim, float *out)
{
    weighted_values(value_q8_0, values, n_keys, p, n_queries, head_dim, out);
}

void tgi_delta_f32__scalar(float *state, const float *q, const float *k, const float *v,
                           float decay, float beta, size_t n, float *out)
{
    for (size_t j = 0; j < n; j++) {
        float recalled = 0;
        for (size_t i = 0; i < n; i++)
            recalled += state[i * n + j] * k[i];
        const float change = (v[j] - recalled * decay) * beta;
        out[j] = 0;
        for (size_t i = 0; i < n; i++) {
            state[i * n + j] = state[i * n + j] * decay + k[i] * change;
            out[j] += state[i * n + j] * q[i];
        }
    }
}
