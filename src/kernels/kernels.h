/* The inner loops of the forward pass (kernels): their signatures, and the table of the kernels
 * that this build uses. No kernel allocates memory; the caller owns everything that pointers lead
 * to. No kernel lets the order of additions depend on how many tokens a batch has or how threads
 * share the rows, so that one token and many give the same bits. */
#ifndef TG_KERNELS_H
#define TG_KERNELS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include "../quant/quant.h"

/* Keys that one call of the softmax and values kernels handles: a group of the streamed softmax. */
#define TG_KEY_GROUP 32

/* Terms of a row that a matmul with float weights adds up before it adds them to the row's sum
 * (even). */
#define TG_SUM_GROUP 16

/* 32 activations as signed bytes: value = q * d. The codes are rounded to nearest, ties to even, by
 * the largest magnitude / 127; d is that factor, rounded to 11 bits. A binary16, in which llama.cpp
 * keeps d, has 11 bits, too. With the same codes and scales, our logits are within 1e-6 of
 * llama.cpp's, except where a code falls on the other side of a tie. (d has the range of a float:
 * below the range of a binary16 we keep the bits that a binary16 loses.) */
typedef struct tg_act_q8 {
    int8_t q[32];
    uint8_t u[32]; /* q + 128: for a dot product whose second operand is unsigned */
    float d;
    /* Minus the sum of the codes: of the first 16, the last 16, and all. Integers, for weight codes
     * with an offset. */
    float neg_sums[3];
    /* The sums of the values (d times those of q), in the same order: for weights with mins for
     * each group. */
    float sums[3];
    /* The sum of all values with d not yet rounded, in 11 bits, as Q8_1 has it: for weights with
     * one min for a block of 32. */
    float block_sum;
} tg_act_q8;

/* x rounded to 11 significant bits: to nearest, ties to even; NaN stays NaN. */
static inline float tgi_round_to_11_bits(float x)
{
    uint32_t bits;
    memcpy(&bits, &x, sizeof bits);
    bits = (bits + 0xfff + (bits >> 13 & 1)) & ~(uint32_t)0x1fff;
    memcpy(&x, &bits, sizeof x);
    return x;
}

/* Sets d and the sums of a block. d: not yet rounded; neg_first, neg_last: minus the sum of the
 * first and the last 16 codes. */
static inline void tgi_act_scale(tg_act_q8 *block, float d, int32_t neg_first, int32_t neg_last)
{
    const int32_t neg_sums[3] = {neg_first, neg_last, neg_first + neg_last};
    block->d = tgi_round_to_11_bits(d);
    block->block_sum = tgi_round_to_11_bits(d * (float)-neg_sums[2]);
    for (int i = 0; i < 3; i++) {
        block->neg_sums[i] = (float)neg_sums[i];
        block->sums[i] = block->d * (float)-neg_sums[i];
    }
}

/* x: n floats, n a multiple of 32 -> out: n / 32 blocks. A block with an infinity or NaN gets
 * d = NaN, so that the logits show it. */
typedef void tg_quantize_fn(const float *x, size_t n, tg_act_q8 *out);

/* y[t * y_stride + r] = sum over k of W[r][k] * x_t[k], for the rows r of strips first to last - 1
 * and tokens t < n_tokens. tiles: the matrix from strip 0 on, n_blocks tiles a strip. x: n_tokens
 * rows, x_stride bytes apart, of floats or tg_act_q8 as the weight type's row says. y_stride: in
 * floats, at least TG_TILE_ROWS * last. */
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

/* gate[i] = gelu(gate[i]) * up[i], i < n, by the approximation with tanh (tgi_gelu in exp.h); up
 * NULL: times 1 */
typedef void tg_geglu_fn(float *gate, const float *up, size_t n);

/* One group of the streamed softmax (Milakov and Gimelshein 2018) to base 2, for n_queries rows of
 * TG_KEY_GROUP scores. For each row q: max[q], the largest score so far, becomes the largest of it
 * and scores[0..n); scores[0..n) become 2^(score - max[q]) and those from n on 0; sum[q] gets their
 * sum. 1 <= n <= TG_KEY_GROUP. */
typedef void tg_softmax_fn(float *scores, size_t n, size_t n_queries, float *max, float *sum);

/* 32 elements of a value row in q8_0: value = q * d. */
typedef struct tg_value_q8 {
    float d;
    int8_t q[32];
} tg_value_q8;

/* Attention's weighted sums: out[i][k] += sum over j < n_keys, in order, of p[i][j] * values[j][k],
 * for n_queries rows i. values: [TG_KEY_GROUP][head_dim] in the kernel's type (q8_0: tg_value_q8,
 * head_dim a multiple of 32); p: [n_queries][TG_KEY_GROUP]; out: [n_queries][head_dim]. */
typedef void tg_values_fn(const void *values, size_t n_keys, const float *p, size_t n_queries,
                          size_t head_dim, float *out);

/* One token's step of the gated delta rule (Yang, Kautz and Hatamizadeh 2024) on one head's state S
 * [n][n], a row for each element of the keys: S = decay * S, then S += k (beta * (v - S^T k))^T,
 * then out = S^T q. q, k, v, out: n floats. n a multiple of 4. */
typedef void tg_delta_fn(float *state, const float *q, const float *k, const float *v, float decay,
                         float beta, size_t n, float *out);

/* Whether weights from memory come faster when a burst of reads is ahead of their product.
 * tgi_kernels_select sets it. On Intel with VNNI the burst gives 1.2 to 1.7 times the speed with
 * one token. On AMD without it, the processor itself reads far enough ahead of one strip after the
 * other, and the burst takes half of the speed (both measured). */
extern bool tgi_must_prefetch;

/* Reads one byte of every cache line of `bytes` bytes, where that is the faster way: WebAssembly
 * has no prefetch instruction. */
static inline void tgi_prefetch(const void *from, size_t bytes)
{
    if (!tgi_must_prefetch)
        return;
    for (size_t i = 0; i < bytes; i += 64)
        (void)((const volatile uint8_t *)from)[i];
}

#define TG_KERNEL(kind, type, variant, tolerance) tg_##kind##_fn tgi_##kind##_##type##__##variant;
#include "kernels.def"
#undef TG_KERNEL

/* One pointer for each kind and type, named <kind>_<type>, from the scalar rows. */
#define TG_SLOT_scalar(kind, type) tg_##kind##_fn *kind##_##type;
#define TG_SLOT_simd128(kind, type)
#define TG_SLOT_relaxed(kind, type)
#define TG_SLOT_relaxed_pairs(kind, type)
#define TG_SLOT_relaxed_signed(kind, type)
#define TG_SLOT_relaxed_unsigned(kind, type)
typedef struct tg_kernels {
    const char *variant; /* what this build was made for: "scalar", "simd128" or "relaxed" */
    /* How the relaxed dot product treats bytes above 127 in its second operand: "unsigned" or
     * "signed"; "7-bit": neither, so that only bytes up to 127 may use it; "none": this build has
     * no relaxed dot product. */
    const char *dot;
#define TG_KERNEL(kind, type, variant, tolerance) TG_SLOT_##variant(kind, type)
#include "kernels.def"
#undef TG_KERNEL
} tg_kernels;

/* Fills the table with the fastest kernels that work on this CPU. */
void tgi_kernels_select(tg_kernels *kernels);

/* Whether the rows of a variant give right results on this CPU. */
bool tgi_kernel_runs(const char *variant);

/* The matmul for weights of this type. */
tg_matmul_fn *tgi_kernels_matmul(const tg_kernels *kernels, tg_quant quant);

#endif
