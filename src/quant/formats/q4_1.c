/* Q4_1: blocks of 32 four-bit codes with a scale and a min. */
#include "../packed.h"

typedef struct tg_block_q4_1 {
    uint16_t d, m;  /* binary16: value = code * d + m */
    uint8_t qs[16]; /* element j in the low half of byte j, element 16 + j in the high half */
} tg_block_q4_1;

static void read_block(const tg_block_q4_1 *block, tg_packed *out)
{
    out->d = block->d;
    out->m = block->m;
    for (int i = 0; i < 16; i++) {
        out->codes[i] = block->qs[i] & 15;
        out->codes[16 + i] = block->qs[i] >> 4;
    }
}

#define TYPE q4_1
#include "../packed.inc"
