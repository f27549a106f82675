/* IQ4_XS: blocks of 8 groups of 32 four-bit codes of IQ4_NL's codebook. Each group has a six-bit
 * scale with offset 32. */
#include "../packed.h"

typedef struct tg_block_iq4_xs {
    uint16_t d;          /* binary16: value = codebook[code] * (scale - 32) * d */
    uint16_t scales_h;   /* high 2 bits of scale g: bits 2g and 2g + 1 */
    uint8_t scales_l[4]; /* low 4 bits of scale g in byte g / 2; even ones in the low half */
    /* For each group, element j in the low half of byte j, element 16 + j in the high half. */
    uint8_t qs[128];
} tg_block_iq4_xs;

static void read_block(const tg_block_iq4_xs *block, tg_packed *out)
{
    out->d = block->d;
    for (int g = 0; g < 8; g++)
        out->scales[g] = (int8_t)(((block->scales_l[g / 2] >> g % 2 * 4 & 15) |
                                   (block->scales_h >> 2 * g & 3) << 4) -
                                  32);
    for (int i = 0; i < 256; i++)
        out->codes[i] = block->qs[i / 32 * 16 + i % 16] >> i / 16 % 2 * 4 & 15;
}

#define TYPE iq4_xs
#include "../packed.inc"
