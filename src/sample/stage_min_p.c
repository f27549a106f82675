/* min_p (Nguyen et al. 2024): keeps tokens at least min_p times as probable as the most probable one. In: candidates and min_p.
 * Out: the survivors. */
#include "candidates.h"

#include <math.h>

void tg_stage_min_p(tg_candidates *c, const double *options, tg_stage_trace *trace)
{
    const double min_p = options[TG_OPTION_min_p];
    trace->threshold = min_p;
    if (min_p == 0) {
        tg_reason(trace, "min_p: off");
        return;
    }
    /* log p is a logit less a constant, so the limit is a logit, too */
    const double least = tg_candidates_most(c) + log(min_p);
    uint32_t kept = 0;
    while (kept < c->sorted && c->items[kept].logit >= least)
        kept++;
    if (kept == c->sorted) { /* past the sorted ones: survivors forward, in any order */
        for (uint32_t i = kept; i < c->n; i++)
            if (c->items[i].logit >= least) {
                const tg_item item = c->items[i];
                c->items[i] = c->items[kept];
                c->items[kept++] = item;
            }
    }
    tg_reason(trace, "min_p: allowed from %.3g times the most probable, logit %.3f", min_p, least);
    c->n = kept;
}
