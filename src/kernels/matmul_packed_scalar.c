/* Matmul with weights of packed types: the readable reference for the other variants. */
#include "kernels.h"

#include "../quant/blocks.h"

/* The integer that code i of a block means. */
static int value_of(const tg_quant_row *type, const tg_packed *w, int i)
{
    return type->codebook ? tg_codebooks[type->codebook][w->codes[i]] : w->codes[i] - type->offset;
}

/* Adds one row of one tile to `sum`. Each group has an exact sum of integers (below 2^24, so that a
 * float holds it), which is multiplied by the activations' d and added up; d and m of the block
 * come last. x: the activation blocks of this tile. */
static float add_block(const tg_quant_row *type, const uint8_t *tile, int lane, const tg_act_q8 *x,
                       float sum)
{
    tg_packed w;
    float scaled = 0, min_sum = 0;
    tgi_packed_unpack(type, tile, lane, &w);
    for (int g = 0; g < tgi_packed_groups(type); g++, x++) {
        int32_t dot[2] = {0, 0};
        for (int i = 0; i < 32; i++)
            dot[i / 16] += value_of(type, &w, 32 * g + i) * x->q[i];
        const int32_t group_sum = type->scales == 16
                                      ? dot[0] * w.scales[2 * g] + dot[1] * w.scales[2 * g + 1]
                                  : type->scales == 8 ? (dot[0] + dot[1]) * w.scales[g]
                                                      : dot[0] + dot[1];
        scaled += (float)group_sum * x->d;
        if (type->mins == 16) {
            min_sum += (float)w.mins[2 * g] * x->sums[0];
            min_sum += (float)w.mins[2 * g + 1] * x->sums[1];
        } else if (type->mins)
            min_sum += type->mins == 8 ? (float)w.mins[g] * x->sums[2] : x->block_sum;
    }
    sum += tgi_packed_d(type, w.d) * scaled;
    return type->mins ? sum + tgi_half_to_float(w.m) * min_sum : sum;
}

static void matmul_packed(const tg_quant_row *type, const uint8_t *tiles, size_t n_blocks,
                          size_t first, size_t last, const void *x, size_t x_stride,
                          size_t n_tokens, float *y, size_t y_stride)
{
    const size_t tile_bytes = tgi_packed_tile_bytes(type), groups = (size_t)tgi_packed_groups(type);
    for (size_t strip = first; strip < last; strip++)
        for (size_t t = 0; t < n_tokens; t++)
            for (int lane = 0; lane < TG_TILE_ROWS; lane++) {
                const uint8_t *w = tiles + strip * n_blocks * tile_bytes;
                const tg_act_q8 *xt = (const tg_act_q8 *)((const uint8_t *)x + t * x_stride);
                float sum = 0;
                for (size_t b = 0; b < n_blocks; b++)
                    sum = add_block(type, w + b * tile_bytes, lane, xt + b * groups, sum);
                y[t * y_stride + strip * TG_TILE_ROWS + (size_t)lane] = sum;
            }
}

#define TG_PACKED(NAME, suffix, dot, ...)                                                          \
    void tgi_matmul_##suffix##__scalar(const uint8_t *tiles, size_t n_blocks, size_t first,        \
                                       size_t last, const void *x, size_t x_stride,                \
                                       size_t n_tokens, float *y, size_t y_stride)                 \
    {                                                                                              \
        matmul_packed(&tg_packed_##suffix, tiles, n_blocks, first, last, x, x_stride, n_tokens, y, \
                      y_stride);                                                                   \
    }
#include "../quant/packed.def"
#undef TG_PACKED
