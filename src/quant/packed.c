/* In: a block's fields or a tile. Out: floats, a tile's bytes of one row, fields; into the caller's
 * memory. */
#include "packed.h"

#include <string.h>

float tgi_packed_d(tg_packed_layout layout, uint16_t d)
{
    const uint32_t bits = (uint32_t)d << 16;
    float value;
    if (!layout.bfloat)
        return tgi_half_to_float(d) / (float)layout.divisor;
    memcpy(&value, &bits, 4);
    return value;
}

bool tgi_packed_is_finite(tg_packed_layout layout, const tg_packed *coded)
{
    /* 2^124 times the greatest entry of a book of bfloat scales is finite, the next power is not */
    return layout.bfloat
               ? coded->d <= 0x7d80
               : tgi_half_is_finite(coded->d) && (!layout.mins || tgi_half_is_finite(coded->m));
}

void tgi_packed_values(tg_packed_layout layout, const tg_packed *coded, float *out)
{
    const float d = tgi_packed_d(layout, coded->d),
                m = layout.mins ? tgi_half_to_float(coded->m) : 0;
    for (int half = 0; half < 2 * layout.groups; half++) {
        const float scale =
            layout.scales ? d * (float)coded->scales[layout.scales == 16 ? half : half / 2] : d;
        const float min =
            layout.mins > 1 ? m * (float)coded->mins[layout.mins == 16 ? half : half / 2] : m;
        for (int i = 16 * half; i < 16 * half + 16; i++) {
            const int code = layout.book ? tg_codebooks[layout.book][coded->codes[i]]
                                         : coded->codes[i] - layout.offset;
            out[i] = layout.mins ? scale * (float)code + min : scale * (float)code;
        }
    }
}

void tgi_packed_pack(tg_packed_layout layout, const tg_packed *coded, int lane, uint8_t *tile)
{
    for (int group = 0; group < layout.groups; group++, tile += TG_GROUP_BYTES(layout.bits))
        for (int i = 0; i < 4; i++) {
            uint8_t vectors[6] = {0}; /* this row's byte i of each */
            for (int k = 0; k < 8; k++)
                for (const tg_piece *p = tg_pieces[layout.bits][k], *end = p + 3;
                     p < end && p->bits; p++)
                    vectors[p->vector] |= (uint8_t)((coded->codes[32 * group + 4 * k + i] >> p->to &
                                                     ((1 << p->bits) - 1))
                                                    << p->from);
            for (int v = 0; v < layout.bits; v++)
                tile[16 * v + 4 * lane + i] = vectors[v];
        }
    for (int i = 0; i < layout.scales; i++, tile += 4)
        tile[lane] = layout.mins == 16 ? (uint8_t)(coded->scales[i] | coded->mins[i] << 4)
                                       : (uint8_t)coded->scales[i];
    for (int i = 0; i < 8 && layout.mins == 8; i++, tile += 4)
        tile[lane] = coded->mins[i];
    memcpy(tile + 2 * lane, &coded->d, 2);
    if (layout.mins)
        memcpy(tile + 8 + 2 * lane, &coded->m, 2);
}

void tgi_packed_unpack(tg_packed_layout layout, const uint8_t *tile, int lane, tg_packed *coded)
{
    for (int group = 0; group < layout.groups; group++, tile += TG_GROUP_BYTES(layout.bits))
        for (int e = 0; e < 32; e++) {
            int code = 0;
            for (const tg_piece *p = tg_pieces[layout.bits][e / 4], *end = p + 3;
                 p < end && p->bits; p++)
                code |= (tile[16 * p->vector + 4 * lane + e % 4] >> p->from & ((1 << p->bits) - 1))
                        << p->to;
            coded->codes[32 * group + e] = (uint8_t)code;
        }
    for (int i = 0; i < layout.scales; i++, tile += 4) {
        coded->scales[i] = layout.mins == 16 ? tile[lane] & 15 : (int8_t)tile[lane];
        coded->mins[i] = tile[lane] >> 4;
    }
    for (int i = 0; i < 8 && layout.mins == 8; i++, tile += 4)
        coded->mins[i] = tile[lane];
    memcpy(&coded->d, tile + 2 * lane, 2);
    if (layout.mins)
        memcpy(&coded->m, tile + 8 + 2 * lane, 2);
}
