/* Matmul with float and Q8_0 weights: the readable reference for the other variants. The terms of a
 * row are added block by block, whatever the batch. */
#include "kernels.h"

#include "../quant/blocks.h"

/* ---- float weights: sums of groups of elements, even and odd ones apart, as in the vector
 * variants ---- */

static float element_f32(const uint8_t *tiles, size_t k, int lane)
{
    return ((const tg_tile_f32 *)tiles)[k][lane];
}

static float element_f16(const uint8_t *tiles, size_t k, int lane)
{
    return tgi_half_to_float(((const tg_tile_f16 *)tiles)[k][lane]);
}

static float element_bf16(const uint8_t *tiles, size_t k, int lane)
{
    float value;
    tgi_tile_row_bf16(tiles + k * sizeof(tg_tile_bf16), 1, lane, &value);
    return value;
}

static inline void matmul_elements(float (*element)(const uint8_t *, size_t, int),
                                   size_t tile_bytes, const uint8_t *tiles, size_t n_blocks,
                                   size_t first, size_t last, const void *x, size_t x_stride,
                                   size_t n_tokens, float *y, size_t y_stride)
{
    for (size_t strip = first; strip < last; strip++)
        for (size_t t = 0; t < n_tokens; t++)
            for (int lane = 0; lane < TG_TILE_ROWS; lane++) {
                const uint8_t *w = tiles + strip * n_blocks * tile_bytes;
                const float *xt = (const float *)((const uint8_t *)x + t * x_stride);
                float sum = 0;
                for (size_t k = 0; k < n_blocks;) {
                    float part[2] = {0, 0};
                    const size_t end = n_blocks - k < TG_SUM_GROUP ? n_blocks : k + TG_SUM_GROUP;
                    for (; k < end; k++)
                        part[k % 2] += element(w, k, lane) * xt[k];
                    sum += part[0] + part[1];
                }
                y[t * y_stride + strip * TG_TILE_ROWS + (size_t)lane] = sum;
            }
}

void tgi_matmul_f32__scalar(const uint8_t *tiles, size_t n_blocks, size_t first, size_t last,
                            const void *x, size_t x_stride, size_t n_tokens, float *y,
                            size_t y_stride)
{
    matmul_elements(element_f32, sizeof(tg_tile_f32), tiles, n_blocks, first, last, x, x_stride,
                    n_tokens, y, y_stride);
}

void tgi_matmul_f16__scalar(const uint8_t *tiles, size_t n_blocks, size_t first, size_t last,
                            const void *x, size_t x_stride, size_t n_tokens, float *y,
                            size_t y_stride)
{
    matmul_elements(element_f16, sizeof(tg_tile_f16), tiles, n_blocks, first, last, x, x_stride,
                    n_tokens, y, y_stride);
}

void tgi_matmul_bf16__scalar(const uint8_t *tiles, size_t n_blocks, size_t first, size_t last,
                             const void *x, size_t x_stride, size_t n_tokens, float *y,
                             size_t y_stride)
{
    matmul_elements(element_bf16, sizeof(tg_tile_bf16), tiles, n_blocks, first, last, x, x_stride,
                    n_tokens, y, y_stride);
}

/* ---- Q8_0: an exact integer sum for each block, scaled and added ---- */

void tgi_matmul_q8_0__scalar(const uint8_t *tiles, size_t n_blocks, size_t first, size_t last,
                             const void *x, size_t x_stride, size_t n_tokens, float *y,
                             size_t y_stride)
{
    for (size_t strip = first; strip < last; strip++)
        for (size_t t = 0; t < n_tokens; t++)
            for (int lane = 0; lane < TG_TILE_ROWS; lane++) {
                const tg_tile_q8_0 *tile = (const tg_tile_q8_0 *)tiles + strip * n_blocks;
                const tg_act_q8 *xt = (const tg_act_q8 *)((const uint8_t *)x + t * x_stride);
                float sum = 0;
                for (size_t b = 0; b < n_blocks; b++, tile++, xt++) {
                    int32_t dot = 0;
                    for (int i = 0; i < 32; i++)
                        dot += tile->qs[i / 4][lane][i % 4] * xt->q[i];
                    sum += (float)dot * (tgi_half_to_float(tile->d[lane]) * xt->d);
                }
                y[t * y_stride + strip * TG_TILE_ROWS + (size_t)lane] = sum;
            }
}
