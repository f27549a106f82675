/* IQ3_XXS: blocks of 8 groups of 32 weights. A group is eight points of a grid with signs and a
 * four-bit scale. */
#include "../grids.h"

typedef struct tg_block_iq3_xxs {
    uint16_t d;                    /* binary16: value = d * (2 * scale + 1) / 4 * element */
    uint8_t qs[64];                /* indices of the points */
    uint8_t signs_and_scale[8][4]; /* one row a group, 32 bits: 4 times 7 signs and the scale */
} tg_block_iq3_xxs;

static void read_block(const tg_block_iq3_xxs *block, tg_packed *out)
{
    out->d = block->d;
    for (int g = 0; g < 8; g++) {
        const uint32_t signs_and_scale = tgi_read_u32(block->signs_and_scale[g]);
        out->scales[g] = (int8_t)(2 * (signs_and_scale >> 28) + 1);
        for (int p = 0; p < 8; p++)
            tgi_grid_codes(tg_grid_iq3_xxs[block->qs[8 * g + p]], 4,
                           tgi_even_signs(signs_and_scale >> p / 2 * 7 & 127) >> p % 2 * 4,
                           out->codes + 32 * g + 4 * p);
    }
}

#define TYPE iq3_xxs
#include "../packed.inc"
