/* MXFP4: blocks of 32 four-bit floats (E2M1) with a power of two as their scale (OCP Microscaling
 * Formats 1.0). */
#include "../packed.h"

typedef struct tg_block_mxfp4 {
    uint8_t e;      /* value = 2^(e - 128) * codebook[code]; the codebook holds doubled floats */
    uint8_t qs[16]; /* element j in the low half of byte j, element 16 + j in the high half */
} tg_block_mxfp4;

static void read_block(const tg_block_mxfp4 *block, tg_packed *out)
{
    /* the lowest two powers are subnormal */
    out->d = (uint16_t)(block->e < 2 ? 0x20 << block->e : (block->e - 1) << 7);
    for (int i = 0; i < 16; i++) {
        out->codes[i] = block->qs[i] & 15;
        out->codes[16 + i] = block->qs[i] >> 4;
    }
}

#define TYPE mxfp4
#include "../packed.inc"
