/* Shared by the grid types (IQ1, IQ2, IQ3): grid points and signs become codes of a codebook. */
#ifndef TG_QUANT_GRIDS_H
#define TG_QUANT_GRIDS_H

#include "packed.h"
#include "grid_tables.h"

#include <string.h>

/* A point and the signs of its n elements -> n codes. The point holds 8 elements of 2 bits or 4 of
 * 3 bits, the first element lowest; bit j of signs is that of element j. A code is the element with
 * its sign as the next higher bit. */
static inline void tgi_grid_codes(uint32_t point, int n, uint32_t signs, uint8_t *codes)
{
    const int width = n == 8 ? 2 : 3; /* bits */
    for (int j = 0; j < n; j++)
        codes[j] =
            (uint8_t)((point >> width * j & ((1u << width) - 1)) | (signs >> j & 1) << width);
}

/* 7 sign bits -> 8: the eighth makes the number of set bits even. */
static inline uint32_t tgi_even_signs(uint32_t seven)
{
    uint32_t odd = seven ^ seven >> 4;
    odd ^= odd >> 2;
    odd ^= odd >> 1;
    return seven | (odd & 1) << 7;
}

static inline uint32_t tgi_read_u32(const uint8_t *bytes)
{
    return bytes[0] | (uint32_t)bytes[1] << 8 | (uint32_t)bytes[2] << 16 | (uint32_t)bytes[3] << 24;
}

#endif
