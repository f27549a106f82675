/* IQ1_S: blocks of 8 groups of 32 weights. A group is four points of a grid of -1, 0 and 1, shifted
 * by plus or minus an eighth, with a three-bit scale. */
#include "../grids.h"

typedef struct tg_block_iq1_s {
    uint16_t d;     /* binary16: value = d * (2 * scale + 1) * (element +- 1/8) */
    uint8_t qs[32]; /* low 8 bits of the points' indices */
    /* One number a group: the high 3 bits of 4 indices, then the scale; the top bit is set when an
     * eighth is subtracted, clear when it is added. */
    uint16_t qh[8];
} tg_block_iq1_s;

static void read_block(const tg_block_iq1_s *block, tg_packed *out)
{
    out->d = block->d;
    for (int g = 0; g < 8; g++) {
        const uint32_t qh = block->qh[g];
        out->scales[g] = (int8_t)(2 * (qh >> 12 & 7) + 1);
        for (int l = 0; l < 4; l++)
            tgi_grid_codes(tg_grid_iq1_s[block->qs[4 * g + l] | (qh >> 3 * l & 7) << 8], 8,
                           qh & 0x8000 ? 0 : 255, out->codes + 32 * g + 8 * l);
    }
}

#define TYPE iq1_s
#include "../packed.inc"
