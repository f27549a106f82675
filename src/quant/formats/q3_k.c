/* Q3_K: blocks of 16 groups of 16 three-bit codes with offset 4. Each group has a six-bit scale
 * with offset 32. */
#include "../packed.h"

typedef struct tg_block_q3_k {
    uint8_t hmask[32]; /* the third bit of element 32g + j is bit g of byte j */
    uint8_t qs[64];    /* low 2 bits; for each 128 elements: 32k + j in byte j from bit 2k on */
    /* Low 4 bits: scale g < 8 in the low half of byte g, scale 8 + g in the high half. High 2 bits:
     * scale 4k + g in byte 8 + g from bit 2k on. */
    uint8_t scales[12];
    uint16_t d; /* binary16: value = (code - 4) * (scale - 32) * d */
} tg_block_q3_k;

static void read_block(const tg_block_q3_k *block, tg_packed *out)
{
    out->d = block->d;
    for (int g = 0; g < 16; g++)
        out->scales[g] = (int8_t)(((block->scales[g % 8] >> g / 8 * 4 & 15) |
                                   (block->scales[8 + g % 4] >> g / 4 * 2 & 3) << 4) -
                                  32);
    for (int i = 0; i < 256; i++)
        out->codes[i] = (uint8_t)((block->qs[i / 128 * 32 + i % 32] >> i / 32 % 4 * 2 & 3) |
                                  (block->hmask[i % 32] >> i / 32 & 1) << 2);
}

#define TYPE q3_k
#include "../packed.inc"
