/* The cache types: how a key and a value become bytes of a page. A key is a row of a matrix in
 * tiles: one lane of the tiles of its strip. */
#include "kv_type.h"

#include <string.h>

#include "../quant/blocks.h"

#define HALF_MAX 65504.0f /* the largest finite float16 */

/* Bytes before the strip that contains row `slot`. */
static size_t strip_offset(tg_quant quant, size_t head_dim, uint32_t slot)
{
    const tg_quant_row *row = &tg_quants[quant];
    return slot / TG_TILE_ROWS * (head_dim / row->block) * tgi_quant_tile_bytes(row);
}

/* ---- f32, f16: elements without blocks ---- */

static void write_value_f32(const tg_kernels *kernels, const float *x, size_t head_dim,
                            uint8_t *row)
{
    (void)kernels;
    memcpy(row, x, head_dim * sizeof *x);
}

/* Float16, clamped to its range, because matrix products expect finite numbers. NaN stays NaN and
 * so reaches the logits of every token that sees this position, where it is reported. */
static uint16_t to_half(float value)
{
    return tgi_float_to_half(value > HALF_MAX ? HALF_MAX : value < -HALF_MAX ? -HALF_MAX : value);
}

static void write_value_f16(const tg_kernels *kernels, const float *x, size_t head_dim,
                            uint8_t *row)
{
    (void)kernels;
    for (size_t i = 0; i < head_dim; i++)
        ((uint16_t *)row)[i] = to_half(x[i]);
}

#define ELEMENT_KEYS(type, QUANT, convert)                                                         \
    static void write_key_##type(const tg_kernels *kernels, const float *x, size_t head_dim,       \
                                 uint8_t *tiles, uint32_t slot)                                    \
    {                                                                                              \
        tg_tile_##type *strip = (tg_tile_##type *)(tiles + strip_offset(QUANT, head_dim, slot));   \
        (void)kernels;                                                                             \
        for (size_t i = 0; i < head_dim; i++)                                                      \
            strip[i][slot % TG_TILE_ROWS] = convert(x[i]);                                         \
    }                                                                                              \
    static void copy_key_##type(uint8_t *to, uint32_t to_slot, const uint8_t *from,                \
                                uint32_t from_slot, size_t head_dim)                               \
    {                                                                                              \
        tg_tile_##type *a = (tg_tile_##type *)(to + strip_offset(QUANT, head_dim, to_slot));       \
        const tg_tile_##type *b =                                                                  \
            (const tg_tile_##type *)(from + strip_offset(QUANT, head_dim, from_slot));             \
        for (size_t i = 0; i < head_dim; i++)                                                      \
            a[i][to_slot % TG_TILE_ROWS] = b[i][from_slot % TG_TILE_ROWS];                         \
    }
ELEMENT_KEYS(f32, TG_QUANT_F32, )
ELEMENT_KEYS(f16, TG_QUANT_F16, to_half)

/* ---- q8_0: blocks of 32 along the head ---- */

#define MAX_BLOCKS 32 /* of a head: head_dim is at most 1024 (hparams.c) */

static void write_key_q8_0(const tg_kernels *kernels, const float *x, size_t head_dim,
                           uint8_t *tiles, uint32_t slot)
{
    tg_act_q8 blocks[MAX_BLOCKS];
    tg_tile_q8_0 *tile = (tg_tile_q8_0 *)(tiles + strip_offset(TG_QUANT_Q8_0, head_dim, slot));
    const uint32_t lane = slot % TG_TILE_ROWS;
    kernels->quantize_q8(x, head_dim, blocks);
    for (size_t b = 0; b < head_dim / 32; b++) {
        for (int j = 0; j < 8; j++)
            memcpy(tile[b].qs[j][lane], blocks[b].q + 4 * j, 4);
        tile[b].d[lane] = to_half(blocks[b].d);
        tile[b].sum[lane] = (int16_t)-blocks[b].neg_sums[2];
    }
}

static void write_value_q8_0(const tg_kernels *kernels, const float *x, size_t head_dim,
                             uint8_t *row)
{
    tg_act_q8 blocks[MAX_BLOCKS];
    kernels->quantize_q8(x, head_dim, blocks);
    for (size_t b = 0; b < head_dim / 32; b++) {
        tg_value_q8 *block = (tg_value_q8 *)row + b;
        block->d = blocks[b].d;
        memcpy(block->q, blocks[b].q, sizeof block->q);
    }
}

static void copy_key_q8_0(uint8_t *to, uint32_t to_slot, const uint8_t *from, uint32_t from_slot,
                          size_t head_dim)
{
    tg_tile_q8_0 *a = (tg_tile_q8_0 *)(to + strip_offset(TG_QUANT_Q8_0, head_dim, to_slot));
    const tg_tile_q8_0 *b =
        (const tg_tile_q8_0 *)(from + strip_offset(TG_QUANT_Q8_0, head_dim, from_slot));
    const uint32_t i = to_slot % TG_TILE_ROWS, k = from_slot % TG_TILE_ROWS;
    for (size_t n = head_dim / 32; n--; a++, b++) {
        for (int j = 0; j < 8; j++)
            memcpy(a->qs[j][i], b->qs[j][k], 4);
        a->d[i] = b->d[k];
        a->sum[i] = b->sum[k];
    }
}

/* ---- the table ---- */

#define TG_CACHE(NAME, suffix, elements, value_bytes)                                              \
    static tg_values_fn *values_##suffix(const tg_kernels *kernels)                                \
    {                                                                                              \
        return kernels->values_##suffix;                                                           \
    }
#include "kv_types.def"
#undef TG_CACHE

const tg_kv_type_row tg_kv_type_table[TG_CACHE_TYPE_COUNT] = {
#define TG_CACHE(NAME, suffix, elements, value_bytes)                                              \
    {#suffix,           TG_QUANT_##NAME,    elements,                                              \
     value_bytes,       write_key_##suffix, write_value_##suffix,                                  \
     copy_key_##suffix, values_##suffix},
#include "kv_types.def"
#undef TG_CACHE
};

_Static_assert(sizeof(tg_value_q8) == 36, "a block of q8_0 values has the size of its row");
