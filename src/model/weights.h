/* Loads weights: tensor bytes become tiles and floats while they arrive.
 *
 * First the architecture declares every tensor, which is checked against the file's directory. Then
 * the loader plans the memory, in the model's arena, and takes the file's bytes in portions of any
 * size. */
#ifndef TG_WEIGHTS_H
#define TG_WEIGHTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../base/arena.h"
#include "../base/status.h"
#include "../gguf/gguf.h"
#include "tensor.h"

typedef struct tg_weight_loader tg_weight_loader;

/* gguf must outlive the loader. NULL: out of memory. The caller frees it. */
tg_weight_loader *tgi_weights_new(const tg_gguf *gguf);
void tgi_weights_free(tg_weight_loader *loader);
/* Bytes of the loader itself. */
size_t tgi_weights_memory(const tg_weight_loader *loader);

/* ---- declaring ---- */

/* Declares a tensor by its name in the file. *out gets its shape now, its memory from
 * tgi_weights_layout, and must stay where it is. TG_MODEL_TENSOR_MISSING: the file does not have
 * the tensor; TG_MODEL_TENSOR_SHAPE: it has another shape. */
tg_status tgi_weights_declare_matrix(tg_weight_loader *loader, const char *name, uint32_t rows,
                                     uint32_t cols, tg_matrix *out, tg_error *error);
/* `stack` matrices of one shape, as one matrix with rows * stack rows. */
tg_status tgi_weights_declare_stack(tg_weight_loader *loader, const char *name, uint32_t rows,
                                    uint32_t cols, uint32_t stack, tg_matrix *out, tg_error *error);
tg_status tgi_weights_declare_vector(tg_weight_loader *loader, const char *name, uint32_t length,
                                     tg_vector *out, tg_error *error);
/* `rows` rows of `length` floats, as one vector. */
tg_status tgi_weights_declare_table(tg_weight_loader *loader, const char *name, uint32_t rows,
                                    uint32_t length, tg_vector *out, tg_error *error);

/* Ignores a tensor, if the file has it. */
void tgi_weights_skip(tg_weight_loader *loader, const char *name);
/* Ignores all tensors of the layers from `first` on. */
void tgi_weights_skip_layers(tg_weight_loader *loader, uint32_t first);
/* After the last declaration. TG_MODEL_TENSOR_UNEXPECTED: the file has a tensor that is neither
 * declared nor skipped. */
tg_status tgi_weights_check_all_declared(const tg_weight_loader *loader, tg_error *error);

/* ---- loading ---- */

/* Plans the memory of everything declared (arena->base NULL: counts it), and clears the rows that
 * are missing in last strips. */
void tgi_weights_layout(tg_weight_loader *loader, tg_arena *arena);

/* Takes the next n bytes of the file, from the padding after the header on; bytes after the last
 * tensor are ignored. TG_MODEL_TENSOR_NOT_FINITE: a weight or the scale of a block is infinite or
 * NaN; the error has the tensor's name and the byte at which the block starts. */
tg_status tgi_weights_feed(tg_weight_loader *loader, const uint8_t *bytes, size_t n,
                           tg_error *error);
/* TG_GGUF_TRUNCATED, with tensor and byte, unless every tensor is complete. */
tg_status tgi_weights_end(const tg_weight_loader *loader, tg_error *error);

#endif
