/* The inner loops of the forward pass: their signatures, and the table of those that this build
 * uses. In: pointers that the caller owns. Out: results written where the caller says. No kernel
 * allocates, and none lets the order of additions depend on how many tokens are in the batch or how
 * the rows are dealt out, so that one token and many give the same bits. */
#ifndef TG_KERNELS_H
#define TG_KERNELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "../quant/quant.h"

#define TG_PAGE                                                                                    \
    32 /* positions in a page of the cache, and keys in a group of the streamed softmax */

#define TG_SUM_GROUP                                                                               \
    16 /* terms of a row that a product of floats adds up before it adds them to the others (even) \
        */

/* 32 activations as signed bytes: value = q * d, codes rounded to nearest, ties to even, by
 * greatest magnitude / 127; d is that, rounded to 11 bits. A binary16 has as many, which is how
 * llama.cpp keeps d: by the same codes and scales its logits and ours are within 1e-6 of each
 * other, and part only where a code falls to the other side of a tie. (The range is a float's:
 * below a binary16's we keep the bits that it loses.) */
typedef struct tg_act_q8 {
    int8_t q[32];
    uint8_t u[32]; /* q + 128: for a dot product whose second operand is unsigned */
    float d;
    float minus[3]; /* the sums of the first and the last 16 codes and of all, times -1: whole
                       numbers, for weight codes with an offset */
    float sums[3]; /* of the values, d times those of q: for weights that have a least value in each
                      group */
    float s; /* of all values, before d was rounded, in 11 bits: Q8_1's, for weights that have one
                in a block of 32 */
} tg_act_q8;

/* x in 11 significant bits, to nearest, ties to even; NaN stays NaN. */
static inline float tgi_round_to_11_bits(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    bits = (bits + 0xfff + (bits >> 13 & 1)) & ~(uint32_t)0x1fff;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/* d and what follows from it. d: not yet rounded; first, last: the sums of the halves' codes, times
 * -1. */
static inline void tgi_act_scale(tg_act_q8 *block, float d, int32_t first, int32_t last)
{
    const int32_t minus[3] = {first, last, first + last};
    block->d = tgi_round_to_11_bits(d);
    block->s = tgi_round_to_11_bits(d * (float)-minus[2]);
    for (int i = 0; i < 3; i++) {
        block->minus[i] = (float)minus[i];
        block->sums[i] = block->d * (float)-minus[i];
    }
}

/* x: n floats, n a multiple of 32 -> n / 32 blocks. A block with an infinity or NaN gets d = NaN,
 * so that it is noticed. */
typedef void tg_quantize_fn(const float *x, size_t n, tg_act_q8 *out);

/* y[t * y_stride + r] = sum over k of W[r][k] * x_t[k], for the rows r of strips first to last - 1
 * and tokens t < n_tokens. tiles: the matrix from strip 0 on, n_blocks tiles a strip; x: n_tokens
 * rows of x_stride bytes, floats or tg_act_q8 as quant.def says. y_stride: floats, at least
 * TG_TILE_ROWS * last. */
typedef void tg_matmul_fn(const uint8_t *tiles, size_t n_blocks, size_t first, size_t last,
                          const void *x, size_t x_stride, size_t n_tokens, float *y,
                          size_t y_stride);

/* y[i] = x[i] / sqrt(mean of x^2 + eps) * weight[i], i < n (Zhang and Sennrich 2019, root mean
 * square layer normalization); weight NULL: times 1 */
typedef void tg_rmsnorm_fn(const float *x, const float *weight, float eps, size_t n, float *y);

/* y[i] = (x[i] - mean) / sqrt(mean of (x - mean)^2 + eps) * weight[i] + bias[i], i < n (Ba, Kiros
 * and Hinton 2016, layer normalization); weight NULL: times 1; bias NULL: plus 0 */
typedef void tg_layernorm_fn(const float *x, const float *weight, const float *bias, float eps,
                             size_t n, float *y);

/* gate[i] = gate[i] / (1 + exp(-gate[i])) * up[i], i < n (Shazeer 2020, GLU variants); up NULL:
 * times 1 */
typedef void tg_swiglu_fn(float *gate, const float *up, size_t n);
/* gate[i] = gelu(gate[i]) * up[i], by the approximation with tanh (exp.h: tgi_gelu), likewise */
typedef void tg_geglu_fn(float *gate, const float *up, size_t n);

/* One group of the streamed softmax (Milakov and Gimelshein 2018) to base 2, for each of n_queries
 * rows of TG_PAGE scores: scores[0..n) become 2^(score - most), those from n on 0, where most,
 * before it the greatest score so far, becomes the greatest of it and these; sum gets their sum. 1
 * <= n <= TG_PAGE. */
typedef void tg_softmax_fn(float *scores, size_t n, size_t n_queries, float *most, float *sum);

/* 32 elements of a cached value: value = q * d. */
typedef struct tg_value_q8 {
    float d;
    int8_t q[32];
} tg_value_q8;

/* out[i][k] += (sum over j < n_keys, in their order, of p[i][j] * values[j][k]), for n_queries rows
 * i. values: [TG_PAGE][head_dim] in the cache's type (q8_0: tg_value_q8, head_dim a multiple of
 * 32); p: [n_queries][TG_PAGE]; out: [n_queries][head_dim]. */
typedef void tg_values_fn(const void *values, size_t n_keys, const float *p, size_t n_queries,
                          size_t head_dim, float *out);

/* One token's step of the gated delta rule (Yang, Kautz and Hatamizadeh 2024) on one head's state S
 * [n][n], a row for each element of the keys: S = decay * S, then S += k (beta * (v - S^T k))^T,
 * then out = S^T q. n a multiple of 4. */
typedef void tg_delta_fn(float *state, const float *q, const float *k, const float *v, float decay,
                         float beta, size_t n, float *out);

/* Reads a byte of every cache line of `bytes` bytes: WebAssembly has no prefetch, and this is as
 * good. A walk over tiles does so much for each line that a processor does not look far enough
 * ahead to keep memory busy; a burst of reads does (measured: 1.2 to 1.7 times the speed of a
 * product with one token). */
static inline void tgi_touch(const void *from, size_t bytes)
{
    for (size_t i = 0; i < bytes; i += 64)
        (void)((const volatile uint8_t *)from)[i];
}

#define TG_KERNEL(kind, type, variant, tolerance) tg_##kind##_fn tgi_##kind##_##type##__##variant;
#include "kernels.def"
#undef TG_KERNEL

/* A slot for each kind and type, named <kind>_<type>: the scalar rows stand once for each. */
#define TG_SLOT_scalar(kind, type) tg_##kind##_fn *kind##_##type;
#define TG_SLOT_simd128(kind, type)
#define TG_SLOT_relaxed(kind, type)
#define TG_SLOT_relaxed_signed(kind, type)
#define TG_SLOT_relaxed_unsigned(kind, type)
typedef struct tg_kernels {
    const char *variant; /* "scalar", "simd128" or "relaxed": what this build was made for */
    const char *dot; /* how the relaxed dot product takes a second operand above 127: "unsigned",
                        "signed"; "7-bit": neither, so that only codes up to 127 may use it; "none":
                        this build has none */
#define TG_KERNEL(kind, type, variant, tolerance) TG_SLOT_##variant(kind, type)
#include "kernels.def"
#undef TG_KERNEL
} tg_kernels;

void tgi_kernels_select(tg_kernels *kernels);
/* Whether the rows of a variant give right results on this processor. */
bool tgi_kernel_runs(const char *variant);
tg_matmul_fn *tgi_kernels_matmul(const tg_kernels *kernels, tg_quant quant);

#endif
