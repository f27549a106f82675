/* TQ2_0: blocks of 256 two-bit codes, which mean -1, 0 and 1, with one scale. */
#include "../packed.h"

typedef struct tg_block_tq2_0 {
    uint8_t qs[64]; /* for each 128 elements: element 32k + j in byte j from bit 2k on */
    uint16_t d;     /* binary16: value = (code - 1) * d */
} tg_block_tq2_0;

static void read_block(const tg_block_tq2_0 *block, tg_packed *out)
{
    out->d = block->d;
    for (int i = 0; i < 256; i++)
        out->codes[i] = block->qs[i / 128 * 32 + i % 32] >> i / 32 % 4 * 2 & 3;
}

#define TYPE tq2_0
#include "../packed.inc"
