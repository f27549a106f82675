/* A priority queue for the pairs of neighbours in a long word that may merge. Each position of the
 * word has a key; a tree of minima above the keys finds the smallest one (the leftmost of equal
 * ones) and takes a changed key by looking at a few times TG_MERGE_QUEUE_FAN numbers. The caller
 * owns all memory. */
#ifndef TG_MERGE_QUEUE_H
#define TG_MERGE_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TG_MERGE_QUEUE_FAN    16
#define TG_MERGE_QUEUE_LEVELS 8          /* for 2^32 positions */
#define TG_NO_MERGE           UINT32_MAX /* the key of a position without a pair that may merge */

typedef struct tg_merge_queue {
    /* [0]: the keys. Each number of a level is the minimum of TG_MERGE_QUEUE_FAN numbers of the
     * level below. */
    uint32_t *levels[TG_MERGE_QUEUE_LEVELS];
    size_t sizes[TG_MERGE_QUEUE_LEVELS];
    unsigned n_levels;
} tg_merge_queue;

/* How many numbers the levels above n keys have. */
size_t tgi_merge_queue_numbers_above(size_t n);

/* keys: [n], filled, n at least 1; above: [tgi_merge_queue_numbers_above(n)]. */
void tgi_merge_queue_init(tg_merge_queue *queue, uint32_t *keys, size_t n, uint32_t *above);

/* The position of the smallest key; false when all are TG_NO_MERGE. */
bool tgi_merge_queue_min(const tg_merge_queue *queue, size_t *position);

void tgi_merge_queue_set(tg_merge_queue *queue, size_t position, uint32_t key);

#endif
