/* Blocks of packed types: fields to floats, fields to tiles and back. */
#include "packed.h"

#include <string.h>

float tgi_packed_d(const tg_quant_row *type, uint16_t d)
{
    const uint32_t bits = (uint32_t)d << 16;
    float value;
    if (!type->bfloat)
        return tgi_half_to_float(d) / (float)(1 << type->d_shift);
    memcpy(&value, &bits, 4);
    return value;
}

bool tgi_packed_is_finite(const tg_quant_row *type, const tg_packed *fields)
{
    /* 2^124 times the largest value of a codebook with bfloat16 scales is finite; 2^125 times is
     * not. */
    return type->bfloat
               ? fields->d <= 0x7d80
               : tgi_half_is_finite(fields->d) && (!type->mins || tgi_half_is_finite(fields->m));
}

void tgi_packed_values(const tg_quant_row *type, const tg_packed *fields, float *out)
{
    const float d = tgi_packed_d(type, fields->d),
                m = type->mins ? tgi_half_to_float(fields->m) : 0;
    for (int half = 0; half < 2 * tgi_packed_groups(type); half++) {
        const float scale =
            type->scales ? d * (float)fields->scales[type->scales == 16 ? half : half / 2] : d;
        const float min =
            type->mins > 1 ? m * (float)fields->mins[type->mins == 16 ? half : half / 2] : m;
        for (int i = 16 * half; i < 16 * half + 16; i++) {
            const int value = type->codebook ? tg_codebooks[type->codebook][fields->codes[i]]
                                             : fields->codes[i] - type->offset;
            out[i] = type->mins ? scale * (float)value + min : scale * (float)value;
        }
    }
}

void tgi_packed_pack(const tg_quant_row *type, const tg_packed *fields, int lane, uint8_t *tile)
{
    for (int group = 0; group < tgi_packed_groups(type);
         group++, tile += TG_GROUP_BYTES(type->bits))
        for (int i = 0; i < 4; i++) {
            uint8_t vectors[6] = {0}; /* byte i of this row in each vector */
            for (int k = 0; k < 8; k++)
                for (const tg_bit_field *f = tg_bit_fields[type->bits][k], *end = f + 3;
                     f < end && f->bits; f++)
                    vectors[f->vector] |=
                        (uint8_t)((fields->codes[32 * group + 4 * k + i] >> f->to &
                                   ((1 << f->bits) - 1))
                                  << f->from);
            for (int v = 0; v < type->bits; v++)
                tile[16 * v + 4 * lane + i] = vectors[v];
        }
    for (int i = 0; i < type->scales; i++, tile += 4)
        tile[lane] = type->mins == 16 ? (uint8_t)(fields->scales[i] | fields->mins[i] << 4)
                                      : (uint8_t)fields->scales[i];
    for (int i = 0; i < 8 && type->mins == 8; i++, tile += 4)
        tile[lane] = fields->mins[i];
    memcpy(tile + 2 * lane, &fields->d, 2);
    if (type->mins)
        memcpy(tile + 8 + 2 * lane, &fields->m, 2);
}

void tgi_packed_unpack(const tg_quant_row *type, const uint8_t *tile, int lane, tg_packed *fields)
{
    for (int group = 0; group < tgi_packed_groups(type);
         group++, tile += TG_GROUP_BYTES(type->bits))
        for (int e = 0; e < 32; e++) {
            int code = 0;
            for (const tg_bit_field *f = tg_bit_fields[type->bits][e / 4], *end = f + 3;
                 f < end && f->bits; f++)
                code |= (tile[16 * f->vector + 4 * lane + e % 4] >> f->from & ((1 << f->bits) - 1))
                        << f->to;
            fields->codes[32 * group + e] = (uint8_t)code;
        }
    for (int i = 0; i < type->scales; i++, tile += 4) {
        fields->scales[i] = type->mins == 16 ? tile[lane] & 15 : (int8_t)tile[lane];
        fields->mins[i] = tile[lane] >> 4;
    }
    for (int i = 0; i < 8 && type->mins == 8; i++, tile += 4)
        fields->mins[i] = tile[lane];
    memcpy(&fields->d, tile + 2 * lane, 2);
    if (type->mins)
        memcpy(&fields->m, tile + 8 + 2 * lane, 2);
}
