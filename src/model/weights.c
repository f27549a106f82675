/* In: wanted tensors and the file's bytes in any portions. Out: tiles and vectors in the arena.
 * Owns its list of tensors and nothing else. */
#include "weights.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

typedef struct target { /* where a tensor of the directory goes: exactly one of the two once wanted
                         */
    tg_matrix *matrix;
    tg_vector *vector;
    bool skipped;
} target;

struct tg_weights {
    const tg_gguf *gguf;
    uint32_t n;        /* tensors in the directory */
    uint32_t current;  /* the tensor that bytes go to now */
    uint64_t position; /* bytes from the start of the file */
    uint64_t block;    /* the next block of the current tensor */
    size_t carried;    /* bytes of an incomplete block in carry */
    uint8_t carry[TG_MAX_BLOCK_BYTES];
    target targets[]; /* one for each tensor, in the directory's order */
};

tg_weights *tgi_weights_new(const tg_gguf *gguf)
{
    const uint32_t n = tgi_gguf_n_tensors(gguf);
    tg_weights *weights = calloc(1, sizeof *weights + n * sizeof weights->targets[0]);
    if (weights) {
        weights->gguf = gguf;
        weights->n = n;
        weights->position = tgi_gguf_data_offset(gguf);
    }
    return weights;
}

void tgi_weights_free(tg_weights *weights)
{
    free(weights);
}

size_t tgi_weights_memory(const tg_weights *weights)
{
    return sizeof *weights + weights->n * sizeof weights->targets[0];
}

/* The directory entry of name, which must have these dimensions, and its target; NULL after
 * recording what is wrong. */
static target *want(tg_weights *weights, const char *name, uint64_t cols, uint64_t rows,
                    uint64_t stack, const tg_gguf_tensor **out, tg_error *error)
{
    const tg_gguf_tensor *tensor = tgi_gguf_find_tensor(weights->gguf, name);
    if (!tensor) {
        tgi_fail(error, TG_MODEL_TENSOR_MISSING, TG_NO_OFFSET, "tensor %s is missing", name);
        return NULL;
    }
    if (tensor->dims[0] != cols || tensor->dims[1] != rows || tensor->dims[2] != stack ||
        tensor->dims[3] != 1) {
        char third[24] = "";
        if (stack != 1)
            snprintf(third, sizeof third, " x %llu", (unsigned long long)stack);
        tgi_fail(error, TG_MODEL_TENSOR_SHAPE, TG_NO_OFFSET,
                 "tensor %s is %llu x %llu x %llu x %llu, expected %llu x %llu%s", name,
                 (unsigned long long)tensor->dims[0], (unsigned long long)tensor->dims[1],
                 (unsigned long long)tensor->dims[2], (unsigned long long)tensor->dims[3],
                 (unsigned long long)cols, (unsigned long long)rows, third);
        return NULL;
    }
    *out = tensor;
    return &weights->targets[tensor - tgi_gguf_tensor_at(weights->gguf, 0)];
}

tg_status tgi_weights_want_stack(tg_weights *weights, const char *name, uint32_t rows,
                                 uint32_t cols, uint32_t stack, tg_matrix *out, tg_error *error)
{
    const tg_gguf_tensor *tensor;
    target *to = want(weights, name, cols, rows, stack, &tensor, error);
    if (!to)
        return error->status;
    const tg_quant_row *quant = tgi_quant_of_ggml(tensor->type);
    to->matrix = out;
    *out = (tg_matrix){.quant = (tg_quant)(quant - tg_quants),
                       .rows = rows * stack,
                       .cols = cols,
                       .n_blocks = cols / quant->block};
    return TG_OK;
}

tg_status tgi_weights_want_matrix(tg_weights *weights, const char *name, uint32_t rows,
                                  uint32_t cols, tg_matrix *out, tg_error *error)
{
    return tgi_weights_want_stack(weights, name, rows, cols, 1, out, error);
}

tg_status tgi_weights_want_table(tg_weights *weights, const char *name, uint32_t rows,
                                 uint32_t length, tg_vector *out, tg_error *error)
{
    const tg_gguf_tensor *tensor;
    target *to = want(weights, name, length, rows, 1, &tensor, error);
    if (!to)
        return error->status;
    to->vector = out;
    *out = (tg_vector){.length = rows * length};
    return TG_OK;
}

tg_status tgi_weights_want_vector(tg_weights *weights, const char *name, uint32_t length,
                                  tg_vector *out, tg_error *error)
{
    return tgi_weights_want_table(weights, name, 1, length, out, error);
}

void tgi_weights_skip(tg_weights *weights, const char *name)
{
    const tg_gguf_tensor *tensor = tgi_gguf_find_tensor(weights->gguf, name);
    if (tensor)
        weights->targets[tensor - tgi_gguf_tensor_at(weights->gguf, 0)].skipped = true;
}

void tgi_weights_skip_layers(tg_weights *weights, uint32_t first)
{
    for (uint32_t i = 0; i < weights->n; i++) {
        const char *name = tgi_gguf_tensor_at(weights->gguf, i)->name.data;
        if (!strncmp(name, "blk.", 4) && strtoul(name + 4, NULL, 10) >= first)
            weights->targets[i].skipped = true;
    }
}

tg_status tgi_weights_check_all_wanted(const tg_weights *weights, tg_error *error)
{
    for (uint32_t i = 0; i < weights->n; i++)
        if (!weights->targets[i].matrix && !weights->targets[i].vector &&
            !weights->targets[i].skipped)
            return tgi_fail(error, TG_MODEL_TENSOR_UNEXPECTED, TG_NO_OFFSET,
                            "tensor %s has no place in this architecture as it is supported here",
                            tgi_gguf_tensor_at(weights->gguf, i)->name.data);
    return TG_OK;
}

