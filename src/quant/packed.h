/* The packed weight types (packed.def): small codes with scales. A block of any of these types is
 * read into plain fields (tg_packed). One set of functions turns the fields into floats or packs
 * them into a tile, and one matmul multiplies the tiles (kernels/matmul_packed*).
 *
 *     weight = d / 2^d_shift * scale * value + m * min
 *
 * value is the code minus the type's offset, or the code's entry in the type's codebook. Every
 * product in this formula is exact in a float: d has 11 bits, a scale at most 7, a value 7 (or 8
 * and 6). Only the sum rounds, once. So the order of the multiplications does not matter, and a
 * tile holds a block's weights to the bit. */
#ifndef TG_QUANT_PACKED_H
#define TG_QUANT_PACKED_H

#include "quant.h"

static const int8_t tg_codebooks[][16] = {
    [TG_CODEBOOK_IQ4] = {-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113},
    [TG_CODEBOOK_MXFP4] = {0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12},
    /* The grid types: a code is the index of a magnitude; its highest bit makes the value
     * negative. */
    [TG_CODEBOOK_IQ3_XXS] = {4, 12, 20, 28, 36, 44, 52, 62, -4, -12, -20, -28, -36, -44, -52, -62},
    [TG_CODEBOOK_IQ3_S] = {1, 3, 5, 7, 9, 11, 13, 15, -1, -3, -5, -7, -9, -11, -13, -15},
    [TG_CODEBOOK_IQ2] = {8, 25, 43, 0, -8, -25, -43, 0},
    /* Eighths: -1, 0 and 1 minus an eighth, or plus an eighth where the code's highest bit is
     * set. */
    [TG_CODEBOOK_IQ1] = {-9, -1, 7, 0, -7, 1, 9, 0},
};

/* A block as fields. Each row of a tile holds the same fields. */
typedef struct tg_packed {
    uint16_t d, m; /* m is negative where the format subtracts mins */
    uint8_t codes[256];
    int8_t scales[16];
    uint8_t mins[16];
} tg_packed;

/* A tile, in this order: for each group of 32 weights its codes (TG_GROUP_BYTES), then the scales
 * [scales][4], the mins [mins][4] if there are 8, d[4], and m[4] if the type has mins. With 16
 * mins, a scale and a min of 4 bits share a byte: the scale is the low half.
 *
 * The codes of a group are `bits` vectors of 16 bytes. Bytes [r][i] of these vectors hold the bits
 * of the codes of weights i, 4 + i, ... 28 + i of row r: code k of the table below is that of
 * weight 4k + i. A code consists of one to three bit fields. With 3, 5 or 6 bits, most codes lie
 * whole at the low end of a byte and take one operation to unpack; the others are put together from
 * the bits that are left above. */
typedef struct tg_bit_field {
    uint8_t vector; /* which vector of the group */
    uint8_t from;   /* lowest bit in the vector's byte */
    uint8_t bits;   /* number of bits; 0: no such field */
    uint8_t to;     /* lowest bit in the code */
} tg_bit_field;

static const tg_bit_field tg_bit_fields[7][8][3] = {
    [2] = {{{0, 0, 2, 0}},
           {{0, 2, 2, 0}},
           {{0, 4, 2, 0}},
           {{0, 6, 2, 0}},
           {{1, 0, 2, 0}},
           {{1, 2, 2, 0}},
           {{1, 4, 2, 0}},
           {{1, 6, 2, 0}}},
    [3] = {{{0, 0, 3, 0}},
           {{0, 3, 3, 0}},
           {{1, 0, 3, 0}},
           {{1, 3, 3, 0}},
           {{2, 0, 3, 0}},
           {{2, 3, 3, 0}},
           {{0, 6, 2, 0}, {1, 6, 1, 2}},
           {{2, 6, 2, 0}, {1, 7, 1, 2}}},
    [4] = {{{0, 0, 4, 0}},
           {{1, 0, 4, 0}},
           {{2, 0, 4, 0}},
           {{3, 0, 4, 0}},
           {{0, 4, 4, 0}},
           {{1, 4, 4, 0}},
           {{2, 4, 4, 0}},
           {{3, 4, 4, 0}}},
    [5] = {{{0, 0, 5, 0}},
           {{1, 0, 5, 0}},
           {{2, 0, 5, 0}},
           {{3, 0, 5, 0}},
           {{4, 0, 5, 0}},
           {{0, 5, 3, 0}, {1, 5, 2, 3}},
           {{2, 5, 3, 0}, {3, 5, 2, 3}},
           {{4, 5, 3, 0}, {1, 7, 1, 3}, {3, 7, 1, 4}}},
    [6] = {{{0, 0, 6, 0}},
           {{1, 0, 6, 0}},
           {{2, 0, 6, 0}},
           {{0, 6, 2, 0}, {1, 6, 2, 2}, {2, 6, 2, 4}},
           {{3, 0, 6, 0}},
           {{4, 0, 6, 0}},
           {{5, 0, 6, 0}},
           {{3, 6, 2, 0}, {4, 6, 2, 2}, {5, 6, 2, 4}}},
};

/* The bits of a code that a field may fill, for all fields above. */
static const uint8_t tg_field_masks[7][5] = {[2] = {0x03},
                                             [3] = {0x07, 0x03, 0x04},
                                             [4] = {0x0f},
                                             [5] = {0x1f, 0x07, 0x18, 0x08, 0x10},
                                             [6] = {0x3f, 0x03, 0x0c, 0x30}};

#define TG_GROUP_BYTES(bits) (16 * (bits))

static inline int tgi_packed_groups(const tg_quant_row *type)
{
    return (int)type->block / 32;
}

/* Byte of a tile at which the scales, the mins and d begin; d is followed by m. */
static inline size_t tgi_packed_scales_at(const tg_quant_row *type)
{
    return (size_t)tgi_packed_groups(type) * TG_GROUP_BYTES((size_t)type->bits);
}

static inline size_t tgi_packed_mins_at(const tg_quant_row *type)
{
    return tgi_packed_scales_at(type) + 4 * (size_t)type->scales;
}

static inline size_t tgi_packed_d_at(const tg_quant_row *type)
{
    return tgi_packed_mins_at(type) + (type->mins == 8 ? 32 : 0);
}

static inline size_t tgi_packed_tile_bytes(const tg_quant_row *type)
{
    return tgi_packed_d_at(type) + (type->mins ? 16 : 8);
}

/* A constant copy of each row, whose fields the compiler folds into the code of a type. */
#define TG_PACKED(NAME, suffix, dot, ...)                                                          \
    static const tg_quant_row tg_packed_##suffix = {                                               \
        .name = #NAME, .activation = TG_ACT_Q8, __VA_ARGS__};
#include "packed.def"
#undef TG_PACKED

/* d (the bits of a binary16 or bfloat16, as in the tile) as a float, divided by 2^d_shift. */
float tgi_packed_d(const tg_quant_row *type, uint16_t d);

/* A block's fields -> its weights, type->block floats. */
void tgi_packed_values(const tg_quant_row *type, const tg_packed *fields, float *out);

/* A block's fields -> row `lane` (0 to 3) of a tile, and back. */
void tgi_packed_pack(const tg_quant_row *type, const tg_packed *fields, int lane, uint8_t *tile);
void tgi_packed_unpack(const tg_quant_row *type, const uint8_t *tile, int lane, tg_packed *fields);

/* Whether d and m make only finite weights. */
bool tgi_packed_is_finite(const tg_quant_row *type, const tg_packed *fields);

#endif
