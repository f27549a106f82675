/* Q2_K: blocks of 16 groups of 16 two-bit codes. Each group has a four-bit scale and a four-bit
 * min. */
#include "../packed.h"

typedef struct tg_block_q2_k {
    uint8_t scales[16]; /* one byte a group: the scale in the low half, the min in the high half */
    uint8_t qs[64];     /* for each 128 elements: element 32k + j in byte j from bit 2k on */
    uint16_t d, dmin;   /* binary16: value = code * scale * d - min * dmin */
} tg_block_q2_k;

static void read_block(const tg_block_q2_k *block, tg_packed *out)
{
    out->d = block->d;
    out->m = block->dmin ^ 0x8000;
    for (int g = 0; g < 16; g++) {
        out->scales[g] = block->scales[g] & 15;
        out->mins[g] = block->scales[g] >> 4;
    }
    for (int i = 0; i < 256; i++)
        out->codes[i] = block->qs[i / 128 * 32 + i % 32] >> i / 32 % 4 * 2 & 3;
}

#define TYPE q2_k
#include "../packed.inc"
