/* The weight types: their sizes, the functions that convert their blocks, and the tiles that the
 * kernels multiply. A tile holds one block (one weight, for the float types) of TG_TILE_ROWS
 * neighbouring rows, so that a vector load serves all four rows and no kernel has to add across
 * lanes. A matrix of R rows by K columns is ceil(R / TG_TILE_ROWS) strips of K / block tiles each;
 * missing rows are zero. All memory belongs to the caller. */
#ifndef TG_QUANT_H
#define TG_QUANT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TG_TILE_ROWS       4
#define TG_MAX_BLOCK_BYTES 256 /* no block in a file is longer */

/* The engine's own numbers of the types: the order of the rows in quant.def. */
typedef enum tg_quant {
#define TG_QUANT(NAME, suffix, ...)       TG_QUANT_##NAME,
#define TG_PACKED(NAME, suffix, dot, ...) TG_QUANT_##NAME,
#include "quant.def"
#undef TG_QUANT
#undef TG_PACKED
    TG_QUANT_COUNT
} tg_quant;

typedef enum tg_activation { TG_ACT_F32, TG_ACT_Q8 } tg_activation;

/* The values that the codes of a packed type are indices of: tg_codebooks in packed.h. */
typedef enum tg_codebook {
    TG_NO_CODEBOOK,
    TG_CODEBOOK_IQ4,
    TG_CODEBOOK_MXFP4,
    TG_CODEBOOK_IQ3_XXS,
    TG_CODEBOOK_IQ3_S,
    TG_CODEBOOK_IQ2,
    TG_CODEBOOK_IQ1
} tg_codebook;

/* One row of quant.def or packed.def, which explain the fields. */
typedef struct tg_quant_row {
    const char *name;    /* "Q8_0" */
    uint32_t ggml;       /* type number in GGUF files */
    uint32_t block;      /* weights in a block */
    uint32_t bytes;      /* bytes of a block in the file */
    uint32_t tile_bytes; /* 0 for packed types: use tgi_quant_tile_bytes */
    tg_activation activation;

    /* packed types only; bits is 0 for the others */
    int bits, scales, mins, offset, d_shift;
    tg_codebook codebook;
    bool bfloat;

    /* n_blocks file blocks -> n_blocks * block floats, exactly as the format defines them */
    void (*dequantize)(const uint8_t *blocks, size_t n_blocks, float *out);
    /* n_blocks file blocks of row `lane` (0 to 3) of a strip -> that row of the strip's tiles from
     * tiles[0] on. Returns false when a scale (or a weight that has none) is infinite or NaN: the
     * kernels assume finite ones. */
    bool (*repack)(const uint8_t *blocks, size_t n_blocks, int lane, uint8_t *tiles);
    /* row `lane` of n_blocks tiles -> n_blocks * block floats: the same as dequantize gave before
     * repack */
    void (*tile_row)(const uint8_t *tiles, size_t n_blocks, int lane, float *out);
} tg_quant_row;

extern const tg_quant_row tg_quants[TG_QUANT_COUNT];

/* Bytes of a tile of TG_TILE_ROWS blocks. */
size_t tgi_quant_tile_bytes(const tg_quant_row *row);

/* The row with this type number of GGUF; NULL when there is none. */
const tg_quant_row *tgi_quant_of_ggml(uint32_t ggml);

/* "F32, F16, ..." for messages that say which types are supported. */
const char *tgi_quant_names(void);

/* Whether a binary16 is neither infinite nor NaN. */
static inline bool tgi_half_is_finite(uint16_t half)
{
    return (half & 0x7c00) != 0x7c00;
}

/* IEEE binary16 to float, exactly; subnormals, infinities and NaN included. */
float tgi_half_to_float(uint16_t half);

/* Rounds to nearest, ties to even. */
uint16_t tgi_float_to_half(float value);

#endif
