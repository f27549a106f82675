/* From tensor bytes to repacked tiles, while they arrive. In: the list of tensors an architecture
 * wants, checked against the file's directory, then the file's bytes in portions of any size. Out:
 * matrices of tiles and vectors of floats, in memory the caller planned and owns. */
#ifndef TG_WEIGHTS_H
#define TG_WEIGHTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../base/arena.h"
#include "../gguf/gguf.h"
#include "../quant/quant.h"
#include "../base/status.h"

typedef struct tg_matrix {
    tg_quant quant;
    uint32_t rows, cols;
    size_t n_blocks; /* tiles in a strip: cols / elements of a block */
    uint8_t *tiles;  /* ceil(rows / TG_TILE_ROWS) strips */
} tg_matrix;

typedef struct tg_vector {
    uint32_t length;
    float *values;
} tg_vector;

typedef struct tg_weights tg_weights;

tg_weights *
tgi_weights_new(const tg_gguf *gguf); /* NULL when out of memory; gguf must outlive it */
void tgi_weights_free(tg_weights *weights);
size_t tgi_weights_memory(const tg_weights *weights); /* bytes of its own lists */

/* Declares a tensor by its name in the file; the result is filled by tgi_weights_layout. A tensor
 * that is absent is TG_MODEL_TENSOR_MISSING; one of another shape is TG_MODEL_TENSOR_SHAPE. */
tg_status tgi_weights_want_matrix(tg_weights *weights, const char *name, uint32_t rows,
                                  uint32_t cols, tg_matrix *out, tg_error *error);
/* `stack` matrices of one shape, as one with rows * stack rows */
tg_status tgi_weights_want_stack(tg_weights *weights, const char *name, uint32_t rows,
                                 uint32_t cols, uint32_t stack, tg_matrix *out, tg_error *error);
tg_status tgi_weights_want_vector(tg_weights *weights, const char *name, uint32_t length,
                                  tg_vector *out, tg_error *error);
/* rows of `length` floats as one vector */
tg_status tgi_weights_want_table(tg_weights *weights, const char *name, uint32_t rows,
                                 uint32_t length, tg_vector *out, tg_error *error);

/* A tensor that may be there, and is then read over. */
void tgi_weights_skip(tg_weights *weights, const char *name);
/* The tensors of layers from `first` on, none of which may be wanted, are read over. */
void tgi_weights_skip_layers(tg_weights *weights, uint32_t first);
/* After the last want: a tensor of the file that nothing wants is TG_MODEL_TENSOR_UNEXPECTED. */
tg_status tgi_weights_check_all_wanted(const tg_weights *weights, tg_error *error);

/* Counts (arena->base NULL) or places the memory of everything wanted; placing also clears the
 * missing rows of last strips. */
void tgi_weights_layout(tg_weights *weights, tg_arena *arena);

/* The next n bytes of the file, starting after the header's padding. Those after the last tensor
 * are ignored. A scale or weight that is infinite or NaN is TG_MODEL_TENSOR_NOT_FINITE, with its
 * tensor and the byte where its block begins. */
tg_status tgi_weights_feed(tg_weights *weights, const uint8_t *bytes, size_t n, tg_error *error);
/* Says TG_GGUF_TRUNCATED, naming tensor and byte, unless every tensor is complete. */
tg_status tgi_weights_end(const tg_weights *weights, tg_error *error);

/* One row of a matrix as floats: out has cols floats. */
void tgi_matrix_row(const tg_matrix *matrix, uint32_t row, float *out);

/* Rows first to first + rows - 1, as a matrix of their own over the same tiles: first must be a
 * multiple of TG_TILE_ROWS. */
static inline tg_matrix tgi_matrix_part(const tg_matrix *matrix, uint32_t first, uint32_t rows)
{
    tg_matrix part = *matrix;
    part.rows = rows;
    part.tiles += (size_t)first / TG_TILE_ROWS * matrix->n_blocks *
                  tgi_quant_tile_bytes(&tg_quants[matrix->quant]);
    return part;
}

/* Elements first to first + length - 1; of a vector that is not there, nothing. */
static inline tg_vector tgi_vector_part(const tg_vector *vector, uint32_t first, uint32_t length)
{
    return vector->length ? (tg_vector){length, vector->values + first} : *vector;
}

static inline size_t tgi_matrix_strips(const tg_matrix *matrix)
{
    return (matrix->rows + TG_TILE_ROWS - 1) / TG_TILE_ROWS;
}

#endif
