/* The weight types: sizes, the reference dequantizer of a file block, and the tile each type is
 * repacked into. A tile holds one block (or one element, for the float types) of TG_TILE_ROWS
 * neighbouring rows, so that a vector load serves all of them and a row's sum never has to be added
 * across lanes. A matrix of R rows by K columns is ceil(R / TG_TILE_ROWS) strips, each of K /
 * elements tiles; missing rows are zero. */
#ifndef TG_QUANT_H
#define TG_QUANT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TG_TILE_ROWS 4

typedef enum tg_quant { /* our own numbers, dense, in the list's order */
#define TG_QUANT(NAME, suffix, ggml, elements, bytes, tile_bytes, activation) TG_QUANT_##NAME,
#include "quant.def"
#undef TG_QUANT
                        TG_QUANT_COUNT
} tg_quant;

typedef enum tg_activation { TG_ACT_F32, TG_ACT_Q8 } tg_activation;

typedef struct tg_quant_row {
    const char *name;    /* "Q8_0" */
    uint32_t ggml;       /* type number in GGUF files */
    uint32_t elements;   /* weights in a block */
    uint32_t bytes;      /* of a block in the file */
    uint32_t tile_bytes; /* of a tile of TG_TILE_ROWS blocks */
    tg_activation activation;
    /* n_blocks file blocks -> n_blocks * elements floats, exactly the format's definition */
    void (*dequantize)(const uint8_t *blocks, size_t n_blocks, float *out);
    /* n_blocks file blocks of row `lane` (0..3) of a strip -> their places in the strip's tiles,
     * starting with tiles[0]. Returns false when a scale (or an element that has none) is infinite
     * or NaN: the kernels take them for finite. */
    bool (*repack)(const uint8_t *blocks, size_t n_blocks, int lane, uint8_t *tiles);
    /* the inverse of repack followed by dequantize: n_blocks tiles, one lane -> floats (for
     * embedding look-ups) */
    void (*tile_row)(const uint8_t *tiles, size_t n_blocks, int lane, float *out);
} tg_quant_row;

extern const tg_quant_row tg_quants[TG_QUANT_COUNT];

/* NULL when the type number is not in the list. */
const tg_quant_row *tgi_quant_of_ggml(uint32_t ggml);

/* "F32, F16, ..." for messages that say what is supported. */
const char *tgi_quant_names(void);

/* Whether a binary16 is neither infinite nor NaN. */
static inline bool tgi_half_is_finite(uint16_t half)
{
    return (half & 0x7c00) != 0x7c00;
}

float tgi_half_to_float(uint16_t half); /* IEEE binary16, subnormals, infinities and NaN included */
uint16_t tgi_float_to_half(float value); /* round to nearest, ties to even */

#endif
