/* TQ1_0: blocks of 256 digits of base 3, which stand for -1, 0 and 1, with one scale. In: file
 * blocks or tiles (those of TQ2_0: digits of two bits, 1.22 times the file's bytes, because each
 * digit of base 3 would cost a multiplication). Out: floats or tiles, into the caller's memory. */
#include "../packed.h"

/* A byte is its digits as a fraction of base 3, times 256 and rounded up: three times it, the digit
 * is what is carried out of the byte. */
typedef struct tg_block_tq1_0 {
    uint8_t qs[48]; /* 5 digits each: of bytes 0 to 31 element 32k + j is digit k of byte j, of 32
                       to 47 160 + 16k + j of byte 32
                       + j */
    uint8_t qh[4];  /* 4 digits each: element 240 + 4k + j is digit k of byte j */
    uint16_t d;     /* binary16: value = (digit - 1) * d */
} tg_block_tq1_0;

/* Digit k of bytes[j] -> out[k * n + j], for j < n and k < n_digits. */
static void read_digits(const uint8_t *bytes, int n, int n_digits, uint8_t *out)
{
    for (int j = 0; j < n; j++) {
        uint8_t rest = bytes[j];
        for (int k = 0; k < n_digits; k++, rest = (uint8_t)(rest * 3))
            out[k * n + j] = (uint8_t)(rest * 3 >> 8);
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
