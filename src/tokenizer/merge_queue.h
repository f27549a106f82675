/* The pairs of a long word that may merge: for each place a key, and a tree of least keys above them, so that the least one, the
 * leftmost among equals, is found and any one changed by looking at a few times TG_PAIRS_FAN numbers. In: keys by place. Out: the
 * place to merge next. The keys are the caller's. */
#ifndef TG_PAIRS_H
#define TG_PAIRS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define TG_PAIRS_FAN    16
#define TG_PAIRS_LEVELS 8 /* for 2^32 places */
#define TG_NO_PAIR      UINT32_MAX

typedef struct tg_pairs {
    uint32_t *levels[TG_PAIRS_LEVELS]; /* [0]: the keys; each number of a level is the least of TG_PAIRS_FAN of the one below */
    size_t sizes[TG_PAIRS_LEVELS];
    unsigned n_levels;
} tg_pairs;

/* Numbers that the tree above n keys has. */
size_t tg_pairs_above(size_t n);
/* keys: [n], filled; above: [tg_pairs_above(n)]. n is at least 1. */
void tg_pairs_begin(tg_pairs *pairs, uint32_t *keys, size_t n, uint32_t *above);
/* The place of the least key; false when all are TG_NO_PAIR. */
bool tg_pairs_least(const tg_pairs *pairs, size_t *place);
void tg_pairs_set(tg_pairs *pairs, size_t place, uint32_t key);

#endif
