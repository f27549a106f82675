/* See merge_queue.h. */
#include "merge_queue.h"

/* Numbers of the level above a level of n. */
static size_t next_size(size_t n)
{
    return (n + TG_MERGE_QUEUE_FAN - 1) / TG_MERGE_QUEUE_FAN;
}

size_t tgi_merge_queue_numbers_above(size_t n)
{
    size_t all = 0;
    while (n > 1)
        all += n = next_size(n);
    return all;
}

/* The minimum of the numbers below number i of a level. */
static uint32_t min_below(const tg_merge_queue *queue, unsigned level, size_t i)
{
    const uint32_t *below = queue->levels[level - 1] + i * TG_MERGE_QUEUE_FAN;
    const size_t left = queue->sizes[level - 1] - i * TG_MERGE_QUEUE_FAN;
    uint32_t min = TG_NO_MERGE;
    if (left >= TG_MERGE_QUEUE_FAN) { /* a fixed count, so that the compiler uses SIMD */
        for (int k = 0; k < TG_MERGE_QUEUE_FAN; k++)
            min = below[k] < min ? below[k] : min;
    } else
        for (size_t k = 0; k < left; k++)
            min = below[k] < min ? below[k] : min;
    return min;
}

void tgi_merge_queue_init(tg_merge_queue *queue, uint32_t *keys, size_t n, uint32_t *above)
{
    *queue = (tg_merge_queue){.levels = {keys}, .sizes = {n}, .n_levels = 1};
    for (; n > 1; queue->n_levels++) {
        n = next_size(n);
        queue->levels[queue->n_levels] = above;
        queue->sizes[queue->n_levels] = n;
        for (size_t i = 0; i < n; i++)
            above[i] = min_below(queue, queue->n_levels, i);
        above += n;
    }
}

bool tgi_merge_queue_min(const tg_merge_queue *queue, size_t *position)
{
    const uint32_t min = queue->levels[queue->n_levels - 1][0];
    size_t at = 0;
    if (min == TG_NO_MERGE)
        return false;
    for (unsigned level = queue->n_levels - 1; level-- > 0;) {
        at *= TG_MERGE_QUEUE_FAN;
        while (queue->levels[level][at] != min)
            at++;
    }
    *position = at;
    return true;
}

void tgi_merge_queue_set(tg_merge_queue *queue, size_t position, uint32_t key)
{
    uint32_t before = queue->levels[0][position];
    queue->levels[0][position] = key;
    for (unsigned level = 1; level < queue->n_levels && key != before; level++) {
        position /= TG_MERGE_QUEUE_FAN;
        const uint32_t old = queue->levels[level][position];
        if (key > old && before > old) /* another number is the minimum and remains it */
            return;
        key = key <= old ? key : min_below(queue, level, position);
        before = old;
        queue->levels[level][position] = key;
    }
}
