/* A weight matrix in tiles and a weight vector of floats, as the layers read them. Both are views:
 * the memory belongs to the model's arena. */
#ifndef TG_TENSOR_H
#define TG_TENSOR_H

#include <stddef.h>
#include <stdint.h>

#include "../quant/quant.h"

/* A matrix (rows, cols), repacked: TG_TILE_ROWS rows form a strip, and a strip is a row of tiles,
 * each of them one block wide. */
typedef struct tg_matrix {
    tg_quant quant;
    uint32_t rows, cols; /* rows 0: the model does not have this matrix */
    size_t n_blocks;     /* tiles in a strip: cols / elements of a block */
    uint8_t *tiles;      /* ceil(rows / TG_TILE_ROWS) strips */
} tg_matrix;

typedef struct tg_vector {
    uint32_t length; /* 0: the model does not have this vector */
    float *values;
} tg_vector;

static inline size_t tgi_matrix_strips(const tg_matrix *matrix)
{
    return (matrix->rows + TG_TILE_ROWS - 1) / TG_TILE_ROWS;
}

/* Dequantizes one row; out: [cols]. */
static inline void tgi_matrix_row(const tg_matrix *matrix, uint32_t row, float *out)
{
    const tg_quant_row *quant = &tg_quants[matrix->quant];
    quant->tile_row(matrix->tiles +
                        row / TG_TILE_ROWS * matrix->n_blocks * tgi_quant_tile_bytes(quant),
                    matrix->n_blocks, (int)(row % TG_TILE_ROWS), out);
}

/* Rows first to first + rows - 1 as a matrix over the same tiles; first must be a multiple of
 * TG_TILE_ROWS. */
static inline tg_matrix tgi_matrix_part(const tg_matrix *matrix, uint32_t first, uint32_t rows)
{
    tg_matrix part = *matrix;
    part.rows = rows;
    part.tiles += (size_t)first / TG_TILE_ROWS * matrix->n_blocks *
                  tgi_quant_tile_bytes(&tg_quants[matrix->quant]);
    return part;
}

/* Elements first to first + length - 1; an absent vector gives an absent one. */
static inline tg_vector tgi_vector_part(const tg_vector *vector, uint32_t first, uint32_t length)
{
    return vector->length ? (tg_vector){length, vector->values + first} : *vector;
}

#endif
