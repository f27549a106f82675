/* Q4_K: blocks of 8 groups of 32 four-bit codes. Each group has a six-bit scale and a six-bit min.
 */
#include "../six_bits.h"

typedef struct tg_block_q4_k {
    uint16_t d, dmin;   /* binary16: value = code * scale * d - min * dmin */
    uint8_t scales[12]; /* tgi_six_bit_scales */
    /* For each 64 elements: j < 32 in the low half of byte j, 32 + j in the high half. */
    uint8_t qs[128];
} tg_block_q4_k;

static void read_block(const tg_block_q4_k *block, tg_packed *out)
{
    out->d = block->d;
    out->m = block->dmin ^ 0x8000;
    tgi_six_bit_scales(block->scales, out);
    for (int i = 0; i < 256; i++)
        out->codes[i] = block->qs[i / 64 * 32 + i % 32] >> i / 32 % 2 * 4 & 15;
}

#define TYPE q4_k
#include "../packed.inc"
