/* IQ4_NL: blocks of 32 four-bit codes of a codebook, with one scale. */
#include "../packed.h"

typedef struct tg_block_iq4_nl {
    uint16_t d;     /* binary16: value = codebook[code] * d */
    uint8_t qs[16]; /* element j in the low half of byte j, element 16 + j in the high half */
} tg_block_iq4_nl;

static void read_block(const tg_block_iq4_nl *block, tg_packed *out)
{
    out->d = block->d;
    for (int i = 0; i < 16; i++) {
        out->codes[i] = block->qs[i] & 15;
        out->codes[16 + i] = block->qs[i] >> 4;
    }
}

#define TYPE iq4_nl
#include "../packed.inc"
