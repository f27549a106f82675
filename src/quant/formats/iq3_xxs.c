/* IQ3_XXS: blocks of 8 groups of 32 elements, eight points of a grid with signs and a four-bit
 * scale. In: file blocks or tiles. Out: floats or tiles, into the caller's memory. */
#include "../grids.h"

typedef struct tg_block_iq3_xxs {
    uint16_t d;         /* binary16: value = d * (2 scale + 1) / 4 * element */
    uint8_t qs[64];     /* the points */
    uint8_t rest[8][4]; /* of each group 32 bits: 4 times 7 signs, the scale */
} tg_block_iq3_xxs;

static void read_block(const tg_block_iq3_xxs *block, tg_packed *out)
{
    out->d = block->d;
    for (int g = 0; g < 8; g++) {
        const uint32_t rest = tgi_read_u32(block->rest[g]);
        out->scales[g] = (int8_t)(2 * (rest >> 28) + 1);
        for (int p = 0; p < 8; p++)
            tgi_grid_codes(tg_grid_iq3_xxs[block->qs[8 * g + p]], 4,
                           tgi_even_signs(rest >> p / 2 * 7 & 127) >> p % 2 * 4,
                           out->codes + 32 * g + 4 * p);
    }
}

#define TYPE iq3_xxs
#include "../packed.inc"
