/* Loads weights: tensor bytes become tiles and floats while they arrive. */
#include "weights.h"

#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* Where a tensor of the directory goes: one of the three, once it is declared or skipped. */
typedef struct target {
    tg_matrix *matrix;
    tg_vector *vector;
    bool skipped;
} target;

struct tg_weight_loader {
    const tg_gguf *gguf;
    uint32_t n;        /* tensors in the directory */
    uint32_t current;  /* the tensor to which bytes go now */
    uint64_t position; /* bytes from the start of the file */
    uint64_t block;    /* the next block of the current tensor */
    size_t carried;    /* bytes of an incomplete block in carry */
    uint8_t carry[TG_MAX_BLOCK_BYTES];
    target targets[]; /* one for each tensor, in the directory's order */
};

tg_weight_loader *tgi_weights_new(const tg_gguf *gguf)
{
    const uint32_t n = tgi_gguf_n_tensors(gguf);
    tg_weight_loader *loader = calloc(1, sizeof *loader + n * sizeof loader->targets[0]);
    if (loader) {
        loader->gguf = gguf;
        loader->n = n;
        loader->position = tgi_gguf_data_offset(gguf);
    }
    return loader;
}

void tgi_weights_free(tg_weight_loader *loader)
{
    free(loader);
}

size_t tgi_weights_memory(const tg_weight_loader *loader)
{
    return sizeof *loader + loader->n * sizeof loader->targets[0];
}

/* Finds the directory's entry of this name, checks its dimensions, and returns its target; NULL: an
 * error, which is recorded. */
static target *find_target(tg_weight_loader *loader, const char *name, uint64_t cols, uint64_t rows,
                           uint64_t stack, const tg_gguf_tensor **out, tg_error *error)
{
    const tg_gguf_tensor *tensor = tgi_gguf_find_tensor(loader->gguf, name);
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
    return &loader->targets[tensor - tgi_gguf_tensor_at(loader->gguf, 0)];
}