void tgi_weights_layout(tg_weights *weights, tg_arena *arena)
{
    for (uint32_t i = 0; i < weights->n; i++) {
        tg_matrix *matrix = weights->targets[i].matrix;
        if (matrix) {
            const uint64_t strip =
                (uint64_t)matrix->n_blocks * tgi_quant_tile_bytes(&tg_quants[matrix->quant]);
            const size_t strips = tgi_matrix_strips(matrix);
            matrix->tiles = tgi_arena_alloc(arena, strips, strip);
            if (matrix->tiles && matrix->rows % TG_TILE_ROWS)
                memset(matrix->tiles + (strips - 1) * strip, 0, strip);
        } else if (weights->targets[i].vector) {
            tg_vector *vector = weights->targets[i].vector;
            vector->values = tgi_arena_alloc(arena, vector->length, sizeof(float));
        }
    }
}

/* n_blocks whole blocks of the current tensor, from weights->block on; returns whether they are
 * finite. */
static bool put_blocks(tg_weights *weights, const tg_quant_row *quant, const uint8_t *bytes,
                       size_t n_blocks)
{
    const target *to = &weights->targets[weights->current];
    if (to->vector) {
        float *values = to->vector->values + weights->block * quant->block;
        quant->dequantize(bytes, n_blocks, values);
        weights->block += n_blocks;
        bool finite = true;
        for (size_t i = 0; i < n_blocks * quant->block; i++)
            finite &= (bool)isfinite(values[i]);
        return finite;
    }
    bool finite = true;
    while (n_blocks) {
        const size_t in_row = to->matrix->n_blocks;
        const size_t row = (size_t)(weights->block / in_row),
                     column = (size_t)(weights->block % in_row);
        const size_t run = in_row - column < n_blocks ? in_row - column : n_blocks;
        finite &= quant->repack(bytes, run, (int)(row % TG_TILE_ROWS),
                                to->matrix->tiles + (row / TG_TILE_ROWS * in_row + column) *
                                                        tgi_quant_tile_bytes(quant));
        bytes += run * quant->bytes;
        weights->block += run;
        n_blocks -= run;
    }
    return finite;
}

/* put_blocks, and of what is not finite the first block. */
static tg_status put_finite(tg_weights *weights, const tg_gguf_tensor *tensor,
                            const tg_quant_row *quant, const uint8_t *bytes, size_t n_blocks,
                            tg_error *error)
{
    const uint64_t begin = weights->block;
    if (put_blocks(weights, quant, bytes, n_blocks))
        return TG_OK;
    weights->block = begin;
    for (size_t b = 0; put_blocks(weights, quant, bytes + b * quant->bytes, 1);)
        b++;
    const uint64_t block = weights->block - 1;
    return tgi_fail(error, TG_MODEL_TENSOR_NOT_FINITE,
                    (int64_t)(tensor->offset + block * quant->bytes),
                    "tensor %s: %s %llu is infinite or not a number", tensor->name.data,
                    quant->block > 1 ? "the scale of block" : "element", (unsigned long long)block);
}

tg_status tgi_weights_feed(tg_weights *weights, const uint8_t *bytes, size_t n, tg_error *error)
{
    tg_status status = TG_OK;
    while (!status && n && weights->current < weights->n) {
        const tg_gguf_tensor *tensor = tgi_gguf_tensor_at(weights->gguf, weights->current);
        const tg_quant_row *quant = tgi_quant_of_ggml(tensor->type);
        const uint64_t ahead = weights->position < tensor->offset
                                   ? tensor->offset - weights->position /* padding before it */
                                   : tensor->offset + tensor->size - weights->position;
        size_t take = ahead < n ? (size_t)ahead : n;
        if (weights->position >= tensor->offset && !weights->targets[weights->current].skipped) {
            if (weights->carried) {
                if (take > quant->bytes - weights->carried)
                    take = quant->bytes - weights->carried;
                memcpy(weights->carry + weights->carried, bytes, take);
                weights->carried += take;
                if (weights->carried == quant->bytes) {
                    status = put_finite(weights, tensor, quant, weights->carry, 1, error);
                    weights->carried = 0;
                }
            } else {
                const size_t whole = take / quant->bytes;
                status = put_finite(weights, tensor, quant, bytes, whole, error);
                weights->carried = take - whole * quant->bytes;
                memcpy(weights->carry, bytes + whole * quant->bytes, weights->carried);
            }
        }
        bytes += take;
        n -= take;
        weights->position += take;
        if (weights->position == tensor->offset + tensor->size) {
            weights->current++;
            weights->block = 0;
        }
    }
    return status;
}

tg_status tgi_weights_end(const tg_weights *weights, tg_error *error)
{
    if (weights->current == weights->n)
        return TG_OK;
    const tg_gguf_tensor *tensor = tgi_gguf_tensor_at(weights->gguf, weights->current);
    return tgi_fail(error, TG_GGUF_TRUNCATED, (int64_t)weights->position,
                    "the file ends at byte %llu, inside or before tensor %s, which ends at %llu",
                    (unsigned long long)weights->position, tensor->name.data,
                    (unsigned long long)(tensor->offset + tensor->size));
}

void tgi_matrix_row(const tg_matrix *matrix, uint32_t row, float *out)
{
    const tg_quant_row *quant = &tg_quants[matrix->quant];
    quant->tile_row(matrix->tiles +
                        row / TG_TILE_ROWS * matrix->n_blocks * tgi_quant_tile_bytes(quant),
                    matrix->n_blocks, (int)(row % TG_TILE_ROWS), out);
}
