/* TQ1_0: blocks of 256 digits of base 3 with one scale; a digit means -1, 0 or 1. The tiles are
 * those of TQ2_0, with digits of two bits: they take 1.22 times the bytes of the file, but a digit
 * of base 3 would cost a multiplication each time. */
#include "../packed.h"

/* A byte holds its digits as a fraction of base 3, times 256 and rounded up: multiplied by three,
 * it carries out the next digit. */
typedef struct tg_block_tq1_0 {
    /* 5 digits a byte: bytes 0 to 31 hold element 32k + j as digit k of byte j, bytes 32 to 47 hold
     * element 160 + 16k + j as digit k of byte 32 + j. */
    uint8_t qs[48];
    uint8_t qh[4]; /* 4 digits a byte: element 240 + 4k + j is digit k of byte j */
    uint16_t d;    /* binary16: value = (digit - 1) * d */
} tg_block_tq1_0;

/* Digit k of bytes[j] -> out[k * n + j], for j < n and k < n_digits. */
static void read_digits(const uint8_t *bytes, int n, int n_digits, uint8_t *out)
{
    for (int j = 0; j < n; j++) {
        uint8_t fraction = bytes[j];
        for (int k = 0; k < n_digits; k++, fraction = (uint8_t)(fraction * 3))
            out[k * n + j] = (uint8_t)(fraction * 3 >> 8);
    }
}

static void read_block(const tg_block_tq1_0 *block, tg_packed *out)
{
    out->d = block->d;
    read_digits(block->qs, 32, 5, out->codes);
    read_digits(block->qs + 32, 16, 5, out->codes + 160);
    read_digits(block->qh, 4, 4, out->codes + 240);
}

#define TYPE tq1_0
#include "../packed.inc"
