/* The candidates that a chain of stages works on. In: logits. Out: the survivors, first in items; what a stage removed stays
 * behind them until the chain has noted it. All memory is the sampler's. */
#ifndef TG_CANDIDATES_H
#define TG_CANDIDATES_H

#include <stdint.h>

#include "sample.h"

typedef struct tg_item {
    int32_t token;
    float logit; /* as the stages so far have left it */
} tg_item;

typedef struct tg_candidates {
    tg_item *items;
    uint32_t n;      /* survivors: items[0..n) */
    uint32_t sorted; /* items[0..sorted) are the greatest of them, in order */
} tg_candidates;

/* The order everywhere: greater logit first, then lower token id. */
static inline int tg_item_before(tg_item a, tg_item b)
{
    return a.logit > b.logit || (a.logit == b.logit && a.token < b.token);
}

/* Brings the first m of items[0..n) in that order to the front, sorted; the rest follows in any order. n log m comparisons at
 * worst. */
void tg_items_select(tg_item *items, uint32_t n, uint32_t m);

/* Makes items[0..m) the m greatest survivors in order, sorting in growing portions so that asking one by one stays cheap. 0 < m
 * <= n. */
void tg_candidates_order(tg_candidates *candidates, uint32_t m);

float tg_candidates_most(const tg_candidates *candidates); /* the greatest logit */
/* sum of exp(logit - most) over the survivors */
double tg_candidates_sum(const tg_candidates *candidates, float most);

/* A stage cuts candidates->n, survivors first, or changes logits; it says in trace->threshold and trace->reason what decided.
 * options: by tg_option. */
typedef void tg_stage_fn(tg_candidates *candidates, const double *options, tg_stage_trace *trace);

#define TG_STAGE(name) tg_stage_fn tg_stage_##name;
#include "stages.def"

/* snprintf into trace->reason */
#if defined(__GNUC__)
__attribute__((format(printf, 2, 3)))
#endif
void tg_reason(tg_stage_trace *trace, const char *format, ...);

#endif
