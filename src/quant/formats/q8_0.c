/* Q8_0: blocks of 32 signed bytes with one scale. */
#include "../blocks.h"

#include <string.h>

void tgi_dequantize_q8_0(const uint8_t *blocks, size_t n_blocks, float *out)
{
    for (size_t b = 0; b < n_blocks; b++, out += 32) {
        tg_block_q8_0 block; /* a copy, because bytes of a file need not be aligned */
        memcpy(&block, blocks + b * sizeof block, sizeof block);
        const float d = tgi_half_to_float(block.d);
        for (int i = 0; i < 32; i++)
            out[i] = (float)block.qs[i] * d;
    }
}

bool tgi_repack_q8_0(const uint8_t *blocks, size_t n_blocks, int lane, uint8_t *tiles)
{
    bool finite = true;
    for (size_t b = 0; b < n_blocks; b++) {
        const uint8_t *block = blocks + b * sizeof(tg_block_q8_0);
        tg_tile_q8_0 *tile = (tg_tile_q8_0 *)tiles + b;
        memcpy(&tile->d[lane], block, 2);
        finite &= tgi_half_is_finite(tile->d[lane]);
        int sum = 0;
        for (int j = 0; j < 8; j++)
            memcpy(tile->qs[j][lane], block + 2 + 4 * j, 4);
        for (int i = 0; i < 32; i++)
            sum += (int8_t)block[2 + i];
        tile->sum[lane] = (int16_t)sum;
    }
    return finite;
}

void tgi_tile_row_q8_0(const uint8_t *tiles, size_t n_blocks, int lane, float *out)
{
    const tg_tile_q8_0 *tile = (const tg_tile_q8_0 *)tiles;
    for (size_t b = 0; b < n_blocks; b++, tile++, out += 32) {
        const float d = tgi_half_to_float(tile->d[lane]);
        for (int i = 0; i < 32; i++)
            out[i] = (float)tile->qs[i / 4][lane][i % 4] * d;
    }
}
