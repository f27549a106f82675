/* In: a ggml type number. Out: the row of quant.def for it. Owns nothing; also the half-precision
 * conversions that the formats share. */
#include "quant.h"
#include "blocks.h"

#include <string.h>

const tg_quant_row tg_quants[TG_QUANT_COUNT] = {
#define TG_QUANT(NAME, suffix, ggml, elements, bytes, tile_bytes, activation)                      \
    {#NAME,                                                                                        \
     (ggml),                                                                                       \
     (elements),                                                                                   \
     (bytes),                                                                                      \
     (tile_bytes),                                                                                 \
     TG_ACT_##activation,                                                                          \
     tgi_dequantize_##suffix,                                                                      \
     tgi_repack_##suffix,                                                                          \
     tgi_tile_row_##suffix},
#include "quant.def"
#undef TG_QUANT
};

const tg_quant_row *tgi_quant_of_ggml(uint32_t ggml)
{
    for (int i = 0; i < TG_QUANT_COUNT; i++)
        if (tg_quants[i].ggml == ggml)
            return &tg_quants[i];
    return NULL;
}

const char *tgi_quant_names(void)
{
    /* each row puts ", NAME" into one literal; the first two bytes are skipped */
    static const char names[] = ""
#define TG_QUANT(NAME, suffix, ggml, elements, bytes, tile_bytes, activation) ", " #NAME
#include "quant.def"
#undef TG_QUANT
        ;
    return names + 2;
}

float tgi_half_to_float(uint16_t half)
{
    /* Exponent and mantissa move to their places in a float, whose exponent bias is 112 greater:
     * one exact multiplication by 2^112 mends that and makes subnormals normal. Infinity and NaN
     * keep their all-ones exponent. */
    uint32_t magnitude = (uint32_t)(half & 0x7fff) << 13, bits;
    float value;
    if (magnitude >= 0x0f800000u) {
        bits = magnitude | 0x7f800000u;
        memcpy(&value, &bits, 4);
    } else {
        memcpy(&value, &magnitude, 4);
        value *= 0x1p112f;
        memcpy(&bits, &value, 4);
    }
    bits |= (uint32_t)(half & 0x8000) << 16;
    memcpy(&value, &bits, 4);
    return value;
}

uint16_t tgi_float_to_half(float value)
{
    uint32_t bits, sign, magnitude;
    memcpy(&bits, &value, 4);
    sign = bits >> 16 & 0x8000;
    magnitude = bits & 0x7fffffff;
    if (magnitude > 0x7f800000)
        return (uint16_t)(sign | 0x7e00); /* NaN */
    if (magnitude >= 0x477ff000)          /* rounds to 65,520 or more: infinity */
        return (uint16_t)(sign | 0x7c00);
    if (magnitude < 0x38800000) { /* below 2^-14: subnormal; adding 0.5 lets the float unit round at
                                     2^-24, ties to even */
        float absolute;
        uint32_t rounded;
        memcpy(&absolute, &magnitude, 4);
        absolute += 0.5f;
        memcpy(&rounded, &absolute, 4);
        return (uint16_t)(sign | (rounded - 0x3f000000));
    }
    magnitude += 0xfff + (magnitude >> 13 & 1); /* round to nearest, ties to even */
    return (uint16_t)(sign | ((magnitude - 0x38000000) >> 13));
}
