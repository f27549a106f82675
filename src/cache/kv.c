/* The pool of pages, and sessions' tables of them. */
#include "kv.h"

#include <string.h>

#define MAX_HEAD_DIM 1024 /* as hparams.c bounds it */

void tgi_kv_layout(tg_kv *kv, uint32_t n_positions, tg_arena *arena)
{
    const tg_kv_type_row *k = &tg_kv_type_table[kv->type_k], *v = &tg_kv_type_table[kv->type_v];
    uint64_t page_bytes = 0; /* more than a 32-bit machine addresses, in a plan that is refused */
    kv->n_pages = tgi_kv_n_pages(n_positions);
    kv->head_bytes = 0;
    for (uint32_t i = 0; i < kv->n_layer; i++) {
        tg_kv_layer *layer = &kv->layers[i];
        layer->keys_bytes = (size_t)TG_PAGE / TG_TILE_ROWS * layer->head_dim /
                            tg_quants[k->quant].block * tgi_quant_tile_bytes(&tg_quants[k->quant]);
        layer->value_bytes = (size_t)layer->head_dim / v->elements * v->value_bytes;
        layer->head_bytes = layer->keys_bytes + TG_PAGE * layer->value_bytes;
        layer->offset = (size_t)page_bytes;
        page_bytes += (uint64_t)TG_PAGE * sizeof(float) * layer->conv_dim +
                      (uint64_t)layer->head_bytes * layer->n_head;
        if (layer->n_head && layer->head_bytes > kv->head_bytes)
            kv->head_bytes = layer->head_bytes;
    }
    kv->page_bytes = (size_t)page_bytes;
    kv->refs = tgi_arena_alloc(arena, kv->n_pages, sizeof *kv->refs);
    kv->free_list = tgi_arena_alloc(arena, kv->n_pages, sizeof *kv->free_list);
    kv->pages = tgi_arena_alloc(arena, kv->n_pages, page_bytes);
    if (!arena->base)
        return;
    kv->n_free = kv->n_pages;
    for (uint32_t i = 0; i < kv->n_pages; i++) {
        kv->refs[i] = 0;
        kv->free_list[i] = kv->n_pages - 1 - i; /* the lowest page is taken first */
    }
}

static uint32_t take_page(tg_kv *kv)
{
    const uint32_t page = kv->free_list[--kv->n_free];
    kv->refs[page] = 1;
    return page;
}

tg_status tgi_kv_reserve(tg_kv *kv, tg_kv_table *table, uint32_t length, uint32_t upto,
                         tg_error *error)
{
    const uint32_t n_pages = tgi_kv_n_pages(upto);
    const uint32_t last = length / TG_PAGE; /* the index of the page that position `length` is in */
    const bool copy = upto > length && last < table->n_pages && kv->refs[table->pages[last]] > 1;
    const uint32_t n_new = (n_pages > table->n_pages ? n_pages - table->n_pages : 0) + copy;
    if (n_new > kv->n_free)
        return tgi_fail(error, TG_KV_FULL, TG_NO_OFFSET,
                        "the cache's %u pages of %d positions are all taken: %u more are needed, "
                        "%u are free",
                        (unsigned)kv->n_pages, TG_PAGE, (unsigned)n_new, (unsigned)kv->n_free);
    if (copy) {
        const uint32_t shared = table->pages[last], page = take_page(kv);
        memcpy(kv->pages + page * kv->page_bytes, kv->pages + shared * kv->page_bytes,
               kv->page_bytes);
        kv->refs[shared]--;
        table->pages[last] = page;
    }
    while (table->n_pages < n_pages)
        table->pages[table->n_pages++] = take_page(kv);
    return TG_OK;
}

void tgi_kv_truncate(tg_kv *kv, tg_kv_table *table, uint32_t length)
{
    const uint32_t n_pages = tgi_kv_n_pages(length);
    while (table->n_pages > n_pages) {
        const uint32_t page = table->pages[--table->n_pages];
        if (--kv->refs[page] == 0)
            kv->free_list[kv->n_free++] = page;
    }
}

void tgi_kv_share(tg_kv *kv, const tg_kv_table *from, tg_kv_table *to)
{
    for (uint32_t i = 0; i < from->n_pages; i++) {
        to->pages[i] = from->pages[i];
        kv->refs[from->pages[i]]++;
    }
    to->n_pages = from->n_pages;
}

void tgi_kv_write(const tg_kv *kv, const tg_kernels *kernels, uint32_t layer, uint8_t *block,
                  uint32_t slot, const float *key, const float *value)
{
    const tg_kv_layer *l = &kv->layers[layer];
    tg_kv_type_table[kv->type_k].write_key(kernels, key, l->head_dim, block, slot);
    tg_kv_type_table[kv->type_v].write_value(kernels, value, l->head_dim,
                                             block + l->keys_bytes + slot * l->value_bytes);
}

void tgi_kv_copy_slot(const tg_kv *kv, uint32_t layer, uint8_t *to, uint32_t to_slot,
                      const uint8_t *from, uint32_t from_slot)
{
    const tg_kv_layer *l = &kv->layers[layer];
    tg_kv_type_table[kv->type_k].copy_key(to, to_slot, from, from_slot, l->head_dim);
    memcpy(to + l->keys_bytes + to_slot * l->value_bytes,
           from + l->keys_bytes + from_slot * l->value_bytes, l->value_bytes);
}

void tgi_kv_move(const tg_kv *kv, const tg_kv_table *table, uint32_t from, uint32_t to)
{
    const uint32_t from_page = table->pages[from / TG_PAGE], to_page = table->pages[to / TG_PAGE];
    for (uint32_t layer = 0; layer < kv->n_layer; layer++) {
        const tg_kv_layer *l = &kv->layers[layer];
        if (l->conv_dim)
            memcpy(tgi_kv_conv(kv, to_page, layer, to % TG_PAGE),
                   tgi_kv_conv(kv, from_page, layer, from % TG_PAGE), l->conv_dim * sizeof(float));
        for (uint32_t head = 0; head < l->n_head; head++)
            tgi_kv_copy_slot(kv, layer, tgi_kv_block(kv, to_page, layer, head), to % TG_PAGE,
                             tgi_kv_block(kv, from_page, layer, head), from % TG_PAGE);
    }
}

void tgi_kv_clear(const tg_kv *kv, const tg_kernels *kernels, uint32_t page, uint32_t slot)
{
    static const float zeros[MAX_HEAD_DIM];
    for (uint32_t layer = 0; layer < kv->n_layer; layer++) {
        const tg_kv_layer *l = &kv->layers[layer];
        for (uint32_t i = slot; i < TG_PAGE; i++) {
            if (l->conv_dim)
                memset(tgi_kv_conv(kv, page, layer, i), 0, l->conv_dim * sizeof(float));
            for (uint32_t head = 0; head < l->n_head; head++)
                tgi_kv_write(kv, kernels, layer, tgi_kv_block(kv, page, layer, head), i, zeros,
                             zeros);
        }
    }
}
