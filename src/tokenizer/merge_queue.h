/* The pairs of a long word that may merge: for each place a key, and a tree of least keys above
 * them, so that the least one, the leftmost among equals, is found and any one changed by looking
 * at a few times TG_MERGE_QUEUE_FAN numbers. In: keys by place. Out: the place to merge next. The
 * keys are the caller's. */
#ifndef TG_MERGE_QUEUE_H
#define TG_MERGE_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TG_MERGE_QUEUE_FAN    16
#define TG_MERGE_QUEUE_LEVELS 8 /* for 2^32 places */
#define TG_NO_PAIR            UINT32_MAX

typedef struct tg_merge_queue {
    uint32_t *levels[TG_MERGE_QUEUE_LEVELS]; /* [0]: the keys; each number of a level is the least
                                                of TG_MERGE_QUEUE_FAN of the one below */
    size_t sizes[TG_MERGE_QUEUE_LEVELS];
    unsigned n_levels;
} tg_merge_queue;

/* Numbers that the tree above n keys has. */
size_t tgi_merge_queue_bytes_above(size_t n);
/* keys: [n], filled; above: [tgi_merge_queue_bytes_above(n)]. n is at least 1. */
void tgi_merge_queue_init(tg_merge_queue *pairs, uint32_t *keys, size_t n, uint32_t *above);
/* The place of the least key; false when all are TG_NO_PAIR. */
bool tgi_merge_queue_min(const tg_merge_queue *pairs, size_t *place);
void tgi_merge_queue_set(tg_merge_queue *pairs, size_t place, uint32_t key);

#endif
