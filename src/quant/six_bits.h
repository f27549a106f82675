/* Shared by Q4_K and Q5_K: 8 scales and 8 mins of six bits, in 12 bytes. */
#ifndef TG_QUANT_SIX_BITS_H
#define TG_QUANT_SIX_BITS_H

#include "packed.h"

/* Bytes 0 to 3 hold scales 0 to 3 in their low 6 bits, bytes 4 to 7 hold mins 0 to 3. Bytes 8 to 11
 * hold the low 4 bits of scales 4 to 7 (low half) and of mins 4 to 7 (high half). The high 2 bits
 * of those are the top bits of bytes 0 to 3 (scales) and 4 to 7 (mins). */
static inline void tgi_six_bit_scales(const uint8_t *bytes, tg_packed *out)
{
    for (int g = 0; g < 4; g++) {
        out->scales[g] = (int8_t)(bytes[g] & 63);
        out->mins[g] = bytes[4 + g] & 63;
        out->scales[4 + g] = (int8_t)((bytes[8 + g] & 15) | bytes[g] >> 6 << 4);
        out->mins[4 + g] = (uint8_t)(bytes[8 + g] >> 4 | bytes[4 + g] >> 6 << 4);
    }
}

#endif
