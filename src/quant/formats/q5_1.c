/* Q5_1: blocks of 32 five-bit codes with a scale and a min. */
#include "../packed.h"

typedef struct tg_block_q5_1 {
    uint16_t d, m; /* binary16: value = code * d + m */
    uint8_t qh[4]; /* the fifth bit of element i is bit i % 8 of byte i / 8 */
    /* Low 4 bits: element j in the low half of byte j, element 16 + j in the high half. */
    uint8_t qs[16];
} tg_block_q5_1;

static void read_block(const tg_block_q5_1 *block, tg_packed *out)
{
    out->d = block->d;
    out->m = block->m;
    for (int i = 0; i < 32; i++)
        out->codes[i] = (uint8_t)((block->qs[i % 16] >> i / 16 * 4 & 15) |
                                  (block->qh[i / 8] >> i % 8 & 1) << 4);
}

#define TYPE q5_1
#include "../packed.inc"
