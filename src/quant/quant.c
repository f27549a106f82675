/* The table of all weight types, and the conversions between binary16 and float. */
#include "quant.h"
#include "blocks.h"

#include <string.h>

const tg_quant_row tg_quants[TG_QUANT_COUNT] = {
#define TG_QUANT(NAME, suffix, ...)                                                                \
    {.name = #NAME,                                                                                \
     .dequantize = tgi_dequantize_##suffix,                                                        \
     .repack = tgi_repack_##suffix,                                                                \
     .tile_row = tgi_tile_row_##suffix,                                                            \
     __VA_ARGS__},
#define TG_PACKED(NAME, suffix, dot, ...)                                                          \
    TG_QUANT(NAME, suffix, .activation = TG_ACT_Q8, __VA_ARGS__)
#include "quant.def"
#undef TG_QUANT
#undef TG_PACKED
};

size_t tgi_quant_tile_bytes(const tg_quant_row *row)
{
    return row->bits ? tgi_packed_tile_bytes(row) : row->tile_bytes;
}

const tg_quant_row *tgi_quant_of_ggml(uint32_t ggml)
{
    for (int i = 0; i < TG_QUANT_COUNT; i++)
        if (tg_quants[i].ggml == ggml)
            return &tg_quants[i];
    return NULL;
}

const char *tgi_quant_names(void)
{
    /* every row adds ", NAME" to one literal; the result starts after the first two bytes */
    static const char names[] = ""
#define TG_QUANT(NAME, suffix, ...)       ", " #NAME
#define TG_PACKED(NAME, suffix, dot, ...) ", " #NAME
#include "quant.def"
#undef TG_QUANT
#undef TG_PACKED
        ;
    return names + 2;
}

float tgi_half_to_float(uint16_t half)
{
    /* Exponent and mantissa are shifted to where a float has them. A float's exponent bias is 112
     * greater: one exact multiplication by 2^112 corrects the exponent and makes subnormals normal.
     * Infinity and NaN keep an exponent of all ones. */
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
    if (magnitude < 0x38800000) {
        /* Below 2^-14 the result is subnormal: adding 0.5 makes the float unit round at 2^-24, ties
         * to even. */
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
