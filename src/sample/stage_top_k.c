/* top_k (Fan, Lewis and Dauphin 2018): keeps the k greatest logits; 0 keeps all. In: candidates and k. Out: the survivors. */
#include "candidates.h"

void tg_stage_top_k(tg_candidates *c, const double *options, tg_stage_trace *trace)
{
    const double k = options[TG_OPTION_top_k];
    trace->threshold = k;
    if (k == 0 || k >= c->n) {
        tg_reason(trace, k == 0 ? "top_k: off" : "top_k: there are no more than %.0f", k);
        return;
    }
    tg_candidates_order(c, (uint32_t)k);
    const float least = c->items[(uint32_t)k - 1].logit;
    trace->threshold = least;
    tg_reason(trace, "top_k: kept the %.0f greatest of %u, the least logit %.3f", k, (unsigned)c->n, (double)least);
    c->n = (uint32_t)k;
}
