/* The file blocks and tiles of the types in quant.def, and the functions of all types. (The file
 * blocks of packed types are defined in formats/<suffix>.c, their tile in packed.h.) */
#ifndef TG_QUANT_BLOCKS_H
#define TG_QUANT_BLOCKS_H

#include "packed.h"
#include "quant.h"

/* ---- in the file ---- */
typedef struct tg_block_q8_0 {
    uint16_t d;    /* binary16 scale */
    int8_t qs[32]; /* value = code * d */
} tg_block_q8_0;

typedef float tg_block_f32;
typedef uint16_t tg_block_f16;
typedef uint16_t tg_block_bf16;

/* ---- in memory: 4 rows, interleaved ---- */
typedef struct tg_tile_q8_0 {
    int8_t qs[8][4][4]; /* [j][row][i]: code 4j + i of the row */
    uint16_t d[4];
    /* Sum of each row's codes: corrects a dot product with activations that have 128 added. */
    int16_t sum[4];
} tg_tile_q8_0;

typedef float tg_tile_f32[4]; /* one number of 4 rows */
typedef uint16_t tg_tile_f16[4];
typedef uint16_t tg_tile_bf16[4];

#define TG_QUANT(NAME, suffix, ...)                                                                \
    void tgi_dequantize_##suffix(const uint8_t *blocks, size_t n_blocks, float *out);              \
    bool tgi_repack_##suffix(const uint8_t *blocks, size_t n_blocks, int lane, uint8_t *tiles);    \
    void tgi_tile_row_##suffix(const uint8_t *tiles, size_t n_blocks, int lane, float *out);
#define TG_PACKED(NAME, suffix, dot, ...) TG_QUANT(NAME, suffix)
#include "quant.def"
#undef TG_QUANT
#undef TG_PACKED

/* Structs against rows, at compile time. Clang folds a field of a compound literal; other compilers
 * leave this check to tests/native/test_quant.c. */
#ifdef __clang__
#define TG_PACKED_BYTES
#define TG_QUANT(NAME, suffix, ...)                                                                \
    _Static_assert(sizeof(tg_block_##suffix) == ((tg_quant_row){__VA_ARGS__}).bytes,               \
                   #NAME " block size");                                                           \
    _Static_assert(sizeof(tg_tile_##suffix) == ((tg_quant_row){__VA_ARGS__}).tile_bytes,           \
                   #NAME " tile size");
#define TG_PACKED(NAME, suffix, dot, ...)                                                          \
    enum { tg_bytes_##suffix = ((tg_quant_row){__VA_ARGS__}).bytes };
#include "quant.def"
#undef TG_QUANT
#undef TG_PACKED
#endif

#endif
