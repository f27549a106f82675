/* The weight types whose blocks hold small codes with scales, as one: a block is read into plain
 * fields (tg_packed), which one set of functions turns into floats or packs into a tile, and one
 * product multiplies (kernels/coded_*.inc). What differs between the types is in the TG_PACKED rows
 * of quant.def and in how each file reads its block.
 *
 * value = d / divisor * scale * (what the code stands for) + m * min
 *
 * Every product in it is exact in a float: d has 11 bits, a scale at most 7, a code's value 7 (or 8
 * and 6); only the sum rounds, once. So the order in which a reader multiplies does not matter, and
 * a tile holds a block's value to the bit. */
#ifndef TG_QUANT_PACKED_H
#define TG_QUANT_PACKED_H

#include "quant.h"

/* What a code stands for: itself less an offset, or an entry of one of these. */
typedef enum tg_codebook {
    TG_PLAIN,
    TG_CODEBOOK_IQ4,
    TG_CODEBOOK_MXFP4,
    TG_CODEBOOK_IQ3_XXS,
    TG_CODEBOOK_IQ3_S,
    TG_CODEBOOK_IQ2,
    TG_CODEBOOK_IQ1
} tg_codebook;

static const int8_t tg_codebooks[][16] = {
    [TG_CODEBOOK_IQ4] = {-127, -104, -83, -65, -49, -35, -22, -10, 1, 13, 25, 38, 53, 69, 89, 113},
    [TG_CODEBOOK_MXFP4] = {0, 1, 2, 3, 4, 6, 8, 12, 0, -1, -2, -3, -4, -6, -8, -12},
    /* of the grids: a magnitude, and 8 (of the books of 16) or 4 (of the others) added for its
       negative */
    [TG_CODEBOOK_IQ3_XXS] = {4, 12, 20, 28, 36, 44, 52, 62, -4, -12, -20, -28, -36, -44, -52, -62},
    [TG_CODEBOOK_IQ3_S] = {1, 3, 5, 7, 9, 11, 13, 15, -1, -3, -5, -7, -9, -11, -13, -15},
    [TG_CODEBOOK_IQ2] = {8, 25, 43, 0, -8, -25, -43, 0},
    [TG_CODEBOOK_IQ1] =
        {-9, -1, 7, 0, -7, 1, 9,
         0}, /* eighths: -1, 0, 1 with an eighth taken off, or with 4 added to the code put on */
};

typedef struct tg_packed_layout {
    int bits;   /* of a code in the tile: 2 to 6 */
    int groups; /* of 32 elements, the length of an activation block: 1, 4 or 8 */
    int scales; /* whole-number scales, signed bytes: 0, 8 (one a group) or 16 (one for each half of
                   a group) */
    int mins; /* 0: the type has none; 1: m alone; 8: a byte a group, times m; 16: one for each half
                 of a group, times m: these and    the scales, both of 4 bits, share a byte */
    int offset;  /* plain codes are stored with this added; with a book, it makes the book's entries
                    0 to 127, where it can */
    int divisor; /* a power of two */
    tg_codebook book;
    int bfloat; /* d is the upper half of a binary32, not a binary16 */
} tg_packed_layout;

/* A block as fields; also what a tile holds of one row. */
typedef struct tg_packed {
    uint16_t d, m; /* m is negative where the format subtracts */
    uint8_t codes[256];
    int8_t scales[16];
    uint8_t mins[16];
} tg_packed;

/* A tile, in this order: for each group its codes (TG_GROUP_BYTES), then the scales [scales][4],
 * the mins [mins][4] when there are 8, d[4], and m[4] if there are mins. The codes of a group of 32
 * elements are `bits` vectors of 16 bytes. Element 16h + 4j + i of row r has its bits in bytes
 * [r][i] of them: code 4h + j of the table, in one to three pieces. Codes that do not divide 8
 * stand whole at the low end of bytes as far as there are vectors; the others are made of what is
 * left above: so most take one operation to unpack. */
typedef struct tg_piece {
    uint8_t vector, from, bits, to; /* bits from bit `from` of a byte of the vector become those
                                       from bit `to` of the code */
} tg_piece;

static const tg_piece tg_pieces[7][8][3] = {
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

/* The bits that a piece may fill in a code, of all pieces above. */
static const uint8_t tg_piece_masks[7][5] = {[2] = {0x03},
                                             [3] = {0x07, 0x03, 0x04},
                                             [4] = {0x0f},
                                             [5] = {0x1f, 0x07, 0x18, 0x08, 0x10},
                                             [6] = {0x3f, 0x03, 0x0c, 0x30}};

#define TG_GROUP_BYTES(bits) (16 * (bits))
#define TG_PACKED_TILE_BYTES(elements, bits, scales, mins)                                         \
    ((elements) / 32 * TG_GROUP_BYTES(bits) + 4 * (scales) + ((mins) == 8 ? 32 : 0) +              \
     ((mins) ? 16 : 8))

static inline size_t
tgi_packed_layout_scales(tg_packed_layout l) /* byte of a tile where the scales begin */
{
    return (size_t)l.groups * TG_GROUP_BYTES((size_t)l.bits);
}

static inline size_t tgi_packed_layout_mins(tg_packed_layout l)
{
    return tgi_packed_layout_scales(l) + 4 * (size_t)l.scales;
}

static inline size_t tgi_packed_layout_d(tg_packed_layout l)
{
    return tgi_packed_layout_mins(l) + (l.mins == 8 ? 32 : 0);
}

#define TG_QUANT(...)
#define TG_PACKED(NAME, suffix, ggml, elements, bytes, bits, scales, mins, book, offset, divisor,  \
                  d, dot)                                                                          \
    static const tg_packed_layout tg_packed_layout_##suffix = {                                    \
        (bits), (elements) / 32, (scales), (mins), (offset), (divisor), TG_##book, TG_IS_##d};     \
    enum { tg_bytes_##suffix = (bytes), tg_elements_##suffix = (elements) };                       \
    typedef struct tg_tile_##suffix {                                                              \
        uint8_t all[TG_PACKED_TILE_BYTES(elements, bits, scales, mins)];                           \
    } tg_tile_##suffix;
#define TG_IS_HALF   0
#define TG_IS_BFLOAT 1
#include "quant.def"
#undef TG_QUANT
#undef TG_PACKED

float tgi_packed_d(tg_packed_layout layout, uint16_t d); /* as the tile has it, divided */
/* n elements from the first of group 0 on, n a multiple of 32 */
void tgi_packed_values(tg_packed_layout layout, const tg_packed *coded, float *out);
void tgi_packed_pack(tg_packed_layout layout, const tg_packed *coded, int lane, uint8_t *tile);
void tgi_packed_unpack(tg_packed_layout layout, const uint8_t *tile, int lane, tg_packed *coded);
bool tgi_packed_is_finite(tg_packed_layout layout, const tg_packed *coded);

#endif
