/* IQ1_M: blocks of 16 groups of 16 weights. A group is two points of IQ1_S's grid, each shifted by
 * plus or minus an eighth, with a three-bit scale. */
#include "../grids.h"

typedef struct tg_block_iq1_m {
    uint8_t qs[32]; /* low 8 bits of the points' indices */
    /* One byte a group, its first point in the low half: the index's high 3 bits; the fourth bit is
     * set when an eighth is subtracted, clear when it is added. */
    uint8_t qh[16];
    /* Low 12 bits: the scales of 4 groups, 3 bits each. High 4 bits: a quarter of d, a binary16,
     * the lowest first. value = d * (2 * scale + 1) * (element +- 1/8) */
    uint16_t scales[4];
} tg_block_iq1_m;

static void read_block(const tg_block_iq1_m *block, tg_packed *out)
{
    out->d = 0;
    for (int k = 0; k < 4; k++)
        out->d |= (uint16_t)(block->scales[k] >> 12 << 4 * k);
    for (int g = 0; g < 16; g++)
        out->scales[g] = (int8_t)(2 * (block->scales[g / 4] >> g % 4 * 3 & 7) + 1);
    for (int p = 0; p < 32; p++) {
        const uint32_t high = block->qh[p / 2] >> p % 2 * 4 & 15u;
        tgi_grid_codes(tg_grid_iq1_s[block->qs[p] | (high & 7) << 8], 8, high & 8 ? 0 : 255,
                       out->codes + 8 * p);
    }
}

#define TYPE iq1_m
#include "../packed.inc"
