/* Q6_K: blocks of 16 groups of 16 six-bit codes with offset 32. Each group has a signed byte as its
 * scale. */
#include "../packed.h"

#include <string.h>

typedef struct tg_block_q6_k {
    /* Low 4 bits; for each 128 elements: j < 64 in the low half of byte j, 64 + j in the high
     * half. */
    uint8_t ql[128];
    uint8_t qh[64];    /* high 2 bits; for each 128 elements: 32k + j in byte j from bit 2k on */
    int8_t scales[16]; /* of elements 16g to 16g + 15 */
    uint16_t d;        /* binary16: value = (code - 32) * scale * d */
} tg_block_q6_k;

static void read_block(const tg_block_q6_k *block, tg_packed *out)
{
    out->d = block->d;
    memcpy(out->scales, block->scales, 16);
    for (int i = 0; i < 256; i++) {
        const int part = i / 128, j = i % 128;
        out->codes[i] = (uint8_t)((block->ql[64 * part + j % 64] >> j / 64 * 4 & 15) |
                                  (block->qh[32 * part + j % 32] >> j / 32 * 2 & 3) << 4);
    }
}

#define TYPE q6_k
#include "../packed.inc"
