/* IQ1_S: blocks of 8 groups of 32 elements, four points of a grid of -1, 0 and 1, moved by an
 * eighth, with a three-bit scale. In: file blocks or tiles. Out: floats or tiles, into the caller's
 * memory. */
#include "../grids.h"

typedef struct tg_block_iq1_s {
    uint16_t d;     /* binary16: value = d * (2 scale + 1) * (element - or + 1 / 8) */
    uint8_t qs[32]; /* low 8 bits of the points */
    uint16_t qh[8]; /* of each group the high 3 bits of 4 points, the scale, and whether an eighth
                       is taken off */
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
