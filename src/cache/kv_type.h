/* What a cache type is: how keys and values become bytes of a page, and which kernels read them. */
#ifndef TG_KV_TYPE_H
#define TG_KV_TYPE_H

#include "../kernels/kernels.h"
#include "../quant/quant.h"
#include "../tokenglass.h"

typedef struct tg_kv_type_row {
    const char *name;     /* "f16" */
    tg_quant quant;       /* keys of a page are a matrix (TG_PAGE, head_dim) of this weight type */
    uint32_t elements;    /* of a value in a block; head_dim must be a multiple */
    uint32_t value_bytes; /* of a block of a value */
    /* Writes a key x [head_dim] into row `slot` of one head's keys. */
    void (*write_key)(const tg_kernels *kernels, const float *x, size_t head_dim, uint8_t *tiles,
                      uint32_t slot);
    /* Writes a value x [head_dim] into its row. */
    void (*write_value)(const tg_kernels *kernels, const float *x, size_t head_dim, uint8_t *row);
    /* Copies a key from row from_slot of one head's keys to row to_slot of another's, bit for bit.
     */
    void (*copy_key)(uint8_t *to, uint32_t to_slot, const uint8_t *from, uint32_t from_slot,
                     size_t head_dim);
    tg_values_fn *(*values)(const tg_kernels *kernels); /* out += weights . values */
} tg_kv_type_row;

extern const tg_kv_type_row tg_kv_type_table[TG_CACHE_TYPE_COUNT];

#endif
