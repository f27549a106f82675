/* The products with weights of TG_PACKED rows, as a person can read them: the reference that the
 * other variants are held to. In: tiles and activations. Out: y, into the caller's memory. */
#include "kernels.h"

#include "../quant/blocks.h"

/* The whole number that code i of a block stands for. */
static int value_of(tg_packed_layout l, const tg_packed *coded, int i)
{
    return l.book ? tg_codebooks[l.book][coded->codes[i]] : coded->codes[i] - l.offset;
}

/* A row's part of one tile: of each group an exact sum of whole numbers (below 2^24, so that it is
 * exact as a float), scaled by the activations' d and added up; then d and m of the block. x: the
 * tile's activation blocks. */
static float block_product(tg_packed_layout l, const uint8_t *tile, int lane, const tg_act_q8 *x,
                           float sum)
{
    tg_packed w;
    float scaled = 0, least = 0;
    tgi_packed_unpack(l, tile, lane, &w);
    for (int g = 0; g < l.groups; g++, x++) {
        int32_t dot[2] = {0, 0};
        for (int i = 0; i < 32; i++)
            dot[i / 16] += value_of(l, &w, 32 * g + i) * x->q[i];
        const int32_t whole = l.scales == 16
                                  ? dot[0] * w.scales[2 * g] + dot[1] * w.scales[2 * g + 1]
                              : l.scales == 8 ? (dot[0] + dot[1]) * w.scales[g]
                                              : dot[0] + dot[1];
        scaled += (float)whole * x->d;
        if (l.mins == 16) {
            least += (float)w.mins[2 * g] * x->sums[0];
            least += (float)w.mins[2 * g + 1] * x->sums[1];
        } else if (l.mins)
            least += l.mins == 8 ? (float)w.mins[g] * x->sums[2] : x->s;
    }
    sum += tgi_packed_d(l, w.d) * scaled;
    return l.mins ? sum + tgi_half_to_float(w.m) * least : sum;
}

static void matmul_coded(tg_packed_layout l, size_t tile_bytes, const uint8_t *tiles,
                         size_t n_blocks, size_t first, size_t last, const void *x, size_t x_stride,
                         size_t n_tokens, float *y, size_t y_stride)
{
    for (size_t strip = first; strip < last; strip++)
        for (size_t t = 0; t < n_tokens; t++)
            for (int lane = 0; lane < TG_TILE_ROWS; lane++) {
                const uint8_t *w = tiles + strip * n_blocks * tile_bytes;
                const tg_act_q8 *xt = (const tg_act_q8 *)((const uint8_t *)x + t * x_stride);
                float sum = 0;
                for (size_t b = 0; b < n_blocks; b++)
                    sum =
                        block_product(l, w + b * tile_bytes, lane, xt + b * (size_t)l.groups, sum);
                y[t * y_stride + strip * TG_TILE_ROWS + (size_t)lane] = sum;
            }
}

#define TG_QUANT(...)
#define TG_PACKED(NAME, suffix, ggml, elements, bytes, bits, scales, mins, book, offset, divisor,  \
                  d, dot)                                                                          \
    void tgi_matmul_##suffix##__scalar(const uint8_t *tiles, size_t n_blocks, size_t first,        \
                                       size_t last, const void *x, size_t x_stride,                \
                                       size_t n_tokens, float *y, size_t y_stride)                 \
    {                                                                                              \
        matmul_coded(tg_packed_layout_##suffix, sizeof(tg_tile_##suffix), tiles, n_blocks, first,  \
                     last, x, x_stride, n_tokens, y, y_stride);                                    \
    }
#include "../quant/quant.def"
#undef TG_QUANT
#undef TG_PACKED
