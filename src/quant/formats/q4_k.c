/* Q4_K: blocks of 8 groups of 32 four-bit codes, each group with a six-bit scale and a six-bit min.
 * In: file blocks or tiles. Out: floats or tiles, into the caller's memory. */
#include "../six_bits.h"

typedef struct tg_block_q4_k {
    uint16_t d, dmin;   /* binary16: value = code * scale * d - min * dmin */
    uint8_t scales[12]; /* tgi_six_bit_scales */
    uint8_t qs[128]; /* of 64 elements at a time, element j < 32 in the low half of byte j, element
                        32 + j in the high half */
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
