/* What a cache type is: how a head's key and value become blocks, and how a cached key is moved.
 * In: floats. Out: bytes of a page, in the cache's memory. */
#ifndef TG_CACHE_H
#define TG_CACHE_H

#include "../tokenglass.h"
#include "../kernels/kernels.h"
#include "../quant/quant.h"

typedef struct tg_kv_type_row {
    const char *name;     /* "f16" */
    tg_quant quant;       /* of keys: TG_PAGE rows (positions) by head_dim columns, in tiles */
    uint32_t elements;    /* in a block: head_dim must be a multiple of it */
    uint32_t value_bytes; /* of a block of a value */
    /* head_dim floats -> row `slot` of a page's keys (tiles of one head), and of its values */
    void (*write_key)(const tg_kernels *kernels, const float *x, size_t head_dim, uint8_t *tiles,
                      uint32_t slot);
    void (*write_value)(const tg_kernels *kernels, const float *x, size_t head_dim, uint8_t *row);
    /* row from_slot of one head's keys -> row to_slot of another page's, bit for bit */
    void (*copy_key)(uint8_t *to, uint32_t to_slot, const uint8_t *from, uint32_t from_slot,
                     size_t head_dim);
    tg_matmul_fn *(*keys)(const tg_kernels *kernels); /* scores = keys . queries */
    tg_values_fn *(*values)(const tg_kernels *kernels);
} tg_kv_type_row;

extern const tg_kv_type_row tg_kv_type_table[TG_CACHE_TYPE_COUNT];

#endif
