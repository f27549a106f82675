/* The merges of a file: pairs of tokens, by rank, each with the token that they make. */
#ifndef TG_MERGES_H
#define TG_MERGES_H

#include "merge_queue.h"
#include "vocabulary.h"

struct tg_merges {
    uint32_t mask;
    uint32_t *table; /* hash table of pairs of ids: [mask + 1] rank + 1, 0 where free */
    struct tg_merge {
        int32_t left, right, merged;
    } list[]; /* ordered by rank */
};

/* Reads tokenizer.ggml.merges into t->merges. A merge is refused if a side or the result is not a
 * token, because ids are merged; with `lenient` it is left out and a warning counts it, and
 * t->merges stays NULL if the file has no merges that can be used. */
tg_status tgi_merges_read(tg_tokenizer *t, const tg_gguf *gguf, bool lenient, tg_error *error);

/* The slot of the table with this pair, or the free slot for it. */
static inline uint32_t tgi_merges_slot(const tg_merges *m, int32_t left, int32_t right)
{
    uint32_t at = tgi_pair_hash((uint32_t)left, (uint32_t)right) & m->mask;
    for (; m->table[at]; at = (at + 1) & m->mask) {
        const struct tg_merge *merge = &m->list[m->table[at] - 1];
        if (merge->left == left && merge->right == right)
            break;
    }
    return at;
}

/* The rank of the merge of two tokens; TG_NO_MERGE: they do not merge. */
static inline uint32_t tgi_merges_find(const tg_merges *m, int32_t left, int32_t right)
{
    const uint32_t number = m->table[tgi_merges_slot(m, left, right)];
    return number ? number - 1 : TG_NO_MERGE;
}

#endif
