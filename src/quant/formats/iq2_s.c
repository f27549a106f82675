/* IQ2_S: blocks of 16 groups of 16 weights. A group is two points of a grid with signs and a
 * four-bit scale. */
#include "../grids.h"

typedef struct tg_block_iq2_s {
    uint16_t d;        /* binary16: value = d * (2 * scale + 1) / 8 * element */
    uint8_t qs[32];    /* low 8 bits of the points' indices */
    uint8_t signs[32]; /* one bit for each element of the points */
    uint8_t qh[8];     /* high 2 bits of index p: bits 2 (p % 4) and up of byte p / 4 */
    uint8_t scales[8]; /* scale g is in byte g / 2; even ones in the low half */
} tg_block_iq2_s;

static void read_block(const tg_block_iq2_s *block, tg_packed *out)
{
    out->d = block->d;
    for (int g = 0; g < 16; g++)
        out->scales[g] = (int8_t)(2 * (block->scales[g / 2] >> g % 2 * 4 & 15) + 1);
    for (int p = 0; p < 32; p++)
        tgi_grid_codes(tg_grid_iq2_s[block->qs[p] | (block->qh[p / 4] >> p % 4 * 2 & 3) << 8], 8,
                       block->signs[p], out->codes + 8 * p);
}

#define TYPE iq2_s
#include "../packed.inc"
