/* top_k: the k highest logits survive; of equal ones at the border, those with the lower token ids.
 * k = 0: off. */
#include <stdio.h>

#include "candidates.h"

void tgi_apply_top_k(tg_candidates *candidates, const tg_sample_request *request,
                     tg_stage_trace *trace)
{
    const uint32_t k = (uint32_t)request->options[TG_OPTION_top_k];
    const uint32_t n = candidates->n;
    if (k == 0)
        return;
    if (k < n) {
        tgi_candidates_sort(candidates, k);
        candidates->n = k;
    }
    trace->threshold = tgi_candidates_min(candidates);
    snprintf(trace->reason, sizeof trace->reason,
             "top_k: kept the %u highest of %u, down to logit %.4g", (unsigned)candidates->n,
             (unsigned)n, trace->threshold);
}