tg_status tgi_weights_declare_stack(tg_weight_loader *loader, const char *name, uint32_t rows,
                                    uint32_t cols, uint32_t stack, tg_matrix *out, tg_error *error)
{
    const tg_gguf_tensor *tensor;
    target *to = find_target(loader, name, cols, rows, stack, &tensor, error);
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

tg_status tgi_weights_declare_matrix(tg_weight_loader *loader, const char *name, uint32_t rows,
                                     uint32_t cols, tg_matrix *out, tg_error *error)
{
    return tgi_weights_declare_stack(loader, name, rows, cols, 1, out, error);
}

tg_status tgi_weights_declare_table(tg_weight_loader *loader, const char *name, uint32_t rows,
                                    uint32_t length, tg_vector *out, tg_error *error)
{
    const tg_gguf_tensor *tensor;
    target *to = find_target(loader, name, length, rows, 1, &tensor, error);
    if (!to)
        return error->status;
    to->vector = out;
    *out = (tg_vector){.length = rows * length};
    return TG_OK;
}

tg_status tgi_weights_declare_vector(tg_weight_loader *loader, const char *name, uint32_t length,
                                     tg_vector *out, tg_error *error)
{
    return tgi_weights_declare_table(loader, name, 1, length, out, error);
}

void tgi_weights_skip(tg_weight_loader *loader, const char *name)
{
    const tg_gguf_tensor *tensor = tgi_gguf_find_tensor(loader->gguf, name);
    if (tensor)
        loader->targets[tensor - tgi_gguf_tensor_at(loader->gguf, 0)].skipped = true;
}

void tgi_weights_skip_layers(tg_weight_loader *loader, uint32_t first)
{
    for (uint32_t i = 0; i < loader->n; i++) {
        const char *name = tgi_gguf_tensor_at(loader->gguf, i)->name.data;
        if (!strncmp(name, "blk.", 4) && strtoul(name + 4, NULL, 10) >= first)
            loader->targets[i].skipped = true;
    }
}

tg_status tgi_weights_check_all_declared(const tg_weight_loader *loader, tg_error *error)
{
    for (uint32_t i = 0; i < loader->n; i++)
        if (!loader->targets[i].matrix && !loader->targets[i].vector && !loader->targets[i].skipped)
            return tgi_fail(error, TG_MODEL_TENSOR_UNEXPECTED, TG_NO_OFFSET,
                            "tensor %s does not belong to this architecture",
                            tgi_gguf_tensor_at(loader->gguf, i)->name.data);
    return TG_OK;
}

void tgi_weights_layout(tg_weight_loader *loader, tg_arena *arena)
{
    for (uint32_t i = 0; i < loader->n; i++) {
        tg_matrix *matrix = loader->targets[i].matrix;
        if (matrix) {
            const uint64_t strip =
                (uint64_t)matrix->n_blocks * tgi_quant_tile_bytes(&tg_quants[matrix->quant]);
            const size_t strips = tgi_matrix_strips(matrix);
            matrix->tiles = tgi_arena_alloc(arena, strips, strip);
            if (matrix->tiles && matrix->rows % TG_TILE_ROWS)
                memset(matrix->tiles + (strips - 1) * strip, 0, strip);
        } else if (loader->targets[i].vector) {
            tg_vector *vector = loader->targets[i].vector;
            vector->values = tgi_arena_alloc(arena, vector->length, sizeof(float));
        }
    }
}

/* Repacks n_blocks whole blocks of the current tensor, from loader->block on. Returns whether all
 * are finite. */
static bool put_blocks(tg_weight_loader *loader, const tg_quant_row *quant, const uint8_t *bytes,
                       size_t n_blocks)
{
    const target *to = &loader->targets[loader->current];
    if (to->vector) {
        float *values = to->vector->values + loader->block * quant->block;
        quant->dequantize(bytes, n_blocks, values);
        loader->block += n_blocks;
        bool finite = true;
        for (size_t i = 0; i < n_blocks * quant->block; i++)
            finite &= (bool)isfinite(values[i]);
        return finite;
    }
    bool finite = true;
    while (n_blocks) {
        const size_t in_row = to->matrix->n_blocks;
        const size_t row = (size_t)(loader->block / in_row),
                     column = (size_t)(loader->block % in_row);
        const size_t run = in_row - column < n_blocks ? in_row - column : n_blocks;
        finite &= quant->repack(bytes, run, (int)(row % TG_TILE_ROWS),
                                to->matrix->tiles + (row / TG_TILE_ROWS * in_row + column) *
                                                        tgi_quant_tile_bytes(quant));
        bytes += run * quant->bytes;
        loader->block += run;
        n_blocks -= run;
    }
    return finite;
}

/* put_blocks, with an error for the first block that is not finite. */
static tg_status put_finite(tg_weight_loader *loader, const tg_gguf_tensor *tensor,
                            const tg_quant_row *quant, const uint8_t *bytes, size_t n_blocks,
                            tg_error *error)
{
    const uint64_t begin = loader->block;
    if (put_blocks(loader, quant, bytes, n_blocks))
        return TG_OK;
    loader->block = begin;
    for (size_t b = 0; put_blocks(loader, quant, bytes + b * quant->bytes, 1);)
        b++;
    const uint64_t block = loader->block - 1;
    return tgi_fail(error, TG_MODEL_TENSOR_NOT_FINITE,
                    (int64_t)(tensor->offset + block * quant->bytes),
                    "tensor %s: %s %llu is infinite or not a number", tensor->name.data,
                    quant->block > 1 ? "the scale of block" : "element", (unsigned long long)block);
}

/* Takes n bytes of the current tensor, at most up to its end; keeps an incomplete block for the
 * next call. *taken: the bytes. */
static tg_status feed_tensor(tg_weight_loader *loader, const tg_gguf_tensor *tensor,
                             const uint8_t *bytes, size_t n, size_t *taken, tg_error *error)
{
    const tg_quant_row *quant = tgi_quant_of_ggml(tensor->type);
    *taken = n;
    if (loader->carried) { /* completes a block that started in an earlier call */
        if (n > quant->bytes - loader->carried)
            *taken = quant->bytes - loader->carried;
        memcpy(loader->carry + loader->carried, bytes, *taken);
        loader->carried += *taken;
        if (loader->carried < quant->bytes)
            return TG_OK;
        loader->carried = 0;
        return put_finite(loader, tensor, quant, loader->carry, 1, error);
    }
    const size_t whole = n / quant->bytes;
    const tg_status status = put_finite(loader, tensor, quant, bytes, whole, error);
    loader->carried = n - whole * quant->bytes;
    memcpy(loader->carry, bytes + whole * quant->bytes, loader->carried);
    return status;
}

tg_status tgi_weights_feed(tg_weight_loader *loader, const uint8_t *bytes, size_t n,
                           tg_error *error)
{
    tg_status status = TG_OK;
    while (!status && n && loader->current < loader->n) {
        const tg_gguf_tensor *tensor = tgi_gguf_tensor_at(loader->gguf, loader->current);
        const bool in_padding = loader->position < tensor->offset;
        const uint64_t end = in_padding ? tensor->offset : tensor->offset + tensor->size;
        const uint64_t n_left = end - loader->position;
        size_t taken = n_left < n ? (size_t)n_left : n;
        if (!in_padding && !loader->targets[loader->current].skipped)
            status = feed_tensor(loader, tensor, bytes, taken, &taken, error);
        bytes += taken;
        n -= taken;
        loader->position += taken;
        if (loader->position == tensor->offset + tensor->size) {
            loader->current++;
            loader->block = 0;
        }
    }
    return status;
}

tg_status tgi_weights_end(const tg_weight_loader *loader, tg_error *error)
{
    if (loader->current == loader->n)
        return TG_OK;
    const tg_gguf_tensor *tensor = tgi_gguf_tensor_at(loader->gguf, loader->current);
    return tgi_fail(error, TG_GGUF_TRUNCATED, (int64_t)loader->position,
                    "the file ends at byte %llu, inside or before tensor %s, which ends at %llu",
                    (unsigned long long)loader->position, tensor->name.data,
                    (unsigned long long)(tensor->offset + tensor->size));
}
