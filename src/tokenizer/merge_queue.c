/* In: keys by place. Out: the least of them. The caller owns all memory. */
#include "merge_queue.h"

static size_t above_one(size_t n)
{
    return (n + TG_MERGE_QUEUE_FAN - 1) / TG_MERGE_QUEUE_FAN;
}

size_t tgi_merge_queue_bytes_above(size_t n)
{
    size_t all = 0;
    while (n > 1)
        all += n = above_one(n);
    return all;
}

/* The least of the numbers below number i of level `level`. */
static uint32_t least_below(const tg_merge_queue *p, unsigned level, size_t i)
{
    const uint32_t *below = p->levels[level - 1] + i * TG_MERGE_QUEUE_FAN;
    const size_t left = p->sizes[level - 1] - i * TG_MERGE_QUEUE_FAN;
    uint32_t least = TG_NO_PAIR;
    if (left >= TG_MERGE_QUEUE_FAN) { /* a fixed number of them, for SIMD */
        for (int k = 0; k < TG_MERGE_QUEUE_FAN; k++)
            least = below[k] < least ? below[k] : least;
    } else
        for (size_t k = 0; k < left; k++)
            least = below[k] < least ? below[k] : least;
    return least;
}

void tgi_merge_queue_init(tg_merge_queue *p, uint32_t *keys, size_t n, uint32_t *above)
{
    *p = (tg_merge_queue){.levels = {keys}, .sizes = {n}, .n_levels = 1};
    for (; n > 1; p->n_levels++) {
        n = above_one(n);
        p->levels[p->n_levels] = above;
        p->sizes[p->n_levels] = n;
        for (size_t i = 0; i < n; i++)
            above[i] = least_below(p, p->n_levels, i);
        above += n;
    }
}

bool tgi_merge_queue_min(const tg_merge_queue *p, size_t *place)
{
    const uint32_t least = p->levels[p->n_levels - 1][0];
    size_t at = 0;
    if (least == TG_NO_PAIR)
        return false;
    for (unsigned level = p->n_levels - 1; level-- > 0;) {
        at *= TG_MERGE_QUEUE_FAN;
        while (p->levels[level][at] != least)
            at++;
    }
    *place = at;
    return true;
}

void tgi_merge_queue_set(tg_merge_queue *p, size_t place, uint32_t key)
{
    uint32_t before = p->levels[0][place];
    p->levels[0][place] = key;
    for (unsigned level = 1; level < p->n_levels && key != before; level++) {
        place /= TG_MERGE_QUEUE_FAN;
        const uint32_t old = p->levels[level][place];
        if (key > old && before > old) /* some other one is the least, and stays it */
            return;
        key = key <= old ? key : least_below(p, level, place);
        before = old;
        p->levels[level][place] = key;
    }
}
