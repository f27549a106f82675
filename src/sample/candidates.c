/* In: candidates. Out: the same, partly ordered, and sums over them. Owns nothing. */
#include "candidates.h"
#include "expd.h"

#include <math.h>
#include <stdarg.h>
#include <stdio.h>

#define FIRST_PORTION 64 /* what is sorted at first; each further portion is GROWTH times as large */
#define GROWTH        8

/* A heap whose top is the last of its items in order: mends the place `at`. */
static void sift_down(tg_item *heap, uint32_t n, uint32_t at)
{
    const tg_item item = heap[at];
    for (uint32_t child; (child = 2 * at + 1) < n; at = child) {
        if (child + 1 < n && tg_item_before(heap[child], heap[child + 1]))
            child++;
        if (!tg_item_before(item, heap[child]))
            break;
        heap[at] = heap[child];
    }
    heap[at] = item;
}

void tg_items_select(tg_item *items, uint32_t n, uint32_t m)
{
    for (uint32_t i = m / 2; i-- > 0;)
        sift_down(items, m, i);
    for (uint32_t i = m; i < n; i++)
        if (tg_item_before(items[i], items[0])) {
            const tg_item out = items[0];
            items[0] = items[i];
            items[i] = out;
            sift_down(items, m, 0);
        }
    for (uint32_t end = m; end-- > 1;) {
        const tg_item last = items[0];
        items[0] = items[end];
        items[end] = last;
        sift_down(items, end, 0);
    }
}

void tg_candidates_order(tg_candidates *c, uint32_t m)
{
    if (m <= c->sorted)
        return;
    uint64_t upto = c->sorted ? (uint64_t)c->sorted * GROWTH : FIRST_PORTION;
    upto = upto > m ? upto : m;
    upto = upto < c->n ? upto : c->n;
    tg_items_select(c->items + c->sorted, c->n - c->sorted, (uint32_t)upto - c->sorted);
    c->sorted = (uint32_t)upto;
}

float tg_candidates_most(const tg_candidates *c)
{
    float most = -INFINITY;
    if (c->sorted)
        return c->items[0].logit;
    for (uint32_t i = 0; i < c->n; i++)
        most = c->items[i].logit > most ? c->items[i].logit : most;
    return most;
}

double tg_candidates_sum(const tg_candidates *c, float most)
{
    double sum = 0;
    for (uint32_t i = 0; i < c->n; i++)
        sum += tg_expd((double)c->items[i].logit - most);
    return sum;
}

void tg_reason(tg_stage_trace *trace, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(trace->reason, sizeof trace->reason, format, args);
    va_end(args);
}
