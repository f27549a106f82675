/* IQ2_XXS: blocks of 8 groups of 32 weights. A group is four points of a grid with signs and a
 * four-bit scale. */
#include "../grids.h"

typedef struct tg_block_iq2_xxs {
    uint16_t d; /* binary16: value = d * (2 * scale + 1) / 8 * element */
    /* One row a group: 4 indices of points, then 32 bits: 4 times 7 signs and the scale. */
    uint8_t qs[8][8];
} tg_block_iq2_xxs;

static void read_block(const tg_block_iq2_xxs *block, tg_packed *out)
{
    out->d = block->d;
    for (int g = 0; g < 8; g++) {
        const uint32_t signs_and_scale = tgi_read_u32(block->qs[g] + 4);
        out->scales[g] = (int8_t)(2 * (signs_and_scale >> 28) + 1);
        for (int l = 0; l < 4; l++)
            tgi_grid_codes(tg_grid_iq2_xxs[block->qs[g][l]], 8,
                           tgi_even_signs(signs_and_scale >> 7 * l & 127),
                           out->codes + 32 * g + 8 * l);
    }
}

#define TYPE iq2_xxs
#include "../packed.inc"
