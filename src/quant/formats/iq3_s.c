/* IQ3_S: blocks of 8 groups of 32 weights. A group is eight points of a grid with signs and a
 * four-bit scale. */
#include "../grids.h"

typedef struct tg_block_iq3_s {
    uint16_t d;        /* binary16: value = d * (2 * scale + 1) * element */
    uint8_t qs[64];    /* low 8 bits of the points' indices */
    uint8_t qh[8];     /* the ninth bit of index p is bit p % 8 of byte p / 8 */
    uint8_t signs[32]; /* the sign of element e is bit e % 8 of byte e / 8 */
    uint8_t scales[4]; /* scale g is in byte g / 2; even ones in the low half */
} tg_block_iq3_s;

static void read_block(const tg_block_iq3_s *block, tg_packed *out)
{
    out->d = block->d;
    for (int g = 0; g < 8; g++)
        out->scales[g] = (int8_t)(2 * (block->scales[g / 2] >> g % 2 * 4 & 15) + 1);
    for (int p = 0; p < 64; p++)
        tgi_grid_codes(tg_grid_iq3_s[block->qs[p] | (block->qh[p / 8] >> p % 8 & 1) << 8], 4,
                       block->signs[p / 2] >> p % 2 * 4, out->codes + 4 * p);
}

#define TYPE iq3_s
#include "../packed.inc"
