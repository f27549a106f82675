/* The blocks as they lie in files, each tied to its row of quant.def, the tiles they become, and
 * the functions each row names. (The blocks of TG_PACKED rows stand in their own files, their tile
 * in coded.h.) */
#ifndef TG_QUANT_BLOCKS_H
#define TG_QUANT_BLOCKS_H

#include "packed.h"
#include "quant.h"

/* ---- in the file ---- */
typedef struct tg_block_q8_0 {
    uint16_t d;    /* binary16 scale */
    int8_t qs[32]; /* value = code * d */
} tg_block_q8_0;

/* ---- in memory: 4 rows, interleaved ---- */
typedef struct tg_tile_q8_0 {
    int8_t qs[8][4][4]; /* [j][row][i]: element 4j + i */
    uint16_t d[4];
    int16_t
        sum[4]; /* of each row's codes: corrects products with activations that have 128 added */
} tg_tile_q8_0;

typedef float tg_block_f32;
typedef uint16_t tg_block_f16;
typedef uint16_t tg_block_bf16;
typedef float tg_tile_f32[4]; /* one element of 4 rows */
typedef uint16_t tg_tile_f16[4];
typedef uint16_t tg_tile_bf16[4];

#define TG_FUNCTIONS(suffix)                                                                       \
    void tgi_dequantize_##suffix(const uint8_t *blocks, size_t n_blocks, float *out);              \
    bool tgi_repack_##suffix(const uint8_t *blocks, size_t n_blocks, int lane, uint8_t *tiles);    \
    void tgi_tile_row_##suffix(const uint8_t *tiles, size_t n_blocks, int lane, float *out);
#define TG_QUANT(NAME, suffix, ggml, elements, bytes, tile_bytes, activation)                      \
    _Static_assert(sizeof(tg_block_##suffix) == (bytes), #NAME " block size");                     \
    _Static_assert(sizeof(tg_tile_##suffix) == (tile_bytes), #NAME " tile size");                  \
    TG_FUNCTIONS(suffix)
#define TG_PACKED(NAME, suffix, ggml, elements, bytes, bits, scales, mins, book, offset, divisor,  \
                  d, dot)                                                                          \
    TG_FUNCTIONS(suffix)
#include "quant.def"
#undef TG_QUANT
#undef TG_PACKED

#endif
