/* IQ2_XS: blocks of 16 groups of 16 weights. A group is two points of a grid with signs and a
 * four-bit scale. */
#include "../grids.h"

typedef struct tg_block_iq2_xs {
    uint16_t d;        /* binary16: value = d * (2 * scale + 1) / 8 * element */
    uint16_t qs[32];   /* 9 bits: index of the point; 7 bits: signs */
    uint8_t scales[8]; /* scale g is in byte g / 2; even ones in the low half */
} tg_block_iq2_xs;

static void read_block(const tg_block_iq2_xs *block, tg_packed *out)
{
    out->d = block->d;
    for (int g = 0; g < 16; g++)
        out->scales[g] = (int8_t)(2 * (block->scales[g / 2] >> g % 2 * 4 & 15) + 1);
    for (int p = 0; p < 32; p++)
        tgi_grid_codes(tg_grid_iq2_xs[block->qs[p] & 511], 8, tgi_even_signs(block->qs[p] >> 9),
                       out->codes + 8 * p);
}

#define TYPE iq2_xs
#include "../packed.inc"
