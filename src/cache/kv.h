/* The cache of keys and values, in pages of TG_PAGE positions. The model owns a pool of pages; a
 * session has a table of the pages that hold its positions. Sessions share pages by counting
 * references: a fork shares all of them, and a session that writes to a shared page first gets a
 * copy of it. A page holds, layer after layer,
 *
 *     for each key-value head:  keys (TG_PAGE, head_dim) in tiles, then values [TG_PAGE][head_dim]
 *     in a convolution layer:   the inputs of the convolution, [TG_PAGE][conv_dim] floats
 *     in other layers:          nothing
 *
 * Keys lie like a weight matrix with a row for each position, so that the matrix product gives all
 * their scores. The memory of the pool lies in the model's arena; nothing is allocated later. */
#ifndef TG_KV_H
#define TG_KV_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "../base/arena.h"
#include "../base/status.h"
#include "kv_type.h"

/* Positions in a page: the keys that one call of a kernel handles. */
#define TG_PAGE TG_KEY_GROUP

/* Pages that n positions take. */
static inline uint32_t tgi_kv_n_pages(uint32_t n)
{
    return (n + TG_PAGE - 1) / TG_PAGE;
}

typedef struct tg_kv_layer {
    /* set before tgi_kv_layout; a layer has heads, or inputs of a convolution, or neither */
    uint32_t n_head, head_dim;
    uint32_t conv_dim;

    size_t offset;      /* bytes of a page before this layer */
    size_t head_bytes;  /* one head's keys and values in a page */
    size_t keys_bytes;  /* one head's keys in a page */
    size_t value_bytes; /* one head's value of one position */
} tg_kv_layer;

typedef struct tg_kv {
    /* set before tgi_kv_layout; the caller owns layers */
    uint32_t n_layer;
    tg_cache_type type_k, type_v;
    tg_kv_layer *layers; /* [n_layer] */

    uint32_t n_pages;
    size_t page_bytes;
    size_t head_bytes; /* the largest head_bytes of all layers */
    uint32_t *refs;    /* [n_pages] tables that hold the page; 0: free */
    uint32_t *free_list, n_free;
    uint8_t *pages; /* [n_pages][page_bytes] */
} tg_kv;

typedef struct tg_kv_table {
    uint32_t *pages; /* [n_pages] page numbers, in memory of the session */
    uint32_t n_pages;
} tg_kv_table;

/* Plans a pool for n_positions (arena->base NULL: counts its memory). The arena counts in 64 bits;
 * the sizes in tg_kv are right once the arena fits into memory. */
void tgi_kv_layout(tg_kv *kv, uint32_t n_positions, tg_arena *arena);

/* Makes positions length to upto - 1 writable: takes free pages, and copies the last page when it
 * is shared. TG_KV_FULL leaves the table unchanged. */
tg_status tgi_kv_reserve(tg_kv *kv, tg_kv_table *table, uint32_t length, uint32_t upto,
                         tg_error *error);
/* Gives back the pages after the first `length` positions. */
void tgi_kv_truncate(tg_kv *kv, tg_kv_table *table, uint32_t length);
/* Makes `to`, which must be empty, share all pages of `from`. */
void tgi_kv_share(tg_kv *kv, const tg_kv_table *from, tg_kv_table *to);

/* One head's block of a page: its keys, then its values. */
static inline uint8_t *tgi_kv_block(const tg_kv *kv, uint32_t page, uint32_t layer, uint32_t head)
{
    return kv->pages + page * kv->page_bytes + kv->layers[layer].offset +
           head * kv->layers[layer].head_bytes;
}

/* The input of a convolution layer at one slot of a page: [conv_dim]. */
static inline float *tgi_kv_conv(const tg_kv *kv, uint32_t page, uint32_t layer, uint32_t slot)
{
    return (float *)(void *)(kv->pages + page * kv->page_bytes + kv->layers[layer].offset) +
           (size_t)slot * kv->layers[layer].conv_dim;
}

/* Writes a key and a value, [head_dim] floats each, into slot 0 .. TG_PAGE - 1 of a head's block,
 * in the cache's types. */
void tgi_kv_write(const tg_kv *kv, const tg_kernels *kernels, uint32_t layer, uint8_t *block,
                  uint32_t slot, const float *key, const float *value);
/* Writes zeros into the slots of a page from `slot` on. */
void tgi_kv_clear(const tg_kv *kv, const tg_kernels *kernels, uint32_t page, uint32_t slot);
/* Copies everything that the table's pages hold for position `from` to position `to`, bit for bit.
 */
void tgi_kv_move(const tg_kv *kv, const tg_kv_table *table, uint32_t from, uint32_t to);
/* Copies one slot's key and value from block to block, bit for bit. */
void tgi_kv_copy_slot(const tg_kv *kv, uint32_t layer, uint8_t *to, uint32_t to_slot,
                      const uint8_t *from, uint32_t from_slot);

#endif
