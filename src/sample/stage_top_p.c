/* top_p (Holtzman et al. 2020, nucleus sampling): keeps the most probable tokens until their mass reaches p, at least one. In:
 * candidates and p. Out: the survivors. */
#include "candidates.h"
#include "expd.h"

void tg_stage_top_p(tg_candidates *c, const double *options, tg_stage_trace *trace)
{
    const double p = options[TG_OPTION_top_p];
    trace->threshold = p;
    if (p >= 1) {
        tg_reason(trace, "top_p: off");
        return;
    }
    const float most = tg_candidates_most(c);
    const double sum = tg_candidates_sum(c, most);
    double mass = 0, before = 0;
    uint32_t kept = 0;
    while (kept < c->n && (kept == 0 || mass < p)) {
        tg_candidates_order(c, kept + 1);
        before = mass;
        mass += tg_expd((double)c->items[kept++].logit - most) / sum;
    }
    trace->threshold = before;
    tg_reason(trace, "top_p: %.3f stood before the last one kept, limit %.3f", before, p);
    c->n = kept;
}
