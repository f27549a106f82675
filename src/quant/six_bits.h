/* What Q4_K and Q5_K share: 8 scales and 8 mins of six bits in 12 bytes. */
#ifndef TG_QUANT_SIX_BITS_H
#define TG_QUANT_SIX_BITS_H

#include "packed.h"

/* Scales 0 to 3 are the low 6 bits of bytes 0 to 3, mins 0 to 3 those of bytes 4 to 7. Of the
 * others, bytes 8 to 11 have the low 4 bits (a scale's in the low half, a min's in the high half);
 * the 2 bits above them are the top bits of bytes 0 to 3 for scales, 4 to 7 for mins. */
static inline void tgi_six_bit_scales(const uint8_t *packed, tg_packed *out)
{
    for (int g = 0; g < 4; g++) {
        out->scales[g] = (int8_t)(packed[g] & 63);
        out->mins[g] = packed[4 + g] & 63;
        out->scales[4 + g] = (int8_t)((packed[8 + g] & 15) | packed[g] >> 6 << 4);
        out->mins[4 + g] = (uint8_t)(packed[8 + g] >> 4 | packed[4 + g] >> 6 << 4);
    }
}

#endif
