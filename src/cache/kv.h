/* The cache of keys and values, in pages. A pool of pages belongs to the model; a session has a
 * table of them. Pages are shared by counting references: a fork shares all of them, and whoever
 * writes to a shared page first gets a copy of it.
 *
 *     page:   for each layer, for each key-value head:  keys (TG_PAGE, head_dim) in tiles   values
 * [TG_PAGE][head_dim] or, for a layer that convolves:           what each of its positions keeps
 * [TG_PAGE][state] or nothing
 *
 * Keys lie as the matrix of weights whose rows they are, so that the product of matrices gives all
 * their scores. In: keys and values of positions. Out: pointers to blocks of a page. The pool's
 * memory is in the model's arena; nothing is allocated after it was placed. */
#ifndef TG_KV_H
#define TG_KV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../base/arena.h"
#include "kv_type.h"
#include "../base/status.h"

/* Positions in a page: the keys that one call of a kernel handles. */
#define TG_PAGE TG_KEY_GROUP

typedef struct tg_kv_layer {
    uint32_t n_head, head_dim; /* of keys and values; no heads: the layer has none */
    uint32_t state; /* floats that a position keeps here; a layer has heads or these or nothing */
    size_t at;      /* byte of a page where the layer begins */
    size_t head_bytes, keys_bytes,
        value_bytes; /* of one head in a page; of its keys alone; of one position's value */
} tg_kv_layer;

typedef struct tg_kv {
    uint32_t n_layer;
    tg_cache_type type_k, type_v;
    tg_kv_layer *layers; /* [n_layer]; whoever sets the fields up to here owns them */
    uint32_t n_pages;
    size_t page_bytes, head_bytes; /* of a page; of the largest head's keys and values in it */
    uint32_t *refs;                /* [n_pages] tables that hold the page; 0: free */
    uint32_t *free_list, n_free;
    uint8_t *pages;
} tg_kv;

typedef struct tg_kv_table {
    uint32_t *pages; /* [capacity] page numbers; the session's memory */
    uint32_t n_pages;
} tg_kv_table;

/* Counts or places a pool for n_positions; the fields of kv up to layers, and of each layer those
 * up to state, must be set. */
void tgi_kv_layout(tg_kv *kv, uint32_t n_positions, tg_arena *arena);

/* Makes positions from `length` up to, not including, `upto` writable in the table: takes free
 * pages, and copies the last one when it is shared. On TG_KV_FULL the table is as before. */
tg_status tgi_kv_reserve(tg_kv *kv, tg_kv_table *table, uint32_t length, uint32_t upto,
                         tg_error *error);
void tgi_kv_truncate(tg_kv *kv, tg_kv_table *table,
                     uint32_t length); /* gives back the pages past position length - 1 */
void tgi_kv_share(tg_kv *kv, const tg_kv_table *from, tg_kv_table *to);

/* One head's block of a page, keys first. */
static inline uint8_t *tgi_kv_block(const tg_kv *kv, uint32_t page, uint32_t layer, uint32_t head)
{
    return kv->pages + page * kv->page_bytes + kv->layers[layer].at +
           head * kv->layers[layer].head_bytes;
}

/* What a slot of a page keeps in a layer that has state. */
static inline float *tgi_kv_state(const tg_kv *kv, uint32_t page, uint32_t layer, uint32_t slot)
{
    return (float *)(void *)(kv->pages + page * kv->page_bytes + kv->layers[layer].at) +
           (size_t)slot * kv->layers[layer].state;
}

/* Writes head_dim floats each into slot (0..TG_PAGE-1) of a head's block of the layer, in the
 * cache's types. */
void tgi_kv_write(const tg_kv *kv, const tg_kernels *kernels, uint32_t layer, uint8_t *block,
                  uint32_t slot, const float *key, const float *value);
/* Makes the slots of a page from `slot` on as if zeros had been written. */
void tgi_kv_clear(const tg_kv *kv, const tg_kernels *kernels, uint32_t page, uint32_t slot);
/* Copies one slot's key and value between blocks of the layer, bit for bit. */
void tgi_kv_copy_slot(const tg_kv *kv, uint32_t layer, uint8_t *to, uint32_t to_slot,
                      const uint8_t *from, uint32_t from_slot);

#endif
