/* Q5_K: blocks of 8 groups of 32 five-bit codes. Each group has a six-bit scale and a six-bit min.
 */
#include "../six_bits.h"

typedef struct tg_block_q5_k {
    uint16_t d, dmin;   /* binary16: value = code * scale * d - min * dmin */
    uint8_t scales[12]; /* tgi_six_bit_scales */
    uint8_t qh[32];     /* the fifth bit of element 32g + j is bit g of byte j */
    /* Low 4 bits; for each 64 elements: j < 32 in the low half of byte j, 32 + j in the high half.
     */
    uint8_t qs[128];
} tg_block_q5_k;

static void read_block(const tg_block_q5_k *block, tg_packed *out)
{
    out->d = block->d;
    out->m = block->dmin ^ 0x8000;
    tgi_six_bit_scales(block->scales, out);
    for (int i = 0; i < 256; i++)
        out->codes[i] = (uint8_t)((block->qs[i / 64 * 32 + i % 32] >> i / 32 % 2 * 4 & 15) |
                                  (block->qh[i % 32] >> i / 32 & 1) << 4);
}

#define TYPE q5_k
#include "../packed.inc"
