/* Q1_0: blocks of 128 signs with one scale. */
#include "../packed.h"

typedef struct tg_block_q1_0 {
    uint16_t d;     /* binary16: value = d where the element's bit is set, else -d */
    uint8_t qs[16]; /* element j in bit j % 8 of byte j / 8 */
} tg_block_q1_0;

static void read_block(const tg_block_q1_0 *block, tg_packed *out)
{
    out->d = block->d;
    for (int i = 0; i < 128; i++)
        out->codes[i] = block->qs[i / 8] >> i % 8 & 1 ? 2 : 0; /* 1 or -1 */
}

#define TYPE q1_0
#include "../packed.inc"
