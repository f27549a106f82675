/* Q4_0: blocks of 32 four-bit codes with offset 8 and one scale. */
#include "../packed.h"

typedef struct tg_block_q4_0 {
    uint16_t d;     /* binary16 scale: value = (code - 8) * d */
    uint8_t qs[16]; /* element j in the low half of byte j, element 16 + j in the high half */
} tg_block_q4_0;

static void read_block(const tg_block_q4_0 *block, tg_packed *out)
{
    out->d = block->d;
    for (int i = 0; i < 16; i++) {
        out->codes[i] = block->qs[i] & 15;
        out->codes[16 + i] = block->qs[i] >> 4;
    }
}

#define TYPE q4_0
#include "../packed.inc"
